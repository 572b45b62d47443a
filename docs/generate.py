"""Generates the reference pages that must not drift from the code: python docs/generate.py [--check]

What stands above the marker of a page is written by hand and kept; what stands below it is made from the code.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import typer
from record_words import FIELDS, FLAGS, KINDS, OUTCOMES

from fairlead.cli.explain import MISUSE, USAGE, codes, meaning
from fairlead.cli.later import Later
from fairlead.cli.main import COMMANDS, app
from fairlead.costs.record import Record
from fairlead.models import fields, reply_fields, vector_fields
from fairlead.policy import Rule, injection
from fairlead.policy.detectors import CHECKS, CLASSES, ENTRIES
from fairlead.policy.detectors.entry import Check, Entry
from fairlead.policy.rules import DEFAULT_START, defaults, to_cedar
from fairlead.policy.settings import Allow, Start
from fairlead.policy.sources import schema_text
from fairlead.workspace.schemas import FILES, json_schemas

REFERENCE: Final = Path(__file__).parent / "reference"
MARKER: Final = "<!-- generated from here -->"
WIDTH: Final = 100

Schema = dict[str, Any]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table, with blank lines around it."""
    lines = [[*head], ["---" for _ in head], *([*row] for row in rows)]
    return ["", *("| " + " | ".join(cell(each) for each in line) + " |" for line in lines), ""]


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def fenced(language: str, text: str) -> list[str]:
    return ["", f"```{language}", text.rstrip(), "```", ""]


# ---- the workspace's keys ---------------------------------------------------------------------------------------


def workspace_page() -> Iterator[str]:
    """Every key of every file of a workspace."""
    for name, text in json_schemas().items():
        schema = json.loads(text)
        yield f"\n## {FILES[name][0]}"
        yield f"\n{schema['$defs'][schema['$ref'].rpartition('/')[2]]['description']}"
        yield f"For editors: [{name}](../schemas/{name})."
        yield from table(("key", "type", "default", "meaning"), keys(schema, schema["$defs"]))
        if "allOf" in schema:
            yield "What pages of a kind have beside these:"
            yield from table(("kind", "key", "type", "meaning"), keys_of_kinds(schema))


def keys_of_kinds(schema: Schema) -> Iterator[tuple[str, str, str, str]]:
    """The keys that count only where a page is of one kind."""
    for each in schema["allOf"]:
        name, then = each["if"]["properties"]["kind"]["const"], each["then"]
        for key, part in then["properties"].items():
            needed = ", required" if key in then.get("required", ()) else ""
            yield f"`{name}`", f"`{key}`", kind(part, {}) + needed, part["description"]


def keys(
    schema: Schema, defs: Schema, prefix: str = "", within: tuple[int, ...] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """One row for each key, nested ones below their parents. What holds itself, as steps hold steps, is told once."""
    schema = resolved(schema, defs)
    within = (*within, id(schema))
    for key, part in schema.get("properties", {}).items():
        name = f"{prefix}{key}"
        yield f"`{name}`", kind(part, defs), default(key, schema), said(part, defs)
        for inner, path in below(part, defs, name):
            if id(inner) not in within:
                yield from keys(inner, defs, path, within)


def default(key: str, schema: Schema) -> str:
    part = schema["properties"][key]
    if key in schema.get("required", ()):
        return "required"
    return f"`{json.dumps(part['default'], ensure_ascii=False)}`" if part.get("default") is not None else ""


def said(part: Schema, defs: Schema) -> str:
    """What a key means: told at the key itself, else at one of its alternatives, else at its type."""
    others = part.get("anyOf", ())
    for each in (part, *others, resolved(part, defs), *(resolved(other, defs) for other in others)):
        if each.get("description"):
            return str(each["description"])
    return ""


def resolved(schema: Schema, defs: Schema) -> Schema:
    while "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    return schema


def below(schema: Schema, defs: Schema, path: str) -> Iterator[tuple[Schema, str]]:
    """The objects inside a key: its own, those of its entries, those of its alternatives."""
    schema = resolved(schema, defs)
    if "properties" in schema:
        yield schema, f"{path}."
    if isinstance(schema.get("additionalProperties"), dict):
        yield from below(schema["additionalProperties"], defs, f"{path}.NAME")
    if isinstance(schema.get("items"), dict):
        yield from below(schema["items"], defs, f"{path}[]")
    for each in schema.get("anyOf", ()):
        yield from below(each, defs, path)


def kind(schema: Schema, defs: Schema) -> str:
    """A type in words. A key that may be null may be left out, which its default says already."""
    schema = resolved(schema, defs)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        kinds = [kind(each, defs) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "prefixItems" in schema:
        return f"[{', '.join(kind(each, defs) for each in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}), defs)}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"by name: {kind(schema['additionalProperties'], defs)}"
    return str(schema.get("type", "any")) + limits(schema)


def limits(schema: Schema) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    told = [f"{sign} {schema[name]}" for name, sign in signs.items() if name in schema]
    told += [f"at most {schema['maxLength']} characters"] if "maxLength" in schema else []
    return f", {', '.join(told)}" if told else ""


# ---- commands and errors ----------------------------------------------------------------------------------------


def cli_page() -> Iterator[str]:
    """The help of every command, and of the commands below it."""
    yield from table(
        ("command", "what it does"), ((f"[`{name}`](#fairlead-{name})", what) for name, (_, what) in COMMANDS.items())
    )
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        yield from command_help(f"fairlead {name}", root.commands[name].load(), "##")


def command_help(path: str, command: Any, heading: str) -> Iterator[str]:
    context = typer.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH, color=False)
    yield f"\n{heading} {path}"
    yield from fenced("text", "\n".join(line.rstrip() for line in command.get_help(context).splitlines()))
    for name, inner in getattr(command, "commands", {}).items():
        real = inner.load() if isinstance(inner, Later) else inner
        yield from command_help(f"{path} {name}", real, f"{heading}#")


def errors_page() -> Iterator[str]:
    """Every error code with what `fairlead explain` says of it."""
    known = sorted(codes().items())
    yield from table(
        ("code", "status", "what happened"),
        ((f"[`{code}`](#{code})", str(each.status), meaning(each).partition("\n\n")[0]) for code, each in known),
    )
    for code, error in known:
        yield f"\n## {code}\n\nHTTP status {error.status}.\n\n{meaning(error)}"
    yield f"\n## {USAGE}\n\nOnly on the command line.\n\n{MISUSE}"


# ---- the record -------------------------------------------------------------------------------------------------


def record_page() -> Iterator[str]:
    """Every field of a record."""
    schema = msgspec.json.schema(Record)
    defs = schema["$defs"]
    yield "\n## Fields"
    properties = defs["Record"]["properties"]
    yield from table(
        ("field", "type", "meaning"),
        ((f"`{name}`", kind(part, defs), FIELDS[name]) for name, part in properties.items()),
    )
    for title, told in (("Kinds", KINDS), ("Outcomes", OUTCOMES), ("Flags", FLAGS)):
        yield f"## {title}"
        yield from table(
            (title.lower().removesuffix("s"), "meaning"), ((f"`{name}`", what) for name, what in told.items())
        )


# ---- policy -----------------------------------------------------------------------------------------------------


def policy_page() -> Iterator[str]:
    """What policies may speak of, what the lean rules mean in Cedar, what is detected."""
    yield "\n## Schema\n\nFacts that the workspace declares in `rules/*.yaml` stand in `facts`."
    yield from fenced("cedarschema", schema_text().replace("facts: {},", "facts: {}, // the workspace's own"))
    yield "## Lean rules\n\nEach rule of `rules:` does exactly one of these; `for` belongs to `redact` and"
    yield "`pseudonymise`."
    schema = msgspec.json.schema(Rule)
    yield from table(("key", "type", "default", "meaning"), keys(schema, schema["$defs"]))
    yield "As Cedar, for example:"
    yield from lean_examples()
    yield "## Defaults\n\nA workspace without a file in `policies/` gets these permits:"
    yield from fenced("cedar", defaults(()))
    yield "With an `allow` rule, `default-call` is left out: then only those rules permit calls. With a Cedar file all"
    yield "of them are left out, and nothing is permitted but what the files and the rules permit."
    yield "\nWhere there are systems, it also gets permits to call tools that only read and to be given their results;"
    yield "where something is [remembered](../how-to/memory.md), to write and forget what is one's own, of a session or"
    yield "a run."
    yield "\nWhere there are workflows, and neither a policy nor a `start` rule permits them to begin, everybody may"
    yield "begin them, with Cedar files too: a run does nothing that its caller may not do. A `forbid` always holds."
    yield from fenced("cedar", DEFAULT_START)
    yield from detectors()


def lean_examples() -> Iterator[str]:
    known = frozenset(CLASSES)
    for written, rule in (
        ("{redact: [payment_card], for: cloud}", Rule(redact=("payment_card",), audience="cloud")),
        ("{pseudonymise: [iban], for: cloud}", Rule(pseudonymise=("iban",), audience="cloud")),
        ("{redact: [email], for: replies}", Rule(redact=("email",), audience="replies")),
        ("{keep_local: [national_id]}", Rule(keep_local=("national_id",))),
        ("{refuse: [secret]}", Rule(refuse=("secret",))),
        ("{withhold: [iban]}", Rule(withhold=("iban",))),
        ("{allow: {groups: [finance], models: [small]}}", Rule(allow=Allow(groups=("finance",), models=("small",)))),
        (
            "{start: {groups: [finance], workflows: [invoice]}}",
            Rule(start=Start(groups=("finance",), workflows=("invoice",))),
        ),
    ):
        yield f"\n`{written}` is"
        yield from fenced("cedar", to_cedar([rule], known))


def detectors() -> Iterator[str]:
    """Every detector with what it finds and what confirms it, by category."""
    yield "\n## Built-in detectors\n\nEach looks for a form, and most then ask a check. In `rules/*.yaml`, `without:`"
    yield "switches detectors off by their names, and `also:` switches on those that are off."
    for category, at_least in CLASSES.items():
        yield f"\n### {category}\n\nData class: {at_least.name} at least."
        mine = [_told(each) for each in ENTRIES if each.category == category]
        if category == injection.CATEGORY:
            points = f"{len(injection.CUES)} ways of speaking, together {injection.BOUND} points or more"
            mine = [(f"`{injection.NAME}`", "texts that try to take over the model that reads them", points)]
            yield "\nA warning and no boundary: who knows the cues writes round them. The operator's own messages"
            yield "are not looked at."
        yield from table(("detector", "finds", "confirmed by"), mine)
    yield "A category that is not listed here counts as internal, unless `classes:` says otherwise."
    yield "\n## Checks\n\nWhat a detector of the workspace's own may name under `checksum:`:"
    yield from table(("check", "holds for"), ((f"`{name}`", _first_line(check)) for name, check in CHECKS.items()))


def _told(each: Entry) -> tuple[str, str, str]:
    how = _first_line(each.check) if each.check else "its form alone"
    return f"`{each.name}`", each.finds + ("" if each.on else " (off)"), how


def _first_line(check: Check) -> str:
    return (check.__doc__ or "").strip().partition("\n")[0].rstrip(".")


# ---- the fields of requests and replies -------------------------------------------------------------------------


_PROTOCOLS: Final = {
    "chat": "chat completions",
    "responses": "Responses",
    "anthropic": "Anthropic Messages",
    "google": "Gemini",
    "bedrock": "Bedrock Converse",
    "ollama": "Ollama",
}


def fields_page() -> Iterator[str]:
    """Which field of a request and of a reply goes where, in every protocol that Fairlead speaks."""
    head = ("field", *_PROTOCOLS.values(), "note")
    yield "## Requests"
    yield from table(head, map(field_row, fields.REQUEST))
    yield "## Replies\n\nOf streams, the pieces of the same."
    yield from table(head, map(field_row, reply_fields.REPLY))
    yield "## Embeddings\n\nBedrock's models have bodies of their own: Titan's and Cohere's."
    head = ("field", *_VECTORS.values(), "note")
    yield from table(head, map(vector_row, (*vector_fields.REQUEST, *vector_fields.REPLY)))


def field_row(field: fields.Field) -> Iterator[str]:
    words = (fields.REFUSED, fields.LEFT_OUT, fields.ADDRESS, fields.NONE)
    yield f"`{field.name}`"
    for protocol in _PROTOCOLS:
        place = getattr(field, protocol)
        yield place if place in words or place.startswith("the ") else f"`{place}`"
    yield field.note


_VECTORS: Final = {
    "openai": "OpenAI",
    "ollama": "Ollama",
    "google": "Gemini",
    "titan": "Titan",
    "cohere": "Cohere",
}


def vector_row(field: vector_fields.VectorField) -> Iterator[str]:
    words = (fields.REFUSED, fields.LEFT_OUT, fields.ADDRESS, fields.NONE)
    yield f"`{field.name}`"
    for protocol in _VECTORS:
        place = getattr(field, protocol)
        yield place if place in words else f"`{place}`"
    yield field.note


# ---- writing ----------------------------------------------------------------------------------------------------

PAGES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "workspace.md": workspace_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "record.md": record_page,
    "policy.md": policy_page,
    "fields.md": fields_page,
}


def page(name: str) -> str:
    """The page as it should be: its introduction as it stands, the rest anew."""
    path = REFERENCE / name
    introduction, marker, _ = (path.read_text("utf-8") if path.exists() else "").partition(MARKER)
    if not marker:
        introduction = f"# {name.removesuffix('.md').capitalize()}\n\n{inspect.getdoc(PAGES[name])}\n\n"
    lines = "\n".join(PAGES[name]()).splitlines()
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return f"{introduction}{MARKER}\n\n" + "\n".join(kept).strip("\n") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is out of date")
    check = parser.parse_args().check
    REFERENCE.mkdir(exist_ok=True)
    stale = []
    for name in PAGES:
        path, text = REFERENCE / name, page(name)
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, "utf-8")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run python docs/generate.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
