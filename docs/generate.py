"""Generates the reference pages that must not drift from the code: python docs/generate.py [--check]"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fairlead.cli.explain import codes, meaning
from fairlead.workspace.schemas import json_schemas

REFERENCE = Path(__file__).parent / "reference"
TITLES = {
    "fairlead.schema.json": "fairlead.yaml",
    "task.schema.json": "tasks/*.yaml",
    "rules.schema.json": "rules/*.yaml",
    "policy-tests.schema.json": "policies/tests.yaml",
    "context-front-matter.schema.json": "front matter of context/**/*.md",
}


def workspace_page() -> str:
    """Every key of every file of a workspace."""
    lines = [
        "# The workspace",
        "",
        "Every key of every file, generated from the types that read them. Policies in `policies/*.cedar` are Cedar;",
        "knowledge in `context/**/*.md` is Markdown. `fairlead check` tells every problem with its line.",
    ]
    for name, schema in json_schemas().items():
        document = json.loads(schema)
        lines += ["", f"## {TITLES[name]}", "", "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        lines += list(rows(document, document.get("$defs", {})))
    return "\n".join(lines) + "\n"


def rows(schema: dict[str, Any], defs: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[str]:
    """One table row for each key, nested ones below their parents."""
    schema = resolved(schema, defs)
    for key, part in schema.get("properties", {}).items():
        inner = resolved(part, defs)
        about = str(part.get("description") or inner.get("description") or "").replace("\n", " ").replace("|", "\\|")
        default = f"`{json.dumps(part['default'])}`" if "default" in part and part["default"] != {} else ""
        yield f"| `{prefix}{key}` | {kind(part, defs)} | {default} | {about} |"
        if depth < 4:
            for each, path in below(inner, defs, f"{prefix}{key}"):
                yield from rows(each, defs, path, depth + 1)


def resolved(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    return schema


def below(schema: dict[str, Any], defs: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects inside a key: its own, those of its entries, those of its alternatives."""
    if "properties" in schema:
        yield schema, f"{path}."
    if isinstance(schema.get("additionalProperties"), dict):
        yield from below(resolved(schema["additionalProperties"], defs), defs, f"{path}.NAME")
    if isinstance(schema.get("items"), dict):
        yield from below(resolved(schema["items"], defs), defs, f"{path}[]")
    for each in schema.get("anyOf", ()):
        yield from below(resolved(each, defs), defs, path)


def kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    schema = resolved(schema, defs)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(each, defs) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}), defs)}"
    return str(schema.get("type", "any"))


def errors_page() -> str:
    """Every error code with what `fairlead explain` says of it."""
    lines = ["# Errors", "", "What `fairlead explain CODE` prints, generated from the error classes."]
    for code, error in sorted(codes().items()):
        lines += ["", f"## {code}", "", f"HTTP status {error.status}.", "", meaning(error)]
    return "\n".join(lines) + "\n"


PAGES = {"workspace.md": workspace_page, "errors.md": errors_page}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is out of date")
    check = parser.parse_args().check
    REFERENCE.mkdir(exist_ok=True)
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run python docs/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
