"""The last scene: the audit log is checked, then forged in a copy, and the forgery is found."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from fairlead.cli.demonstration.day import Day
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.place import DATABASE, Place
from fairlead.cli.sealing import check, checkpoint_folder
from fairlead.errors import NotFound

if TYPE_CHECKING:
    from fairlead.audit import Verdict


def proof(day: Day) -> None:
    """The log verifies; one changed word in a copy of it is found, and its record named."""
    story, place = day.story, day.company.place
    with story.scene("proof", "The log proves what happened"):
        story.tell(f"A server signs its log once a minute; now it is signed once more: {day.sign()} records.")
        verdict = _checked(place)
        story.expect(f"all {verdict.size} records are in place and unchanged", verdict.ok and verdict.size > 0)
        run = _withheld(day)
        with _copied(place) as copy:
            seq = _forge(copy, run)
            story.tell(
                f"In a copy of the database somebody turns the refused offer (record {seq}) into an accepted one."
            )
            found = _checked(copy)
        first = found.problems[0] if found.problems else "nothing was found"
        story.show("What `fairlead audit verify` says of the copy:", first)
        story.expect("the forgery is found, and its record is named", not found.ok and f"record {seq} " in first)


def _checked(place: Place) -> "Verdict":
    with closing(open_store(place)) as store:
        return check(place, store)


def _withheld(day: Day) -> str:
    runs = [asked.run for scene in day.story.scenes for asked in scene.asked if asked.code == "withheld"]
    if not runs:
        raise NotFound("there is no withheld reply to forge", why="the scene of the discount went wrong")
    return runs[-1]


@contextmanager
def _copied(place: Place) -> Iterator[Place]:
    """A copy of the state beside it, removed afterwards. The live database is only read."""
    folder = place.data / "forged"
    folder.mkdir(mode=0o700)
    copy = Place(place.workspace, folder, folder / DATABASE)
    try:
        with closing(sqlite3.connect(place.database)) as live, closing(sqlite3.connect(copy.database)) as target:
            live.backup(target)
        shutil.copytree(checkpoint_folder(place), checkpoint_folder(copy))
        yield copy
    finally:
        shutil.rmtree(folder)


def _forge(copy: Place, run: str) -> int:
    """Change one word in the last record of a run, as whoever may write the database could. Gives its number."""
    with closing(open_store(copy)) as store:
        row = log_of(store).of_run(run)[-1]
    forged = row.record.replace(b'"outcome":"refused"', b'"outcome":"done"')
    with closing(sqlite3.connect(copy.database)) as database, database:
        database.execute("UPDATE log SET record = ? WHERE seq = ?", (forged, row.seq))
    return row.seq
