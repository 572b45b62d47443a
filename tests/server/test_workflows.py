"""Runs over HTTP: begun once, seen by whose they are, steered by them, and as if not there for all others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.world import key_of, served

GREET = """
input: {properties: {name: {type: string}}, required: [name]}
steps:
  - id: say
    model: {prompt: "Greet ${input.name}.", model: small}
"""
QUIET = """
secrecy: memory
input: {properties: {name: {type: string}}, required: [name]}
steps:
  - id: say
    model: {prompt: "Greet ${input.name}.", model: small}
output: "${steps.say.text}"
"""


class Talk:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def begin(self, person: str = "kim", name: str = "greet", key: str = "", **body: Any) -> httpx.Response:
        given, headers = {"input": {"name": "Ada"}, **body}, {"x-api-key": key_of(person)}
        if key:
            headers["idempotency-key"] = key
        return self._client.post(f"/v1/workflows/{name}/runs", headers=headers, json=given)

    def order(self, run: str, person: str = "kim", **order: Any) -> httpx.Response:
        return self._client.post(f"/v1/workflows/runs/{run}", headers={"x-api-key": key_of(person)}, json=order)

    def get(self, path: str, person: str = "kim") -> httpx.Response:
        return self._client.get(f"/v1/workflows/{path}", headers={"x-api-key": key_of(person)})


@contextmanager
def talking(folder: Path) -> Iterator[Talk]:
    files = {"workflows/greet.yaml": GREET, "workflows/quiet.yaml": QUIET}
    with served(folder, files) as s, httpx.Client(base_url=s.url) as client:
        yield Talk(client)


def test_a_run_is_begun_once_and_is_its_beginners_own(tmp_path: Path) -> None:
    with talking(tmp_path) as t:
        first, again = t.begin(once="monday").json(), t.begin(once="monday").json()
        assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
        assert t.begin("lee", once="monday").json()["id"] != first["id"]
        shown = t.get(f"runs/{first['id']}").json()
        assert (shown["status"], shown["input"], shown["person"]) == ("accepted", {"name": "Ada"}, "kim")
        assert [each["id"] for each in t.get("runs").json()["data"]] == [first["id"]]
        assert t.get("runs?status=done").json()["data"] == []
        assert "did you mean `done`?" in t.get("runs?status=donne").text
        assert t.get(f"runs/{first['id']}", "max").status_code == 404
        drawn = t.get(f"runs/{first['id']}/graph?format=text").json()
        assert (drawn["run"], {each["state"] for each in drawn["steps"]}) == (first["id"], {"to come"})
        assert t.get(f"runs/{first['id']}/graph", "max").status_code == 404
        assert t.get(f"runs/{first['id']}/graph?format=gif").status_code == 400
        assert t.order(first["id"], "max", do="cancel").status_code == 404
        assert t.get("questions", "lee").json()["data"] == []


def test_a_start_has_one_name_in_the_body_or_the_header_and_one_input(tmp_path: Path) -> None:
    with talking(tmp_path) as t:
        first, again = (t.begin(key="tuesday").json() for _ in range(2))
        assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
        other = t.begin(key="tuesday", input={"name": "Bea"})
        assert (other.status_code, other.json()["error"]["param"]) == (400, "once")
        ids = [first["id"], *(t.begin().json()["id"] for _ in range(2))]
        pages, after = [], ""
        while page := t.get(f"runs?limit=2&after={after}").json():
            pages += [each["id"] for each in page["data"]]
            if not page["has_more"]:
                break
            after = pages[-1]
        assert sorted(pages) == sorted(ids)
        assert t.get("runs?after=wf_none").status_code == 404
        for wrong in (
            {"input": {"name": "Ada", "more": 1 << 70}},
            {"name": "quiet", "input": {"name": "A", "m": -(1 << 64)}},
        ):
            assert (t.begin(**wrong).status_code, t.begin(**wrong).json()["error"]["code"]) == (400, "bad_input")
        assert t.get("runs?since=99999999999999").json()["data"] == []


def test_what_is_done_to_a_run_is_done_where_it_can_be(tmp_path: Path) -> None:
    with talking(tmp_path) as t:
        run = t.begin().json()["id"]
        assert [t.order(run, do=each).json()["status"] for each in ("pause", "resume")] == ["paused", "accepted"]
        nowhere = t.order(run, do="fork", **{"from": "say[" + "9" * 5000 + "]"})
        assert (nowhere.status_code, nowhere.json()["error"]["param"]) == (400, "from")
        twice = t.order(run, do="resume")
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "not_now")
        assert t.order(run, do="cancel").json()["status"] == "cancelling"
        assert t.order(run, do="retry").status_code == 409
        assert t.order(run, do="fly").json()["error"]["param"] == "do"
        assert t.order(run, do="approve", at="say").status_code == 404
        assert t.order(run, do="signal", signal="go").status_code == 404


def test_whoever_may_not_begin_it_is_told_so_and_recorded(tmp_path: Path) -> None:
    finance = [{"start": {"departments": ["finance"], "workflows": ["greet"]}}]
    with served(tmp_path, {"workflows/greet.yaml": GREET}, rules=finance) as s, httpx.Client(base_url=s.url) as client:
        t = Talk(client)
        denied, lee = t.begin("kim"), t.begin("lee")
        assert (denied.status_code, denied.json()["error"]["code"], lee.status_code) == (403, "denied", 200)
        assert "start_workflow" in denied.text
        (record,) = s.records("start_workflow")
        assert (record.run, record.outcome) == (denied.headers["x-fairlead-run"], "refused")
        copy = t.order(lee.json()["id"], "lee", do="fork", **{"from": "say"})
        assert (copy.status_code, copy.json()["error"]["code"]) == (409, "not_now")
        t.order(lee.json()["id"], "lee", do="pause")
        copy = t.order(lee.json()["id"], "lee", do="fork", **{"from": "say"}, models={"say": "house"})
        assert copy.json()["copy"]["edited"] == ["model say"]
        assert t.order(lee.json()["id"], "max", do="fork", **{"from": "say"}).status_code == 404


def test_a_start_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    with talking(tmp_path) as t:
        assert "did you mean `greet`" in t.begin(name="gret").text
        wrong = t.begin(input={"nam": "Ada"})
        assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "input")
        assert t.begin(inputs={}).status_code == 400
        large = t.begin(input={"name": "x" * (2 << 20)})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
        assert t.order("wf_1", do="signal", signal="go", value="x" * (2 << 20)).status_code == 413
        assert "from 1 to 500" in t.get("runs?limit=501").text
        assert t.get("runs").json()["data"] == []


def test_whoever_begins_a_run_that_is_in_memory_only_waits_for_it(tmp_path: Path) -> None:
    with talking(tmp_path) as t:
        whole = t.begin(name="quiet", once="monday").json()
        assert (whole["status"], whole["secrecy"]) == ("done", "memory")
        assert "harbour" in whole["output"]
        again = t.begin(name="quiet", once="monday", stream=True)
        assert again.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(each[6:]) for each in again.text.split("\n\n") if each.startswith("data: {")]
        assert [each.get("at") for each in events] == [None, "say", "say", None]  # what was told is told again
        assert (events[-1]["id"], events[-1]["output"]) == (whole["id"], whole["output"])
        assert again.text.endswith("data: [DONE]\n\n")
        assert t.get(f"runs/{whole['id']}").json()["output"] == whole["output"]
        assert t.get(f"runs/{whole['id']}", "max").status_code == 404
        foreign, missing = (t.order(each, "max", do="approve", at="say") for each in (whole["id"], "wf_none"))
        assert foreign.text.replace(whole["id"], "wf_none") == missing.text, "who asks of another's learns nothing"
        assert (foreign.status_code, "quiet" in foreign.text) == (404, False)
        assert [t.order(whole["id"], do=each).status_code for each in ("cancel", "pause", "retry")] == [409, 404, 404]
