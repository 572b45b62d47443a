"""Who stands above whom, as pages say it: circles and contradictions are spelled out, and settings win."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.identity import Caller
from fairlead.policy.approval_settings import ApprovalSettings, ApproverSettings
from fairlead.policy.approvals import ApprovalRules, Asker, organised
from fairlead.policy.organisation import Flow, Organisation, Role, Unit, faults, overruled, resolved

NONE = ApprovalSettings()


def unit(name: str, parent: str = "", head: str = "", *members: str) -> Unit:
    return Unit(page=f"org/{name}", name=name, parent=parent, head=head, members=members)


def role(name: str, *holders: str, manager: str = "") -> Role:
    return Role(page=f"roles/{name}", name=name, holders=holders, manager=manager)


ACME = Organisation(
    units=(unit("acme", "", "ana"), unit("sales", "acme", "bo", "kim", "bo"), unit("web", "sales", "", "lee")),
    roles=(role("controller", "fay"), role("driver", "max", manager="fay")),
    flows=(
        Flow(
            page="flows/refunds",
            name="refunds",
            covers=("shop.refund*", "refunds"),
            approvers=("controller",),
            quorum=2,
        ),
    ),
)


def test_managers_and_heads_are_those_of_the_nearest_unit_that_somebody_else_leads() -> None:
    found = resolved(ACME, NONE)
    assert found.managers == {"kim": "bo", "bo": "ana", "lee": "bo", "max": "fay"}
    assert found.heads == {"acme": "ana", "sales": "bo", "web": "bo"}
    assert found.roles["controller"].persons == ("fay",)


def test_settings_win_and_both_sides_are_named() -> None:
    settings = ApprovalSettings(
        managers={"kim": "ana"}, heads={"sales": "zoe"}, roles={"controller": ApproverSettings(persons=("gus",))}
    )
    found = resolved(ACME, settings)
    assert (found.managers["kim"], found.heads["sales"], found.roles["controller"].persons) == ("ana", "zoe", ("gus",))
    assert list(overruled(ACME, settings)) == [
        "approvals.managers.kim says ana, and context/org/sales.md says bo: the setting counts",
        "approvals.roles.controller says gus, and context/roles/controller.md says fay: the setting counts",
        "approvals.heads.sales says zoe, and context/org/sales.md says bo: the setting counts",
    ]


@pytest.mark.parametrize(
    ("organisation", "page", "says"),
    [
        (Organisation(units=(unit("a", "b"), unit("b", "c"), unit("c", "a"))), "org/a", "a -> b -> c -> a"),
        (Organisation(units=(unit("a", "a"),)), "org/a", "a -> a"),
        (Organisation(units=(unit("sales"), unit("web", "sale"))), "org/web", "no unit 'sale'"),
        (Organisation(units=(unit("a"), Unit(page="x/a", name="a"))), "x/a", "org/a.md is called 'a' as well"),
        (
            Organisation(units=(unit("a", "", "ana", "kim"), unit("b", "", "bo", "kim"))),
            "org/b",
            "kim would report to bo, and to ana by context/org/a.md",
        ),
        (
            Organisation(roles=(role("x", "ana", manager="kim"), role("y", "kim", manager="ana"))),
            "roles/x",
            "managers stand in a circle: ana -> kim -> ana",
        ),
        (Organisation(roles=(role("x", "ana", manager="ana"),)), "roles/x", "ana would be their own manager"),
        (Organisation(roles=(role("manager", "ana"),)), "roles/manager", "no role is called `manager`"),
    ],
)
def test_what_cannot_be_true_is_spelled_out(organisation: Organisation, page: str, says: str) -> None:
    ((where, error), *_) = faults(organisation, NONE)
    assert where == page
    assert says in error.message
    assert error.mend


def test_a_setting_settles_who_of_two_is_somebodys_manager() -> None:
    both = Organisation(units=(unit("a", "", "ana", "kim"), unit("b", "", "bo", "kim")))
    assert faults(both, ApprovalSettings(managers={"kim": "zoe"})) == []


def test_flows_ask_for_more_agreement_to_what_they_cover_and_for_none_where_no_policy_asks() -> None:
    rules = organised(ApprovalRules(ApprovalSettings(roles={"controller": ApproverSettings(quorum=3)})), ACME)
    assert rules.quorums({"manager"}, "shop.refund_all") == {"controller": 3, "manager": 1}
    assert rules.quorums({"manager"}, "shop.ship") == {"manager": 1}
    assert rules.quorums((), "shop.refund_all") == {}


def test_nobody_answers_for_their_own_call_whatever_pages_say() -> None:
    rules = organised(ApprovalRules(), Organisation(roles=(role("lead", "kim", manager="bo"),)))
    asker = Asker("kim", "", "", 0)
    assert not rules.may_answer({"lead", "manager"}, Caller(person="Kim", credential="key:x"), asker, 0)
    assert rules.may_answer({"lead", "manager"}, Caller(person="bo", credential="key:x"), asker, 0) == {"manager"}


_NAMES = st.sampled_from("abcdef")


@given(st.lists(st.tuples(_NAMES, _NAMES, _NAMES, _NAMES), max_size=8))
def test_what_has_no_fault_has_no_circle(rows: list[tuple[str, str, str, str]]) -> None:
    units = {name: unit(name, parent if parent != name else "", head, member) for name, parent, head, member in rows}
    organisation = Organisation(units=tuple(units.values()))
    if faults(organisation, NONE):
        return
    managers = resolved(organisation, NONE).managers
    for start in managers:
        above, seen = start, set[str]()
        while above in managers:
            assert above not in seen
            seen.add(above)
            above = managers[above]
