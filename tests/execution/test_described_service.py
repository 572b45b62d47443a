"""A service with an OpenAPI description on the governed path: what reaches it, what is billed, what is recorded."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.execution.test_tool_call import USER, call
from tests.tools.services import Reply, Service, json_reply, running
from tests.world import world

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Denied, RateLimited
from fairlead.tools.failures import NotAuthorised, SystemFailed
from fairlead.workspace.publish import checked
from fairlead.workspace.text import WorkspaceText

DESCRIPTION = """
openapi: 3.1.0
paths:
  /orders/{id}:
    get:
      operationId: get_order
      parameters: [{name: id, in: path, schema: {type: string}}]
    patch:
      operationId: change_order
      parameters: [{name: id, in: path, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [status], properties: {status: {type: string}, amount: {type: number}}}
"""
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"shop");
@id("results") permit(principal, action == Action::"release_result", resource);
@id("cancelled") @reason("only people cancel") forbid(principal, action == Action::"shop.change_order", resource)
when { context.arguments.status == "cancelled" && context.untrusted.contains("status") };
@id("large") @reason("too much") forbid(principal, action == Action::"shop.change_order", resource)
when { context.arguments has amount && context.arguments.amount.greaterThan(decimal("50.0")) };
"""
FILES = {"systems/shop-api.yaml": DESCRIPTION, "policies/main.cedar": POLICIES}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as opened:
        yield opened


@pytest.fixture
def systems(service: Service) -> dict[str, Any]:
    service.saw.clear()
    service.reply = lambda _: json_reply({"status": "open", "note": "card 4111 1111 1111 1111"})
    return {
        "shop": {"use": "openapi", "description": "shop-api.yaml", "url": service.url, "at_home": True, "price": 0.01}
    }


async def test_fields_of_a_body_are_arguments_that_policies_judge(
    tmp_path: Any, service: Service, systems: dict[str, Any]
) -> None:
    async with world(tmp_path, FILES, systems=systems) as w:
        arguments = {"id": "A-1", "status": "held", "amount": 49.5}
        answer = await call(w, "shop.change_order", arguments, sources=dict.fromkeys(arguments, USER))
        assert answer.result.structured["status"] == "open"
        key = service.last.headers["idempotency-key"]
        (record,) = w.records("call_tool", answer.run)
        assert (record.tool, record.outcome, record.cost) == ("shop.change_order", "done", 10_000_000)
        assert key.startswith(answer.run)
        with pytest.raises(Denied, match="not permitted"):
            await call(w, "shop.change_order", {"id": "A-1", "status": "held", "amount": 51})
        with pytest.raises(Denied):
            await call(w, "shop.change_order", {"id": "A-1", "status": "cancelled"})
        assert len(service.saw) == 1


async def test_an_argument_that_leaves_its_place_is_refused_recorded_and_free(
    tmp_path: Any, service: Service, systems: dict[str, Any]
) -> None:
    async with world(tmp_path, FILES, systems=systems) as w:
        for hostile in ("..", "a/b", "%2e%2e%2fadmin", "a\r\nx: y", ""):
            with pytest.raises(BadInput) as refused:
                await call(w, "shop.get_order", {"id": hostile})
            assert refused.value.param == "arguments/id" or "another path" in refused.value.message
        assert service.saw == []
        records = w.records("call_tool")
        assert [(each.outcome, each.cost) for each in records] == [("refused", 0)] * 5
        assert not w.holds()


async def test_what_the_service_says_no_to_is_recorded(
    tmp_path: Any, service: Service, systems: dict[str, Any]
) -> None:
    async with world(tmp_path, FILES, systems=systems) as w:
        for status, kind in ((403, NotAuthorised), (429, RateLimited), (500, SystemFailed)):
            service.reply = lambda _, status=status: Reply(b"", status)  # type: ignore[misc]
            with pytest.raises(kind):
                await call(w, "shop.get_order", {"id": "A-1"})
        assert [each.outcome for each in w.records("call_tool")] == ["failed"] * 3
        assert not w.holds()


async def test_a_failed_result_is_an_answer(tmp_path: Any, service: Service, systems: dict[str, Any]) -> None:
    async with world(tmp_path, FILES, systems=systems) as w:
        service.reply = lambda _: json_reply({"detail": "no such order"}, 404)
        answer = await call(w, "shop.get_order", {"id": "A-9"})
        assert answer.result.failed
        assert answer.result.structured == {"detail": "no such order"}


async def test_a_credential_that_a_service_tells_again_goes_no_further(
    tmp_path: Any, service: Service, systems: dict[str, Any]
) -> None:
    systems["shop"]["credential"] = {"service": {"secret": "env:TEST_KEY", "shared": True}}
    async with world(tmp_path, FILES, systems=systems) as w:
        service.reply = lambda seen: json_reply({"sent": dict(seen.headers)}, 400)
        answer = await call(w, "shop.get_order", {"id": "A-1"})
        assert service.last.headers["authorization"] == "Bearer test-key"
        assert answer.result.structured["sent"]["authorization"] == "Bearer [CREDENTIAL]"
        assert "redacted" in answer.flags


def test_a_check_tells_which_operations_are_no_tools() -> None:
    text = f"""{DESCRIPTION}
  /files:
    post: {{operationId: upload, requestBody: {{content: {{multipart/form-data: {{}}}}}}}}
"""
    settings: dict[str, Any] = {
        "organisation": "acme",
        "models": {"quotes": {"use": "local/extractive"}},
        "systems": {"shop": {"use": "openapi", "description": "shop-api.yaml"}},
    }
    settings["systems"]["shop"]["url"] = "https://shop.example.com"
    files = {"fairlead.yaml": json.dumps(settings).encode(), "systems/shop-api.yaml": text.encode()}
    found = checked(WorkspaceText(files, ()), lambda _: None, SystemClock())
    assert [each for each in found.warnings if "shop" in each] == [
        "systems.shop leaves out upload: it takes multipart/form-data, and neither JSON, a form nor text"
    ]
