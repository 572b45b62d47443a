"""`fairlead routing`: its commands, on one page."""

from typing import Any, Final

import typer

from fairlead.cli.later import PLAIN, group_of

COMMANDS: Final = {
    "explain": ("routing_explain", "Which model a question would go to, and what is expected of each."),
    "simulate": (
        "routing_simulate",
        "What recorded work would have cost under another objective, price or model list.",
    ),
    "report": ("routing_report", "Who did which work: share, cost, predicted and observed quality, regret."),
    "audit": ("routing_audit", "Make recorded choices again from their records alone."),
    "train": ("routing_train", "Learn from recorded outcomes, and let the new predictor decide."),
    "predictors": ("routing_train", "What was learnt so far, and which of it decides."),
    "use": ("routing_train", "Let an earlier predictor decide again, or none."),
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    **PLAIN,
    no_args_is_help=True,
)


@app.callback()
def _root() -> None:
    """The choice of models: why, what would have been otherwise, what is learnt, and the proof that no name decides."""


def commands() -> dict[str, Any]:
    return {"routing": typer.main.get_command(app)}
