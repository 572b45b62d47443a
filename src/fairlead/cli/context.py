"""`fairlead context`: its commands, on one page."""

from typing import Any, Final

import typer

from fairlead.cli.later import PLAIN, group_of

COMMANDS: Final = {
    "start": ("context_start", "Draft pages for a function, as questions to answer."),
    "add": ("context_add", "Copy files into context/ as pages, once or from now on."),
    "sync": ("context_sync", "Bring in what is new at the sources of context/sources.yaml."),
    "list": ("context_items", "Every page: who may read it, who answers for it, whether its review is due."),
    "show": ("context_items", "One page: what its front matter came to, and its text."),
    "history": ("context_history", "A page's versions: when each was published, and what it changed."),
    "diff": ("context_history", "How two versions differ, or what the next publish would change."),
    "search": ("context_search", "What somebody would be given for a question, under their rights."),
    "verify": ("context_life", "Say that pages were read and found right."),
    "publish": ("context_life", "Let drafts and retired pages be published with the next apply."),
    "retire": ("context_life", "Take pages back with the next apply."),
    "inventory": ("context_readiness", "What agents decide here, what they must know for it, what there is."),
    "readiness": ("context_readiness", "How much of the required knowledge is there, and what to write next."),
    "requests": ("context_requests", "What owners are asked for, the weightiest first."),
    "impact": ("context_impact", "Answers that rest on what has changed, expired or gone since."),
    "propose": ("context_edits", "Propose another text for a page; its owner is asked."),
    "accept": ("context_edits", "Put a proposed text into its page."),
    "works": ("context_work", "Work of several agents that is pinned to the pages it began under."),
    "consistency": ("context_work", "Whether all agents of one piece of work knew the same."),
    "unpin": ("context_work", "Let work go on with the pages that are in force now."),
    "replay": ("context_replay", "Make the context of a past run again, and compare it byte for byte."),
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    **PLAIN,
    no_args_is_help=True,
)


@app.callback()
def _root() -> None:
    """The organisation's context: what there is, whose it is, what changed, and what somebody would be given."""


def commands() -> dict[str, Any]:
    return {"context": typer.main.get_command(app)}
