"""`fairlead approvals`: calls that wait for a person, and the answer of one."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.compiled import published, require_published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, server_url, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.credits import Credits
from fairlead.errors import NotFound, Refused
from fairlead.execution.approval_question import Approval, plain
from fairlead.execution.approvals import Approvals
from fairlead.identity import Caller
from fairlead.identity.keys import as_known
from fairlead.storage.store import Store
from fairlead.workspace.asking import take_up_approvals
from fairlead.workspace.published import load_keys

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Calls that wait for a person: list, show, approve, deny.",
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id, as the refused call tells it.")]
As = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Who answers. Default: whoever runs this.", show_default=False)
]
Role = Annotated[str, typer.Option("--role", help="The one role to answer in. Default: all that they have.")]
Reason = Annotated[str, typer.Option("--reason", help="Why. Kept sealed for whoever answers.")]


@contextmanager
def opened(place: Place) -> Iterator[tuple[Approvals, Store]]:
    """The approvals of a deployment, over its database."""
    from fairlead.cli.pushed import authenticator_of

    with closing(open_store(place)) as store:
        vault, clock, workspace = open_vault(place, store), SystemClock(), published(place, store)
        approvals = Approvals(store, vault, clock)
        credits = Credits(store, clock, workspace.budgets, lambda person: vault.subject_for(person).id)
        approvals.standing = authenticator_of(place, store, workspace.identity).still
        take_up_approvals(approvals, workspace, lambda _: workspace.approvals, credits)
        yield approvals, store


@app.callback()
def _group() -> None:
    """Calls that wait for a person: list, show, approve, deny."""


@app.command("list")
def list_(
    workspace: Workspace = None,
    data_folder: Data = None,
    every: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    json: Json = False,
) -> None:
    """What waits for an answer, or was granted and is not used yet, the oldest first."""
    with opened(find(workspace, data_folder)) as (approvals, _):
        found = approvals.all(() if every else ("pending", "granted"))
    if json:
        json_data([plain(each) for each in found])
        return
    table(
        ["approval", "state", "tool", "who", "wanted", "asked (UTC)", "until (UTC)"],
        [
            [
                each.id,
                each.state,
                each.question.tool,
                _who(each),
                ", ".join(each.question.wanted),
                shown(each.asked_at),
                shown(each.expires_at),
            ]
            for each in found
        ],
    )


@app.command()
def show(id_: Id, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """The question: who would do what with which arguments, why it is asked, and what was said so far."""
    with opened(find(workspace, data_folder)) as (approvals, _):
        found = approvals.one(id_)
    if json:
        json_data(plain(found))
        return
    question = found.question
    data(f"{found.id}  {found.state}, until {shown(found.expires_at)} UTC")
    data(f"{_who(found)} asks for {question.tool}")
    for each in question.reasons:
        data(f"  because: {each.text} ({each.policy})")
    for name, value in question.arguments.items():
        data(f"  {name} = {_text(value)}  ({question.came(name)})")
    for name, value in question.facts.items():
        data(f"  fact {name} = {_text(value)}")
    for role, count in question.wanted.items():
        data(f"wanted: {role}" + (f", {count} persons" if count > 1 else ""))
    for answer in found.answers:
        said = "agrees" if answer.allowed else "denies"
        data(f"{answer.by or 'somebody who was erased'} {said} as {', '.join(answer.roles)}: {answer.reason}")


@app.command()
def approve(
    id_: Id,
    person: As = "",
    role: Role = "",
    reason: Reason = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let a call pass, once. Whoever asked makes it again with the same arguments."""
    _answer(find(workspace, data_folder), id_, person, role, reason, True, dry_run, json)


@app.command()
def deny(
    id_: Id,
    person: As = "",
    role: Role = "",
    reason: Reason = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Say no to a call. The same call is not asked about again until the question's time is over."""
    _answer(find(workspace, data_folder), id_, person, role, reason, False, dry_run, json)


@app.command()
def link(
    id_: Id,
    person: Annotated[str, typer.Option("--for", metavar="PERSON", help="Who is to answer by it.")],
    role: Role = "",
    url: Annotated[str, typer.Option("--url", help="Where people reach Fairlead. Default: as configured.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """A link by which one person may answer one question, once. Whoever has it may: send it to nobody else."""
    place = find(workspace, data_folder)
    with opened(place) as (approvals, store):
        asked = approvals.one(id_)
        who = known_person(place, store, person)
        named = role or min(_roles(approvals, asked, who, ""))
        _roles(approvals, asked, who, named)
        hours = approvals.rules.settings.link_hours
        until = min(asked.expires_at, SystemClock().now() + int(hours * 3_600_000))
        token = approvals.link(id_, person, named, until)
    address = f"{(url or server_url(workspace)).rstrip('/')}/approve/{token}"
    if json:
        json_data({"url": address, "approver": person, "role": named, "until": until})
        return
    data(address)
    say(f"{person} answers by it as {named}, until {shown(until)} UTC")


def _answer(
    place: Place, id_: str, person: str, role: str, reason: str, allowed: bool, dry_run: bool, json: bool
) -> None:
    with opened(place) as (approvals, store):
        asked, who = approvals.one(id_), known_person(place, store, person or user())
        roles = _roles(approvals, asked, who, role)
        word = "approve" if allowed else "deny"
        if dry_run:
            say(f"would {word} {asked.question.tool} of {_who(asked)} as {', '.join(sorted(roles))}")
            return
        revision = require_published(store)
        done = approvals.answer(id_, who, allowed, reason, revision=revision, by=f"os:{user()}", role=role)
    if json:
        json_data(plain(done))
    else:
        say(f"{done.id} is {done.state}" + (": others must agree too" if allowed and done.state == "pending" else ""))


def known_person(place: Place, store: Store, person: str) -> Caller:
    """A person, with all that the workspace and keys say of them."""
    from fairlead.cli.pushed import register_of

    identity = published(place, store).identity
    found = as_known(person, (*identity.keys, *load_keys(store)), SystemClock().now())
    register = register_of(place, store, identity)
    return found if register is None else register.known(found)


def _roles(approvals: Approvals, asked: Approval, who: Caller, role: str) -> frozenset[str]:
    try:
        return approvals.roles_of(asked, who, role)
    except NotFound:
        wanted = role or " or ".join(asked.question.wanted)
        raise Refused(
            f"{who.person} may not answer {asked.id} as {wanted}",
            why="neither `approvals:` of the workspace nor a key of theirs says that they have the role",
            mend="name somebody who has, with --as; fairlead approvals show tells which role is wanted",
        ) from None


def _who(found: Approval) -> str:
    return " through ".join(filter(None, (found.question.person, found.question.agent)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def commands() -> dict[str, Any]:
    return {"approvals": typer.main.get_command(app)}
