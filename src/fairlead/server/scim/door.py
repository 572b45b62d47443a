"""`/scim/v2/PROVIDER/…`: a provider pushes its people and groups (RFC 7643, RFC 7644).

A provider comes with a token of its own, which opens nothing else; whoever comes otherwise learns nothing of what there
is. What is pushed counts on this worker when it is answered, on every other within five seconds.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from fairlead.errors import BadInput, Broken, FairleadError, NotFound, Unauthenticated
from fairlead.execution import Fairlead
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.failures import Failures
from fairlead.identity.keys import digest_of
from fairlead.identity.settings import Provider
from fairlead.server.door import refuse
from fairlead.server.http import Gone, Headers, Scope, header, only_header, read_body
from fairlead.server.scim.about import PATHS, about
from fairlead.server.scim.answer import Asked, Told, misplaced, searched
from fairlead.server.scim.attributes import folded
from fairlead.server.scim.errors import encode_error
from fairlead.server.scim.pushed_groups import answer_groups
from fairlead.server.scim.pushed_people import answer_people
from fairlead.server.scim.resources import ROOT

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SAY: Final = ("POST", "PUT", "PATCH")  # methods with a body
_DOOR: Final = "scim"
_MOST_BODY: Final = 8 << 20
_LONGEST_TOKEN: Final = 4_096
_LONGEST_QUERY: Final = 8_192
_NOBODY: Final = digest_of("")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class ScimDoor:
    """All of it, for every provider."""

    def __init__(self, fairlead: Fairlead, directory: Directory, groups: Groups, max_body: int) -> None:
        self._fairlead = fairlead
        self._max_body = min(max_body, _MOST_BODY)
        self._failures = Failures(fairlead.clock.monotonic)
        self._answers: dict[str, Callable[[Asked], Told]] = {
            "Users": lambda asked: answer_people(directory, asked),
            "Groups": lambda asked: answer_groups(groups, asked),
        }

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            told = await self._told(scope, receive)
        except Gone:
            return
        except FairleadError as error:
            if isinstance(error, Unauthenticated | Broken) or error.status in (429, 503):
                await self._fairlead.refusals.record(_DOOR, error)
            await refuse(send, error, encode_error, media_type=b"application/scim+json")
            return
        await _respond(send, told)

    async def _told(self, scope: Scope, receive: Any) -> Told:
        path = scope["raw_path"].decode("latin-1").removeprefix(ROOT)
        name, _, rest = path.partition("/")
        provider = self._provider(scope, name)
        what, _, id = rest.partition("/")
        if what in PATHS:
            known = scope["method"] == "GET"
            return Told(about(provider.name, what, id)) if known else misplaced(scope["method"], "GET")
        answer = self._answers.get(what)
        if answer is None or "/" in id:
            raise NotFound(
                f"there is nothing at {path[:200]}",
                why="people are at Users, groups at Groups; there is no Me, no Bulk, and no search through both",
                mend=f"GET {ROOT}{name}/ResourceTypes",
            )
        body = await read_body(receive, self._max_body)
        method, query, said = scope["method"], _query(scope), _body(body) if scope["method"] in _SAY else {}
        if method == "POST" and id == ".search":
            method, id, query, said = "GET", "", searched(said), {}
        asked = Asked(
            provider=provider,
            method=method,
            id=id,
            query=query,
            body=said,
            match=header(scope, b"if-match"),
            none_match=header(scope, b"if-none-match"),
        )
        return await asyncio.to_thread(answer, asked)

    def _provider(self, scope: Scope, name: str) -> Provider:
        """The provider whose token was sent. Raises `Unauthenticated`, `TooManyWrong`, or `Overloaded` where this
        worker may not know the latest."""
        provider = self._fairlead.current().authenticator.pushing.get(name)
        client = scope.get("client")
        authorization = only_header(scope, b"authorization") or ""
        scheme, _, token = authorization.strip().partition(" ")
        given = digest_of(token.strip()) if len(token) <= _LONGEST_TOKEN and scheme.lower() == "bearer" else _NOBODY
        known = provider.scim.digests if provider is not None and provider.scim is not None else ()
        same = [hmac.compare_digest(given, each) for each in known]  # all of them, so that time tells nothing
        if provider is not None and any(same):
            return provider
        self._failures.refuse(client)
        self._failures.count(client)
        raise Unauthenticated(
            "this is not the token of a provider that pushes its people here",
            why="each provider with `scim` has a token of its own, and keys of callers are none",
            mend="give the provider the token that `scim.token` of the workspace names",
            step="authenticate",
        )


def _query(scope: Scope) -> dict[str, str]:
    raw = scope["query_string"]
    if len(raw) > _LONGEST_QUERY:
        raise BadInput(
            f"the query is longer than {_LONGEST_QUERY} characters",
            why="so much asks for more than one thing",
            mend="ask for less at once",
        )
    try:
        return dict(parse_qsl(raw.decode("ascii"), errors="strict", max_num_fields=20))
    except ValueError:
        raise BadInput(
            "the query is not well formed",
            why="it is not UTF-8, written with percent signs",
            mend="encode it so",
        ) from None


def _body(raw: bytes) -> dict[str, Any]:
    try:
        return folded(_decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("the body is no JSON", why="SCIM's bodies are JSON objects", mend="send one") from None


async def _respond(send: Any, told: Told) -> None:
    body = b"" if told.body is None else _encode(told.body)
    headers: Headers = [(b"content-length", str(len(body)).encode()), *told.headers]
    if body:
        headers.append((b"content-type", b"application/scim+json"))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
