"""Mail, handed in to a real server over a real socket."""

import ssl
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.smtp import mail_server

from fairlead.errors import Upstream
from fairlead.net.mail import Mail, MailServer, send

MAIL = Mail(id="msg_1", to="kim@acme.example", subject="2 pages need you", text="1. review: travel — now", at=0)


def at(port: int, **more: object) -> MailServer:
    about = {"server": "127.0.0.1", "port": port, "tls": "none", "sender": "fairlead@acme.example", **more}
    return MailServer(**about)  # type: ignore[arg-type]


def test_mail_goes_over_tls_with_a_password_and_an_id_that_stays(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("mail", "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    trust = ssl.create_default_context(cafile=str(authority.path))
    with mail_server(tls) as box:
        send(at(box.port, tls="starttls", user="fairlead", password="secret"), MAIL, trust)
        (mail,) = box.mails
        assert "To: kim@acme.example" in mail
        assert "Message-ID: <msg_1@acme.example>" in mail
        assert box.encrypted == [True]
        assert box.signed_in == ["\0fairlead\0secret"]
        with pytest.raises(Upstream, match="did not take it"):
            send(at(box.port, tls="starttls"), MAIL)  # signed by nobody whom this machine trusts
    assert len(box.mails) == 1


def test_a_server_that_cannot_encrypt_refuses_or_is_not_there_gets_nothing() -> None:
    with mail_server() as box:
        with pytest.raises(Upstream) as plain:
            send(at(box.port, tls="starttls"), MAIL)
        assert "STARTTLS" in plain.value.why
        box.refuses = "550 no such person"
        with pytest.raises(Upstream) as refused:
            send(at(box.port), MAIL)
        assert "no such person" in refused.value.why
    assert box.mails == []
    with pytest.raises(Upstream):
        send(at(box.port), MAIL)


def test_a_name_that_would_add_lines_to_a_mail_is_refused() -> None:
    with mail_server() as box, pytest.raises(Upstream):
        send(at(box.port), Mail(id="m", to="a@b.example\nBcc: c@d.example", subject="s", text="", at=0))
    assert box.mails == []
