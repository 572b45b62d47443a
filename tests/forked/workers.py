"""`pytest -p tests.forked.workers --workers N`: collect once, and run the files of tests in N forks of that process.

Whatever is imported for collection is imported once, and not once in each worker. A file belongs to one worker, and
files are handed out as workers ask for them, the long ones first.

With `--again N`, up to N tests that failed are run once more when all others are through, one by one in a worker of
their own. A machine that is shared may stand still for seconds, and then a time limit says nothing about the code. What
fails twice has failed; what passes alone is told all the same, with how it failed at first. Where more than N fail, or
a worker died, none is asked again: that is not the machine.
"""

import gc
import os
import threading
from collections.abc import Iterator
from importlib import import_module
from itertools import chain, groupby
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

import pytest
from tests.forked import meanwhile, memory, parent

# Of what is collected nearly all stays, and a worker lives for minutes: to look for cycles as often as Python does by
# itself would find next to nothing.
SELDOM: Final = (50_000, 20, 10)

# The rest is short: whichever of them comes last, nobody waits for it for long.
LONG: Final = ("tests/docs/test_pages.py", "tests/cli/test_demo.py", "tests/storage/test_journal.py")

# A PostgreSQL server takes three seconds to make. Its tests are a third of all: two workers have each enough to do.
SERVERS: Final = 2
ON_A_SERVER: Final = frozenset(("postgres", "lent", "lent_with_vectors"))

# Imported where they are needed first, and by most of the workers.
LATE: Final = ("dbos", "lxml.etree", "pypdfium2", "sqlglot.optimizer")

File = list[pytest.Item]

Reports = list[pytest.TestReport]

_TAKEN = pytest.StashKey[Path | None]()
_AT_FIRST = pytest.StashKey[Reports]()
"""How tests failed that passed alone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, help="Processes that run tests; 0 for this one only.")
    parser.addoption("--again", type=int, default=0, help="Failed tests that are run once more, alone; 0 for none.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TAKEN] = memory.take() if config.option.workers else None


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    yield
    taken = session.config.stash[_TAKEN]
    if taken is not None and not session.testsfailed:  # otherwise somebody will want to look
        memory.give_back(taken)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for report in config.stash.get(_AT_FIRST, ()):
        terminalreporter.section(f"{report.nodeid} failed among the others, and passed alone", yellow=True)
        terminalreporter.line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.section(title, "-")
            terminalreporter.line(text)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    gc.set_threshold(*SELDOM)
    end = meanwhile.begin(session.config.rootpath) if session.config.option.workers else None
    try:
        return (yield)
    finally:
        if end is not None:
            end()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    options = session.config.option
    if not options.workers or options.collectonly or options.usepdb:
        return None
    if session.testsfailed and not options.continue_on_collection_errors:
        return None  # pytest says what it has to say to that
    assert threading.active_count() == 1, "a module starts a thread when it is imported"
    files = [list(items) for _, items in groupby(session.items, lambda item: item.path)]
    files.sort(key=lambda items: items[0].nodeid.partition("::")[0] not in LONG)
    session.config._tmp_path_factory.getbasetemp()
    _prepare()
    gc.collect()
    gc.freeze()  # what was collected stays: no worker looks through it again, nor copies it for that
    Handing(session, files, options.again).run(min(options.workers, len(files)))
    return True


def _prepare() -> None:
    """Import and make what most workers come to need: once, and not once in each."""
    from tests.databases import migrated_file

    parent.prepare()
    for name in LATE:
        import_module(name)
    migrated_file()


class Handing:
    """The parent of the workers: hands out files, and passes on what they report as if it was its own."""

    def __init__(self, session: pytest.Session, files: list[File], again: int) -> None:
        self._session = session
        self._again = again
        self._failed: dict[str, Reports] = {}
        self._passed: set[str] = set()
        self._files = files
        self._left = {number: _on_a_server(items) for number, items in enumerate(files)}
        self._with_server: set[Connection] = set()
        self._running: dict[Connection, pytest.Item] = {}
        self._pids: dict[Connection, int] = {}

    def run(self, count: int) -> None:
        self._run(range(count))
        failed = self._failed
        if 0 < len(failed) <= self._again:
            failed = self._once_more(failed, count)
        for each in chain.from_iterable(failed.values()):
            self._session.config.hook.pytest_runtest_logreport(report=each)
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)

    def _once_more(self, failed: dict[str, Reports], number: int) -> dict[str, Reports]:
        """What has failed for good: at both times, or at first where its worker died before it came to it."""
        self._failed, self._passed = {}, set()
        self._files = [[item] for item in self._session.items if item.nodeid in failed]
        self._left = {number: _on_a_server(items) for number, items in enumerate(self._files)}
        self._run(range(number, number + 1))
        passed = self._passed - self._failed.keys()
        self._session.config.stash[_AT_FIRST] = [each for name in failed if name in passed for each in failed[name]]
        return {name: self._failed.get(name, failed[name]) for name in failed if name not in passed}

    def _run(self, numbers: range) -> None:
        for number in numbers:
            self._start(number)
        try:
            while self._pids:
                for end in wait(list(self._pids)):
                    assert isinstance(end, Connection)
                    self._hear(end)
        finally:
            for end in self._pids:
                end.close()  # what waits for a file then, ends

    def _start(self, number: int) -> None:
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            for each in (ours, *self._pids):
                each.close()
            status = 1
            try:
                Worker(self._session, self._files, theirs, number).run()
                status = 0
            finally:
                os._exit(status)
        theirs.close()
        self._pids[ours] = pid

    def _hear(self, end: Connection) -> None:
        try:
            what, said = end.recv()
        except EOFError:
            self._ended(end)
            return
        hook = self._session.config.hook
        if what == "next":
            self._running.pop(end, None)
            end.send(None if self._session.shouldfail or self._session.shouldstop else self._next(end))
        elif what == "begins":
            item = self._running[end] = self._files[said[0]][said[1]]
            hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        else:
            report = hook.pytest_report_from_serializable(config=self._session.config, data=said)
            if report.failed and self._again:
                self._failed.setdefault(report.nodeid, []).append(report)
            else:
                if report.when == "call":
                    self._passed.add(report.nodeid)
                hook.pytest_runtest_logreport(report=report)

    def _next(self, end: Connection) -> int | None:
        """The number of the file that this worker shall run: first those that want a server, if it has one."""
        has, may = end in self._with_server, len(self._with_server) < SERVERS
        able = [number for number, wants in self._left.items() if has or may or not wants]
        chosen = next((number for number in able if has and self._left[number]), next(iter(able), None))
        if chosen is not None and self._left.pop(chosen):
            self._with_server.add(end)
        return chosen

    def _ended(self, end: Connection) -> None:
        _, status = os.waitpid(self._pids.pop(end), 0)
        end.close()
        self._with_server.discard(end)
        if status:
            self._again = 0
            how = f"its worker ended with {os.waitstatus_to_exitcode(status)}"
            item = self._running.get(end)
            name, location = (item.nodeid, item.location) if item else ("a worker", ("", 0, ""))
            report = pytest.TestReport(name, location, {}, "failed", how, "call")
            self._session.config.hook.pytest_runtest_logreport(report=report)


def _on_a_server(items: File) -> bool:
    """Whether any of these tests is lent a database of a server."""
    return any(ON_A_SERVER & {*getattr(item, "fixturenames", ()), *_parameters(item)} for item in items)


def _parameters(item: pytest.Item) -> Iterator[str]:
    called = getattr(item, "callspec", None)
    return (each for each in called.params.values() if isinstance(each, str)) if called else iter(())


class Worker:
    """A fork that runs one file after another."""

    def __init__(self, session: pytest.Session, files: list[File], parent: Connection, number: int) -> None:
        self._config = session.config
        self._files = files
        self._parent = parent
        self._all_is_told = self._config.option.durations or self._config.option.xmlpath
        plugins = self._config.pluginmanager
        plugins.unregister(name="terminalreporter")
        plugins.register(self)
        capture = plugins.getplugin("capturemanager")
        capture.stop_global_capturing()  # of the parent, whose files these are
        capture.start_global_capturing()
        temporary: Any = self._config._tmp_path_factory  # type: ignore[attr-defined]
        temporary._basetemp = Path(temporary.getbasetemp(), f"worker{number}")
        temporary._basetemp.mkdir(mode=0o700)

    def run(self) -> None:
        items = self._items()
        (index, place, item), following = next(items, (0, 0, None)), None
        while item is not None:
            # Which fixtures stay depends on what comes after: it must be known before this test ends.
            following = next(items, (0, 0, None))
            self._parent.send(("begins", (index, place)))
            self._config.hook.pytest_runtest_protocol(item=item, nextitem=following[2])
            index, place, item = following

    def _items(self) -> Iterator[tuple[int, int, pytest.Item]]:
        while True:
            self._parent.send(("next", None))
            index = self._parent.recv()
            if index is None:
                return
            for place, item in enumerate(self._files[index]):
                yield index, place, item

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed and report.when != "call" and not (report.sections or self._all_is_told):
            return  # two of three reports are of what went well around a test
        said = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._parent.send(("report", said))
