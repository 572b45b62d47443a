"""The list of models in Anthropic's form. It is never cut into pages."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.server.anthropic.errors import encode_error

_encode = msgspec.json.Encoder().encode
_UNKNOWN_DATE: Final = "1970-01-01T00:00:00Z"  # what this protocol says where nobody knows


class ModelInfo(Struct, frozen=True):
    """A member of the list of models (Anthropic API, version 2023-06-01)."""

    id: str
    display_name: str
    fairlead: dict[str, str]
    type: str = "model"
    created_at: str = _UNKNOWN_DATE
    lifecycle: str = "active"


class ModelPage(Struct, frozen=True):
    """The list of models in the form of a page: the only one."""

    data: list[ModelInfo]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


class MessagesList:
    """See `model_list.ListForm`."""

    door = "anthropic.models"
    encode_error = staticmethod(encode_error)

    def models(self, names: list[tuple[str, str]]) -> bytes:
        data = [_info(name, kind) for name, kind in names]
        return _encode(ModelPage(data, data[0].id if data else None, data[-1].id if data else None))

    def model(self, name: str, kind: str) -> bytes:
        return _encode(_info(name, kind))


def _info(name: str, kind: str) -> ModelInfo:
    return ModelInfo(name, name, {"kind": kind})
