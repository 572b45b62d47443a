"""A question as a page, for whoever opens a signed link, and their answer. Looking decides nothing: mail
scanners look too."""

import asyncio
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from fairlead.errors import BadInput, FairleadError
from fairlead.execution import Fairlead
from fairlead.execution.approval_link import Link
from fairlead.execution.approval_question import LONGEST_REASON, Approval
from fairlead.identity import Caller
from fairlead.server.http import Gone, Scope, read_body

PAGE: Final = "/approve/"
_DOOR: Final = "fairlead.approvals"
_MOST: Final = 16_384  # bytes of a form
_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
)


class ShownByLink:
    """`GET /approve/TOKEN`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> str:
            link, asked, _ = await asyncio.to_thread(_opened, self._fairlead, scope)
            return _question(link, asked)

        await _told(self._fairlead, send, page)


class AnswerByLink:
    """`POST /approve/TOKEN` with the form of the page."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> str:
            form = parse_qs((await read_body(receive, _MOST)).decode("utf-8", "replace"))
            decision = form.get("decision", [""])[-1]
            if decision not in ("approve", "deny"):
                raise BadInput(
                    "the form says neither approve nor deny",
                    why="nothing is decided by a guess",
                    mend="use the buttons of the page",
                )
            reason = form.get("reason", [""])[-1]
            done = await asyncio.to_thread(self._answer, scope, decision == "approve", reason)
            return f"<h1>{'Approved' if decision == 'approve' else 'Denied'}</h1><p>{done.id} is {done.state}.</p>"

        await _told(self._fairlead, send, page)

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


async def _told(fairlead: Fairlead, send: Any, page: Any) -> None:
    status = 200
    try:
        body = await page()
    except Gone:
        return
    except FairleadError as error:
        await fairlead.refusals.record(_DOOR, error)
        status, body = error.status, f"<h1>{escape(error.message)}</h1><p>{escape(error.why)}</p>"
    whole = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Approval</title>{body}</html>'.encode()
    headers = [*_HEADERS, (b"content-length", str(len(whole)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": whole})


def _question(link: Link, asked: Approval) -> str:
    question = asked.question
    rows = {
        "who": " through ".join(filter(None, (question.person, question.agent))),
        "asks for": question.tool,
        "because": "; ".join(each.text for each in question.reasons),
        "until": datetime.fromtimestamp(asked.expires_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "you answer as": f"{link.approver}, {link.role}",
    }
    told = _table(rows)
    told += "<h2>Arguments</h2>" + _table(question.arguments, question.sources)
    if question.facts:
        told += "<h2>Facts</h2>" + _table(question.facts)
    if asked.state != "pending":
        return f"<h1>{escape(asked.id)} is {escape(asked.state)}</h1>{told}"
    form = (
        '<form method="post"><p><label>Reason<br><textarea name="reason" rows="3" cols="60" '
        f'maxlength="{LONGEST_REASON}"></textarea></label></p>'
        '<p><button name="decision" value="approve">Approve</button> '
        '<button name="decision" value="deny">Deny</button></p></form>'
    )
    return f"<h1>May this be done?</h1>{told}{form}"


def _table(values: Any, sources: Any = None) -> str:
    """Names and values as text: nothing of them is markup, and what cannot be seen is shown as its code."""
    lines = []
    for name, value in values.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        cells = [name, text]
        if sources is not None:
            cells.append("from " + ", ".join(sources.get(name, ())))
        lines.append("<tr>" + "".join(f"<td>{escape(_visible(each))}</td>" for each in cells) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)
