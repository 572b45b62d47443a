"""JSON-RPC 2.0, as far as the Model Context Protocol uses it over HTTP: one message in, one out, no batches."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.tools.nesting import MOST_LEVELS, is_too_deep

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
REFUSED: Final = -32000  # by a policy, a budget, the system: `data` says which, and what to do
HEADER_MISMATCH: Final = -32020
CLIENT_LACKS: Final = -32021
NO_SESSION: Final = -32001
UNSUPPORTED_VERSION: Final = -32022

_STATUS: Final = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    CLIENT_LACKS: 400,
    NO_SESSION: 404,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}
Id = str | int


class Message(Struct, frozen=True):
    """A request, or a notification where it has no id."""

    jsonrpc: str
    method: str
    id: Id | UnsetType = UNSET
    params: dict[str, Any] = {}


class Answer(Struct, frozen=True):
    """What a program says to a question of ours."""

    jsonrpc: str
    id: Id
    result: Any = None
    error: Any = None


class Unanswerable(Exception):
    """What a message is answered with instead of a result: a code of the protocol, and what was wrong."""

    def __init__(self, code: int, message: str, data: Any = None, *, id: Id | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data, self.id = code, message, data, id

    @property
    def status(self) -> int:
        """The HTTP status for the code; 200 for errors that are answers of the protocol."""
        return _STATUS.get(self.code, 200)

    def recorded(self) -> FairleadError:
        """As the log knows it: the error of the action that it stands for, or what was wrong with the message."""
        if isinstance(self.__cause__, FairleadError):
            return self.__cause__
        kind = NotFound if self.status == 404 else BadInput
        return kind(self.message, step="classify")


def read_message(body: bytes) -> Message | Answer:
    """Raises `Unanswerable`."""
    message: Message | Answer
    try:
        given = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or a number of too many digits
        raise Unanswerable(PARSE_ERROR, "the body is no JSON") from None
    if is_too_deep(given):
        raise Unanswerable(INVALID_REQUEST, f"the body is nested deeper than {MOST_LEVELS} levels")
    try:
        is_answer = isinstance(given, dict) and "method" not in given and ("result" in given or "error" in given)
        message = msgspec.convert(given, Answer) if is_answer else msgspec.convert(given, Message)
    except msgspec.ValidationError as error:
        raise Unanswerable(INVALID_REQUEST, f"the body is no single request or notification: {error}") from None
    if message.jsonrpc != "2.0":
        raise Unanswerable(INVALID_REQUEST, "`jsonrpc` must be 2.0", id=message.id or None)
    return message


def id_of(message: Message | Answer | None) -> Id | None:
    """By which an answer to it is known, None where it has none."""
    return message.id if message is not None and isinstance(message.id, str | int) else None


def result(id: Id, value: Any) -> bytes:
    """A response with a result (JSON-RPC 2.0, section 5)."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": value})


def failure(error: Unanswerable, id: Id | None = None) -> bytes:
    """A response with an error (JSON-RPC 2.0, section 5.1). `id` is that of the request, where the error has none."""
    said: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        said["data"] = error.data
    return msgspec.json.encode({"jsonrpc": "2.0", "id": id if id is not None else error.id, "error": said})
