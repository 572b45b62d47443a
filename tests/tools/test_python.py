"""An organisation's own functions as tools."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.calls import CLOCK, HTTP, a_system, a_system_call

from fairlead.errors import BadInput, DeadlineExceeded
from fairlead.tools.failures import NotAuthorised, ResultTooLarge, SystemFailed
from fairlead.tools.python import PythonSystem, definitions_of
from fairlead.tools.settings import PythonSettings
from fairlead.tools.types import Credential, ToolResult

HOUSE = b'''
from __future__ import annotations
import asyncio, dataclasses, datetime, decimal, sys, threading
from typing import Annotated, Any, Literal
import msgspec
from json import dumps
from fairlead.tools import NotAuthorised, Person, ToolError

READS = {"get_order", "slow_read", "echo", "whoami"}
IDEMPOTENT = {"cancel"}
gate = threading.Event()
begun = []

@dataclasses.dataclass
class Line:
    what: str
    amount: decimal.Decimal

class Order(msgspec.Struct):
    number: int
    lines: list[Line]
    due: datetime.date | None = None

class Late(ToolError):
    "Too late."

def get_order(number: Annotated[int, "The order's number"], currency: Literal["EUR", "CHF"] = "EUR") -> Order:
    """One order.

    With its lines.
    """
    return Order(number, [Line(currency, decimal.Decimal("1.50"))], datetime.date(2026, 11, 21))

async def cancel(order: Order, notes: list[str] = []) -> str:
    notes.append("cancelled")
    return f"{order.lines[0].what}: {len(notes)}"

async def whoami(caller: Person, add: str = "") -> dict[str, str]:
    return {"name": caller.name, "secret": caller.credential.secret, "key": caller.idempotency_key, "add": add}

def echo(value: Any) -> Any:
    return value

def fail(kind: str) -> None:
    if kind == "exit":
        sys.exit(3)
    raise {"late": Late("7 was shipped"), "right": NotAuthorised("not yours"), "stop": StopIteration("secret"),
           "key": KeyError("secret")}[kind]

async def fail_waiting(kind: str) -> None:
    if kind == "cancel":
        raise asyncio.CancelledError
    fail(kind)

def wait(name: str) -> str:
    begun.append(name)
    gate.wait(60)
    return "done"

async def wait_long() -> str:
    await asyncio.sleep(60)
    return "done"

def slow_read() -> object:
    return object()

def say() -> None:
    print("words")

def large(size: int) -> str:
    return "x" * size

def _hidden(what): ...
'''
Call = Callable[..., Any]


@pytest.fixture
async def house() -> AsyncIterator[PythonSystem]:
    opened = opened_from(HOUSE)
    yield opened
    await opened.close()


def opened_from(text: bytes, **given: Any) -> PythonSystem:
    settings = PythonSettings(file="systems/house.py", **given)
    return PythonSystem(a_system("house", settings, (), {"systems/house.py": text}), HTTP, CLOCK)


def loaded(house: PythonSystem) -> Any:
    assert house._loaded is not None
    return house._loaded.module


async def call(
    house: PythonSystem, name: str, /, seconds: float = 5.0, most_bytes: int = 1 << 20, **arguments: Any
) -> ToolResult:
    tools = {each.name: each for each in await house.definitions(Credential(), 0)}
    return await house.call(a_system_call(tools[name], arguments, seconds=seconds, most_bytes=most_bytes))


def test_each_public_function_of_the_module_itself_is_a_tool() -> None:
    tools = {each.name: each for each in definitions_of(HOUSE)}
    assert sorted(tools) == [
        "cancel", "echo", "fail", "fail_waiting", "get_order", "large",
        "say", "slow_read", "wait", "wait_long", "whoami",
    ]  # fmt: skip
    order = tools["get_order"]
    assert order.description == "One order.\n\nWith its lines."
    assert (order.effect, order.idempotent) == ("read", True)
    assert order.input == {
        "type": "object",
        "properties": {
            "number": {"type": "integer", "description": "The order's number"},
            "currency": {"enum": ["CHF", "EUR"], "default": "EUR"},
        },
        "required": ["number"],
        "additionalProperties": False,
    }
    assert order.output is not None
    assert list(order.output["properties"]) == ["number", "lines", "due"]
    assert (tools["cancel"].effect, tools["cancel"].idempotent) == ("write", True)
    lines = tools["cancel"].input["properties"]["order"]["properties"]["lines"]
    assert list(lines["items"]["properties"]) == ["what", "amount"], "policies see into objects"
    assert (tools["say"].effect, tools["say"].idempotent) == ("write", False)


def test_who_calls_is_no_argument() -> None:
    whoami = next(each for each in definitions_of(HOUSE) if each.name == "whoami")
    assert list(whoami.input["properties"]) == ["add"]


async def test_who_calls_is_told_to_a_function_that_asks(house: PythonSystem) -> None:
    tools = {each.name: each for each in await house.definitions(Credential(), 0)}
    mine = Credential(kind="exchange", secret="s3cret")
    asked = a_system_call(tools["whoami"], {"add": "x"}, credential=mine, person="grace")
    assert (await house.call(asked)).structured == {"name": "grace", "secret": "s3cret", "key": "run_1.1", "add": "x"}


async def test_nobody_can_say_that_they_are_somebody_else(house: PythonSystem) -> None:
    with pytest.raises(BadInput, match="whoami: the arguments are not as its schema says"):
        await call(house, "whoami", caller={"name": "root"})


async def test_arguments_arrive_as_their_types_and_results_leave_as_data(house: PythonSystem) -> None:
    result = await call(house, "get_order", number=7)
    assert result.structured == {"number": 7, "lines": [{"what": "EUR", "amount": "1.50"}], "due": "2026-11-21"}
    order = {"number": 7, "lines": [{"what": "tea", "amount": "2"}]}
    assert (await call(house, "cancel", order=order, notes=["a"])).text == "tea: 2"
    assert (await call(house, "cancel", order=order)).text == "tea: 1"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"number": "7"}, "Expected `int`, got `str` - at `number`"),
        ({}, "missing required field `number`"),
        ({"number": 7, "currency": "USD"}, "at `currency`"),
        ({"number": 7, "colour": "red"}, "unknown field `colour`"),
    ],
)
async def test_wrong_arguments_are_named(house: PythonSystem, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(BadInput) as caught:
        await call(house, "get_order", **arguments)
    assert why in caught.value.why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
@settings(max_examples=40, deadline=None)
async def test_any_data_crosses_unchanged(value: Any) -> None:
    house = opened_from(b"def echo(value: object) -> object:\n    return value")
    result = await call(house, "echo", value=value)
    await house.close()
    assert result.structured == value
    assert result.text == (value if isinstance(value, str) else "")


async def test_a_declared_error_is_a_failed_result(house: PythonSystem) -> None:
    for tool in ("fail", "fail_waiting"):
        result = await call(house, tool, kind="late")
        assert (result.text, result.failed) == ("7 was shipped", True)


async def test_a_function_can_say_that_this_person_may_not(house: PythonSystem) -> None:
    with pytest.raises(NotAuthorised, match="not yours"):
        await call(house, "fail", kind="right")


@pytest.mark.parametrize("tool", ["fail", "fail_waiting"])
@pytest.mark.parametrize("kind", ["key", "stop", "exit", "cancel"])
async def test_any_other_error_tells_where_and_not_what(house: PythonSystem, tool: str, kind: str) -> None:
    with pytest.raises(SystemFailed) as caught:
        await call(house, tool, kind=kind)
    assert "secret" not in f"{caught.value.message} {caught.value.why}"
    assert caught.value.charged == "unknown"
    if (tool, kind) == ("fail", "key"):
        line = HOUSE[: HOUSE.index(b"    raise {")].count(b"\n") + 1
        assert caught.value.why == f"KeyError at systems/house.py:{line}"


async def test_what_is_no_data_is_an_error(house: PythonSystem) -> None:
    with pytest.raises(SystemFailed, match="gave back what is no data"):
        await call(house, "slow_read")


async def test_too_large_a_result_is_refused(house: PythonSystem) -> None:
    assert len((await call(house, "large", size=998, most_bytes=1000)).text) == 998
    with pytest.raises(ResultTooLarge):
        await call(house, "large", size=999, most_bytes=1000)


async def test_the_deadline_ends_the_wait() -> None:
    house = opened_from(HOUSE, at_once=1)
    assert (await call(house, "echo", value=1)).structured == 1
    with pytest.raises(DeadlineExceeded) as caught:
        await call(house, "wait_long", seconds=0.5)
    assert caught.value.charged == "unknown"
    with pytest.raises(DeadlineExceeded) as caught:
        await call(house, "get_order", seconds=-1, number=7)
    assert caught.value.charged == "no"
    with pytest.raises(DeadlineExceeded) as caught:
        await call(house, "wait", seconds=1.0, name="first")
    assert caught.value.charged == "unknown"
    with pytest.raises(DeadlineExceeded) as caught:  # the only thread is taken
        await call(house, "wait", seconds=0.05, name="second")
    assert caught.value.charged == "no"
    module = loaded(house)
    module.gate.set()
    assert (await call(house, "echo", value=1)).structured == 1
    assert module.begun == ["first"], "what nobody waits for does not begin"
    await house.close()


async def test_an_abandoned_call_is_cancelled(house: PythonSystem) -> None:
    task = asyncio.ensure_future(call(house, "wait_long"))
    while not house._running:
        await asyncio.sleep(0)
    inner = next(iter(house._running))
    task.cancel()
    await asyncio.wait({task, inner})
    assert inner.cancelled()


async def test_calls_run_at_once(house: PythonSystem) -> None:
    names = [str(number) for number in range(4)]
    await house.definitions(Credential(), 0)
    tasks = [asyncio.ensure_future(call(house, "wait", name=name)) for name in names]
    module = loaded(house)
    while len(module.begun) < 4:
        await asyncio.sleep(0.001)
    module.gate.set()
    assert {each.text for each in await asyncio.gather(*tasks)} == {"done"}


async def test_what_a_function_prints_leaves_standard_output_alone(
    house: PythonSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    await call(house, "say")
    assert capsys.readouterr() == ("", "words\n")


async def test_two_revisions_of_a_file_share_nothing_and_leave_nothing() -> None:
    before = set(sys.modules)
    text = b"COUNT = []\ndef add() -> int:\n    COUNT.append(1)\n    return len(COUNT)"
    first, second = opened_from(text), opened_from(text)
    assert [(await call(each, "add")).structured for each in (first, first, second)] == [1, 2, 1]
    await first.close()
    await second.close()
    definitions_of(text)
    assert set(sys.modules) == before
    for each in threading.enumerate():
        if each.name.startswith(("load", "house")):
            each.join(60)
            assert not each.is_alive()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(x): ...", "systems/h.py: f: the parameter x has no type hint"),
        ("def f(*x: int): ...", "systems/h.py: f: the parameter x cannot be given by name"),
        ("def f(x: int):\n  yield x", "f cannot be a tool"),
        ("def größe(x: int): ...", "größe cannot be a tool"),
        ("x = 1\n1 / 0", "systems/h.py cannot be loaded (line 2)"),
        ("x = 1\ndef f(:", "systems/h.py cannot be loaded (line 2)"),
        ("raise SystemExit(3)", "systems/h.py cannot be loaded (line 1)"),
        ("def f(x: 'Unknown'): ...", "systems/h.py cannot be loaded"),
        ("import threading\ndef f(x: threading.Thread): ...", "systems/h.py cannot be loaded"),
        ("READS = {'get'}\ndef gets() -> None: ...", "READS names 'get', which is no public function here"),
        ("READS = 'get'", "READS must be a set of names"),
        ("\x00", "systems/h.py cannot be loaded"),
    ],
)
def test_a_file_that_is_no_list_of_tools_is_told_so(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        definitions_of(text.encode(), "systems/h.py")
    assert said in caught.value.message


def test_a_file_that_there_is_not_is_named() -> None:
    settings = PythonSettings(file="systems/hose.py")
    with pytest.raises(BadInput, match=r"systems\.house\.file: the workspace has no file systems/hose\.py") as caught:
        PythonSystem(a_system("house", settings, (), {"systems/house.py": HOUSE}), HTTP, CLOCK)
    assert caught.value.mend == "did you mean `systems/house.py`?"


def test_a_definition_survives_being_written_down() -> None:
    for each in definitions_of(HOUSE):
        again = msgspec.json.decode(msgspec.json.encode(each), type=type(each))
        assert again.digest == each.digest
