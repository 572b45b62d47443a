"""Sending a mail: one server, one message, one answer. Blocking: call it in a thread."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Literal

from msgspec import Struct

from fairlead.errors import Upstream

_PATIENCE: Final = 15.0  # seconds for each step


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed in, and as whom. Without `user` nobody signs in."""

    server: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    user: str = ""
    password: str = ""
    sender: str


class Mail(Struct, frozen=True, kw_only=True):
    """A mail in plain text. `id` stays the same when it is sent again, so that a repetition can be known."""

    id: str
    to: str
    subject: str
    text: str
    at: int  # milliseconds since 1970


def send(server: MailServer, mail: Mail, trust: ssl.SSLContext | None = None) -> None:
    """Hand it in. Raises `Upstream` where the server does not take it."""
    message, domain = EmailMessage(), server.sender.rpartition("@")[2]
    context = trust or ssl.create_default_context()
    try:
        message["From"], message["To"], message["Subject"] = server.sender, mail.to, mail.subject
        message["Message-ID"] = f"<{mail.id}@{domain}>"
        message["Date"] = formatdate(mail.at / 1000)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        if server.tls == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.server, server.port, domain, timeout=_PATIENCE, context=context
            )
        else:
            client = smtplib.SMTP(server.server, server.port, domain, timeout=_PATIENCE)
        with client:
            if server.tls == "starttls":
                client.starttls(context=context)
            if server.user:
                client.login(server.user, server.password)
            client.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:  # refusals, TLS, names; an address that is none
        raise Upstream(f"the mail server {server.server} did not take it", why=" ".join(str(error).split())) from error
