"""The policy of one revision: everything that decides, compiled once and asked on every action.

Its methods are pure: the same question gets the same answer as long as the revision lives. Memory only makes it quick.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.kept import Kept
from fairlead.labels import NO_LABELS, Access, Labels
from fairlead.models.types import ChatRequest, Model
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import Asked, CedarRequest, FactValue, Starting
from fairlead.policy.detect import Detection
from fairlead.policy.detectors import Detector
from fairlead.policy.endings import Ending
from fairlead.policy.facts import Fact
from fairlead.policy.judge import Judge
from fairlead.policy.keys import Remembered, caller_key, model_key
from fairlead.policy.notes import notes
from fairlead.policy.pseudonyms import Pseudonyms
from fairlead.policy.reading import Reading
from fairlead.policy.redaction import redact
from fairlead.policy.restoring import restorer_of
from fairlead.policy.screen import ReplyScreen, Screen, Watch, withheld
from fairlead.policy.sources import Statement
from fairlead.policy.substitutes import Redaction
from fairlead.policy.tool_rights import ToolRights
from fairlead.policy.types import Added, Decision, Findings, Rights
from fairlead.policy.ways import START, to_call, to_read, to_release, to_start
from fairlead.tasks.types import Task
from fairlead.tools.types import Tool

_NONE: frozenset[str] = frozenset()
_LARGE_AT_ONCE = 2
_KEPT_ADDED = 2_000_000  # characters
_NO_FACTS: Mapping[str, FactValue] = {}


class Explanation(Struct, frozen=True):
    """A decision with exactly what Cedar was asked: its request and entities, for the text as it would leave."""

    decision: Decision
    request: dict[str, Any]
    entities: list[dict[str, Any]]


class Policy:
    """Detects, authorises, redacts and screens, under one revision of the workspace's policies and rules.

    `screens_replies` tells whether any policy judges replies by what they say, `names_items` whether any policy refers
    to single context items (`Access.item` must then be set). `statements` are all policies, the generated ones too.
    `watches` tells whether any rule may apply to a call and let it pass. `notes` are remarks for whoever wrote the
    policies. `large` is to be held while a large request is looked at in a thread. `in_added` are texts that
    the path itself has added to requests, by the digest of their context and their instructions: they come again and
    again.
    """

    def __init__(
        self,
        statements: Sequence[Statement],
        detection: Detection,
        facts: Sequence[Fact],
        schema: str,
        answered: Sequence[Detector] = (),
        instead: Mapping[str, str] = {},
        endings: tuple[Ending, ...] = (),
        categories: frozenset[str] = frozenset(),
        tools: ToolRights | None = None,
    ) -> None:
        """`answered` are detectors for replies alone, `instead` what is said in place of a category, not of a mark.
        `categories` are all that can be found."""
        self.categories = categories
        self.statements = tuple(statements)
        self.schema = schema
        self._detection = detection
        self._endings = endings
        self.has_endings = bool(endings)
        self.tools = tools or ToolRights(statements)
        self._result = Judge("release_result", statements)
        self.detect = detection.request
        self.large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self.in_added = Kept[tuple[str, str], Added](_KEPT_ADDED)
        self._call = Judge("call_model", statements)
        self._read = Judge("read_context", statements)
        self.reading = Reading(self._read)
        self._release = Judge("release_reply", statements)
        self._start = Judge(START, statements)
        self._memory = Remembered()
        self._call_caller = caller_key(self._call.reads)
        self._call_model = model_key(self._call.reads)
        self._result_caller = caller_key(self._result.reads)
        self._release_caller = caller_key(self._release.reads)
        reads = self._call.reads
        self._by_task = reads.of("context", "task")
        self._by_door = reads.of("context", "door")
        self._by_labels = any(reads.of("context", each) for each in ("labels", "redacted"))
        self._by_class = any(reads.of("context", each) for each in ("data_class", "class"))
        reads = self._release.reads
        self._release_by = tuple(each for each in ("task", "door", "labels") if reads.of("context", each))
        # Whether it matters for a call or a reply what detectors find in a text, its class included.
        self.reads_labels = self._by_labels or self._by_class or "labels" in self._release_by
        self.pseudonymises = frozenset().union(*(each.pseudonymise for each in statements))
        # What is taken out of some request, whatever the conditions: of what leaves for a reader who is not known.
        self.redacts = frozenset[str]().union(*(each.redact for each in statements if each.mode == "enforce"))
        self.watches = any(each.mode != "enforce" or each.redact for each in statements)
        self.names_items = self._read.reads.who("resource")
        self._watch = _watch(self._release, (*detection.detectors, *answered), facts, instead)
        self.screens_replies = self._watch is not None
        self.notes = notes(self._call, self._read, self._release, detection)

    def detect_text(self, text: str) -> Findings:
        """What the detectors find in one text, as if it were the content of message 0."""
        return self._detection.text(text)

    def detect_request(self, request: ChatRequest) -> Findings:
        """What the detectors find in a request."""
        return self._detection.request(request)

    def authorize(self, caller: Caller, task: Task, labels: Labels, models: Sequence[Model], door: str) -> Rights:
        """Whether this text (with its context) may go to each of these models, and what must be taken out first."""
        key = (
            "call",
            self._call_caller(caller),
            task.type.name if self._by_task else None,
            labels.categories if self._by_labels else None,
            labels.data_class if self._by_class else None,
            door if self._by_door else None,
            *map(id, models),  # the models are kept with the decision, so that no other can take their place
        )
        known = self._memory.get(key)
        if known is not None:
            return cast(tuple[Rights, Sequence[Model]], known)[0]
        kinds = {self._call_model(each): each for each in models}
        afresh = self.authorize_afresh(caller, task.type.name, labels, tuple(kinds.values()), door).decisions
        rights = Rights({each.name: afresh[kinds[self._call_model(each)].name] for each in models})
        self._memory.keep(key, (rights, tuple(models)))
        return rights

    def authorize_afresh(self, caller: Caller, task: str, labels: Labels, models: Sequence[Model], door: str) -> Rights:
        """As `authorize`, asking Cedar whatever is remembered."""
        if not models:
            return Rights({})
        who = cedar.person(caller)
        ways = [to_call(who, cedar.model(each), task, labels, door) for each in models]
        decisions = self._call.decide(ways, labels.categories)
        return Rights({model.name: decision for model, decision in zip(models, decisions, strict=True)})

    def may_read(self, caller: Caller) -> Callable[[Access], bool]:
        """Whether this caller may read an item. Items that policies cannot tell apart are decided once."""
        return self.reading.may_read(caller)

    def redact(
        self,
        request: ChatRequest,
        findings: Findings,
        categories: frozenset[str],
        named: frozenset[str] = _NONE,
        pseudonyms: Pseudonyms | None = None,
    ) -> tuple[ChatRequest, Redaction]:
        """The request without these categories, and how to undo it in the reply. Values of those that are `named` get
        pseudonyms. Raises Denied, Broken."""
        return redact(self._detection, request, findings, categories, named, pseudonyms)

    def screen(
        self,
        caller: Caller,
        asked: Asked,
        model: Model,
        redaction: Redaction | None = None,
        *,
        arguments: bool = False,
    ) -> Screen:
        """A screen for one text of a reply. Raises Withheld where no reply may be released, whatever it says.

        `arguments` marks the arguments of a tool call: restored text is then escaped for JSON.
        """
        restorer = restorer_of(redaction, quoted=arguments)
        decision = self.release(caller, asked, model, _NONE, _NO_FACTS)
        if self._watch is None:
            if not decision.allowed:
                raise withheld(decision, model.name)
            return Screen(decision, restorer)
        judge = partial(self.release, caller, asked, model)
        undo = redaction.undo if redaction is not None else None
        return ReplyScreen(self._watch, judge, model.name, decision, restorer, arguments=arguments, undo=undo)

    def endings(self, caller: Caller, asked: Asked, model: Model) -> tuple[Ending, ...]:
        """The rules about the whole of a reply that hold for this caller, in whatever mode."""
        return tuple(each for each in self._endings if self._holds(each, caller, asked, model)[0])

    def sees_whole(self, caller: Caller, asked: Asked, model: Model) -> bool:
        """Whether nothing of a reply may leave before all of it was seen."""
        return any(self._holds(each, caller, asked, model)[1] for each in self._endings)

    def _holds(self, ending: Ending, caller: Caller, asked: Asked, model: Model) -> tuple[bool, bool]:
        """Whether a rule would apply to a reply that does not meet it, and whether that could not leave then."""
        decision = self.release(caller, asked, model, frozenset({ending.name}), _NO_FACTS)
        decided = ending.name in {each.policy for each in decision.reasons}
        noted = ending.name in {each.policy for each in decision.hits}
        return decided or noted, decided and not decision.allowed

    def release(
        self, caller: Caller, asked: Asked, model: Model, categories: frozenset[str], facts: Mapping[str, FactValue]
    ) -> Decision:
        """Whether a reply of this model in which these categories and facts were found may be released."""
        key = (
            "release",
            self._release_caller(caller),
            *[getattr(asked, each) for each in self._release_by],
            categories,
            tuple(sorted(facts.items())) if facts else None,
            id(model),
        )
        known = self._memory.get(key)
        if known is None:
            way = to_release(cedar.person(caller), cedar.model(model), asked, categories, dict(facts))
            known = (self._release.decide([way], categories)[0], model)
            self._memory.keep(key, known)
        return cast(tuple[Decision, Model], known)[0]

    def release_result(
        self, caller: Caller, tool: Tool, categories: frozenset[str], *, asked: frozenset[str], task: str, door: str
    ) -> Decision:
        """Whether a tool's result in which these categories were found may be given to its caller, and what must be
        taken out first. `asked` are the categories of the arguments."""

        def without(redacted: frozenset[str]) -> CedarRequest:
            context = cedar.result_context(asked, categories - redacted, redacted, task, door)
            return CedarRequest(cedar.person(caller), "release_result", cedar.tool(tool), context)

        key = ("result", self._result_caller(caller), tool.name, categories, asked, task, door)
        known = self._memory.get(key)
        if known is None:
            known = self._result.decide([without], categories)[0]
            self._memory.keep(key, known)
        return cast(Decision, known)

    def start(self, caller: Caller, what: Starting, door: str, *, copy: bool = False) -> Decision:
        """Whether this caller may begin a run of a workflow, by itself or as a copy of another."""
        way = to_start(cedar.person(caller), cedar.workflow(what), door, copy)
        return self._start.decide([way], _NONE)[0]

    def explain(
        self,
        caller: Caller,
        action: str,
        subject: Model | Access | Starting,
        *,
        task: str = "",
        labels: Labels = NO_LABELS,
        facts: Mapping[str, FactValue] = _NO_FACTS,
        door: str = "cli",
        asked_labels: frozenset[str] = _NONE,
    ) -> Explanation:
        """Decide afresh, and show what was asked. For `release_reply` the labels are those of the reply, and
        `asked_labels` those of the request."""
        who = cedar.person(caller)
        if action == "call_model" and isinstance(subject, Model):
            judge, way = self._call, to_call(who, cedar.model(subject), task, labels, door)
        elif action == "release_reply" and isinstance(subject, Model):
            judge = self._release
            asked = Asked(task, door, asked_labels)
            way = to_release(who, cedar.model(subject), asked, labels.categories, dict(facts))
        elif action == "read_context" and isinstance(subject, Access):
            judge, way = self._read, to_read(who, cedar.item(subject))
        elif action == START and isinstance(subject, Starting):
            judge, way = self._start, to_start(who, cedar.workflow(subject), door, False)
        else:
            raise BadInput(
                f"{action!r} cannot be explained for {type(subject).__name__.lower()}",
                mend="ask for call_model or release_reply with a model, for read_context with an item, or for "
                "start_workflow with a workflow",
            )
        decision = judge.decide([way], labels.categories)[0]
        request = way(decision.redact)
        return Explanation(decision, request.body, [request.principal, request.resource])


def _watch(
    release: Judge, detectors: Sequence[Detector], facts: Sequence[Fact], instead: Mapping[str, str]
) -> Watch | None:
    """What replies must be searched for: only what a policy can tell apart."""
    reads = release.reads
    sees = any(reads.of("context", each) for each in ("categories", "redacted"))
    every = reads.categories is None or "context" in reads.whole or reads.of("context", "redacted")
    wanted = [each for each in detectors if sees and (every or each.category in (reads.categories or ()))]
    read = list(facts) if reads.of("context", "facts") else []
    return Watch(wanted, read, instead) if wanted or read else None
