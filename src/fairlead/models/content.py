"""What a message can hold beside plain text: images, documents, sound, marks for caching, and a model's own reasoning.

The shapes are those of chat completions where that protocol has one, so that its door decodes them without a copy.
Handles to what lies at a vendor (file ids, buckets) have no place here: they would read with the deployment's rights
what the caller may not.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Base64 = Annotated[str, Meta(min_length=1)]


class CacheControl(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Marks the end of a beginning that is worth keeping in a provider's cache. It leans on price and speed only."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class ImageUrl(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`url` is `data:MIME;base64,…`, or an address that the provider itself fetches: Fairlead never does."""

    url: Annotated[str, Meta(min_length=1)]
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="image_url", forbid_unknown_fields=True):
    """An image: the part `image_url` of chat completions."""

    image_url: ImageUrl
    cache_control: CacheControl | None = None


class FileData(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A document: `file_data` as `data:MIME;base64,…`, or `file_url`, which the provider fetches. Exactly one of them.

    A document that is plain text is a `TextPart` with a title, so that detectors read it.
    """

    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None


class FilePart(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="file", forbid_unknown_fields=True):
    """A document: the part `file` of chat completions."""

    file: FileData
    cache_control: CacheControl | None = None


class Sound(Struct, frozen=True, forbid_unknown_fields=True):
    """`data` in base64."""

    data: Base64
    format: Literal["wav", "mp3"]


class AudioPart(
    Struct, frozen=True, omit_defaults=True, tag_field="type", tag="input_audio", forbid_unknown_fields=True
):
    """Sound: the part `input_audio` of chat completions."""

    input_audio: Sound
    cache_control: CacheControl | None = None


class Thought(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A piece of a model's reasoning, as it must come back to the model in the next round.

    `signature` proves to the vendor that `text` is its own. `sealed` is reasoning that only the vendor can read; it has
    no text. Both are `SCHEME:VALUE`, made by the driver: another vendor's driver leaves them out, because it would be
    refused. A value without a scheme is sent as it is.
    """

    text: str = ""
    signature: str = ""
    sealed: str = ""


def own_proof(scheme: str, proof: str) -> str:
    """`proof` as this scheme's vendor made it, or "" where another vendor did."""
    maker, colon, value = proof.partition(":")
    if not colon:
        return proof
    return value if maker == scheme else ""
