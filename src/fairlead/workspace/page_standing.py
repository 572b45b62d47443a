"""How much of the published context a model of the workspace has embedded, and why not more. Asks no model."""

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.context.vector_rows import Lacking, by_text, embedded_of, lacking
from fairlead.context.vector_space import VectorSpace, vector_space
from fairlead.execution.page_embedding import DOOR, EMBEDS, KeptBack
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.types import Model
from fairlead.policy import Asked
from fairlead.routing import candidates_for
from fairlead.storage.store import Store
from fairlead.tasks.types import Task

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

AT_A_GLANCE: Final = 2_000
"""Sections that detectors look at in a second or so."""


class PageStanding(Struct, frozen=True, kw_only=True):
    """In sections. `waiting` are those that nothing forbids; whether something forbids the `unlooked` was not looked
    at."""

    model: str
    key: str
    embedded: int
    kept_back: tuple[KeptBack, ...]
    waiting: int
    unlooked: int = 0

    @property
    def said(self) -> str:
        """For people, in one sentence."""
        whole = self.embedded + self.waiting + self.unlooked + sum(each.sections for each in self.kept_back)
        parts = [f"{self.embedded} of {sections(whole)} embedded by {self.model}"]
        parts += [kept_back_said(each) for each in self.kept_back]
        if self.waiting:
            parts.append(f"{sections(self.waiting)} not embedded yet, and found by words alone")
        if self.unlooked:
            parts.append(f"{sections(self.unlooked)} more not embedded, and not looked at here (fairlead doctor does)")
        return "; ".join(parts)


def sections(count: int) -> str:
    """A count in words: `1 section`, `2 sections`."""
    return f"{count} section{'' if count == 1 else 's'}"


def kept_back_said(each: KeptBack) -> str:
    """What is kept back from the model, and why, in one line for people."""
    return f"{sections(each.sections)} of class {each.data_class} kept back, and found by words alone: {each.why}"


def page_standing(
    store: Store, snapshot: str, workspace: "Workspace", at_most: int | None = None
) -> PageStanding | None:
    """Where `context.embeddings` names a model, else None. Of the sections that are not embedded it looks at so many at
    most, for those who wait for it; None for all. Where no policy reads what detectors find, none has to be looked at.
    """
    space = vector_space(workspace.settings.context, workspace.models.models.values())
    if space is None or not snapshot:
        return None
    missing = lacking(store, snapshot, space.key)
    alike, looked_at = list(by_text(missing).values()), len(missing)
    if at_most is not None and workspace.policy.reads_labels:
        ends = accumulate(map(len, alike))
        alike = [each for each, end in zip(alike, ends, strict=True) if end <= at_most]
        looked_at = sum(map(len, alike))
    back = _kept_back(workspace, space, alike)
    return PageStanding(
        model=space.model,
        key=space.key,
        embedded=embedded_of(store, snapshot, space.key).sections,
        kept_back=back,
        waiting=looked_at - sum(each.sections for each in back),
        unlooked=len(missing) - looked_at,
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


def _kept_back(workspace: "Workspace", space: VectorSpace, texts: Iterable[list[Lacking]]) -> tuple[KeptBack, ...]:
    """Texts are looked at once, whoever says them, and with the lowest class of those who do: as they are embedded."""
    policy, counts = workspace.policy, Counter[Labels]()
    for alike in texts:
        found = policy.detect_text(alike[0].text).labels if policy.reads_labels else NO_LABELS
        counts[found.joined(Labels(min(each.data_class for each in alike)))] += len(alike)
    kept = [(labels, count, kept_from(workspace, space, labels)) for labels, count in counts.items()]
    return tuple(KeptBack(labels.data_class.name, count, why) for labels, count, why in kept if why)


def _asked(workspace: "Workspace", space: VectorSpace) -> tuple[Model, ...]:
    """The models that a page could be given to: the one that is named, and those that stand in for it."""
    giving = {name: each for name, each in workspace.models.models.items() if each.space is not None}
    groups = {name: each for name, each in workspace.models.groups.items() if each.members[0].name in giving}
    considered = candidates_for(space.model, giving, workspace.tasks.names, workspace.preferences, groups)
    own = next(each.space for each in giving.values() if space.model in (each.name, each.group))
    return tuple(each for each in considered.values() if each.space and own and each.space.name == own.name)
