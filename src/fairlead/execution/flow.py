"""Where the arguments of a call come from: what a run has been told and has read, kept beside what it makes of it.

A flow is a value. What the person says goes in by `said`, each result by `read`, and `request` makes the next call with
the sources of every argument. A value that somebody wrote is taken to come from all that was read before, unless it is
proven to come from less:

- a reference (`{"$from": "STEP", "path": "items.0.iban"}`) is resolved here, so its source is exact;
- what stands whole in the person's own words or in the workspace's was said there, whoever repeats it;
- what is one of the single values of a result comes from the results in which it stands;
- what was extracted through a declared schema, where that leaves no room for words, comes from the schema.

Whose value it is and why it was chosen are two questions: the sources answer the first, `ToolRequest.read` the second.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.execution.attested import Leaf, leaf_of, links_of, singles
from fairlead.execution.extraction import closed_values
from fairlead.execution.flow_step import WORDS, Step, given_as, joined, step_of
from fairlead.execution.tool_asking import ToolRequest
from fairlead.labels import NO_LABELS, Labels
from fairlead.policy.tool_rights import UNKNOWN, Sources

_REFERENCE: Final = "$from"
_NOWHERE: Final[Sources] = frozenset()
_MOST_PROVEN: Final = 1000  # single values of a call; of more, nothing is proven
_MOST_LINKS: Final = 100
_MOST_REFERENCES: Final = 64


class Flow(Struct, frozen=True, dict=True):
    """What a run has been told and has read, in order. Every method gives back a new one.

    `elsewhere` is where that comes from which it may have read and which is not here: "unknown" where somebody keeps
    the flow who does not see all that the agent reads.
    """

    steps: tuple[Step, ...] = ()
    elsewhere: Sources = frozenset()

    def said(self, text: str, source: str = "user") -> "Flow":
        """With words of the person, or of the workspace's own text. Words that a person passes on from somewhere else
        are theirs too: give those as what they are, by `read`."""
        if source not in WORDS:
            raise BadInput(f"{source!r} does not speak here", mend="give what was read by `read`")
        return self._with(step_of(f"{source}:{len(self.steps)}", frozenset({source}), text))

    def read(
        self, step: str, source: str, value: Any, labels: Labels = NO_LABELS, asked: ToolRequest | None = None
    ) -> "Flow":
        """With a result, document or message. `asked` is the call that it answers."""
        if source in WORDS or not source:
            raise BadInput(f"what was read cannot come from {source!r}", mend='name it, as in "tool:crm.get_order"')
        given = () if asked is None else tuple(
            given_as(value, asked.sources.get(name, UNKNOWN)) for name, value in asked.arguments.items()
        )  # fmt: skip
        return self._with(step_of(step, frozenset({source}), value, labels, given))

    def extracted(self, step: str, name: str, schema: Mapping[str, Any], value: Any, of: Iterable[str]) -> "Flow":
        """With what was taken out of earlier steps through the declared schema `name`.

        A part for which the schema leaves no room for words (choices, bounded numbers, dates, yes and no) comes from
        `schema:NAME`; any other part comes from all that it was taken from. Raises `BadInput` for a value that does
        not fit.
        """
        read = tuple(self._step(each) for each in of)
        inherited = frozenset().union(*(each.sources_of(None) for each in read)) if read else UNKNOWN
        labels = joined(read)
        parts = closed_values(name, schema, value)
        given = () if parts.closed else (given_as(list(parts.open), inherited),)
        return self._with(step_of(step, frozenset({f"schema:{name}"}), value, labels, given))

    @cached_property
    def sources(self) -> Sources:
        """All that was read and said: where words come from of which no more is known."""
        if not self.steps:
            return self.elsewhere or UNKNOWN
        return self.elsewhere.union(*(each.sources_of(None) for each in self.steps))

    @cached_property
    def labels(self) -> Labels:
        """What all of it together is."""
        return joined(self.steps)

    @cached_property
    def _words(self) -> "list[Step]":
        return [each for each in self.steps if each.is_words]

    @cached_property
    def _read(self) -> "list[Step]":
        return [each for each in self.steps if not each.is_words]

    @cached_property
    def _leaves(self) -> "frozenset[Leaf]":
        return frozenset().union(*(each.leaves for each in self.steps))

    def sources_of(self, value: Any) -> Sources:
        """Where a value may have come from that somebody wrote after reading all this."""
        return self._origin(value)[0]

    def request(self, name: str, arguments: Mapping[str, Any]) -> ToolRequest:
        """A call of `system.tool`: references resolved, with the sources of each argument and all that was read.

        Raises `BadInput` for a reference to what there is not.
        """
        _refuse_many_references(arguments)
        few = len(list(islice(singles(arguments), _MOST_PROVEN + 1))) <= _MOST_PROVEN
        origin = self._origin if few else self._anywhere
        found = {key: self._resolved(value, origin) for key, value in arguments.items()}
        labels = NO_LABELS
        for _, _, its in found.values():
            labels = labels.joined(its)
        return ToolRequest(
            name=name,
            arguments={key: value for key, (value, _, _) in found.items()},
            sources={key: sources for key, (_, sources, _) in found.items()},
            read=self.sources,
            labels=labels,
            links=dict(self._links({key: value for key, (value, _, _) in found.items()})),
        )

    def _links(self, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Sources]]:
        """Where the links came from that stand in texts: from where they stand whole, also inside other texts."""
        for name, value in arguments.items():
            links = list(islice(links_of(value), _MOST_LINKS + 1))
            found = [self._link(each) for each in links] if len(links) <= _MOST_LINKS else [self.sources]
            if found:
                yield name, frozenset().union(*found)

    def _link(self, link: str) -> Sources:
        sources, _ = self._origin(link)
        leaf = leaf_of(link)
        if leaf is None or sources != self.sources:
            return sources
        if not any(not each.sieve and each.says(leaf) for each in self._read):
            return sources
        return frozenset().union(*(each.came(leaf) or _NOWHERE for each in self._read))

    def _with(self, step: Step) -> "Flow":
        if any(each.id == step.id for each in self.steps):
            raise BadInput(f"there is a step {step.id!r} already", mend="give each step a name of its own")
        return Flow((*self.steps, step), self.elsewhere)

    def _step(self, name: Any) -> Step:
        for each in self.steps:
            if each.id == name:
                return each
        raise BadInput(
            f"there is no step {name!r} in this flow", mend=closest(str(name), [each.id for each in self.steps])
        )

    def _resolved(self, value: Any, origin: "Callable[[Any], tuple[Sources, Labels]]") -> tuple[Any, Sources, Labels]:
        if isinstance(value, Mapping):
            if _REFERENCE in value:
                return self._referred(value)
            parts = {key: self._resolved(each, origin) for key, each in value.items()}
            names = [origin(key) for key in value]
            origins = [each[1:] for each in parts.values()] + names
            return ({key: each[0] for key, each in parts.items()}, *self._united(origins))
        if isinstance(value, list | tuple):
            items = [self._resolved(each, origin) for each in value]
            return ([each[0] for each in items], *self._united([each[1:] for each in items]))
        return (value, *origin(value))

    def _united(self, origins: list[tuple[Sources, Labels]]) -> tuple[Sources, Labels]:
        """Of an empty list nothing is known but who could have made it."""
        if not origins:
            return self.sources, self.labels
        labels = NO_LABELS
        for _, its in origins:
            labels = labels.joined(its)
        return frozenset().union(*(sources for sources, _ in origins)), labels

    def _referred(self, reference: Mapping[str, Any]) -> tuple[Any, Sources, Labels]:
        if stray := sorted(set(reference) - {_REFERENCE, "path"}):
            raise BadInput(f"a reference has no {stray[0]!r}", mend='write {"$from": "STEP", "path": "items.0.iban"}')
        step = self._step(reference[_REFERENCE])
        value = _taken(step, str(reference.get("path", "")))
        each_value = list(islice(singles(value), _MOST_PROVEN + 1))
        if len(each_value) > _MOST_PROVEN:
            found = [step.sources_of(None), *(each.put_by for each in self.steps)]
        else:
            found = [self._exact(step, leaf_of(each)) for each in each_value] or [step.sources_of(None)]
        return value, frozenset().union(*found), step.labels

    def _exact(self, step: Step, leaf: Leaf | None) -> Sources:
        """Where a value of this very step came from: also from whoever had put it into another call before."""
        if leaf is None or step.is_words:
            return step.sources_of(leaf)
        return step.sources_of(leaf).union(*(each.put(leaf) for each in self.steps if each is not step))

    def _anywhere(self, value: Any) -> tuple[Sources, Labels]:
        return self.sources, self.labels

    def _origin(self, value: Any) -> tuple[Sources, Labels]:
        if isinstance(value, Mapping | list | tuple):
            return self._united([self._origin(each) for each in singles(value)])
        leaf = leaf_of(value)
        if leaf is not None:
            for source in WORDS:
                if any(source in each.sources and each.told(leaf) for each in self._words):
                    return frozenset({source}), NO_LABELS
            if leaf in self._leaves:
                came = [(each, its) for each in self._read if (its := each.came(leaf)) is not None]
                return frozenset().union(*(its for _, its in came)), joined(each for each, _ in came)
        return self.sources, self.labels


def _refuse_many_references(arguments: Mapping[str, Any]) -> None:
    """Raises `BadInput`: each reference brings a whole result, so that few bytes could ask for any number of them."""
    waiting, found = deque([arguments]), 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            found += _REFERENCE in value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    if found > _MOST_REFERENCES:
        raise BadInput(
            f"the arguments have {found} references",
            why=f"{_MOST_REFERENCES} are the most in one call",
            mend="refer to a whole list in place of its items, or make several calls",
        )


def _taken(step: Step, path: str) -> Any:
    value = step.value
    for part in filter(None, path.split(".")):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise BadInput(
                f"the step {step.id!r} has no {path!r}",
                why=f"nothing stands there under {part!r}",
                mend="look at what the step gave back: a path is made of names and places, as in items.0.iban",
            )
    return msgspec.to_builtins(value)
