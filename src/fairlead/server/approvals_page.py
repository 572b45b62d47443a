"""`/approvals`: what waits for whoever is signed in, and their answer, without a signed link."""

import asyncio
from html import escape
from typing import Any, Final

from fairlead.execution import Fairlead
from fairlead.execution.approval_question import Approval
from fairlead.identity import Caller
from fairlead.server.approval_page import answered, question, said
from fairlead.server.browser import Browser
from fairlead.server.http import Scope
from fairlead.server.page import Page, at, told

PATH: Final = "/approvals"
_DOOR: Final = "fairlead.approvals"


class ApprovalsPage:
    """`GET /approvals`, and `GET /approvals/ID` for one."""

    def __init__(self, fairlead: Fairlead, browser: Browser) -> None:
        self._fairlead = fairlead
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            path = scope["raw_path"].decode("latin-1")
            caller = await self._browser.person(scope)
            if caller is None:
                return self._browser.sign_in(path)
            id_ = path.removeprefix(PATH).removeprefix("/")
            body = await asyncio.to_thread(self._one if id_ else self._all, caller, id_, self._browser.field(scope))
            return Page("Approvals", body)

        await told(self._fairlead, send, _DOOR, page)

    def _one(self, caller: Caller, id_: str, field: str) -> str:
        asked = self._fairlead.approvals.shown(id_, caller)
        roles = ", ".join(sorted(self._roles(asked, caller)))
        shown = question(asked, f"{caller.person}, {roles}" if roles else "", field)
        return f'{shown}<p><a href="{PATH}">All approvals</a></p>'

    def _all(self, caller: Caller, id_: str, field: str) -> str:
        found = self._fairlead.approvals.concerning(caller, ("pending",))
        mine = [each for each in found if self._roles(each, caller)]
        others = [each for each in found if each not in mine]
        body = f"<h1>Approvals</h1>{_listed(mine) or '<p>Nothing waits for you.</p>'}"
        return body + (f"<h2>Your own calls that wait for others</h2>{_listed(others)}" if others else "")

    def _roles(self, asked: Approval, caller: Caller) -> frozenset[str]:
        approvals, now = self._fairlead.approvals, self._fairlead.clock.now()
        return approvals.rules.may_answer(asked.question.wanted, caller, asked.asker, now)


class AnswerOnPage:
    """`POST /approvals/ID` with the form of the page."""

    def __init__(self, fairlead: Fairlead, browser: Browser) -> None:
        self._fairlead = fairlead
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            path = scope["raw_path"].decode("latin-1")
            caller, form = await self._browser.sent(scope, receive)
            if caller is None:
                return self._browser.sign_in_first(path)
            allowed, reason = said(form)
            fairlead, id_ = self._fairlead, path.removeprefix(f"{PATH}/")
            revision = fairlead.current_for(caller).revision
            done = await asyncio.to_thread(fairlead.approvals.answer, id_, caller, allowed, reason, revision=revision)
            made = answered(done, allowed)
            return Page(made.title, f'{made.body}<p><a href="{PATH}">All approvals</a></p>')

        await told(self._fairlead, send, _DOOR, page)


def _listed(found: list[Approval]) -> str:
    rows = "".join(
        f'<tr><td><a href="{PATH}/{escape(each.id)}">{escape(each.question.tool)}</a></td>'
        f"<td>{escape(each.question.person)}</td><td>until {at(each.expires_at)}</td></tr>"
        for each in found
    )
    return f"<table>{rows}</table>" if rows else ""
