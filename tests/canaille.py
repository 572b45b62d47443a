"""A real identity provider: canaille, in this process, with people who sign in without typing."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from joserfc.jwk import ECKey, RSAKey

CLIENT = "fairlead"
SECRET = "the-clients-secret"


class Canaille:
    """Its address as issuer, its people and groups, and what it holds."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._user: Any = None
        self.issuer = f"http://localhost:{server.port}"

    def client(self, *redirects: str, secret: str = SECRET, scope: str = "openid profile email groups") -> None:
        """Make Fairlead known to it, by the name `CLIENT`; "" as secret for a public client."""
        models, backend = self._server.models, self._server.backend
        with self._server.app.app_context():
            for one in backend.query(models.Client, client_id=CLIENT):
                backend.delete(one)
            made = models.Client(
                client_id=CLIENT, client_secret=secret or None, client_id_issued_at=datetime.now(UTC),
                client_name="Fairlead", redirect_uris=list(redirects), scope=scope.split(),
                grant_types=["authorization_code", "refresh_token"], response_types=["code"],
                token_endpoint_auth_method="client_secret_basic" if secret else "none",
            )  # fmt: skip
            backend.save(made)
            made.audience = [made]
            backend.save(made)

    def signs_in(self, name: str, *groups: str) -> None:
        """From now on this person is signed in there, as a member of these groups."""
        models, backend = self._server.models, self._server.backend
        with self._server.app.app_context():
            user = backend.get(models.User, user_name=name)
            if user is None:
                user = models.User(
                    formatted_name=name, family_name=name, user_name=name, emails=[f"{name}@acme.example"],
                    password="correct horse battery",
                )  # fmt: skip
                backend.save(user)
            self._user = user
            self.groups(*groups)
            self._server.login(user)
            self._server.consent(user)

    def groups(self, *names: str) -> None:
        """Put whoever is signed in into these groups and out of all others."""
        models, backend = self._server.models, self._server.backend
        with self._server.app.app_context():
            for group in backend.query(models.Group):
                backend.delete(group)
            for name in names:
                backend.save(models.Group(display_name=name, members=[self._user]))
            backend.reload(self._user)

    def opaque_token(self) -> str:
        """An access token for whoever is signed in, which nobody but the provider can read."""
        models, backend = self._server.models, self._server.backend
        with self._server.app.app_context():
            client = backend.get(models.Client, client_id=CLIENT)
            return str(self._server.random_token(subject=self._user, client=client).access_token)

    def forget_tokens(self) -> None:
        """No token that it gave counts any more."""
        models, backend = self._server.models, self._server.backend
        with self._server.app.app_context():
            for token in backend.query(models.Token):
                backend.delete(token)


@contextmanager
def _log_as_before() -> Iterator[None]:
    """The provider marks what is logged in the whole process with addresses: not in what other tests log."""
    root = logging.getLogger()
    before = [(each, list(each.filters)) for each in (root, *root.handlers)]
    yield
    for each, filters in before:
        each.filters = filters


@contextmanager
def canaille() -> Iterator[Canaille]:
    """It takes some seconds to start: once for a module at most."""
    import portpicker
    from canaille.backends import Backend
    from pytest_iam import Server

    from canaille import create_app

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    port = portpicker.pick_unused_port()
    rsa, ec = RSAKey.generate_key(2048, {"kid": "rsa"}), ECKey.generate_key("P-256", {"kid": "ec"})
    with _log_as_before():
        app = create_app(
            config={
                "TESTING": True, "ENV_FILE": None, "SECRET_KEY": "only for tests", "WTF_CSRF_ENABLED": False,
                "PREFERRED_URL_SCHEME": "http", "SERVER_NAME": f"localhost:{port}",
                "CANAILLE": {
                    "DATABASE": "memory", "JAVASCRIPT": False, "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
                    "LOGGING": {"version": 1, "disable_existing_loggers": False},
                },
                "CANAILLE_OIDC": {"ACTIVE_JWKS": [rsa.as_dict(private=True), ec.as_dict(private=True)]},
            },
            env_file=None,
        )  # fmt: skip
    server = Server(app, port, Backend.instance)
    thread = Thread(target=server.httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield Canaille(server)
    finally:
        server.httpd.shutdown()
        thread.join()
        server.httpd.server_close()
