"""Whether those who did one piece of work knew the same, told from records."""

from fairlead.clock import SystemClock
from fairlead.context.catalogue import Catalogue, catalogue_of
from fairlead.context.consistency import Newer, OneSided, Split, Step, consistency
from fairlead.context.items import read_item
from fairlead.context.settings import ContextSettings


def step(run: str, agent: str, snapshot: str, *citations: str) -> Step:
    return Step(run, SystemClock().now(), agent, "chat", "done", snapshot, citations)


def live(**pages: str) -> Catalogue:
    return catalogue_of(read_item(f"{name}.md", text.encode(), ContextSettings()) for name, text in pages.items())


def test_agents_that_were_given_the_same_are_told_so() -> None:
    now = live(a="One.")
    version = now.by_id["a"].version
    report = consistency("w", [step("r1", "x", "s", f"a@{version}#1"), step("r2", "y", "s", f"a@{version}#2")], now)
    assert (report.consistent, report.agents, report.steps) == (True, ("x", "y"), 2)
    assert (report.splits, report.newer, report.one_sided) == ((), (), ())


def test_two_versions_of_one_page_are_no_consistent_work() -> None:
    report = consistency("w", [step("r1", "x", "s", "a@1#1"), step("r2", "x", "t", "a@2#1")], live(a="One."))
    assert (report.consistent, report.snapshots) == (False, ("s", "t"))
    assert report.splits == (Split("a", {"1": ("r1",), "2": ("r2",)}),)


def test_what_is_newer_or_gone_and_what_one_agent_lacked_is_named() -> None:
    now = live(a="One.")
    report = consistency("w", [step("r1", "x", "s", "a@1#1", "b@1"), step("r2", "", "s", "a@1#2")], now)
    assert report.consistent
    assert report.newer == (
        Newer("a", "1", now.by_id["a"].version, "changed", ("", "x")),
        Newer("b", "1", "", "gone", ("x",)),
    )
    assert report.one_sided == (OneSided("b", ("x",), ("",)),)


def test_what_a_live_source_said_is_no_page_and_steps_without_context_say_nothing() -> None:
    report = consistency("w", [step("r1", "x", "s", "live/orders@2026-11-21T10:00:00Z"), step("r2", "y", "")], live())
    assert (report.consistent, report.steps) == (True, 1)
    assert report.newer == ()
