"""A mail server that keeps what it is given: the real protocol over a real socket, with STARTTLS and a password."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What arrived, and how: `refuses` is the answer to every message while it is set."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    refuses: str = ""


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.encrypted = False
            self.say("220 here")
            self.talk()

        def talk(self) -> None:
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "EHLO":
                    self.say(
                        "250-here\r\n250-AUTH PLAIN"
                        + ("\r\n250-STARTTLS" if tls and not self.encrypted else "")
                        + "\r\n250 OK"
                    )
                elif verb == "STARTTLS" and tls:
                    self.say("220 go on")
                    with suppress(OSError), tls.wrap_socket(self.request, server_side=True) as encrypted:
                        self.rfile, self.wfile = encrypted.makefile("rb"), encrypted.makefile("wb", 0)
                        self.encrypted = True
                        self.talk()
                    return
                elif verb == "AUTH":
                    box.signed_in.append(base64.b64decode(line.split(" ")[2]).decode())
                    self.say("235 welcome")
                elif verb == "DATA":
                    self.say("354 go on")
                    self.take()
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 OK")

        def take(self) -> None:
            lines = list[str]()
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            if box.refuses:
                self.say(box.refuses)
                return
            box.mails.append("\n".join(lines))
            box.encrypted.append(self.encrypted)
            self.say("250 kept")

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()
