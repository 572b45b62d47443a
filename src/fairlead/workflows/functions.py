"""The door of a workspace's own functions: they are the operator's code, and may raise whatever they like."""

import traceback
from collections.abc import Awaitable
from typing import Any

import msgspec

from fairlead.errors import FairleadError
from fairlead.tools.person import ToolError
from fairlead.workflows.nodes import PythonNode
from fairlead.workflows.walk import Place, StepFailed


async def outcome(at: Place, node: PythonNode, work: Awaitable[Any]) -> Any:
    """What a function gives. What it did not say for people is told as its kind and line: raises `StepFailed`, and what
    the caller knows how to tell."""
    try:
        return await work
    except (ToolError, FairleadError, TimeoutError):
        raise
    except Exception as error:  # nobody knows what a function raises, and its step must fail of it
        line = _line(error, f"workflows/{node.function.partition(':')[0]}.py")
        raise StepFailed(
            "error",
            f"{node.function} raised {type(error).__name__}{line}",
            at=at.text,
            code="function_failed",
            mend="have it raise fairlead.tools.ToolError for what people should know; runs to come take a mended one",
            in_doubt=node.effect == "write",
        ) from error


def late(at: Place, node: PythonNode) -> StepFailed:
    """The failure of one that took too long: it may go on in its thread."""
    return StepFailed("timeout", "it took too long", at=at.text, code="timeout", in_doubt=node.effect == "write")


def plain(at: Place, node: PythonNode, value: Any) -> Any:
    """What a function has given, as every later walk finds it: tuples are lists by then. Raises `StepFailed` for what
    cannot be kept."""
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(msgspec.to_builtins(value)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StepFailed(
            "error",
            f"what {node.function} gives cannot be kept: {error}",
            at=at.text,
            code="not_kept",
            mend="have it give texts, numbers of 64 bits, lists and mappings, or a dataclass of these",
            in_doubt=node.effect == "write",
        ) from None


def _line(error: BaseException, file: str) -> str:
    """Where in the workspace's file it was, "" if nowhere."""
    lines = [each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename.endswith(file)]
    return f" at {file}:{lines[-1]}" if lines else ""
