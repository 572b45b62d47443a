"""What `evals.zero_persistence` has done: one workflow with everything, its tools and its functions."""

import hashlib
from base64 import b32encode
from typing import Any

SYSTEM = '''
import hashlib
import sys
from base64 import b32encode

from fairlead.tools.person import Person, ToolError


def made(words: str) -> str:
    return b32encode(hashlib.sha256(words.encode()).digest()).decode().lower()[:20]


def put(person: Person, words: str) -> dict[str, str]:
    """Put it."""
    return {"word": made(words)}


def take(person: Person, words: str) -> str:
    """Take it back."""
    return made(words)


def fail(person: Person, words: str) -> str:
    """Fail."""
    raise ToolError("no " + made(words))


def broken(person: Person, words: str) -> str:
    """Break."""
    raise ValueError("no " + made(words))


def forbidden(person: Person, words: str) -> str:
    """Never."""
    return words


def loud(person: Person, words: str) -> str:
    """Tell everybody."""
    print(words, file=sys.stderr, flush=True)
    return words
'''
FUNCTIONS = """
import hashlib
from base64 import b32encode

from fairlead.tools import ToolError


def made(word: str) -> str:
    return b32encode(hashlib.sha256(word.encode()).digest()).decode().lower()[:20]


def broken(word: str) -> str:
    raise KeyError(made(word))


def refuse(word: str) -> str:
    raise ToolError("not " + made(word))
"""
POLICIES = """
@id("all") permit(principal, action, resource);
@id("never") forbid(principal, action == Action::"box.forbidden", resource);
"""


def made(words: str) -> str:
    """What models, tools and functions make of what they are given: nobody could guess it."""
    return b32encode(hashlib.sha256(words.encode()).digest()).decode().lower()[:20]


def _asks(id_: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "model": {"prompt": prompt, "model": "small", **more.pop("model", {})}, **more}


def _tool(id_: str, call: str, words: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "tool": {"call": f"box.{call}", "arguments": {"words": words}}, **more}


def _way(way: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"when": f'input.way == "{way}"', "steps": list(steps)}


def definition(secrecy: str) -> dict[str, Any]:
    """One workflow with everything; `input.way` says which of it happens."""
    word = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    text = {"type": "string"}
    retry = {"errors": ["check"], "attempts": 3, "wait": "1s"}
    twice = {"errors": ["error"], "attempts": 2, "wait": "1s"}
    words = "${input.words}"
    return {
        "secrecy": secrecy,
        "input": {
            "properties": {"way": text, "words": text, "file": text, "items": {"type": "array", "items": text}},
            "required": ["way", "words", "file", "items"],
        },
        "steps": [
            _asks("read", "[${input.way}] ${input.file} {${input.words}}", model={"gives": word}, retry=retry,
                  check={"rules": [{"that": "!value.word.startsWith('?')", "otherwise": "Say the word."}]}),
            _tool("put", "put", "${steps.read.value.word}", compensate={
                "tool": {"call": "box.take", "arguments": {"words": words}}
            }),
            {"id": "each", "map": {"over": "input.items", "at_most": 9, "at_once": 2, "steps": [
                {"id": "shout", "python": {"function": "calc:made", "arguments": {"word": "${item}"}}},
                _tool("look", "put", "${steps.shout.value}"),
            ]}},
            {"id": "both", "parallel": {"branches": {
                "one": [_asks("first", "[branch] {${input.words}}")],
                "two": [{"id": "second", "python": {"function": "calc:made", "arguments": {"word": words}}}],
            }}},
            {"id": "way", "switch": {"cases": [
                _way("tool_error", _tool("fail", "fail", words, retry=twice,
                                         otherwise=[{"id": "said", "transform": "${error.message}"}])),
                _way("function_error", {"id": "breaks", "python": {"function": "calc:broken",
                                                                   "arguments": {"word": words}}}),
                _way("undo", {"id": "refuses", "python": {"function": "calc:refuse", "arguments": {"word": words}}}),
                _way("agent", {"id": "acts", "agent": {"goal": "[act] {${input.words}}", "at_most": 4,
                                                       "tools": ["box.put", "box.broken"], "model": "small"}}),
                _way("sub", {"id": "inner", "subflow": {"workflow": "inner", "input": {"word": words}}}),
                _way("deny", _tool("forbidden", "forbidden", words)),
                _way("slow", {"id": "rest", "wait": {"for": "2s"}}, _asks("late", "[late] {${input.words}}")),
                _way("cancel", {"id": "stay", "wait": {"for": "4m"}}),
                _way("loud", _tool("tell", "loud", words)),
            ]}},
            _asks("end", "[end] {${input.file}}"),
        ],
        "output": {"end": "${steps.end.text}", "put": "${steps.put.value.word}"},
    }  # fmt: skip


INNER = {
    "input": {"properties": {"word": {"type": "string"}}},
    "steps": [_asks("in", "[inner] {${input.word}}")],
}
