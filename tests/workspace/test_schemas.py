"""JSON Schemas: the published ones are the generated ones, and they tell what every key means."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.context.front_keys import KEYS
from fairlead.context.kinds import KINDS, OF_EVERY_KIND, STATUSES
from fairlead.workspace.schemas import FILES, json_schemas, write_schemas

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_published_schemas_are_the_generated_ones() -> None:
    published = {path.name: path.read_bytes() for path in PUBLISHED.glob("*.json")}
    assert published == json_schemas(), "run: fairlead schema --out docs/schemas"


def test_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    written = write_schemas(tmp_path / "schemas")
    assert sorted(path.name for path in written) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_described(name: str) -> None:
    schema = json.loads(json_schemas()[name])
    assert list(undescribed(schema)) == []


def undescribed(schema: dict[str, Any]) -> Iterator[str]:
    """Keys that neither say what they are nor refer to something that does."""
    for kind, definition in schema["$defs"].items():
        if not definition.get("description"):
            yield kind
        for key, value in definition.get("properties", {}).items():
            if not any(option.get("description") or "$ref" in option for option in [value, *value.get("anyOf", [])]):
                yield f"{kind}.{key}"


def test_optional_parts_are_not_required() -> None:
    schema = json.loads(json_schemas()["fairlead.schema.json"])
    assert schema["$defs"]["WorkspaceSettings"]["required"] == ["organisation", "models"]


def test_editors_know_every_key_of_a_page_and_those_of_its_kind() -> None:
    schema = json.loads(json_schemas()["context-front-matter.schema.json"])
    keys = schema["$defs"]["PageFrontMatter"]["properties"]
    assert keys.keys() == {*KEYS, *OF_EVERY_KIND}
    assert keys["kind"]["enum"] == sorted(KINDS)
    assert keys["status"]["enum"] == sorted(STATUSES)
    of_kinds = {
        each["if"]["properties"]["kind"]["const"]: (set(each["then"]["properties"]), each["then"].get("required", []))
        for each in schema["allOf"]
    }
    assert of_kinds == {
        kind: (set(fields), [name for name, field in fields.items() if field.needed])
        for kind, fields in KINDS.items()
        if fields
    }
