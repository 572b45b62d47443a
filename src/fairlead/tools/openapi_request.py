"""A call of a tool as an HTTP request: nothing that an argument holds leaves the place that its parameter has."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.net.http import header_value
from fairlead.tools.openapi_operations import Body, Operation
from fairlead.tools.openapi_parameters import Parameter, in_cookie, in_header, in_path, in_query, is_folder
from fairlead.tools.types import SystemCall

_LONGEST: Final = 16 << 10  # of an address, and of all headers


class Request(Struct, frozen=True):
    """What goes over the wire. `path` comes after the service's address."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None


def request_of(operation: Operation, call: SystemCall, header: str) -> Request:
    """`header` is the one that carries the credential, "" for `authorization`. Raises `BadInput`."""
    given = call.arguments
    query = _query(operation, given)
    path = _path(operation, given) + (f"?{query}" if query else "")
    headers = {"accept": "application/json, text/*;q=0.9, */*;q=0.5", "accept-encoding": "identity"}
    for each in operation.headers:
        if (value := given.get(each.argument)) is not None:
            headers[each.name.lower()] = in_header(each, value)
    if cookies := "; ".join(_each(in_cookie, operation.cookies, given)):
        headers["cookie"] = cookies
    body = None if operation.body is None else _body(operation.body, given)
    if body is not None and operation.body is not None:
        headers["content-type"] = operation.body.media
    elif operation.method in ("POST", "PUT", "PATCH"):
        body = b""  # so that its length is told
    if call.tool.effect == "write":
        headers["idempotency-key"] = call.idempotency_key
    if secret := call.credential.secret:  # last: nothing before it can stand for it
        secret = header_value(secret, name="the credential")
        headers[header.lower() or "authorization"] = secret if header else f"Bearer {secret}"
    if len(path) > _LONGEST or sum(map(len, headers.values())) > _LONGEST:
        raise BadInput(
            "the arguments are too long for an address or a header",
            why=f"they would be more than {_LONGEST >> 10} KiB there",
            mend="give less at once",
            param="arguments",
        )
    return Request(operation.method, path, headers, body)


def _path(operation: Operation, given: Mapping[str, Any]) -> str:
    path = ""
    for part in operation.path:
        path += part if isinstance(part, str) else in_path(part, given.get(part.argument))
    for segment in path.split("/")[1:]:
        # Two values, or a value and what stands beside it, may come to what neither of them is.
        if is_folder(segment):
            raise BadInput(
                "the arguments make another path",
                why="a part of it would be `.` or `..`, which means a folder",
                mend="give another value",
                param="arguments",
            )
    return path


def _query(operation: Operation, given: Mapping[str, Any]) -> str:
    declared = {each.name for each in operation.query}
    for each in operation.query:
        value = given.get(each.argument)
        spread = isinstance(value, dict) and each.style == "form" and each.explode and not each.as_json
        if isinstance(value, dict) and spread and (taken := value.keys() & declared):
            raise each.wrong(f"its field {sorted(taken)[0]!r} is the name of another argument")
    return "&".join(_each(in_query, operation.query, given))


def _each(write: Any, parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> Iterator[str]:
    for each in parameters:
        if (value := given.get(each.argument)) is not None and (text := write(each, value)):
            yield text


def _body(body: Body, given: Mapping[str, Any]) -> bytes | None:
    if body.argument:
        if body.argument not in given:
            return None
        value = given[body.argument]
    else:
        value = {name: given[name] for name in body.fields if name in given}
        if not value and not body.required:
            return None
    try:
        if body.is_form:
            return _form(body, value)
        if body.media == "text/plain" and isinstance(value, str):
            return value.encode()
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise BadInput("the body holds half of a character", mend="give another text", param="arguments") from None


def _form(body: Body, value: Any) -> bytes:
    if not isinstance(value, dict):
        raise BadInput("a form needs fields", mend="give an object", param=f"arguments/{body.argument}")
    written = (in_query(_style(body, name, each), each) for name, each in value.items() if each is not None)
    return "&".join(filter(None, written)).encode()


def _style(body: Body, name: str, value: Any) -> Parameter:
    """How a field is written: as the description says, else as text, or as JSON where it has parts."""
    if name in body.styles:
        return body.styles[name]
    inner = value if isinstance(value, list) else ()
    as_json = isinstance(value, dict) or any(isinstance(each, dict | list) for each in inner)
    return Parameter(argument=name, name=name, where="query", style="form", explode=True, as_json=as_json)
