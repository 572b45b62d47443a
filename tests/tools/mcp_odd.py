"""A program that speaks the Model Context Protocol, line by line and without the SDK, well enough to misbehave in the
way that its first argument names. The second, where there is one, is a file to leave notes in."""

import json
import os
import subprocess
import sys
import time
from typing import Any

WAY = sys.argv[1]
NOTES = sys.argv[2] if len(sys.argv) > 2 else os.devnull
TOOL = {"name": "act", "inputSchema": {"type": "object"}}


def note(text: str) -> None:
    with open(NOTES, "a") as file:
        file.write(text + "\n")


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tools(asked: dict[str, Any]) -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"items": deep}
    odd: dict[str, Any] = {
        "twice": [TOOL, TOOL],
        "odd-name": [{**TOOL, "name": "rm -rf /"}],
        "no-object": [{**TOOL, "inputSchema": {"type": "string"}}],
        "other-document": [{**TOOL, "inputSchema": {"type": "object", "$defs": {"a": {"$ref": "https://x.example/"}}}}],
        "deep": [{**TOOL, "inputSchema": {"type": "object", "properties": {"a": deep}}}],
        "huge-number": [{**TOOL, "inputSchema": {"type": "object", "properties": {"a": {"const": 10**30}}}}],
        "chatty": [{**TOOL, "description": "x" * 20_000}],
        "no-schema": [{"name": "act"}],
    }
    if WAY == "endless":
        cursor = (asked.get("params") or {}).get("cursor", "0")
        return {"tools": [{**TOOL, "name": f"act{cursor}"}], "nextCursor": str(int(cursor) + 1)}
    if WAY == "in-a-circle":
        return {"tools": [], "nextCursor": "again"}
    return {"tools": odd.get(WAY, [TOOL])}


def act(id: int) -> None:
    text = {"content": [{"type": "text", "text": "done"}]}
    if WAY == "huge-line":
        sys.stdout.write("x" * (9 << 20))
        sys.stdout.flush()
    elif WAY == "large":
        text["content"][0]["text"] = "x" * 5000
    elif WAY == "garbage":
        for _ in range(100):
            print("not a message", flush=True)
    elif WAY == "asks-without-end":
        for number in range(1000):
            say({"id": f"q{number}", "method": "ping"})
    elif WAY == "no-result":
        say({"id": id, "result": {"content": "no list"}})
        return
    elif WAY == "bad-base64":
        text["content"] = [{"type": "image", "mimeType": "image/png", "data": "###"}]
    elif WAY == "dies":
        os._exit(7)
    elif WAY == "noisy":
        for number in range(500):
            print(f"line {number}", file=sys.stderr, flush=True)
    elif WAY == "hangs":
        time.sleep(3600)
    elif WAY == "waits":
        return
    say({"id": id, "result": text})


def answer(asked: dict[str, Any]) -> None:
    method = asked.get("method")
    if method in ("notifications/cancelled", "ping"):
        note(method)
    if "id" not in asked or not method:
        return
    if method == "initialize":
        about = {"name": "odd", "version": "1"}
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": about}
        say({"id": asked["id"], "result": result})
    elif method == "tools/list":
        say({"id": asked["id"], "result": tools(asked)})
    elif method == "tools/call":
        note(f"called {os.getpid()}")
        act(asked["id"])
    elif WAY == "leaves-when-greeted-anew":
        os._exit(1)
    else:
        say({"id": asked["id"], "error": {"code": -32601, "message": "unknown"}})


note(f"started {os.getpid()}")
if WAY == "never-starts":
    sys.exit("no such thing")
if WAY == "stubborn":  # ends neither by the end of its input nor when it is asked to, and has a child
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(f"child {subprocess.Popen(['sleep', '3600']).pid}")
if WAY == "prints-a-banner":
    print("Welcome to odd, the server!\n", flush=True)
for line in sys.stdin:
    answer(json.loads(line))
while WAY == "stubborn":
    time.sleep(1)
