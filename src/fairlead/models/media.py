"""What is attached to a message, as drivers need it: told apart by how it was given, and refused where it cannot go."""

from typing import Final, NamedTuple

from fairlead.errors import Rejected
from fairlead.models.content import AudioPart, FilePart, ImagePart
from fairlead.models.failures import beyond
from fairlead.models.types import ModelCall

NO_COUNTERPART: Final = "its vendor's protocol has no counterpart"
NO_ADDRESSES: Final = "its vendor's protocol takes the data itself, and Fairlead fetches nothing for a caller"


class Inline(NamedTuple):
    """Data that came with the request, in base64."""

    mime: str
    data: str


def image_of(part: ImagePart, call: ModelCall) -> Inline | str:
    """An image, or its address. Raises `Rejected` if the model takes none or the URL is neither."""
    if not call.model.images:
        raise beyond("images (image_url)", call, "it is declared without them (`images: false`)")
    return _inline(part.image_url.url, "an image (image_url)", call)


def file_of(part: FilePart, call: ModelCall) -> Inline | str:
    """A document, or its address. Raises `Rejected` if the model takes none, or both or neither are given."""
    file = part.file
    if not call.model.files:
        raise beyond("documents (file)", call, "it is declared without them (`files: false`)")
    if (file.file_data is None) == (file.file_url is None):
        raise _malformed("a document (file)", "it needs either file_data or file_url", call)
    if file.file_url is not None:
        return _address(file.file_url, "a document (file_url)", call)
    found = _inline(file.file_data or "", "a document (file_data)", call)
    if isinstance(found, str):
        raise _malformed("a document (file_data)", "file_data holds an address", call)
    return found


def sound_of(part: AudioPart, call: ModelCall) -> Inline:
    """A piece of sound. Raises `Rejected` if the model takes none."""
    if not call.model.audio:
        raise beyond("sound (input_audio)", call, "it is declared without it (`audio: false`)")
    return Inline("audio/mp3" if part.input_audio.format == "mp3" else "audio/wav", part.input_audio.data)


def _inline(url: str, what: str, call: ModelCall) -> Inline | str:
    if url[:5].lower() != "data:":
        return _address(url, what, call)
    head, comma, data = url[5:].partition(",")
    mime, *parameters = head.split(";")
    if not comma or not data or "/" not in mime or "base64" not in parameters:
        raise _malformed(what, "its data URL is not of the form data:MIME;base64,DATA", call)
    return Inline(mime.lower(), data)


def _address(url: str, what: str, call: ModelCall) -> str:
    # Other schemes name buckets and files, which a vendor would read with the deployment's rights.
    if not url.lower().startswith(("https://", "http://")):
        raise _malformed(what, "its address does not begin with https://, and it is no data URL", call)
    return url


def _malformed(what: str, why: str, call: ModelCall) -> Rejected:
    return Rejected(
        f"{what} in the request cannot be read",
        why=why,
        mend="send it as data:MIME;base64,DATA, or by an https address",
        subject=call.model.name,
        retryable=False,
    )
