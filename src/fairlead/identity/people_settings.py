"""`identity.providers[].scim`: what a workspace says about a provider that pushes its people."""

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.secret_references import digest_referred_to

_FIT_FOR_A_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class ScimSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scim:` of a provider: it pushes its people and groups to `/scim/v2/NAME`. Who was not pushed, or is not active
    there, is refused; a change counts on every worker within five seconds."""

    token: Annotated[
        str | list[str],
        Meta(
            description="Where the provider's own bearer token for pushing is: `env:NAME`, or `sha256:HEX`, its "
            "digest. Two while one takes the other's place."
        ),
    ]
    person: Annotated[
        Literal["externalId", "userName"],
        Meta(description="The attribute that has what tokens have in the claim `claims.person`."),
    ] = "externalId"
    groups: Annotated[
        Literal["pushed", "token"],
        Meta(
            description="`pushed`: a person's groups are those that were pushed, by their displayName, whatever tokens "
            "say. `token`: those of the token; for providers that push people only."
        ),
    ] = "pushed"


class Scim(Struct, frozen=True, kw_only=True):
    """Checked and ready. `digests` are those of the tokens that this machine has."""

    digests: tuple[bytes, ...]
    person: Literal["externalId", "userName"]
    groups: Literal["pushed", "token"]


def compile_scim(key: str, provider: str, settings: ScimSettings, reveal: Callable[[str], str]) -> Scim:
    """Check and compile. A token that this machine lacks is left out: nobody can push with it here.

    Raises `BadInput` naming the key of the workspace.
    """
    if not _FIT_FOR_A_PATH.fullmatch(provider):
        raise BadInput(
            f"{key}.scim: {provider!r} cannot stand in the path /scim/v2/NAME",
            why="the provider's name is a part of it, and only letters, digits, dots, dashes and underscores fit",
            mend="give the provider a short `name`",
        )
    references = [settings.token] if isinstance(settings.token, str) else settings.token
    if not 1 <= len(references) <= 2:
        raise BadInput(
            f"{key}.scim.token names {len(references)} tokens",
            why="there is one, or two while one takes the other's place",
            mend="name one",
        )
    found = tuple(
        digest_referred_to(f"{key}.scim.token", each, reveal, "openssl rand -base64 32") for each in references
    )
    return Scim(digests=tuple(each for each in found if each), person=settings.person, groups=settings.groups)
