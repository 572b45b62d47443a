from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from fairlead.errors import NotFound
from fairlead.labels import NO_LABELS
from fairlead.models.content import AudioPart, FileData, FilePart, ImagePart, ImageUrl, Sound
from fairlead.models.types import (
    ChatRequest,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    Model,
    Placement,
    ResponseFormat,
    TextPart,
    Tool,
)
from fairlead.routing.order import candidates_for
from fairlead.routing.plan import plan
from fairlead.routing.settings import Preferences
from fairlead.routing.types import Plan
from fairlead.tasks.types import Task, TaskType


class Why(Struct, frozen=True):
    policy: str
    text: str


class Ruling(Struct, frozen=True):
    allowed: bool = True
    redact: frozenset[str] = frozenset()
    pseudonymise: frozenset[str] = frozenset()
    reasons: tuple[Why, ...] = ()


ALLOW = Ruling()
TOOLS = [Tool(FunctionTool("look_up"))]
SCHEMA = ResponseFormat("json_schema", JsonSchemaSpec("answer"))


def model(name: str, **known: Any) -> Model:
    placement = Placement(kind="cloud", vendor=known.pop("vendor", ""))
    return Model(name=name, endpoint="e", remote=name, placement=placement, **known)


def request(asked: str = "auto", size: int = 100, **known: Any) -> ChatRequest:
    return ChatRequest(model=asked, messages=[], size=size, **known)


def task(**known: Any) -> Task:
    return Task(type=TaskType(name="question", **known), labels=NO_LABELS, question="")


def planned(*models: Model, asked: ChatRequest | None = None, of: Task | None = None, **facts: Any) -> Plan:
    by_name = {one.name: one for one in models}
    rights: Mapping[str, Ruling] = facts.pop("rights", dict.fromkeys(by_name, ALLOW))
    known: dict[str, Any] = {
        "preferences": Preferences(),
        "rates": set(by_name),
        "health": lambda name: None,
        "unavailable": {},
        "default_output": 1000,
        "has_passages": True,
    }
    return plan(of or task(), asked or request(), by_name, rights, **(known | facts))


def names(found: Plan) -> list[str]:
    return [candidate.model.name for candidate in found.candidates]


def drops(found: Plan) -> dict[str, tuple[str, str]]:
    return {drop.model: (drop.by, drop.reason) for drop in found.dropped}


A, B, C = model("a"), model("b"), model("c")


def test_candidates_come_as_the_task_type_prefers_then_the_workspace_then_as_declared() -> None:
    found = planned(A, B, C, model("d"), of=task(prefer=("d",)), preferences=Preferences(prefer=("c", "d")))
    assert names(found) == ["d", "c", "a", "b"]
    assert "'question'" in found.why


def test_a_preferred_model_that_is_not_there_is_passed_over() -> None:
    assert names(planned(A, of=task(prefer=("gone",)))) == ["a"]


def test_the_name_of_a_task_type_is_planned_like_auto() -> None:
    assert planned(A, B, asked=request("question")) == planned(A, B, asked=request("auto"))


def test_a_model_asked_for_by_name_is_the_only_candidate() -> None:
    found = planned(A, B, asked=request("b"), of=task(prefer=("a",)))
    assert names(found) == ["b"]
    assert drops(found) == {"a": ("not asked for", "the request names 'b'")}


def test_a_model_asked_for_by_name_still_needs_the_right() -> None:
    found = planned(A, B, asked=request("b"), rights={"a": ALLOW, "b": Ruling(allowed=False)})
    assert names(found) == []
    assert drops(found)["b"] == ("policy", "no policy permits it")


def test_others_stand_in_for_a_named_model_where_the_workspace_says_so() -> None:
    everyone = Preferences(prefer=("c",), fallback=True)
    assert names(planned(A, B, C, asked=request("b"), preferences=everyone)) == ["b", "c", "a"]
    listed = Preferences(fallback=("a",))
    assert names(planned(A, B, C, asked=request("b"), preferences=listed)) == ["b", "a"]


def test_a_denied_model_is_dropped_with_the_policys_own_words() -> None:
    no = Ruling(allowed=False, reasons=(Why("p1", "restricted data stays here"), Why("p2", "no transfers")))
    assert drops(planned(A, B, rights={"a": no, "b": ALLOW}))["a"] == (
        "policy",
        "restricted data stays here; no transfers",
    )


def test_a_model_about_which_nothing_was_decided_is_denied() -> None:
    assert drops(planned(A, rights={})) == {"a": ("policy", "no decision was made about it")}


def test_what_has_to_be_redacted_goes_with_the_candidate() -> None:
    (candidate,) = planned(A, rights={"a": Ruling(redact=frozenset({"email"}))}).candidates
    assert candidate.redact == {"email"}


@pytest.mark.parametrize(
    ("unable", "asked", "reason"),
    [
        ({"tools": False}, {"tools": TOOLS}, "it cannot call tools"),
        ({"json_schema": False}, {"response_format": SCHEMA}, "it cannot answer by a JSON schema"),
        ({"choices": False}, {"choices": 2}, "it gives one answer a call, and 2 are asked for"),
    ],
)
def test_a_model_is_dropped_only_for_an_ability_that_is_asked_for(
    unable: dict[str, bool], asked: dict[str, Any], reason: str
) -> None:
    weak = model("weak", **unable)
    assert drops(planned(weak, A, asked=request(**asked))) == {"weak": ("capability", reason)}
    assert drops(planned(weak, A)) == {}


@pytest.mark.parametrize(
    ("unable", "part", "reason"),
    [
        ("images", ImagePart(ImageUrl("https://example.com/a.png")), "it takes no images"),
        ("files", FilePart(FileData(file_url="https://example.com/a.pdf")), "it takes no documents"),
        ("audio", AudioPart(Sound("AAAA", "wav")), "it takes no sound"),
    ],
)
def test_a_model_is_dropped_for_what_is_attached_only_where_it_cannot_take_it(
    unable: str, part: Any, reason: str
) -> None:
    weak = model("weak", **{unable: False})
    earlier = [Message("user", [TextPart("Look:"), part]), Message("assistant", "Yes?"), Message("user", "What is it?")]
    asked = ChatRequest(model="auto", messages=earlier, size=100)
    assert drops(planned(weak, A, asked=asked)) == {"weak": ("capability", reason)}
    only_text = ChatRequest(model="auto", messages=[Message("user", [TextPart("Hello")])], size=100)
    assert drops(planned(weak, A, asked=only_text)) == {}


def test_a_model_that_quotes_context_is_useless_where_none_is_looked_for() -> None:
    quoter = model("quoter", quotes_context=True)
    assert names(planned(quoter, has_passages=True)) == ["quoter"]
    assert drops(planned(quoter, has_passages=False))["quoter"][0] == "capability"


def test_a_model_that_quotes_context_comes_last_where_none_was_found() -> None:
    quoter = model("quoter", quotes_context=True)
    searched = Task(type=TaskType(name="question", context=1500), labels=NO_LABELS, question="?")
    assert names(planned(quoter, A, of=searched, has_passages=True)) == ["quoter", "a"]
    assert names(planned(quoter, A, of=searched, has_passages=False)) == ["a", "quoter"]


def test_a_context_that_cannot_hold_the_input_drops_the_model() -> None:
    small = model("small", context=1000)
    assert names(planned(small, A, asked=request(size=5000))) == ["a", "small"], "it may still fit"
    assert drops(planned(small, A, asked=request(size=5001)))["small"][0] == "context length"


def test_a_context_into_which_the_input_may_not_fit_comes_last_and_the_plan_says_so() -> None:
    small, large = model("small", context=2000), model("large", context=100_000)
    assert names(planned(small, large, asked=request(size=3500))) == ["small", "large"]
    found = planned(small, large, asked=request(size=3600))
    assert names(found) == ["large", "small"]
    assert found.why.endswith("come last")


@pytest.mark.parametrize(
    ("facts", "drop"),
    [
        ({"rates": ()}, ("price", "nobody has said what it costs")),
        ({"unavailable": {"a": "no key in KEY"}}, ("unavailable", "no key in KEY")),
        ({"unpriced": lambda name: "nobody says for sound"}, ("price", "nobody says for sound")),
        ({"unpriced": lambda name: "", "health": lambda name: "it is down"}, ("health", "it is down")),
        ({"health": lambda name: "it is down"}, ("health", "it is down")),
        ({"health": lambda name: "down", "rates": (), "unavailable": {"a": "no key"}}, ("unavailable", "no key")),
    ],
)
def test_what_cannot_be_called_is_dropped_with_its_reason(facts: dict[str, Any], drop: tuple[str, str]) -> None:
    assert drops(planned(A, **facts)) == {"a": drop}


@pytest.mark.parametrize(
    ("asked", "of_type", "of_model", "sent"),
    [
        (None, None, 4096, 1000),
        (None, 2000, 4096, 2000),
        (50, 2000, 4096, 50),
        (9999, 2000, 4096, 2000),
        (9999, None, 4096, 4096),
    ],
)
def test_the_output_limit_is_the_callers_within_the_task_types_and_the_models(
    asked: int | None, of_type: int | None, of_model: int, sent: int
) -> None:
    found = planned(model("m", max_output=of_model), asked=request(max_output=asked), of=task(max_output=of_type))
    assert found.candidates[0].max_output == sent


def test_only_the_models_that_may_answer_need_to_be_authorized() -> None:
    models = {"a": A, "b": B, "c": C}
    assert candidates_for("auto", models, ["question"], Preferences()) == models
    assert candidates_for("question", models, ["question"], Preferences()) == models
    assert list(candidates_for("b", models, [], Preferences())) == ["b"]
    assert list(candidates_for("b", models, [], Preferences(fallback=("c", "b")))) == ["b", "c"]
    assert candidates_for("b", models, [], Preferences(fallback=True)) == models


def test_an_unknown_name_is_not_found_and_close_ones_are_named() -> None:
    with pytest.raises(NotFound) as caught:
        candidates_for("smal", {"small": A}, ["billing"], Preferences())
    assert "`small`" in caught.value.mend
    with pytest.raises(NotFound) as caught:
        candidates_for("zzz", {"small": A}, ["billing"], Preferences())
    assert all(name in caught.value.mend for name in ("auto", "billing", "small"))


NAMES = ("north", "south", "east", "west")
traits = st.fixed_dictionaries(
    {
        "context": st.sampled_from([None, 10, 30, 10_000]),
        "max_output": st.integers(1, 20),
        "tools": st.booleans(),
        "quotes_context": st.booleans(),
    }
)
rulings = st.builds(Ruling, st.booleans(), st.frozensets(st.sampled_from(["email", "iban"])))


@given(
    st.lists(traits, min_size=4, max_size=4),
    st.lists(rulings, min_size=4, max_size=4),
    st.permutations(range(4)),
    st.permutations(range(4)),
    st.sampled_from(["auto", *NAMES]),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.sets(st.sampled_from(NAMES)),
    st.sets(st.sampled_from(NAMES)),
    st.booleans(),
)
def test_permuting_names_and_vendors_changes_no_decision(
    models: list[dict[str, Any]],
    rights: list[Ruling],
    renaming: list[int],
    vendors: list[int],
    asked: str,
    task_prefers: list[str],
    workspace_prefers: list[str],
    priced: set[str],
    ill: set[str],
    passages: bool,
) -> None:
    new = {NAMES[index]: NAMES[renaming[index]] for index in range(4)} | {"auto": "auto"}

    def decide(called: dict[str, str], sold_by: list[int]) -> Plan:
        built = [model(called[NAMES[i]], vendor=f"v{sold_by[i]}", **models[i]) for i in range(4)]
        sick = {called[name] for name in ill}
        return planned(
            *built,
            asked=request(called[asked], tools=TOOLS, size=60),
            of=task(prefer=tuple(called[name] for name in task_prefers)),
            rights={one.name: right for one, right in zip(built, rights, strict=True)},
            preferences=Preferences(prefer=tuple(called[name] for name in workspace_prefers)),
            rates={called[name] for name in priced},
            health=lambda name: "ill" if name in sick else None,
            has_passages=passages,
        )

    before, after = decide({name: name for name in new}, [0, 1, 2, 3]), decide(new, vendors)
    assert [(new[one.model.name], one.max_output, one.redact) for one in before.candidates] == [
        (one.model.name, one.max_output, one.redact) for one in after.candidates
    ]
    assert [(new[drop.model], drop.by) for drop in before.dropped] == [(drop.model, drop.by) for drop in after.dropped]


@given(st.lists(rulings, min_size=3, max_size=3), st.sampled_from(["auto", "a"]), st.booleans())
def test_every_model_is_a_candidate_or_dropped_and_no_denied_one_is_a_candidate(
    rights: list[Ruling], asked: str, fallback: bool
) -> None:
    decided = dict(zip("abc", rights, strict=True))
    found = planned(A, B, C, asked=request(asked), rights=decided, preferences=Preferences(fallback=fallback))
    assert sorted(names(found) + [drop.model for drop in found.dropped]) == ["a", "b", "c"]
    assert all(decided[name].allowed for name in names(found))


def test_a_plan_can_be_shown_and_carried_as_json() -> None:
    found = planned(A, model("quoter", quotes_context=True), has_passages=False)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Plan) == found
