"""`context.upkeep` in fairlead.yaml: who is told of pages that need somebody, how often, and by which way."""

from collections.abc import Collection
from typing import Annotated, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput


class MailSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that takes mail for owners. What is sent holds names of pages and figures, never their texts."""

    server: Annotated[str, Meta(min_length=1, description="The SMTP server's name.")]
    port: Annotated[int, Meta(ge=1, le=65_535, description="Its port.")] = 587
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="`starttls`; `tls` from the first byte (port 465); `none`, for a server on this machine."),
    ] = "starttls"
    user: Annotated[str, Meta(description="Who signs in there. Default: nobody.")] = ""
    password: Annotated[str, Meta(pattern="^(env|file):.+|^$", description="`env:NAME` or `file:PATH`.")] = ""
    sender: Annotated[str, Meta(pattern="^[^@\\s<>]+@[^@\\s<>]+$", description="From which address it is sent.")]


class OwnerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner, where pages of the kinds `unit` and `role` do not say it."""

    mail: Annotated[str, Meta(pattern="^[^@\\s<>]+@[^@\\s<>]+$|^$", description="Their address.")] = ""
    manager: Annotated[str, Meta(description="Who is told when they miss a deadline.")] = ""


class UpkeepSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upkeep of the context: owners are told of what needs them. Off until `alarm` or `mail` is there."""

    alarm: Annotated[str, Meta(description="One of `alarms:`, told of every digest.")] = ""
    mail: Annotated[MailSettings | None, Meta(description="Digests go to owners by mail.")] = None
    lead: Annotated[
        str, Meta(description="Who is asked where nobody else is known, and told of owners who have left.")
    ] = ""
    most: Annotated[int, Meta(ge=1, le=100, description="Requests that an owner is told of in a week, at most.")] = 5
    due: Annotated[int, Meta(ge=1, le=365, description="Days that an owner has for one.")] = 7
    answers: Annotated[int, Meta(ge=1, le=400, description="Answers of how many days are looked at.")] = 30
    owners: Annotated[dict[str, OwnerSettings], Meta(description="Owners by the name that pages give them.")] = {}

    @property
    def on(self) -> bool:
        """Whether anybody is told of anything."""
        return bool(self.alarm or self.mail)


NO_UPKEEP = UpkeepSettings()


def require_sound(settings: UpkeepSettings, alarms: Collection[str]) -> None:
    """Raises `BadInput` naming the key."""
    key = "context.upkeep"
    if settings.alarm and settings.alarm not in alarms:
        raise BadInput(f"{key}.alarm: there is no alarm `{settings.alarm}`", mend="declare it under `alarms:`")
    mail = settings.mail
    if mail is None:
        return
    if mail.user and not mail.password:
        raise BadInput(f"{key}.mail.user has no password", mend=f"add {key}.mail.password: env:NAME")
    if mail.tls == "none" and mail.server not in ("localhost", "127.0.0.1", "::1"):
        raise BadInput(
            f"{key}.mail.tls: {mail.server} is not this machine",
            why="mail would go there, and its password, unencrypted",
            mend="use starttls or tls",
        )
