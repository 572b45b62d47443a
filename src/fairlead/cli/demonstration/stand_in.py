"""A stand-in for a cloud vendor: a small server on this machine that answers by a script, and keeps what it is sent.

It speaks as much of the chat completions protocol as the demonstration needs.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

_BYTES_A_TOKEN: Final = 4
_CARD: Final = re.compile(r"\[PAYMENT_CARD_\d+\]|\d{4}(?: \d{4}){3}")

_ABOUT: Final = re.compile(r"about the ([\w ]+)")

# What is written when these words are in the question. {card} is the card as the vendor saw it.
_SCRIPT: Final = (
    (
        "leave us for good",
        "Dear Mrs Keller, we are truly sorry. To keep you as a customer we take 35% off your wardrobe, with our "
        "warmest apologies. Your Northlight Home",
    ),
    (
        "display table",
        "Dear Mrs Keller, the display table has a small scratch on its side. It is yours with 15% off. Your Northlight "
        "Home",
    ),
    (
        "charged twice",
        "A customer was charged twice for one lamp, on card {card}, and wants one charge back by Friday.",
    ),
    (
        "late shift",
        "For the late shift: two click-and-collect orders wait at the desk; the lamp shelf is to be refilled by 18:00.",
    ),
    (
        "newsletter",
        "Evenings come early now, and that is what our {about} are for. Come in on Thursday and take your time: we are "
        "open until half past eight.",
    ),
)
_OTHERWISE: Final = "I am a stand-in and have nothing to say to that."


class StandIn:
    """One pretended vendor. Set `down` and it answers 503 from then on."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.down = False
        self.received: list[str] = []
        self.written: list[str] = []
        self.url = ""

    def answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body of the reply to a request's body."""
        if self.down:
            return 503, {"error": {"message": f"{self.vendor} is having an outage", "type": "server_error"}}
        self.received.append(body.decode("utf-8", "replace"))
        request = json.loads(body)
        text = _scripted(request["messages"][-1]["content"])
        self.written.append(text)
        read, written = -(-len(body) // _BYTES_A_TOKEN), -(-len(text) // _BYTES_A_TOKEN)
        return 200, {
            "id": f"chatcmpl-{len(self.received)}",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }


def _scripted(question: str) -> str:
    card, about = _CARD.search(question), _ABOUT.search(question)
    for words, text in _SCRIPT:
        if words in question:
            return text.format(card=card[0] if card else "unknown", about=about[1] if about else "things")
    return _OTHERWISE


@contextmanager
def playing(stand_in: StandIn) -> Iterator[StandIn]:
    """The stand-in, answering at its `url` on this machine alone until the block is left."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _door(stand_in))
    stand_in.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _door(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: in two, the second waits 40 ms for the first's acknowledgement

        def do_POST(self) -> None:
            status, reply = stand_in.answer(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """What is received is kept in `received`; nothing is printed between the lines of the story."""

    return Door
