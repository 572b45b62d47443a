"""Publishing: all or nothing, once, and every worker compiles what was published and nothing else."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fairlead.clock import Clock, SystemClock
from fairlead.context.snapshots import snapshot_id
from fairlead.costs import decode_rates
from fairlead.identity import Key
from fairlead.identity.key_table import add_key, revoke_key
from fairlead.storage.context_tables import context_snapshot
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet, Lease
from fairlead.storage.schema import epoch, revision
from fairlead.storage.store import Store
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.load import read_folder
from fairlead.workspace.problems import InvalidWorkspace
from fairlead.workspace.publish import Published, publish
from fairlead.workspace.published import load_revision
from fairlead.workspace.remarks import NOBODY_KNOWN, NOBODY_NAMED
from fairlead.workspace.templates import template_text, write_template
from fairlead.workspace.text import PRICES, WorkspaceText

TEXT = template_text("standard", {"organisation": "acme"})


def published(store: Store, clock: Clock, text: WorkspaceText = TEXT) -> Published:
    return publish(store, Fleet(store, clock), text, {}.get, by="kim", clock=clock)


def changed(path: str, content: bytes) -> WorkspaceText:
    return WorkspaceText({**TEXT.files, path: content})


def test_a_publish_puts_the_revision_in_force(store: Store, clock: Clock) -> None:
    done = published(store, clock)
    in_force = Fleet(store, clock).current()
    assert (in_force.number, in_force.revision) == (done.epoch, done.revision) == (1, done.revision)
    assert done.changed
    assert any("OPENAI_API_KEY" in warning for warning in done.warnings)


def test_who_has_made_a_key_is_not_told_to_make_one(store: Store, clock: Clock) -> None:
    lean = WorkspaceText({"fairlead.yaml": b"organisation: acme\nmodels: {local: local/extractive}\n"})
    assert NOBODY_NAMED in compile_workspace(lean, {}.get, now=clock.now()).warnings  # by itself: it knows no database
    assert NOBODY_KNOWN in published(store, clock, lean).warnings
    with store.writing() as connection:
        add_key(connection, Key(name="kim", digest=b"d" * 32, person="kim", created_at=clock.now()))
    assert not {NOBODY_KNOWN, NOBODY_NAMED} & {*published(store, clock, lean).warnings}
    with store.writing() as connection:
        revoke_key(connection, "kim", clock.now())
    assert NOBODY_KNOWN in published(store, clock, lean).warnings


def test_a_process_that_only_decides_loads_no_pages(store: Store, clock: Clock) -> None:
    done = published(store, clock)
    whole, lean = load_revision(store, done.revision), load_revision(store, done.revision, with_pages=False)
    assert {path for path in whole.text.files if path not in lean.text.files} == {
        path for path in TEXT.files if path.startswith("context/")
    }
    workspace = compile_workspace(lean.text, {}.get, now=clock.now(), pages_elsewhere=bool(lean.snapshot))
    assert workspace.tasks.default == compile_workspace(whole.text, {}.get, now=clock.now()).tasks.default


def test_a_worker_loads_what_was_published_with_its_prices_and_its_context(store: Store, clock: Clock) -> None:
    done = published(store, clock)
    loaded = load_revision(store, done.revision)
    assert {path: text for path, text in loaded.text.files.items() if path != PRICES} == dict(TEXT.files)
    workspace = compile_workspace(loaded.text, {}.get, now=clock.now())
    assert loaded.snapshot == snapshot_id(workspace.items)
    assert workspace.rates == decode_rates(loaded.text.files[PRICES])
    assert set(workspace.rates) == {"local", "small", "large"}
    with store.reading() as connection:
        assert connection.execute(select(context_snapshot.c.id)).scalar() == loaded.snapshot


def test_publishing_the_same_text_again_changes_nothing(store: Store, clock: Clock) -> None:
    first = published(store, clock)
    again = published(store, clock)
    assert (again.revision, again.epoch, again.changed) == (first.revision, first.epoch, False)


def test_going_back_to_an_earlier_text_is_a_publish_of_the_earlier_revision(store: Store, clock: Clock) -> None:
    first = published(store, clock)
    second = published(store, clock, changed("context/new.md", b"# New\n"))
    third = published(store, clock)
    assert second.revision != first.revision == third.revision
    assert [one.epoch for one in (first, second, third)] == [1, 2, 3]
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(revision)).scalar() == 2


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("fairlead.yaml", b"organisation: acme\n"),
        ("policies/more.cedar", b"permit("),
        ("policies/tests.yaml", b"tests: [{name: wrong, expect: deny, model: local}]\n"),
    ],
)
def test_an_invalid_text_changes_nothing(store: Store, clock: Clock, path: str, content: bytes) -> None:
    before = published(store, clock)
    with pytest.raises(InvalidWorkspace):
        published(store, clock, changed(path, content))
    assert Fleet(store, clock).current().revision == before.revision
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(revision)).scalar() == 1


def test_a_publish_returns_once_the_live_worker_has_seen_it(store: Store) -> None:
    clock = SystemClock()
    fleet, lease, seen, stop = Fleet(store, clock), Lease(clock), [0], threading.Event()

    def work() -> None:
        while not stop.is_set():
            seen[0] = fleet.renew(lease, "worker-1", host="h", pid=1, seen=seen[0]).number
            stop.wait(0.02)

    fleet.renew(lease, "worker-1", host="h", pid=1, seen=0)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        done = publish(store, fleet, TEXT, {}.get, by="kim", clock=clock)
    finally:
        stop.set()
        thread.join()
    assert done.waited_for == ("worker-1",)
    assert done.lapsed == done.missing == ()


def test_a_text_without_context_has_no_snapshot(store: Store, clock: Clock) -> None:
    done = published(store, clock, template_text("lean", {"organisation": "acme"}))
    assert load_revision(store, done.revision).snapshot == ""
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(context_snapshot)).scalar() == 0
        assert connection.execute(select(epoch.c.number)).scalar() == 1


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)  # a program's start costs a second
def test_a_worker_never_imports_the_public_price_list(store: Store, clock: Clock, where: Where) -> None:
    done = published(store, clock)
    program = (
        "import sys\n"
        "from fairlead.storage.store import Store\n"
        "from fairlead.workspace.compile import compile_workspace\n"
        "from fairlead.workspace.published import load_revision\n"
        "from pathlib import PosixPath\n"
        f"text = load_revision(Store.open({where!r}), {done.revision!r}).text\n"
        "compile_workspace(text, {}.get, now=1)\n"
        "sys.exit('genai_prices' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_what_is_read_from_a_folder_is_what_is_published(store: Store, clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    write_template("standard", folder, {"organisation": "acme"})
    assert published(store, clock, read_folder(folder)).revision == published(store, clock).revision
