"""How much of the published context a model of the workspace has embedded, and why not more. Asks no model."""

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.context.vector_rows import Lacking, embedded_of, lacking
from fairlead.context.vector_space import VectorSpace, vector_space
from fairlead.execution.page_embedding import DOOR, EMBEDS, KeptBack
from fairlead.labels import Labels
from fairlead.models.types import Model
from fairlead.policy import Asked
from fairlead.routing import candidates_for
from fairlead.storage.store import Store
from fairlead.tasks.types import Task

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

_LOOKED_AT = 2_000  # sections: a second


class PageStanding(Struct, frozen=True, kw_only=True):
    """In sections. `waiting` are those that nothing forbids."""

    model: str
    key: str
    embedded: int
    kept_back: tuple[KeptBack, ...]
    waiting: int

    @property
    def said(self) -> str:
        """For people, in one sentence."""
        whole = self.embedded + self.waiting + sum(each.sections for each in self.kept_back)
        parts = [f"{self.embedded} of {sections(whole)} embedded by {self.model}"]
        parts += [kept_back_said(each) for each in self.kept_back]
        if self.waiting:
            parts.append(f"{sections(self.waiting)} not embedded yet, and found by words alone")
        return "; ".join(parts)


def sections(count: int) -> str:
    return f"{count} section{'' if count == 1 else 's'}"


def kept_back_said(each: KeptBack) -> str:
    return f"{sections(each.sections)} of class {each.data_class} kept back, and found by words alone: {each.why}"


def page_standing(store: Store, snapshot: str, workspace: "Workspace") -> PageStanding | None:
    """Where `context.embeddings` names a model, else None."""
    space = vector_space(workspace.settings.context, workspace.models.models.values())
    if space is None or not snapshot:
        return None
    missing = lacking(store, snapshot, space.key)
    back = _kept_back(workspace, space, missing[:_LOOKED_AT])
    return PageStanding(
        model=space.model,
        key=space.key,
        embedded=embedded_of(store, snapshot, space.key).sections,
        kept_back=back,
        waiting=len(missing) - sum(each.sections for each in back),
    )


def kept_from(workspace: "Workspace", space: VectorSpace, labels: Labels) -> str:
    """Why no model may be given pages of these labels, by the decision that the path would make; "" where one may."""
    task = workspace.tasks.types.get(space.model, workspace.tasks.default)
    of = Task(type=task, labels=labels, question="")
    policy, models = workspace.policy, _asked(workspace, space)
    rights = policy.authorize(EMBEDS, of, labels, models, DOOR).decisions
    asked = Asked(task.name, DOOR, labels.categories)
    decisions = [rights[each.name] for each in models if not rights[each.name].allowed]
    decisions += [policy.release(EMBEDS, asked, each, frozenset(), {}) for each in models if rights[each.name].allowed]
    if any(each.allowed for each in decisions):
        return ""
    reasons = dict.fromkeys(reason.text for each in decisions for reason in each.reasons)
    return "; ".join(reasons) or "no policy permits it"


def _kept_back(workspace: "Workspace", space: VectorSpace, missing: list[Lacking]) -> tuple[KeptBack, ...]:
    detect = workspace.policy.detect_text
    counts = Counter(detect(each.text).labels.joined(Labels(each.data_class)) for each in missing)
    found = [(labels, count, kept_from(workspace, space, labels)) for labels, count in counts.items()]
    return tuple(KeptBack(labels.data_class.name, count, why) for labels, count, why in found if why)


def _asked(workspace: "Workspace", space: VectorSpace) -> tuple[Model, ...]:
    """The models that a page could be given to: the one that is named, and those that stand in for it."""
    giving = {name: each for name, each in workspace.models.models.items() if each.space is not None}
    groups = {name: each for name, each in workspace.models.groups.items() if each.members[0].name in giving}
    considered = candidates_for(space.model, giving, workspace.tasks.names, workspace.preferences, groups)
    own = next(each.space for each in giving.values() if space.model in (each.name, each.group))
    return tuple(each for each in considered.values() if each.space and own and each.space.name == own.name)
