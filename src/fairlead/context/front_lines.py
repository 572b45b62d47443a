"""Changes single keys of a page's front matter and keeps every other byte, because people read what changed in git."""

from collections.abc import Mapping

from fairlead.context.front_keys import bad
from fairlead.context.front_matter import key_lines

_MARK = b"\xef\xbb\xbf"


def with_keys(path: str, data: bytes, keys: Mapping[str, str]) -> bytes:
    """The page with these keys set to these values, each as it would be typed in YAML.

    `path` is for errors. Raises `BadInput` where the front matter is malformed or holds several keys on one line.
    """
    mark, body = (_MARK, data[len(_MARK) :]) if data.startswith(_MARK) else (b"", data)
    end = b"\r\n" if b"\r\n" in body[:4_096] else b"\n"
    lines = body.split(b"\n")
    spans, last = key_lines(path, body.decode("utf-8").replace("\r\n", "\n"))
    if not last:
        block = [f"{key}: {value}".encode() for key, value in keys.items()]
        return mark + end.join([b"---", *block, b"---", b""]) + body
    return_ = b"\r" if end == b"\r\n" else b""
    added = []
    for key, value in sorted(keys.items(), key=lambda pair: -spans.get(pair[0], (0, 0))[0]):
        if key not in spans:
            added.append(f"{key}: {value}".encode() + return_)
            continue
        first, after = spans[key]
        if sum(line == first for line, _ in spans.values()) > 1:
            raise bad(path, first, f"`{key}` shares its line with other keys", mend="give each key a line of its own")
        lines[first - 1 : after - 1] = [f"{key}: {value}".encode() + _comment(lines[first - 1]) + return_]
        last -= after - first - 1
    lines[last - 1 : last - 1] = added
    return mark + b"\n".join(lines)


def _comment(line: bytes) -> bytes:
    """What somebody has noted behind a plain value."""
    at = line.find(b" #")
    return b" " + line[at:].strip() if at > 0 and not (b'"' in line or b"'" in line) else b""
