"""Whether required context is decided right: workspaces made by chance, asked through real doors, against an oracle.

The oracle (`expected`) reads what was written into the files and was written apart from the code that decides.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy import text as sql
from tests.world import PERSONS, Served, served

CASES_A_WORKSPACE = 20
STATES = ("missing", "hidden", "contradicted", "stale", "unverified", "met")
_PATIENCE = 100
_OUTCOMES: tuple[Any, ...] = ("proceed", "caveat", "caveat_and_ask", {"models": ["house"]}, "ask", "abstain")
_AUDIENCES = ("everyone", "staff", "leads", "department:sales", "department:finance", "person:max", "board")
_NAMES = re.compile(rb"run_[0-9A-Za-z]+|chatcmpl-[0-9A-Za-z_.-]+|msg_[0-9A-Za-z_]+|resp_[0-9A-Za-z_]+|[0-9a-f]{16}")


@dataclass
class Case:
    """One task type with one need, and the pages that may be of it. `pages` are their front matter, by name."""

    task: str
    need: dict[str, Any]
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Tally:
    """`right` of `cases`, `states` as the oracle has them, `wrong` the first that were not, in words; `leaks` of
    `twins` are worlds that a caller could tell apart by pages that they may not read."""

    cases: int = 0
    right: int = 0
    twins: int = 0
    leaks: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def a_case(rng: random.Random, number: int, today: date) -> Case:
    """A need with none to four pages around it."""
    topic = f"topic{number:03}"
    need: dict[str, Any] = {"need": f"need {number:03}", "topics": [topic], "owner": f"fallback{number:03}"}
    for key, value in (
        ("kind", rng.choice(["policy", "process"])),
        ("verified", True),
        ("fresh", rng.choice([1, 30, 400])),
        ("tell_hidden", True),
        ("due", rng.randint(1, 30)),
    ):
        if rng.random() < 0.45:
            need[key] = value
    need["otherwise"] = rng.choice(_OUTCOMES)
    for state in ("missing", "stale", "unverified", "contradicted"):
        if rng.random() < 0.4:
            need[state] = rng.choice(_OUTCOMES)
    if need.get("tell_hidden") and rng.random() < 0.6:
        need["hidden"] = rng.choice(_OUTCOMES)
    case = Case(f"task{number:03}", need)
    for place in range(rng.choice([0, 1, 1, 2, 2, 3, 4])):
        case.pages[f"c{number:03}/p{place}"] = _page(rng, case, place, today)
    return case


def _page(rng: random.Random, case: Case, place: int, today: date) -> dict[str, Any]:
    """Mostly what is needed, and wrong in one respect or other."""
    number = case.task[-3:]
    page: dict[str, Any] = {
        "title": f"Title{number}x{place}",
        "owner": f"owner{number}x{place}",
        "kind": case.need.get("kind", "policy") if rng.random() < 0.9 else "page",
        "topics": case.need["topics"] if rng.random() < 0.92 else ["another"],
        "audience": [rng.choice(_AUDIENCES)] if rng.random() < 0.6 else ["everyone"],
    }
    near = case.need.get("fresh", 30)
    for key, chance, days in (
        ("verified", 0.8, rng.choice([0, 1, near, near + 1, 500, -5])),
        ("changed", 0.4, rng.choice([0, 1, near, near + 1, 500])),
        ("expires", 0.2, rng.choice([0, -1, 1, 40, -400])),
    ):
        if rng.random() < chance:
            page[key] = (today - timedelta(days=days)).isoformat()
    if rng.random() < 0.1:
        page["trusted"] = False
    if rng.random() < 0.06:
        page["status"] = rng.choice(["draft", "review", "retired"])
    if place and rng.random() < 0.5:
        page["contradicts"] = [f"c{number}/p{rng.randrange(place)}"]
    return page


# ---- the oracle -------------------------------------------------------------------------------------------------


def reads(person: str, page: Mapping[str, Any]) -> bool:
    about = PERSONS[person]
    mine = {"everyone", f"person:{person}", f"department:{about.get('department')}", *about.get("groups", ())}
    return bool(mine.intersection(page["audience"]))


def expected(case: Case, person: str, on: date) -> tuple[str, dict[str, Mapping[str, Any]]]:
    """The state of the case's need, and the pages that the caller may read."""
    need = case.need
    of_it = {
        name: page
        for name, page in case.pages.items()
        if page.get("status", "published") == "published"
        and need.get("kind") in (None, page["kind"])
        and all(topic in page["topics"] for topic in need["topics"])
    }
    mine = {name: page for name, page in of_it.items() if reads(person, page)}
    if not mine:
        return ("hidden" if of_it else "missing"), mine
    faults = {name: _faults(need, page, on) for name, page in mine.items()}
    good = {name for name, wrong in faults.items() if not wrong}
    if good:
        at_odds = any(other in good for name in good for other in mine[name].get("contradicts", ()))
        return ("contradicted" if at_odds else "met"), mine
    return ("stale" if all("old" in wrong for wrong in faults.values()) else "unverified"), mine


def _faults(need: Mapping[str, Any], page: Mapping[str, Any], on: date) -> set[str]:
    wrong = set()
    day = {key: date.fromisoformat(page[key]) for key in ("verified", "changed", "expires") if key in page}
    tomorrow = on + timedelta(days=1)
    known = [day[key] for key in ("verified", "changed") if key in day and day[key] <= tomorrow]
    if "expires" in day and on >= day["expires"]:
        wrong.add("old")
    if "fresh" in need and not any((on - each).days <= need["fresh"] for each in known):
        wrong.add("old")
    if need.get("verified") or page.get("trusted") is False:
        checked = day.get("verified")
        if checked is None or checked > tomorrow or ("changed" in day and day["changed"] > checked):
            wrong.add("doubtful")
    return wrong


def follows(case: Case, told: str) -> str:
    chosen = "proceed" if told == "met" else case.need.get(told, case.need["otherwise"])
    return "models" if isinstance(chosen, dict) else str(chosen)


# ---- asking -----------------------------------------------------------------------------------------------------


def files_of(cases: Sequence[Case], hidden_from: str = "") -> dict[str, str]:
    """The workspace's files. With `hidden_from`, what that person may not read is another page altogether, or none."""
    found = {}
    for case in cases:
        found[f"tasks/{case.task}.yaml"] = json.dumps({"context": 800, "requires": [case.need]})
        for number, (name, page) in enumerate(case.pages.items()):
            if not hidden_from or reads(hidden_from, page):
                found[f"context/{name}.md"] = _written(page)
            elif number % 2 == 0:
                found[f"context/{name}.md"] = _written(page | _OTHERWISE)
    return found


_OTHERWISE = {"title": "Otherwise", "owner": "somebody", "topics": ["another"], "verified": "2020-01-01"}


def _written(page: Mapping[str, Any]) -> str:
    front = "\n".join(f"{key}: {json.dumps(value)}" for key, value in page.items())
    return f"---\n{front}\n---\nWords of {page['title']}.\n"


def ask(client: httpx.Client, w: Served, case: Case, person: str, way: int) -> httpx.Response:
    """Through one of the doors, streamed by one of them."""
    said = [{"role": "user", "content": "What do we say to this?"}]
    headers = w.auth(person)
    if way == 2:
        body: dict[str, Any] = {"model": case.task, "max_tokens": 50, "messages": said}
        return client.post(f"{w.url}/v1/messages", headers=headers, json=body)
    if way == 3:
        return client.post(f"{w.url}/v1/responses", headers=headers, json={"model": case.task, "input": "What?"})
    body = {"model": case.task, "messages": said, "stream": way == 1}
    return client.post(f"{w.url}/v1/chat/completions", headers=headers, json=body)


def text_of(reply: httpx.Response, way: int) -> str:
    """What a person would read of a reply."""
    if way == 1:
        events = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
        choices = [choice for event in events for choice in json.loads(event).get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)
    whole = reply.json()
    if way == 2:
        return "".join(part.get("text", "") for part in whole["content"])
    if way == 3:
        parts = [part for each in whole["output"] for part in each.get("content", ())]
        return "".join(part.get("text", "") for part in parts)
    return str(whole["choices"][0]["message"]["content"])


def faults_of(w: Served, case: Case, person: str, way: int, reply: httpx.Response) -> Iterator[str]:
    """What was not decided, done or told as it should have been."""
    record = w.records("call_model", reply.headers["x-fairlead-run"])[-1]
    on = datetime.fromtimestamp(record.at / 1000, UTC).date()
    state, mine = expected(case, person, on)
    told = "missing" if state == "hidden" and not case.need.get("tell_hidden") else state
    does = follows(case, told)
    if record.required != ((case.need["need"], state),):
        yield f"recorded {record.required}, expected {state}"
    if does in ("ask", "abstain"):
        if reply.status_code != 422 or record.error is None or record.error.code != "insufficient_context":
            yield f"answered with {reply.status_code}, expected a refusal"
        if record.model or record.cost:
            yield "a model was asked all the same"
        if case.need["need"] not in reply.text:
            yield "the refusal does not name the need"
    elif reply.status_code != 200:
        yield f"refused with {reply.text}"
    else:
        yield from _faults_of_answer(case, does, told, text_of(reply, way), reply, record.model)
    yield from _faults_of_request(w, case, state, told, does, mine)
    unseen = [
        word for page in case.pages.values() if not reads(person, page) for word in (page["title"], page["owner"])
    ]
    if any(word in reply.text for word in unseen):
        yield "it tells of a page that is not the caller's to read"


def _faults_of_answer(case: Case, does: str, told: str, text: str, reply: httpx.Response, model: str) -> Iterator[str]:
    note = f"Please note: {case.need['need']}:" in text
    if note != (does in ("caveat", "caveat_and_ask")):
        yield f"{'a' if note else 'no'} note where {does} follows"
    if does == "models" and model != "house":
        yield f"{model} answered"
    if f'"need":"{case.need["need"]}","state":"{told}"' not in reply.text:
        yield f"the reply does not say that it is {told}"


def _faults_of_request(
    w: Served, case: Case, state: str, told: str, does: str, mine: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    kind = state if state in ("stale", "unverified", "contradicted") else "missing"
    if does not in ("ask", "caveat_and_ask"):
        return
    # What a page's own dates say is one request, which upkeep makes too, whoever needs the page.
    own = {"stale": "expired", "unverified": "outdated"}.get(kind, kind)
    query = sql(
        "SELECT kind, item, owner, due FROM owner_request WHERE (task = :task AND kind = :kind)"
        " OR (kind = :own AND item LIKE :folder)"
    )
    wanted = {"task": case.task, "kind": kind, "own": own, "folder": f"c{case.task[-3:]}/%"}
    for _ in range(_PATIENCE):
        with w.store.reading() as connection:
            rows = list(connection.execute(query, wanted))
        if rows:
            break
        time.sleep(0.1)  # where the work goes on, the request is written beside it
    else:
        yield f"nobody was asked for what is {state}"
        return
    owners = {page["owner"] for page in mine.values()} if kind != "missing" else {case.need["owner"]}
    days = case.need.get("due", 7) * 86_400_000
    # Others may have been asked about other pages.
    if not any(row.owner in owners and (row.due == days or row.kind != kind) for row in rows):
        yield f"asked {[tuple(row) for row in rows]}, expected one of {owners} with {days} ms"


# ---- all of it --------------------------------------------------------------------------------------------------


def decided(seed: int, workspaces: int) -> Tally:
    """Ask all task types of so many workspaces, as each of the world's persons."""
    tally = Tally()
    rng = random.Random(seed)
    today = datetime.now(UTC).date()
    for _ in range(workspaces):
        cases = [a_case(rng, number, today) for number in range(CASES_A_WORKSPACE)]
        stranger = rng.choice(sorted(PERSONS))
        with ExitStack() as stack:
            w, twin = (
                stack.enter_context(served(_folder(stack), files_of(cases, hidden))) for hidden in ("", stranger)
            )
            client = stack.enter_context(httpx.Client(timeout=30, trust_env=False))
            for case in cases:
                _count(tally, client, (w, twin), case, stranger, rng)
    return tally


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(TemporaryDirectory(prefix="fairlead-eval-")))


def _count(
    tally: Tally, client: httpx.Client, worlds: tuple[Served, Served], case: Case, stranger: str, rng: random.Random
) -> None:
    w, twin = worlds
    for person in sorted(PERSONS):
        way = rng.randrange(4)
        reply = ask(client, w, case, person, way)
        wrong = list(faults_of(w, case, person, way, reply))
        state, _ = expected(case, person, datetime.now(UTC).date())
        tally.cases += 1
        tally.right += not wrong
        tally.states[state] += 1
        if wrong and len(tally.wrong) < 5:
            tally.wrong.append(f"{case} for {person}: {'; '.join(wrong)}")
        if person == stranger and not case.need.get("tell_hidden"):
            tally.twins += 1
            other = ask(client, twin, case, person, way)
            alike = reply.status_code == other.status_code and bare(reply, way) == bare(other, way)
            tally.leaks += not alike
            if not alike and len(tally.wrong) < 5:
                tally.wrong.append(f"{case} for {person}: {reply.text} / {other.text}")


def bare(reply: httpx.Response, way: int) -> bytes:
    """A reply without the names that each run, revision and reply has of its own, and without the time. Of a stream
    its text and what is said beside it: how it is cut into pieces hangs on the provider's network."""
    said = reply.content
    if way == 1 and reply.status_code == 200:
        (beside,) = re.findall(r'"fairlead":.*', reply.text)
        said = f"{text_of(reply, way)}{beside}".encode()
    return re.sub(rb'"created(_at)?":[0-9.]+|"completed_at":[0-9.]+', b"", _NAMES.sub(b"", said))
