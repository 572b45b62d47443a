"""`fairlead workflow questions`: what runs of others ask, and one of them whole, with what an answer may hold."""

import json as jsons
from collections.abc import Iterator, Mapping
from shlex import quote as as_word
from typing import Annotated, Any

import typer

from fairlead.cli.ask import Key
from fairlead.cli.asking import got
from fairlead.cli.later import built
from fairlead.cli.output import Json, briefly, data, json_data, say, table
from fairlead.cli.place import Url, Workspace, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.cli.when import shown
from fairlead.errors import NotFound

Of = Annotated[str, typer.Argument(metavar="[RUN]", help="Show what this run asks, whole. Default: list all.")]


def questions(id_: Of = "", key: Key = "", url: Url = "", workspace: Workspace = None, json: Json = False) -> None:
    """What runs of others wait for you to answer. With a run: all that its question shows, and how to answer it."""
    address = url or server_url(workspace)
    found = got(address, "/v1/workflows/questions", key_or_login(key, address))["data"]
    if id_:
        found = [each for each in found if each["run"] == id_]
        if not found:
            raise NotFound(
                f"run {id_} asks you nothing",
                why="it asks others, it is your own, it was answered, or there is no such run",
                mend="fairlead workflow questions lists what waits for you",
                subject=id_,
            )
    if json:
        json_data(found)
    elif id_:
        data("\n\n".join("\n".join(_whole(each)) for each in found))
    else:
        rows = [[each["run"], each["at"], each["person"], each["ask"] or "", shown(each["asked_at"])] for each in found]
        table(["run", "step", "whose", "question", "asked (UTC)"], rows)
        say("one of them whole: fairlead workflow questions RUN" if found else "nothing waits for you")


def _whole(question: Mapping[str, Any]) -> Iterator[str]:
    run, at = question["run"], as_word(question["at"])
    until = f", until {shown(question['until'])} UTC" if question["until"] else ""
    yield f"{run}  {question['workflow']} of {question['person']}, at {question['at']}{until}"
    if question["ask"]:
        yield question["ask"]
    if question["show"] is not None:
        more = f"fairlead workflow questions {run} --json prints it whole"
        yield _as_text(briefly(question["show"], more))
    schema = question["answer"] or {}
    if lines := list(fields(schema)):
        yield "an answer may hold:" if "properties" in schema else "the answer is:"
        yield from lines
    example = as_word(jsons.dumps(schema["enum"][0])) if schema.get("enum") else "JSON"
    yield f"fairlead workflow approve {run} {at}" + (f" --value {example}" if schema else "")
    yield f'fairlead workflow deny {run} {at} --note "why"'


def _as_text(value: Any) -> str:
    if not isinstance(value, dict | list):
        return str(value)
    import yaml

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110).rstrip()


def fields(schema: Mapping[str, Any]) -> Iterator[str]:
    """The keys of an object that may be given, a line each; of anything else its schema."""
    if "enum" in schema:
        yield "  one of " + ", ".join(jsons.dumps(each, ensure_ascii=False) for each in schema["enum"])
    elif schema and not schema.get("properties"):
        yield f"  {jsons.dumps(schema, ensure_ascii=False)}"
    for name, found in (schema.get("properties") or {}).items():
        each = found if isinstance(found, dict) else {}
        kind = "one of " + ", ".join(map(str, each["enum"])) if "enum" in each else each.get("type", "any")
        must = ", needed" if name in schema.get("required", ()) else ""
        said = f": {each['description']}" if "description" in each else ""
        yield f"  {name} ({kind}{must}){said}"


def commands() -> dict[str, Any]:
    return built(questions=questions)
