"""Vectors read from a provider's reply, in the shapes that real servers give them, or refused."""

from typing import Any, Final

import msgspec

from fairlead.errors import Upstream
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.tally import is_count
from fairlead.models.types import Usage

_shape: Final = msgspec.json.Decoder()


def read_vectors(decoder: "msgspec.json.Decoder[Any]", body: bytes, call: EmbedCall) -> Any:
    """The reply by its decoder. Raises `Upstream` that says what is wrong with any other."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _misshapen(body, error, call) from None


def counted(vectors: list[list[float]], tokens: Any, call: EmbedCall) -> Embeddings:
    """The vectors with the provider's count, where it is one. Raises `Upstream` unless there is one for each text."""
    if len(vectors) != len(call.texts):
        raise unusable(f"it has {len(vectors)} vectors for {len(call.texts)} texts", subject=call.model.name)
    return Embeddings(vectors, Usage(input=tokens) if is_count(tokens) else None)


def _misshapen(body: bytes, error: Exception, call: EmbedCall) -> Upstream:
    name = call.model.name
    try:
        found = _shape.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return unusable("it is not JSON" if body else "it is empty", subject=name)
    if isinstance(found, dict) and "error" in found:
        return stream_failure(body, subject=name)
    if _is_nested(found):
        return Upstream(
            "the model's server gave a vector for each token, not for each text",
            why="it does not pool: what a text as a whole means would have to be guessed from the pieces",
            mend="start it with pooling (`--pooling mean` or its like), or choose another model",
            subject=name,
            retryable=False,
            charged="unknown",
        )
    return unusable(f"its vectors are not what this protocol has ({error})"[:160], subject=name)


def _is_nested(found: Any) -> bool:
    """Whether a list of numbers stands where a number belongs."""
    rows = found if isinstance(found, list) else found.get("data", ()) if isinstance(found, dict) else ()
    for row in rows if isinstance(rows, list) else ():
        vector = row.get("embedding") if isinstance(row, dict) else None
        if isinstance(vector, list) and vector and isinstance(vector[0], list):
            return True
    return False
