"""`fairlead init`: a new workspace with everything that it needs to answer its first question."""

import json as text
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.place import DATA, DATABASE, Place
from fairlead.cli.setting_up import Made, made_whole, set_up
from fairlead.clock import SystemClock, day_of
from fairlead.workspace.templates import TEMPLATES, template_files, write_template
from fairlead.workspace.yaml_lines import Document, parse_yaml

app = typer.Typer(**PLAIN)

URL = "http://127.0.0.1:8700"


def _templates(incomplete: str) -> list[tuple[str, str]]:
    return [(name, about) for name, about in TEMPLATES.items() if name.startswith(incomplete)]


@app.command()
def init(
    name: Annotated[Path, typer.Argument(help="The folder to make; its name becomes the organisation's.")],
    template: Annotated[
        str, typer.Option("--template", "-t", help="standard, lean or retail.", autocompletion=_templates)
    ] = "standard",
    organisation: Annotated[
        str, typer.Option(help="The organisation's name, where it is not the folder's.", show_default=False)
    ] = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Make a workspace: a folder of text that defines a deployment, its state beside it, and a first key.

    The key goes to standard output, once, and is kept nowhere: FAIRLEAD_API_KEY=$(fairlead init acme)
    """
    folder = name.absolute()
    variables = {"organisation": organisation or folder.name, "today": day_of(SystemClock().now())}
    if dry_run:
        files = sorted(template_files(template, variables))
        json_data({"folder": str(folder), "files": files}) if json else data(
            "\n".join(str(name / file) for file in files)
        )
        return
    with made_whole(folder):
        written = write_template(template, folder, variables)
        made = set_up(Place(folder, folder / DATA, folder / DATA / DATABASE))
    if json:
        json_data({"folder": str(folder), "files": [str(each) for each in written], "key": made.first_key})
        return
    say(f"made the workspace {name} from the template {template}: {len(written)} files, state in {name / DATA}")
    show_first_key(made)
    say(_next(name, first_question(folder)))


def show_first_key(made: Made) -> None:
    """Print the first key, once, with what has to be known of it."""
    if made.key_file is not None:
        say(f"the master key is in {made.key_file}: keep a copy away from the database, or nothing can be read again")
    if made.first_key:
        say("your first key, shown this once (for others: fairlead key add NAME --person P):")
        data(made.first_key)


def first_question(folder: Path) -> str:
    """What to ask first: an example of a kind of work that is answered from the workspace's own context."""
    for path in sorted((folder / "tasks").glob("*.yaml")):
        document = parse_yaml(path.name, path.read_bytes())
        task = document.data if isinstance(document, Document) else None
        if isinstance(task, dict) and task.get("context") and task.get("examples"):
            return str(task["examples"][0])
    return "What can you do?"


def ready_curl(url: str, question: str, *, with_key: bool = True) -> str:
    """A request to try, as people paste it."""
    body = text.dumps({"model": "auto", "messages": [{"role": "user", "content": question}]}).replace("'", "\\u0027")
    key = ' -H "authorization: Bearer $FAIRLEAD_API_KEY"' if with_key else ""
    return f"curl {url}/v1/chat/completions{key} -H 'content-type: application/json' \\\n  -d '{body}'"


def _next(name: Path, question: str) -> str:
    asked = text.dumps([{"role": "user", "content": question}])
    return f"""
next:
  export FAIRLEAD_API_KEY=KEY
  fairlead serve {name}
  {ready_curl(URL, question)}

from Python:
  from openai import OpenAI
  client = OpenAI(base_url="{URL}/v1", api_key="KEY")
  reply = client.chat.completions.create(model="auto", messages={asked})
  print(reply.choices[0].message.content)"""


def commands() -> dict[str, Any]:
    return {"init": typer.main.get_command(app)}
