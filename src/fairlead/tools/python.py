"""The connector for an organisation's own functions: a file of the workspace, `use: python`.

The file is executed, when a workspace is checked and once in each worker and revision: it is the organisation's own,
reviewed text, with all the rights of the process. It lives under a private name, so that two revisions of it never meet
in anything that is theirs.
"""

import asyncio
import builtins
import hashlib
import sys
import traceback
from collections.abc import Coroutine, Sequence
from functools import partial
from types import ModuleType
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, DeadlineExceeded, Upstream
from fairlead.net.http import Http
from fairlead.tools.failures import ResultTooLarge, SystemFailed
from fairlead.tools.files import file_of
from fairlead.tools.person import Person, ToolError
from fairlead.tools.python_functions import Function, functions_of
from fairlead.tools.settings import PythonSettings
from fairlead.tools.systems import System
from fairlead.tools.threads import Outcome, Threads
from fairlead.tools.types import Credential, Definition, SystemCall, Text, ToolResult

_PATIENCE_S: Final = 30.0  # for executing a file, on a machine that has much else to do


class Module(Struct, frozen=True):
    """A file that has been executed, and its tools."""

    module: ModuleType
    functions: dict[str, Function]

    def forget(self) -> None:
        """Take it out of the interpreter's list of modules. What runs of it runs on."""
        sys.modules.pop(self.module.__name__, None)


def definitions_of(text: bytes, file: str = "systems/functions.py") -> tuple[Definition, ...]:
    """The tools that a file defines. This executes it. Raises `BadInput` naming the line where it fails."""
    module = load(text, file)
    module.forget()
    return tuple(each.definition for each in module.functions.values())


def load(text: bytes, file: str) -> Module:
    """Execute a file in a thread of its own, so that one that never ends is an error as well. Raises `BadInput`."""
    module = ModuleType("")
    module.__name__ = f"_fairlead_{hashlib.sha256(text).hexdigest()[:12]}_{id(module):x}"
    module.__file__ = file
    module.__dict__["__builtins__"] = {**vars(builtins), "print": _print}
    sys.modules[module.__name__] = module  # dataclasses and structs look up their hints there
    threads = Threads("load", 1)
    try:
        outcome = threads.run(partial(_executed, module, text, file)).result(_PATIENCE_S)
    except TimeoutError:
        outcome = Outcome(error=BadInput(f"{file} did not end within {_PATIENCE_S:g} s", mend="do no work on import"))
    threads.close()
    loaded = Module(module, outcome.value)
    if outcome.error is not None:
        loaded.forget()
        raise _unloadable(outcome.error, file) from outcome.error
    return loaded


def _print(*words: Any, **how: Any) -> None:
    """Words go where words go: standard output belongs to the data of commands."""
    print(*words, **{"file": sys.stderr, **how})


def _executed(module: ModuleType, text: bytes, file: str) -> dict[str, Function]:
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what this connector is for
    return functions_of(module)


def _unloadable(error: BaseException, file: str) -> BadInput:
    if isinstance(error, BadInput):
        return BadInput(f"{file}: {error.message}", why=error.why, mend=error.mend)
    line = error.lineno if isinstance(error, SyntaxError) else _line(error, file)
    return BadInput(
        f"{file} cannot be loaded" + (f" (line {line})" if line else ""),
        why=f"{type(error).__name__}: {error}".removesuffix(": "),
        mend="run the file with Python by itself to see more",
    )


def _line(error: BaseException, file: str) -> int:
    """The line of the file that was at work, 0 if none was."""
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == file]
    return (lines[-1] or 0) if lines else 0


class PythonSystem:
    """Runs functions: those that wait (`async def`) in the event loop, all others in threads of their own."""

    def __init__(self, system: System, http: Http, clock: Clock) -> None:
        """`http` is unused: functions that call other systems do so by themselves."""
        settings = system.settings
        assert isinstance(settings, PythonSettings)
        self._name = system.name
        self._file = settings.file
        self._clock = clock
        self._text = file_of(system.files, settings.file, f"systems.{system.name}.file")
        self._loaded: Module | None = None
        self._loading = asyncio.Lock()
        self._threads = Threads(system.name, settings.at_once)
        self._running: set[asyncio.Future[Any]] = set()

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        """What the functions of the file are, by their hints and docstrings. Loads the file at the first time."""
        return [each.definition for each in (await self._functions()).values()]

    async def call(self, call: SystemCall) -> ToolResult:
        """Raises `BadInput` for arguments that are not as the hints say, and `Upstream` as a system does."""
        function = (await self._functions()).get(call.tool.name)
        if function is None:
            raise SystemFailed(f"{self._name} has no function {call.tool.name} any more", retryable=False)
        person = Person(name=call.person, credential=call.credential, idempotency_key=call.idempotency_key)
        given = function.given(call.arguments, person)
        left = call.deadline - self._clock.monotonic()
        if left <= 0:
            raise self._late(call, begun=False)
        work = partial(function.run, **given)
        outcome = await (self._awaited(work, call) if function.waits else self._threaded(work, call, left))
        if outcome.error is not None:
            return self._told(outcome.error, call)
        return self._result(outcome.value, call)

    async def close(self) -> None:
        """Breaks off what is awaited and forgets the loaded file. Each thread ends when its function has."""
        for each in self._running:
            each.cancel()
        self._threads.close()
        if self._loaded is not None:
            self._loaded.forget()

    async def _functions(self) -> dict[str, Function]:
        """The functions: loaded when they are first needed, and beside the loop, because what they import may take
        long."""
        async with self._loading:
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(load, self._text, self._file)
            return self._loaded.functions

    async def _threaded(self, work: "partial[Any]", call: SystemCall, left: float) -> Outcome:
        begun = self._threads.run(work)
        waiter = asyncio.wrap_future(begun)
        try:
            done, _ = await asyncio.wait({waiter}, timeout=left)
        finally:
            waiting = begun.cancel()  # nothing that did not begin begins when nobody waits for it
        if not done:
            raise self._late(call, begun=not waiting)
        return waiter.result()

    async def _awaited(self, work: "partial[Coroutine[Any, Any, Any]]", call: SystemCall) -> Outcome:
        task = asyncio.ensure_future(_guarded(work()))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=call.deadline - self._clock.monotonic())
        finally:
            task.cancel()
        if not done:
            raise self._late(call, begun=True)
        if task.cancelled():
            return Outcome(error=asyncio.CancelledError())
        error = task.exception()
        return Outcome(error=error) if error is not None else task.result()

    def _late(self, call: SystemCall, *, begun: bool) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._name}.{call.tool.name} did not finish within the deadline",
            why="" if begun else "all its threads are taken",
            mend="raise the system's `timeout`" if begun else "raise the system's `at_once`, or look at what waits",
            subject=self._name,
            retryable=False,
            charged="unknown" if begun else "no",
        )

    def _told(self, error: BaseException, call: SystemCall) -> ToolResult:
        if isinstance(error, ToolError):
            return ToolResult(pieces=(Text(text=str(error)[: call.most_bytes]),), failed=True)
        if isinstance(error, Upstream):
            raise error
        line = _line(error, self._file)
        raise SystemFailed(
            f"{self._name}.{call.tool.name} failed",
            why=f"{type(error).__name__}" + (f" at {self._file}:{line}" if line else ""),
            mend="have the function raise fairlead.tools.ToolError for what its callers should know",
            subject=self._name,
            retryable=call.tool.effect == "read",
            charged="unknown",
        ) from error

    def _result(self, value: Any, call: SystemCall) -> ToolResult:
        try:
            plain = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise SystemFailed(
                f"{self._name}.{call.tool.name} gave back what is no data",
                why=str(error),
                mend="give back text, numbers, lists, dicts, dataclasses or structs",
                subject=self._name,
                retryable=False,
                charged="unknown",
            ) from error
        if len(plain) > call.most_bytes:
            raise ResultTooLarge(
                f"{self._name}.{call.tool.name} gave back {len(plain)} bytes; {call.most_bytes} are taken",
                mend="ask for less, or raise the system's `most_bytes`",
                subject=self._name,
                retryable=False,
                charged="unknown",
            )
        # Through JSON and back: what is judged, recorded and shown is then the same for every client.
        data = msgspec.json.decode(plain)
        return ToolResult(pieces=(Text(text=data),) if isinstance(data, str) else (), structured=data)


async def _guarded(work: Coroutine[Any, Any, Any]) -> Outcome:
    try:
        return Outcome(await work)
    except SystemExit as error:  # it would end the worker
        return Outcome(error=error)
