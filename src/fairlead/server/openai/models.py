"""The list of models in OpenAI's form."""

import msgspec
from msgspec import Struct

from fairlead.server.openai.errors import encode_error

_encode = msgspec.json.Encoder().encode


class ModelEntry(Struct, frozen=True):
    """A member of the list of models (OpenAI API, v1). `created` in seconds since 1970."""

    id: str
    object: str
    created: int
    owned_by: str


class CompletionsList:
    """See `model_list.ListForm`."""

    door = "openai.models"
    encode_error = staticmethod(encode_error)

    def models(self, names: list[tuple[str, str]]) -> bytes:
        entries = [ModelEntry(name, "model", 0, owner) for name, owner in names]
        return _encode({"object": "list", "data": entries})

    def model(self, name: str, kind: str) -> bytes:
        return _encode(ModelEntry(name, "model", 0, kind))
