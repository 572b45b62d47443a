"""Workflows written as Python are the same as those of YAML, read and not run, and told wrong at their line."""

from pathlib import Path

import msgspec
import pytest
from tests.world import published, settings

from fairlead.clock import SystemClock
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.programs import Programs
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.published import load_revision
from fairlead.workspace.text import WorkspaceText
from fairlead.workspace.written import written_in

WRITTEN = '''
"""Invoices."""

from fairlead.workflows.building import (
    approval, branch, case, loop, map_, model, otherwise, parallel, python, switch, tool, transform, wait, workflow
)

LINES = {"type": "array", "items": {"type": "number"}}
raise_if_run = 1 / 1


@workflow(
    input=dict(properties={"text": {"type": "string"}, "lines": LINES}, required=["text", "lines"]), timeout="14d"
)
def invoice():
    """Read an invoice."""
    read = model(prompt="Read ${input.text}", model="small", retry={"errors": ["check"]}, class_="internal")
    with map_(over="input.lines", at_most=10) as lines:
        line = python(function=doubled, arguments={"x": "${item}"})
    with parallel(after=[read]) as both:
        with branch("left"):
            a = transform({"n": -1, "t": "${steps.read.text}"})
        with branch("right"):
            b = wait(for_="1m")
    with switch() as route:
        with case("input.text == 'x'"):
            c = transform("yes")
        with otherwise():
            d = transform("no")
    with loop(until="value == 'yes'", at_most=3) as again:
        e = transform("yes")
    ask = approval(role="clerk", ask="Well?", timeout="1d")
    return {"n": "${steps.lines.value}"}


def doubled(x: float) -> float:
    return x * 2
'''
SAME = """
description: Read an invoice.
input: {properties: {text: {type: string}, lines: {type: array, items: {type: number}}}, required: [text, lines]}
timeout: 14d
steps:
  - {id: read, model: {prompt: "Read ${input.text}", model: small}, retry: {errors: [check]}, class: internal}
  - {id: lines, map: {over: input.lines, at_most: 10, steps: [
      {id: line, python: {function: "paper:doubled", arguments: {x: "${item}"}}}]}}
  - {id: both, after: [read], parallel: {branches: {
      left: [{id: a, transform: {n: -1, t: "${steps.read.text}"}}], right: [{id: b, wait: {for: 1m}}]}}}
  - {id: route, switch: {cases: [{when: "input.text == 'x'", steps: [{id: c, transform: "yes"}]}],
      otherwise: [{id: d, transform: "no"}]}}
  - {id: again, loop: {until: "value == 'yes'", at_most: 3, steps: [{id: e, transform: "yes"}]}}
  - {id: ask, approval: {role: clerk, ask: "Well?"}, timeout: 1d}
output: {n: "${steps.lines.value}"}
"""


def compiled(folder: Path, **files: str) -> dict[str, Bundle]:
    named = {f"workflows/{name.replace('__', '.')}": text for name, text in files.items()}
    store = published(folder, settings("http://127.0.0.1:1"), named, SystemClock())
    with store.reading() as connection:
        revision = connection.exec_driver_sql("SELECT revision FROM epoch ORDER BY number DESC LIMIT 1").scalar()
    text = load_revision(store, str(revision)).text
    store.close()
    return dict(compile_workspace(text, lambda _: None, now=1).workflows)


def test_what_is_written_as_python_is_what_yaml_says(tmp_path: Path) -> None:
    written = compiled(tmp_path / "a", paper__py=WRITTEN)["invoice"]
    plain = compiled(tmp_path / "b", paper__py=WRITTEN.partition("@workflow")[0] + "\ndef doubled(x: float) -> float:\n"
                     "    return x * 2\n", invoice__yaml=SAME)["invoice"]  # fmt: skip
    assert msgspec.to_builtins(written.definition) == msgspec.to_builtins(plain.definition)
    function = Programs().of(written.body).function("paper:doubled")
    assert function.run(x=2.0) == 4.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('    a = model(prompt=f"Read {x}")', "f-string"),
        ("    a = model(prompt=made())", "only known when it is run"),
        ("    print('x')", "this is no step"),
        ("    a.b = model(prompt='x')", "has no name"),
        ("    a = modell(prompt='x')", "no kind of step"),
        ("    a = model('x')", "by name"),
        ("    a = model(**x)", "cannot be read"),
        ("    a = model(promt='x')", "unknown key"),
        ("    a = transform('${input.x >}')", "too early"),
        ("    a = python(function=flow)", "has no function `flow`"),
        ("    a = subflow(workflow='flow')", "uses itself"),
        ("    with parallel() as a:\n        b = transform('x')", "stand here"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(line: str, said: str) -> None:
    source = f"from fairlead.workflows.building import *\n\n\n@workflow()\ndef flow():\n{line}\n"
    entry = msgspec.json.encode({**settings("http://127.0.0.1:1"), "organisation": "acme"})
    text = WorkspaceText(files={"fairlead.yaml": entry, "workflows/some.py": source.encode()})
    with pytest.raises(InvalidWorkspace) as error:
        compile_workspace(text, lambda _: None, now=1)
    problem = next(each for each in error.value.problems if said in each.message)
    assert (problem.file, problem.line in (6, 7)) == ("workflows/some.py", True)


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ("A = [A]", "levels deep"),
        ("A = dict(a=A)", "levels deep"),
        ("\n".join([*(f"A{n} = [{', '.join([f'A{n + 1}'] * 300)}]" for n in range(3)), "A3 = 1"])
         + "\nA = A0", "values, counting"),
    ],
)  # fmt: skip
def test_what_constants_repeat_is_bounded(constants: str, said: str) -> None:
    [(_, problem)] = written_in("workflows/x.py", f"{constants}\n@workflow\ndef f():\n    a = transform(A)\n")
    assert isinstance(problem, Problem)
    assert said in problem.message


def test_a_file_without_workflows_is_left_alone() -> None:
    assert list(written_in("workflows/x.py", "def workflow(): ...\n")) == []
    assert list(written_in("workflows/x.py", "@workflow(\n")) == []
    deep = "@workflow\ndef f():\n    a = transform(" + "-" * 100_000 + "1)\n"
    assert list(written_in("workflows/x.py", deep)) == []
