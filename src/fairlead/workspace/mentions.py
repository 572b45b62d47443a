"""Where the text of a workspace names a model or a vendor: what would have to change for another. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from fairlead.workspace.text import ENTRY, POLICY_TESTS, WorkspaceText
from fairlead.workspace.yaml_lines import Document, Path, parse_yaml


def mentions(text: WorkspaceText, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By name, the places that name it: keys of YAML (`fairlead.yaml: models.large`) and files of policies. Pages and
    prose that only happen to have the word are none."""
    found: dict[str, dict[str, None]] = {name: {} for name in names}
    for file in sorted(text.files):
        for name, place in _of(file, text.files[file], frozenset(names)):
            found[name][place] = None
    return {name: tuple(places) for name, places in found.items()}


def _of(file: str, content: bytes, names: Collection[str]) -> Iterator[tuple[str, str]]:
    if file.endswith(".cedar"):
        quoted = set(re.findall(r'"([^"\n]*)"', content.decode("utf-8", "replace")))
        yield from ((name, file) for name in sorted(quoted & set(names)))
    elif file in (ENTRY, POLICY_TESTS) or file.startswith("tasks/"):
        document = parse_yaml(file, content)
        if isinstance(document, Document):
            yield from ((name, f"{file}: {_said(path)}") for name, path in _within(document.data, (), names))


def _within(data: object, path: Path, names: Collection[str]) -> Iterator[tuple[str, Path]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in names:
                yield str(key), (*path, str(key))
            yield from _within(value, (*path, str(key)), names)
    elif isinstance(data, list):
        for value in data:
            yield from _within(value, path, names)
    elif isinstance(data, str) and data in names:
        yield data, path


def _said(path: Path) -> str:
    return ".".join(map(str, path))


def for_another(
    named: Mapping[str, Collection[str]], models: Collection[str], vendor: str
) -> tuple[list[str], list[str]]:
    """What another vendor for these models would change: where they are declared and priced and the vendor is named,
    and the places that name the models alone, which stay."""
    names = names_of(models)
    declared = {f"{ENTRY}: {part}.{model}" for part in ("models", "prices") for model in names}
    places = {place for model in names for place in named.get(model, ())}
    change = (places & declared) | set(named.get(vendor, ()))
    return sorted(change), sorted(places - change)


def names_of(models: Collection[str]) -> set[str]:
    """The names under which the workspace speaks of them: deployments of a model by the model's, too."""
    return {*models, *(model.partition("/")[0] for model in models)}
