"""Value against the manual way: recomputable, and never flattering."""

from datetime import UTC, datetime

from fairlead.costs.leaving import Done, leaving
from fairlead.costs.record import Record
from fairlead.costs.report_settings import BaselineSettings
from fairlead.costs.value import Step, Value, value
from fairlead.costs.work import work_id
from fairlead.costs.workflow_runs import workflow_runs

NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)
BY_HAND = {"letter": BaselineSettings(minutes=6, rate=30)}  # 3 units of money each


def done(run: str, cost: int = 0, **known: object) -> tuple[Record, int]:
    fields = {"v": 1, "kind": "call_model", "outcome": "done", "at": NOON, "task": "letter"} | known
    return Record(run=run, cost=cost, **fields), NOON + 2_000  # type: ignore[arg-type]


ROWS = [
    done("run_1", 500_000_000),
    done("run_2", 100_000_000, kind="attempt", outcome="failed"),
    done("run_2", 400_000_000),
    done("run_3", 200_000_000, approvals=("ap_1",)),
    done("run_4", 200_000_000),
    done("run_5", 50_000_000, outcome="refused"),
    done("run_6", 10_000_000, judges="run_1", task=""),
]


def test_only_what_went_straight_through_saves_the_manual_way() -> None:
    found = value(ROWS, {"run_6": "run_1"}, {"run_1": [(1.0, 1.0)], "run_4": [(0.2, 1.0)]}, BY_HAND)
    (line,) = found.lines
    assert (line.task, line.begun, line.volume, line.cost) == ("letter", 5, 4, 1_460_000_000)
    assert line.steps == (Step("letter", 5, 1_450_000_000), Step("judging of replies", 1, 10_000_000))
    assert found.saving is not None
    assert found.saving.value == 2 * 3_000_000_000 - line.cost
    assert line.straight == 2 / 5
    assert line.saving is not None
    assert line.saving.value == 2 * 3_000_000_000 - line.cost
    assert line.saving.low <= line.saving.value <= line.saving.high
    assert (line.cycle_median, line.judged) == (2000, 2)
    assert line.quality is not None
    assert line.quality.value == 0.6


def test_the_same_log_gives_the_same_value() -> None:
    again = [value(ROWS, {"run_6": "run_1"}, {}, BY_HAND) for _ in range(2)]
    assert again[0] == again[1]
    assert value(ROWS, {}, {}, {}).lines[0].saving is None
    assert value([], {}, {}, BY_HAND) == Value((), None)


def test_who_could_take_over_is_who_has_done_it_and_for_how_much() -> None:
    rows = [
        done("run_1", 300, model="big"),
        done("run_2", 100, model="big", kind="attempt", outcome="failed"),
        done("run_2", 300, model="big"),
        done("run_3", 50, model="home"),
        done("run_4", 40, task="x", model="big"),
        done("run_5", 40, task="x", model="home", outcome="failed"),
    ]
    vendors, scores = {"big": "acme-cloud", "home": ""}, {"run_1": [(1.0, 1.0)], "run_3": [(0.5, 2.0)]}
    lines = leaving((record for record, _ in rows), vendors, scores)
    assert [(each.vendor, each.task, round(each.share, 2), {*each.others}) for each in lines] == [
        ("acme-cloud", "x", 1.0, set()),
        ("acme-cloud", "letter", 0.67, {"home"}),
    ]
    assert lines[0].more is None
    assert lines[1].theirs == Done(2, 350, 1.0, 1)
    assert lines[1].others["home"] == Done(1, 50, 0.5, 1)
    assert lines[1].more == 2 * 50 - 700


def test_a_run_of_a_workflow_is_one_piece_of_work_and_people_in_it_are_seen() -> None:
    def deed(kind: str, about: str, minutes: int) -> tuple[Record, int]:
        at = NOON + minutes * 60_000
        return Record(v=1, kind=kind, run=f"deed_{kind}{about}", at=at, about=about, person="s_kim", outcome="done"), at

    def step(run: str, of: str, cost: int) -> tuple[Record, int]:
        within = work_id("s_kim", "acme", of)
        return done(run, cost, within=within, person="s_kim", tenant="acme", task="letter")

    rows = [
        deed("workflow_begun", "wf_1 refunds abc", -1), step("run_1", "wf_1", 100), step("run_2", "wf_1", 200),
        deed("workflow_done", "wf_1 refunds", 9),
        deed("workflow_begun", "wf_2 refunds abc", 0), step("run_3", "wf_2", 400),
        deed("workflow_approved", "wf_2 look", 1), deed("workflow_done", "wf_2 refunds", 2),
        deed("workflow_begun", "wf_3 refunds abc", 0), step("run_4", "wf_3", 800),
        done("run_5", 50, task="letter"),
    ]  # fmt: skip
    roots = {record.run: record.within for record, _ in rows if record.within}
    roots |= {root: root for root in roots.values()}
    runs = workflow_runs(record for record, _ in rows)
    found = value(rows, roots, {}, {"workflow/refunds": BaselineSettings(minutes=6, rate=30)}, runs)
    refunds, letter = found.lines
    assert (refunds.task, refunds.begun, refunds.volume, refunds.cost) == ("workflow/refunds", 3, 2, 1500)
    assert refunds.straight == 1 / 3
    assert refunds.cycle_p90 == 10 * 60_000
    assert refunds.steps == (Step("letter", 4, 1500),)
    assert refunds.saving is not None
    assert refunds.saving.value == 3_000_000_000 - 1500
    assert (letter.task, letter.volume) == ("letter", 1)


def test_a_lost_run_has_ended_and_counts_as_one_that_was_not_done() -> None:
    def deed(kind: str, minutes: int) -> Record:
        return Record(v=1, kind=kind, run=f"deed_{kind}{minutes}", at=NOON + minutes * 60_000, about="wf_1 refunds abc",
                      person="s_kim", outcome="done")  # fmt: skip

    step = done("run_1", 100, within=work_id("s_kim", "acme", "wf_1"), person="s_kim", tenant="acme")[0]
    records = [deed("workflow_begun", 0), step, deed("workflow_lost", 3)]
    (lost,) = workflow_runs(records).values()
    assert (lost.ended - NOON, lost.done) == (180_000, False)
    again = [*records, deed("workflow_begun_again", 5), deed("workflow_done", 8)]
    (mended,) = workflow_runs(again).values()
    assert (mended.ended - NOON, mended.done) == (480_000, True)
