"""A question as a page, for whoever opens a signed link, and their answer. Looking decides nothing: mail
scanners look too."""

import asyncio
import re
from html import escape
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.execution import Fairlead
from fairlead.execution.approval_link import Link
from fairlead.execution.approval_question import LONGEST_REASON, Approval
from fairlead.identity import Caller
from fairlead.server.http import Scope
from fairlead.server.page import Form, Page, at, moved, read_form, table, told

PAGE: Final = "/approve/"
_DOOR: Final = "fairlead.approvals"
_ID: Final = re.compile(r"apr_[0-9a-f]{1,64}")


class ShownByLink:
    """`GET /approve/TOKEN`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            named = scope["raw_path"].decode("latin-1").removeprefix(PAGE)
            if _ID.fullmatch(named):  # no link at all: whoever is signed in answers there
                return moved(f"/approvals/{named}")
            link, asked, _ = await asyncio.to_thread(_opened, self._fairlead, scope)
            return Page("Approval", question(asked, f"{link.approver}, {link.role}"))

        await told(self._fairlead, send, _DOOR, page)


class AnswerByLink:
    """`POST /approve/TOKEN` with the form of the page."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            allowed, reason = said(await read_form(receive))
            return answered(await asyncio.to_thread(self._answer, scope, allowed, reason), allowed)

        await told(self._fairlead, send, _DOOR, page)

    def _answer(self, scope: Scope, allowed: bool, reason: str) -> Approval:
        link, _, who = _opened(self._fairlead, scope)
        return self._fairlead.approvals.answer(
            link.approval,
            who,
            allowed,
            reason,
            revision=self._fairlead.current_for(who).revision,
            by="link",
            role=link.role,
        )


def _opened(fairlead: Fairlead, scope: Scope) -> tuple[Link, Approval, Caller]:
    """What the link is about, and who answers: with the roles that they have now, not when it was made."""
    link = fairlead.approvals.linked(scope["raw_path"].decode("latin-1").removeprefix(PAGE))
    who = fairlead.current().authenticator.known(link.approver)
    fairlead.current_for(who)
    asked = fairlead.approvals.shown(link.approval, who)
    fairlead.approvals.roles_of(asked, who, link.role)
    return link, asked, who


def said(form: Form) -> tuple[bool, str]:
    """The answer that a form holds, and the reason. Raises `BadInput` where it is neither."""
    decision = form.get("decision", "")
    if decision not in ("approve", "deny"):
        raise BadInput(
            "the form says neither approve nor deny",
            why="nothing is decided by a guess",
            mend="use the buttons of the page",
        )
    return decision == "approve", form.get("reason", "")


def answered(done: Approval, allowed: bool) -> Page:
    """What whoever answered is told."""
    body = f"<h1>{'Approved' if allowed else 'Denied'}</h1><p>{escape(done.id)} is {escape(done.state)}.</p>"
    return Page("Approval", body)


def question(asked: Approval, answers_as: str, hidden: str = "") -> str:
    """The question, and the form for its answer while it is open. `hidden` are further fields of that."""
    about = asked.question
    rows = {
        "who": " through ".join(filter(None, (about.person, about.agent))),
        "asks for": about.tool,
        "because": "; ".join(each.text for each in about.reasons),
        "until": at(asked.expires_at),
        "you answer as": answers_as,
    }
    shown = table({name: value for name, value in rows.items() if value or name != "you answer as"})
    shown += "<h2>Arguments</h2>" + table(about.arguments, about.came)
    if about.facts:
        shown += "<h2>Facts</h2>" + table(about.facts)
    if asked.state != "pending":
        return f"<h1>{escape(asked.id)} is {escape(asked.state)}</h1>{shown}"
    if not answers_as:
        return f"<h1>{escape(asked.id)} waits for somebody else</h1>{shown}"
    form = (
        f'<form method="post">{hidden}<p><label>Reason<br><textarea name="reason" rows="3" cols="60" '
        f'maxlength="{LONGEST_REASON}"></textarea></label></p>'
        '<p><button name="decision" value="approve">Approve</button> '
        '<button name="decision" value="deny">Deny</button></p></form>'
    )
    return f"<h1>May this be done?</h1>{shown}{form}"
