"""SCIM over HTTP, in the words of the providers that speak it: what they push counts for the next request."""

import hashlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from tests.server.scim.pushing import TOKEN, patch, scim
from tests.world import Served, key_of, served

MODELS = "/v1/models"
fresh = count()


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    about = {"issuer": "http://127.0.0.1:1", "audience": "fairlead", "name": "acme", "scim": scim()}
    key = "sha256:" + hashlib.sha256(key_of("ada").encode()).hexdigest()
    keys = {"ada": {"secret": key, "person": "acme|x-ada", "bound_to": "acme", "groups": ["staff", "leads"]}}
    rules = 'permit (principal, action, resource) when { principal.groups.contains("staff") };'
    with served(
        tmp_path_factory.mktemp("scim"),
        {"policies/own.cedar": rules},
        identity={"providers": [about]},
        keys=keys,
        max_body=1 << 16,
    ) as made:
        yield made


@pytest.fixture(scope="module")
def acme(s: Served) -> Iterator[httpx.Client]:
    """The provider's own client."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/scim+json"}
    with httpx.Client(base_url=f"{s.url}/scim/v2/acme", headers=headers) as client:
        yield client


def name() -> str:
    return f"somebody-{next(fresh)}@acme.test"


def made(acme: httpx.Client, **more: Any) -> dict[str, Any]:
    user = name()
    answer = acme.post("/Users", json={"userName": user, "externalId": f"x-{user}", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


def says(answer: httpx.Response, status: int, kind: str = "") -> str:
    """What an error says, in SCIM's form."""
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(status)
    assert body.get("scimType", "") == kind
    return str(body["detail"])


def sees(s: Served) -> bool | int:
    """Whether the bound key of Ada sees a model; the status where it is refused."""
    answer = httpx.get(s.url + MODELS, headers=s.auth("ada"))
    if answer.status_code != 200:
        return answer.status_code
    return "small" in {each["id"] for each in answer.json()["data"]}


def test_what_is_pushed_counts_for_the_next_request_of_a_bound_key(s: Served, acme: httpx.Client) -> None:
    assert sees(s) == 401
    ada = acme.post("/Users", json={"userName": "ada@acme.test", "externalId": "x-ada", "active": True}).json()
    assert sees(s) is False  # she is in, and in no group
    staff = acme.post("/Groups", json={"displayName": "staff", "members": [{"value": ada["id"]}]}).json()
    assert sees(s) is True
    gone = acme.patch(
        f"/Groups/{staff['id']}",
        json=patch({"op": "Remove", "path": "members", "value": [{"value": ada["id"]}]}),
    )
    assert gone.json().get("members") == []
    assert sees(s) is False
    acme.patch(f"/Groups/{staff['id']}", json=patch({"op": "Add", "path": "members", "value": [{"value": ada["id"]}]}))
    assert sees(s) is True
    acme.patch(f"/Users/{ada['id']}", json=patch({"op": "Replace", "path": "active", "value": "False"}))
    assert sees(s) == 401
    acme.patch(f"/Users/{ada['id']}", json=patch({"op": "replace", "value": {"active": True}}))
    assert sees(s) is True
    assert acme.delete(f"/Users/{ada['id']}").status_code == 204
    assert sees(s) == 401
    acme.delete(f"/Groups/{staff['id']}")
    told = [each.about for each in s.records("people")]
    assert told[0] == f"acme: {ada['id']} added"
    assert f"acme: {staff['id']} 1 out" in told
    assert not any("ada@" in each or "x-ada" in each for each in told)


def test_a_stream_of_the_mcp_door_ends_with_who_listens(s: Served, acme: httpx.Client) -> None:
    ada = acme.post("/Users", json={"userName": "ada@acme.test", "externalId": "x-ada"}).json()
    headers = s.auth("ada") | {"accept": "application/json, text/event-stream"}
    said = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": said}
    session = httpx.post(f"{s.url}/mcp", headers=headers, json=hello).headers["mcp-session-id"]
    with httpx.stream("GET", f"{s.url}/mcp", headers=headers | {"mcp-session-id": session}, timeout=60) as stream:
        assert stream.status_code == 200
        acme.delete(f"/Users/{ada['id']}")
        assert "".join(stream.iter_text()).startswith(":")  # to its proper end


def test_nobody_pushes_without_the_providers_own_token(s: Served) -> None:
    for credential in (None, "Bearer wrong", f"Bearer {key_of('ada')}", TOKEN, f"Basic {TOKEN}", "Bearer"):
        headers = {} if credential is None else {"authorization": credential}
        answer = httpx.get(f"{s.url}/scim/v2/acme/Users", headers=headers)
        assert "[unauthenticated]" in says(answer, 401)
        assert answer.headers["www-authenticate"]
    other = httpx.get(f"{s.url}/scim/v2/other/Users", headers={"authorization": f"Bearer {TOKEN}"})
    says(other, 401)
    # The same address may go on being wrong for a while, and is then not looked at any more.
    statuses = [httpx.get(f"{s.url}/scim/v2/acme/Users").status_code for _ in range(20)]
    assert statuses[-1] == 429
    good = httpx.get(f"{s.url}/scim/v2/acme/Users", headers={"authorization": f"Bearer {TOKEN}"})
    assert good.status_code == 200


def test_entra_id_finds_updates_and_deactivates(acme: httpx.Client) -> None:
    user = made(acme, emails=[{"primary": True, "type": "work", "value": "a@b.test"}], displayName="Some One")
    found = acme.get("/Users", params={"filter": f'userName eq "{user["userName"].upper()}"'}).json()
    assert [each["id"] for each in found["Resources"]] == [user["id"]]
    assert "displayName" not in found["Resources"][0]
    changes = patch(
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "other@b.test"},
        {"op": "Replace", "path": "name.familyName", "value": "Else"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x"},
        {"op": "Replace", "path": "userName", "value": name()},
        {"op": "Replace", "path": "active", "value": "False"},
    )
    changed = acme.patch(f"/Users/{user['id']}", json=changes).json()
    assert changed["active"] is False
    assert changed["userName"] != user["userName"]
    group = acme.post("/Groups", json={"displayName": name(), "externalId": "g-1", "members": []}).json()
    ids = {"filter": f'id eq "{group["id"]}" and members eq "{user["id"]}"', "attributes": "id"}
    assert acme.get("/Groups", params=ids).json()["totalResults"] == 0
    acme.patch(
        f"/Groups/{group['id']}",
        json=patch({"op": "Add", "path": "members", "value": [{"$ref": None, "value": user["id"]}]}),
    )
    told = acme.get("/Groups", params=ids).json()["Resources"]
    assert told == [{"schemas": group["schemas"], "id": group["id"]}]
    assert "members" not in acme.get(f"/Groups/{group['id']}", params={"excludedAttributes": "members"}).json()
    assert acme.get(f"/Users/{user['id']}").json()["groups"][0]["display"] == group["displayName"]


def test_okta_replaces_whole_users_and_pushes_groups(acme: httpx.Client) -> None:
    user = made(acme)
    whole = {"schemas": user["schemas"], "id": user["id"], "userName": user["userName"], "externalId": "okta-7"}
    assert acme.put(f"/Users/{user['id']}", json={**whole, "active": False}).json()["active"] is False
    assert acme.put(f"/Users/{user['id']}", json=whole).json()["active"] is False  # what is not said is not undone
    assert acme.get("/Users", params={"filter": 'externalId eq "okta-7"'}).json()["totalResults"] == 1
    assert acme.get("/Users", params={"filter": 'externalId eq "OKTA-7"'}).json()["totalResults"] == 0
    group = acme.post("/Groups", json={"displayName": name()}).json()
    renamed = patch({"op": "replace", "value": {"id": group["id"], "displayName": group["displayName"] + "!"}})
    assert acme.patch(f"/Groups/{group['id']}", json=renamed).json()["displayName"].endswith("!")
    filled = patch({"op": "replace", "path": "members", "value": [{"value": user["id"], "display": "somebody"}]})
    acme.patch(f"/Groups/{group['id']}", json=filled)
    left = patch({"op": "remove", "path": f'members[value eq "{user["id"]}"]'})
    assert acme.patch(f"/Groups/{group['id']}", json=left).json()["members"] == []
    assert acme.delete(f"/Groups/{group['id']}").status_code == 204
    says(acme.get(f"/Groups/{group['id']}"), 404)


def test_pages_are_cut_and_every_user_is_on_one(acme: httpx.Client) -> None:
    mine = {made(acme)["id"] for _ in range(3)}
    total = acme.get("/Users", params={"count": 0}).json()
    assert total["Resources"] == []
    seen: list[str] = []
    while len(seen) < total["totalResults"]:
        page = acme.get("/Users", params={"startIndex": len(seen) + 1, "count": 2}).json()
        assert page["startIndex"] == len(seen) + 1
        seen += [each["id"] for each in page["Resources"]]
    assert len(set(seen)) == len(seen)
    assert mine <= set(seen)
    found = acme.post("/Users/.search", json={"filter": f'id eq "{min(mine)}"', "attributes": ["id"]}).json()
    assert [each["id"] for each in found["Resources"]] == [min(mine)]


def test_a_version_that_is_no_longer_the_latest_changes_nothing(acme: httpx.Client) -> None:
    user = made(acme)
    path, tag = f"/Users/{user['id']}", user["meta"]["version"]
    assert acme.get(path, headers={"if-none-match": tag}).status_code == 304
    off = patch({"op": "replace", "path": "active", "value": False})
    answer = acme.patch(path, json=off, headers={"if-match": tag})
    assert answer.headers["etag"] != tag
    says(acme.patch(path, json=off, headers={"if-match": tag}), 412)
    says(acme.delete(path, headers={"if-match": "nonsense"}), 412)
    assert acme.patch(path, json=off).headers["etag"] == answer.headers["etag"]  # nothing new, so nothing written


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/Users", {"externalId": "x"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "nameless"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": 7, "externalId": "x"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a\u0000b", "externalId": "x"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a" * 600, "externalId": "x"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a", "USERNAME": "b", "externalId": "x"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a", "externalId": "x", "active": "maybe"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "b" * 70_000, "externalId": "x"}, 413, ""),
        ("POST", "/Users", [], 400, "invalidValue"),
        ("POST", "/Groups", {"displayName": "g", "members": [{"value": "nobody"}]}, 400, "invalidValue"),
        ("POST", "/Groups", {"displayName": "g", "members": [{"value": {}}]}, 400, "invalidValue"),
        ("POST", "/Groups", {"displayName": ""}, 400, "invalidValue"),
        ("PATCH", "/Users/USER", {}, 400, "invalidSyntax"),
        ("PATCH", "/Users/USER", patch({"op": "drop", "path": "active"}), 400, "invalidValue"),
        ("PATCH", "/Users/USER", patch({"op": "remove"}), 400, "noTarget"),
        ("PATCH", "/Users/USER", patch({"op": "remove", "path": "active"}), 400, "mutability"),
        ("PATCH", "/Users/USER", patch({"op": "replace", "path": "active", "value": None}), 400, "invalidValue"),
        ("PATCH", "/Users/nobody", patch({"op": "replace", "path": "active", "value": False}), 404, ""),
        ("PUT", "/Users", {}, 405, ""),
        ("POST", "/Schemas", {}, 405, ""),
        ("GET", "/Users?filter=userName+sw+%22a%22", None, 400, "invalidFilter"),
        ("GET", "/Users?filter=" + "(" * 500, None, 400, "invalidFilter"),
        ("GET", "/Users?filter=emails+eq+%22a%22", None, 400, "invalidFilter"),
        ("GET", "/Users?startIndex=one", None, 400, "invalidValue"),
        ("GET", "/Users?filter=%ff", None, 400, "invalidSyntax"),
        ("GET", "/Users/a/b", None, 404, ""),
        ("GET", "/Bulk", None, 404, ""),
        ("GET", "/Schemas/none", None, 404, ""),
    ],
)
def test_what_is_not_right_is_told_in_scims_form_and_changes_nothing(
    s: Served, acme: httpx.Client, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    user = made(acme)
    before = s.count("person"), s.count("person_group"), len(s.records("people"))
    answer = acme.request(method, path.replace("USER", user["id"]), json=body)
    says(answer, status, kind)
    assert (s.count("person"), s.count("person_group"), len(s.records("people"))) == before
    assert acme.get(f"/Users/{user['id']}").json() == user


def test_a_name_is_given_once(s: Served, acme: httpx.Client) -> None:
    user = made(acme)
    people = s.count("person")
    says(acme.post("/Users", json={"userName": user["userName"].upper(), "externalId": "z"}), 409, "uniqueness")
    says(acme.post("/Users", json={"userName": name(), "externalId": user["externalId"]}), 409, "uniqueness")
    group = acme.post("/Groups", json={"displayName": name()}).json()
    says(acme.post("/Groups", json={"displayName": group["displayName"].title()}), 409, "uniqueness")
    assert s.count("person") == people


def test_broken_json_and_deep_nesting_are_told(s: Served, acme: httpx.Client) -> None:
    people = s.count("person")
    for raw in (b"{", b"\xff", b"[" * 60_000, b'{"a":' * 10_000, b""):
        says(acme.post("/Users", content=raw), 400, "invalidSyntax")
    assert s.count("person") == people


def test_the_service_says_what_it_can(acme: httpx.Client) -> None:
    config = acme.get("/ServiceProviderConfig").json()
    assert config["patch"]["supported"]
    assert config["etag"]["supported"]
    assert not config["bulk"]["supported"]
    for what in ("ResourceTypes", "Schemas"):
        for each in acme.get(f"/{what}").json()["Resources"]:
            assert acme.get(f"/{what}/{each['id']}").json() == each
