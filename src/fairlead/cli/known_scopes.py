"""Whether somebody can have the budget that a command names: a slip of the pen would put money where nobody spends."""

from typing import TYPE_CHECKING

from fairlead.cli.opening import balances_of
from fairlead.costs.budgets import scope_name
from fairlead.errors import NotFound, closest
from fairlead.storage.store import Store
from fairlead.tasks.settings import BUILT_IN
from fairlead.workspace.published import load_keys
from fairlead.workspace.remarks import departments_of

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace


def require_known(compiled: "Workspace", store: Store, scope: str) -> None:
    """Raises `NotFound` for a department or task type that neither the workspace names, nor a key, and that has spent
    nothing. Departments may come with tokens, so one that is new may still be meant."""
    kind, _, name = scope.partition("/")
    if kind not in ("department", "task"):
        return
    known = {each for each, _ in balances_of(store) if each.startswith(f"{kind}/")}
    if kind == "department":
        named = departments_of(compiled) | {key.department for key in load_keys(store)}
        known |= {scope_name(kind, each) for each in named - {""}}
    else:
        known |= {scope_name(kind, each) for each in (*compiled.tasks.types, BUILT_IN)}
    if scope not in known:
        what = "department" if kind == "department" else "task type"
        like = closest(name, {each.partition("/")[2] for each in known})
        raise NotFound(
            f"there is no {what} {name!r}",
            why="neither the workspace nor a key names it, and nobody of it has spent anything yet",
            mend=f"{like or 'see fairlead budget'} If it is new and meant so, add --new",
            subject=scope,
        )
