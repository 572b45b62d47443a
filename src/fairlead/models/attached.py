"""How much of a request's input a model could bill for, where it holds more than text.

The data of an image or a document has far more bytes than it has tokens, so that its length says nothing. These are
most generous figures of the vendors' own descriptions: a hold must cover what may come, the bill is what was counted.
"""

from collections.abc import Iterable
from typing import Final

from fairlead.models.content import AudioPart, FilePart, ImagePart
from fairlead.models.types import Message, TextPart

IMAGE: Final = 50_000
"""Tokens of an image: the smallest models of one vendor count a large one at nearly this; others at a few thousand."""
UNKNOWN_FILE: Final = 200_000
"""Tokens of a document of which only the address is known."""
_LEAST_FILE: Final = 20_000
_MOST_FILE: Final = 1_000_000  # no model reads more


def billable(size: int, messages: Iterable[Message]) -> int:
    """`size`, the bytes of a request's body, with what is attached counted by what a model makes of it.

    For `ChatRequest.size`. Costs nothing but a look at each message where nothing is attached.
    """
    for message in messages:
        if type(message.content) is list:
            for part in message.content:
                if not isinstance(part, TextPart):
                    size += _tokens(part) - _length(part)
    return size


def _tokens(part: ImagePart | FilePart | AudioPart) -> int:
    match part:
        case ImagePart():
            return IMAGE
        case FilePart(file=file) if file.file_data is None:
            return UNKNOWN_FILE
        case FilePart():
            # Half a token for a byte: pages of dense text, packed well.
            return min(max(_length(part) * 3 // 8, _LEAST_FILE), _MOST_FILE)
        case AudioPart():
            # At least a kilobyte a second, and thirty-odd tokens.
            return max(_length(part) * 3 // 64, 1)


def _length(part: ImagePart | FilePart | AudioPart) -> int:
    match part:
        case ImagePart(image_url=image):
            return len(image.url)
        case FilePart(file=file):
            return len(file.file_data or "")
        case AudioPart(input_audio=sound):
            return len(sound.data)
