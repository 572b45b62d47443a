"""Brings what a source has into `context/SOURCE/`: what is new is added, what changed is written anew, and what people
set or wrote in these pages stays theirs.

Nothing is deleted and nothing is retired: what is gone at the source is marked, for its owner to decide. Whatever
ends a sync in between, every page is whole, and the next one goes on.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.context.items import read_item
from fairlead.context.sources.files import day_of
from fairlead.context.sources.fronts import OURS, facts_of, joined, made_keys, peoples, without_gone
from fairlead.context.sources.head import body_digest, digest, read_head, write_page
from fairlead.context.sources.links import relinked, renamed
from fairlead.context.sources.memory import Known, Memory, Unread, read_memory, write_memory
from fairlead.context.sources.moves import Moves
from fairlead.context.sources.names import Names
from fairlead.context.sources.pages import Pages, pages_of
from fairlead.context.sources.reading import Said, kind_of, read_piece
from fairlead.context.sources.registry import open_source
from fairlead.context.sources.report import Outcome, Report, What, Work
from fairlead.context.sources.settings import AnySource
from fairlead.context.sources.types import Entry, Failure, Listing, Seen
from fairlead.errors import BadInput, FairleadError

_BATCH: Final = 200  # pages
_BATCH_SIZE: Final = 8 << 20


def sync(name: str, settings: AnySource, work: Work) -> Report:
    """Bring in what is new at one source. What fails is in the report."""
    found: list[Outcome] = []
    try:
        with pages_of(work.context, name, dry_run=work.dry_run) as pages:
            one = _Sync(name, settings, work, pages, found)
            one.run()
            return Report(source=name, outcomes=tuple(found), unchanged=one.unchanged)
    except FairleadError as error:
        return Report(source=name, outcomes=tuple(found), failure=error)
    except OSError as error:
        said = BadInput(
            f"context/{name} cannot be written",
            why=f"{error.strerror or error}",
            mend="look whether the disk is full, and who may write there; then run this again",
            subject=name,
        )
        return Report(source=name, outcomes=tuple(found), failure=said)


class _Page(Struct, frozen=True):
    """A page that is to be written. `former` is the page that it was until now, "" for the same."""

    path: str
    data: bytes
    known: Known
    former: str


class _Sync:
    """One sync of one source."""

    def __init__(self, name: str, settings: AnySource, work: Work, pages: Pages, found: list[Outcome]) -> None:
        self._name = name
        self._settings = settings
        self._work = work
        self._pages = pages
        self._found = found
        self._data = pages.memory()
        self._memory = read_memory(name, self._data)
        self._known = self._memory.pages
        self._day = day_of(work.reach.now / 1000)
        self._waiting: list[_Page] = []
        self._renamed: frozenset[str] = frozenset()
        self.unchanged = 0

    def run(self) -> None:
        source = open_source(self._name, self._settings, self._work.reach)
        seen = {
            path: Entry(path=path, mark=each.mark, changed=each.changed, origin=each.origin)
            for path, each in self._known.items()
        }
        listing = source.listing(Seen(state=self._memory.state, entries=seen))
        self._refuse_empty(listing)
        for path, failure in listing.skipped.items():
            self._break(path, failure)
        there = {entry.path for entry in listing.entries} | listing.skipped.keys()
        gone = {path for path in self._known if path not in there}
        names = Names({path: each.page for path, each in self._known.items()}, self._others())
        reading = [entry for entry in listing.entries if not self._is_same(entry)]
        pages = {path: each.page for path, each in self._known.items() if path not in gone}
        pages |= {entry.path: names.of(entry.path, entry.name) for entry in listing.entries}
        self._renamed = renamed(pages)
        moves = Moves(listing.moved, gone, self._known)
        try:
            self._work.progress(0, len(reading))
            for done, (entry, data) in enumerate(source.read(reading), 1):
                self._take(entry, data, pages, moves)
                self._work.progress(done, len(reading))
            self._write()
            for path in sorted(gone - moves.done):
                self._mark_gone(path)
            broken = {path: each for path, each in self._memory.broken.items() if path in there}
            self._memory = replace(self._memory, state=listing.state, broken=broken)
        finally:
            self._write()
            self._remember()

    def _refuse_empty(self, listing: Listing) -> None:
        left = sum(not each.gone for each in self._known.values())
        if left and not listing.entries and not listing.skipped and not self._work.accept_empty:
            raise BadInput(
                f"sources.{self._name} has nothing at all any more, and {left} pages are here",
                why="what it lies on may not be mounted, or `include` matches nothing",
                mend=f"if that is right: fairlead context sync {self._name} --accept-empty",
                subject=self._name,
            )

    def _others(self) -> list[str]:
        """Pages that lie here and are nobody's: their names are taken, unless a sync that was cut off wrote them."""
        known = {each.page for each in self._known.values()}
        if not self._known:
            return []
        return [page for page in self._pages.files() if page not in known]

    def _is_same(self, entry: Entry) -> bool:
        unread = self._memory.broken.get(entry.path)
        if unread is not None and entry.mark and unread.mark == entry.mark + facts_of(self._settings, entry):
            self._break(entry.path, Failure(why=unread.why, mend=unread.mend), entry)
            return True
        known = self._known.get(entry.path)
        same = (
            known is not None
            and known.mark != ""
            and (known.mark, known.facts) == (entry.mark, facts_of(self._settings, entry))
            and not (known.gone or known.kept)
            and self._pages.exists(known.page)
        )
        self.unchanged += same
        return same

    def _is_as_it_was(self, entry: Entry, content: str) -> bool:
        """Whether it only seemed to have changed; a document then need not be read again."""
        known = self._known.get(entry.path)
        if (
            known is None
            or (known.content, known.facts) != (content, facts_of(self._settings, entry))
            or known.gone
            or known.kept
            or known.was
            or not self._pages.exists(known.page)
        ):
            return False
        self._known[entry.path] = replace(known, mark=entry.mark)
        self.unchanged += 1
        return True

    def _take(self, entry: Entry, data: bytes | Failure, pages: Mapping[str, str], moves: "Moves") -> None:
        page = pages[entry.path]
        if isinstance(data, Failure):
            self._break(entry.path, data, entry)
            return
        content = digest(data)
        if self._is_as_it_was(entry, content):
            return
        kind = kind_of(entry.name or entry.path, entry.media)
        said = read_piece(entry.path, data, kind, self._work.documents, self._settings.encoding)
        if isinstance(said, Failure):
            self._break(entry.path, said, entry)
            return
        body = relinked(said.body, entry.path, pages, self._renamed)
        self._memory.broken.pop(entry.path, None)
        former = moves.former(entry.path, content)
        known = self._known.get(former or entry.path)
        self._settle(entry, said, body, content, known, former, page)

    def _settle(
        self, entry: Entry, said: Said, body: str, content: str, known: Known | None, former: str, page: str
    ) -> None:
        """Decide what becomes of one page, now that it is known what it is to say."""
        made = made_keys(self._name, self._settings, entry, said)
        lines = {key: digest(text) for key, text in made.items() if key not in OURS}
        old = known.page if known is not None and self._pages.exists(known.page) else page
        there = self._pages.read(old)
        record = Known(
            page=page, mark=entry.mark, facts=facts_of(self._settings, entry), content=content,
            body=body_digest(body), head=lines, changed=entry.changed, origin=entry.origin, owner=entry.owner,
        )  # fmt: skip
        people: dict[str, str] = {}
        if there is not None:
            head = read_head(there)
            if body_digest(head.body) not in {record.body, *((known.body, known.was) if known is not None else ())}:
                self._keep(entry, record, known, former, is_ours=known is not None)
                return
            people = peoples(head.keys, known, made)
        text = write_page(joined(made, people), body if body.endswith("\n") else body + "\n")
        data = text.encode("utf-8", "replace")
        try:
            read_item(f"{self._name}/{page}", data, self._work.defaults)
        except BadInput as error:
            self._break(entry.path, Failure(why=error.message, mend=error.mend or error.why), entry)
            return
        if there is not None and text == there and old == page:
            self._known[entry.path] = record
            self._known.pop(former, None)
            self.unchanged += 1
            return
        what: What = "moved" if former else "changed" if there is not None else "added"
        self._found.append(Outcome(what=what, path=entry.path, page=page, before=old if former else ""))
        was = body_digest(read_head(there).body) if there is not None else "-"
        pending = replace(record, was=was, was_head=known.head if known is not None else {}, before=former)
        self._soon(_Page(entry.path, data, pending, old if there is not None and old != page else ""))

    def _soon(self, page: _Page) -> None:
        """Write it with the next batch, which may be now."""
        self._waiting.append(page)
        if len(self._waiting) >= _BATCH or sum(len(each.data) for each in self._waiting) >= _BATCH_SIZE:
            self._write()

    def _keep(self, entry: Entry, record: Known, known: Known | None, former: str, *, is_ours: bool) -> None:
        """Leave a page alone whose text somebody wrote or edited here."""
        page = known.page if known is not None else record.page
        why = "its text was edited here" if is_ours else "a page stands there that no sync has written"
        mend = f"to take what the source says: delete context/{self._name}/{page} and sync again"
        self._found.append(Outcome(what="kept", path=entry.path, page=page, why=why, mend=mend))
        if known is not None:
            self._known[entry.path] = replace(known, mark=entry.mark, kept=True, changed=entry.changed)
            if former:
                del self._known[former]

    def _break(self, path: str, failure: Failure, entry: Entry | None = None) -> None:
        known = self._known.get(path)
        page = known.page if known is not None and self._pages.exists(known.page) else ""
        self._found.append(Outcome(what="broken", path=path, page=page, why=failure.why, mend=failure.mend))
        if entry is not None and entry.mark and failure.lasting:
            mark = entry.mark + facts_of(self._settings, entry)
            self._memory.broken[path] = Unread(mark=mark, why=failure.why, mend=failure.mend)

    def _write(self) -> None:
        """Write the pages that wait, having noted before what is about to be written: whoever finds the half of it
        knows what is a sync's and what somebody's edit."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self._work.dry_run:
            return
        for each in waiting:
            # Without a mark it is read again by the next sync, should this one not get to the end of it.
            self._known[each.path] = replace(each.known, mark="")
        self._pages.write_memory(write_memory(self._memory))
        for each in waiting:
            if each.former:
                self._pages.move(each.former, each.known.page)
            self._pages.write(each.known.page, each.data)
        for each in waiting:
            self._known[each.path] = replace(each.known, was="", was_head={}, before="")
            if each.known.before:
                self._known.pop(each.known.before, None)

    def _mark_gone(self, path: str) -> None:
        known = self._known[path]
        there = self._pages.read(known.page)
        if there is None:
            del self._known[path]  # its owner has decided
            return
        day = known.gone or self._day
        self._found.append(
            Outcome(
                what="gone",
                path=path,
                page=known.page,
                why=f"since {day}" if known.gone else "it is no longer at its source",
                mend=f"delete context/{self._name}/{known.page}, or move it out of that folder to keep it",
            )
        )
        head = read_head(there)
        if not head.is_there or (known.gone and "gone" in head.keys):
            self._known[path] = replace(known, gone=day)
            return
        is_ours = digest(head.keys.get("review_by", "")) == known.head.get("review_by")
        keys = without_gone(head.keys, day, is_ours)
        lines = dict(known.head)
        if is_ours or "review_by" not in head.keys:
            lines["review_by"] = digest(keys["review_by"])
        if not self._work.dry_run:
            self._pages.write(known.page, write_page(keys, head.body).encode("utf-8", "replace"))
        self._known[path] = replace(known, gone=day, head=lines)

    def _remember(self) -> None:
        data = write_memory(self._memory)
        if not self._work.dry_run and data != self._data and self._memory != Memory():
            self._pages.write_memory(data)
