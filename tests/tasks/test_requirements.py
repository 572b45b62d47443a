"""What a task type requires, as a workspace writes it: what it compiles to, and what is refused with its key."""

from typing import Any

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.tasks import TaskSettings, compile_tasks
from fairlead.tasks.types import Outcome, Requirement

RULES: dict[str, Any] = {"need": "refund rules", "kind": "policy", "topics": ["refunds"]}


def required(*needs: dict[str, Any], context: int = 500) -> tuple[Requirement, ...]:
    made = msgspec.convert({"context": context, "requires": needs}, TaskSettings)
    return compile_tasks({"reply": made}).types["reply"].requires


def test_what_is_not_said_follows_otherwise_and_otherwise_the_work_is_not_done() -> None:
    (plain,) = required(RULES)
    assert {each.does for state, each in plain.outcomes.items() if state != "met"} == {"abstain"}
    (mixed,) = required(
        RULES | {"otherwise": "caveat", "stale": {"models": ["house"]}, "unverified": "ask", "missing": "abstain"}
    )
    assert mixed.outcomes == {
        "met": Outcome("proceed"),
        "missing": Outcome("abstain"),
        "hidden": Outcome("abstain"),
        "stale": Outcome("models", ("house",)),
        "unverified": Outcome("ask"),
        "contradicted": Outcome("caveat"),
    }


def test_only_who_is_told_of_hidden_pages_can_be_treated_otherwise_for_them() -> None:
    (told,) = required(RULES | {"tell_hidden": True, "hidden": "caveat", "missing": "abstain"})
    assert told.outcomes["hidden"].does == "caveat"
    with pytest.raises(BadInput, match=r"reply\.requires\[0\]\.hidden needs reply\.requires\[0\]\.tell_hidden"):
        required(RULES | {"hidden": "caveat"})


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ({"need": "rules"}, r"reply\.requires\[0\] does not say what is needed"),
        ({"need": " rules ", "kind": "policy"}, r"reply\.requires\[0\]\.need must be a few words on one line"),
        ({"need": "stock", "live": "stock", "fresh": 3}, r"reply\.requires\[0\]\.live stands alone"),
        ({"need": "stock", "live": "stock"}, r"reply\.requires\[0\]\.live: reply does not read the source 'stock'"),
        ({"need": "rules", "item": "a/b.md"}, r"reply\.requires\[0\]\.item: a page's name has no suffix"),
        ({"need": "rules", "kind": "policy", "otherwise": "ask"}, r"reply\.requires\[0\]\.owner is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(need: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        required(need)
    assert refused.value.mend


def test_a_need_has_a_name_of_its_own_and_work_that_requires_takes_context() -> None:
    with pytest.raises(BadInput, match=r"reply\.requires\[1\]\.need: 'refund rules' stands above already"):
        required(RULES, RULES)
    with pytest.raises(BadInput, match=r"reply\.requires needs reply\.context"):
        required(RULES, context=0)
