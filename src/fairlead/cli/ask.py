"""`fairlead ask` and `estimate`: a question to a running Fairlead, over the same door that every client uses."""

import asyncio
import json as jsons
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli import complete
from fairlead.cli.asking import NoServer, Reply, posted
from fairlead.cli.later import PLAIN
from fairlead.cli.output import Json, data, json_data, safe, say, table
from fairlead.cli.place import Data, Url, Workspace, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.errors import BadInput

ask_app = typer.Typer(**PLAIN)
estimate_app = typer.Typer(**PLAIN)

Question = Annotated[str, typer.Argument(help="The question; `-` reads it from standard input.")]
Model = Annotated[
    str, typer.Option("--model", "-m", help="auto, a task type, or a model.", autocompletion=complete.models)
]
Key = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="FAIRLEAD_API_KEY",
        metavar="KEY",
        show_default=False,
        help="The key to ask with. Default: your login.",
    ),
]
MostOutput = Annotated[int | None, typer.Option("--max-output", min=1, help="The most tokens of the answer.")]


@ask_app.command()
def ask(
    question: Question,
    model: Model = "auto",
    key: Key = "",
    url: Url = "",
    max_output: MostOutput = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show the answer as it comes.")] = False,
    work: Annotated[
        str, typer.Option("--work", help="The piece of work that this is a part of: it sees one state of all pages.")
    ] = "",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Ask a running Fairlead. The answer goes to standard output; its sources, cost and run to the error stream."""
    address = url or server_url(workspace)
    key = key_or_login(key, address)
    body, headers = _body(question, model, max_output), {"x-fairlead-work": work} if work else None
    if stream and not json:
        with posted(address, body | {"stream": True}, key, headers) as answer:
            _tell(_streamed(answer))
        return
    with posted(address, body, key, headers) as answer:
        reply = jsons.loads(answer.read())
    if json:
        json_data(reply)
        return
    message = reply["choices"][0]["message"]
    data(message.get("content") or message.get("refusal") or "")
    _tell(reply["fairlead"])


def _body(question: str, model: str, max_output: int | None) -> dict[str, Any]:
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise BadInput("the question is empty", mend='fairlead ask "How long do customers have to return something?"')
    limit = {} if max_output is None else {"max_completion_tokens": max_output}
    return {"model": model, "messages": [{"role": "user", "content": text}], **limit}


def _streamed(reply: Reply) -> Mapping[str, Any]:
    """Print the pieces as they come. Gives what was said about the whole, which comes last."""
    about: Mapping[str, Any] = {}
    for event in reply.events():
        for choice in event.get("choices", ()):
            sys.stdout.write(safe(choice["delta"].get("content") or ""))
            sys.stdout.flush()
        about = event.get("fairlead", about)
    print()
    return about


def _tell(about: Mapping[str, Any]) -> None:
    for item in about.get("citations", ()):
        due = f", review due {item['review_by']}" if item.get("review_by") else ""
        whose = f"read live, as of {item['as_of']}" if item.get("as_of") else item["owner"] or "no owner"
        say(f"source: {item['title']} [{item['id']}], {whose}{due}")
        for note in item.get("notes", ()):
            if not item.get("as_of") or not note.startswith("read live"):
                say(f"  note: {note}")
    for two in about.get("differing", ()):
        say(f"note: sources differ: [{two['one']}] says {two['said']}, [{two['other']}] says {two['instead']}")
    cost = about["cost"]
    sure = " (tokens counted by Fairlead)" if cost["estimated"] else ""
    say(f"cost: {cost['amount']} {cost['currency']}{sure}  model: {about['model']} ({about['placement']})")
    if about.get("redacted"):
        say(f"taken out before sending: {', '.join(about['redacted'])}")
    for need in about.get("required", ()):
        if need.get("said"):
            say(f"note: {need['said']}")
    if work := about.get("work"):
        newer = "; newer pages are in force" if work.get("newer") else ""
        say(f"work: {work['id']}, on the pages of {work['since'] + newer}")
    for warning in about.get("warnings", ()):
        say(f"warning: {warning}")
    say(f"run: {about['run']}  (fairlead trace {about['run']})")


@estimate_app.command()
def estimate(
    question: Question,
    model: Model = "auto",
    key: Key = "",
    url: Url = "",
    max_output: MostOutput = None,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What a question would cost with every model that may answer it; or all requests of a file, one a line
    (FILE.jsonl), together. Nothing is asked, nothing is billed."""
    if question.endswith(".jsonl"):
        from fairlead.cli.batch_asked import quoted_batch, show_batch

        show_batch(asyncio.run(quoted_batch(workspace, data_folder, Path(question), model, key)), json)
        return
    body = _body(question, model, max_output)
    try:
        address = url or server_url(workspace)
        with posted(address, body, key_or_login(key, address), {"x-fairlead-dry-run": "estimate"}) as answer:
            quote = jsons.loads(answer.read())
    except NoServer:
        if url:
            raise
        from fairlead.cli.deciding import quote_here

        say("no server runs: decided here, by the same code")
        quote = asyncio.run(quote_here(workspace, data_folder, body, key))
    if json:
        json_data(quote)
        return
    _show_quote(quote)


def _show_quote(quote: Mapping[str, Any]) -> None:
    table(
        ["model", "low", "likely", "high", "at most", "rests on"],
        [
            [each["model"], each["low"], each["likely"], each["high"], each["most"], _seen(each)]
            for each in quote["estimates"]
        ],
        right=["low", "likely", "high", "at most"],
    )
    for need in quote.get("required", ()):
        say(f"required {need.get('said') or need['need'] + ': met'} ({need['follows']})")
    for dropped in quote["route"].get("dropped", ()):
        say(f"dropped {dropped['model']}: {dropped['by']}, {dropped['reason']}")
    say("low to high: four of five calls; at most is what would be held")
    if cascade := quote.get("cascade"):
        tell_course(cascade, quote["currency"])
    say(f"in {quote['currency']}, task type {quote['task']}; {quote['route']['why']}")


def tell_course(cascade: Mapping[str, Any], currency: str) -> None:
    """Say what a cascade may come to."""
    models, checks = ", then ".join(cascade["models"]), ", ".join(cascade["checks"])
    agrees = f", and {cascade['agreement']} is asked whether it agrees" if cascade.get("agreement") else ""
    say(f"cascade: {models}: the first answer that passes {checks}{agrees}")
    say(f"it costs from {cascade['low']} (the first answer alone) to {cascade['high']} {currency} (all of them)")


def _seen(each: Mapping[str, Any]) -> str:
    return f"{each['outcomes']} replies since {each['since']}" if each["outcomes"] else "declared bounds"


def commands() -> dict[str, Any]:
    return {"ask": typer.main.get_command(ask_app), "estimate": typer.main.get_command(estimate_app)}
