"""`fairlead bill` over what was really asked."""

from decimal import Decimal
from pathlib import Path

from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.execution import Answer


def test_a_bill_is_what_the_calls_cost_in_every_form(acme: Path, fairlead: Fairlead) -> None:
    entry = acme / "fairlead.yaml"
    entry.write_text(
        entry.read_text()
        + "\nprices:\n  local: {input: 1, output: 2}\nvalue:\n  baselines:\n    question: {minutes: 6, rate: 30}\n"
    )
    assert fairlead("apply").status == 0
    (answer,) = ask(acme, HOTEL)
    assert isinstance(answer, Answer)
    total = fairlead("bill", "--json", "--by", "person,task").json["total"]
    assert Decimal(total) * 10**9 == answer.cost > 0
    assert "kim" in fairlead("bill", "--by", "person").out
    lines = fairlead("bill", "--format", "csv", "--by", "run").out.splitlines()
    assert lines[0].startswith("run,runs,")
    assert f",{total}," in lines[1]
    said = fairlead("bill", "--format", "focus-csv", "--per", "run", "--out", "november.csv")
    assert said.status == 0, said.err
    assert total in said.err
    text = Path("november.csv").read_text()
    assert text.startswith("BilledCost,BillingAccountId")
    assert answer.run in text
    assert "Input tokens" in text
    assert fairlead("bill", "--format", "focus-parquet", "--out", "n.parquet").status == 0
    for wrong in (
        ("--format", "focus-csv", "--out", "november.csv"), ("--format", "xml"), ("--by", "planet"),
        ("--period", "soon"), ("--format", "focus-parquet"), ("--per", "day"),
    ):  # fmt: skip
        assert fairlead("bill", *wrong).status == 2, wrong
    plain = fairlead("bill", "--json", "--by", "day,model").json["rows"][0]
    counted = f"{plain['tokens']['input']},{plain['tokens']['output']}"
    theirs = Path("theirs.csv")
    theirs.write_text(f"date,model,input_tokens,output_tokens,cost\n{plain['day']},small,{counted},{total}\n")
    same = fairlead("bill", "reconcile", theirs, "--models", "small=local", "--json")
    assert same.json["sums"].keys() <= {"our estimates"}, same.err
    entry.write_text(
        entry.read_text()
        + "bills: {providers: {big: {columns: {time: day, model: what, input: in, output: out}, models: {s: local}}}}\n"
    )
    assert fairlead("apply").status == 0
    own = Path("own.csv")
    own.write_text(f"day,what,in,out\n{plain['day']},s,{counted}\n")
    said = fairlead("bill", "reconcile", own, "--provider", "big", "--json")
    assert (said.status, said.json["differences"]) == (0, []), said.err
    assert "did you mean `big`?" in fairlead("bill", "reconcile", own, "--provider", "bog").err
    theirs.write_text(theirs.read_text() + f"{plain['day']},odd,1,1,5\n")
    other = fairlead("bill", "reconcile", theirs, "--models", "small=local", "--tolerance", "10%")
    assert other.status == 1
    assert "theirs only" in other.out
    assert fairlead("bill", "reconcile", theirs, "--tolerance", "much").status == 2
    assert fairlead("bill", "reconcile", "nowhere.csv").status == 2
    worth = fairlead("value", "--json", "--html", "value.html").json
    (task,) = worth["tasks"]
    assert worth["billed"] == total == worth["weeks"][0]["cost"]
    assert "Value of AI" in Path("value.html").read_text()
    assert fairlead("value", "--html", "fairlead.yaml").status == 2
    assert (task["volume"], task["cost"], task["straight"]) == (1, total, 1.0)
    assert "net saving" in fairlead("value").out
