"""`identity.providers[].introspection`: the provider is asked about each token (RFC 7662), over and over."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.addresses import check_url
from fairlead.identity.secret_references import require_reference


class IntrospectionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`introspection:` of a provider: a token counts only while the provider says that it is active. While it cannot be
    asked, its tokens are refused."""

    client_id: Annotated[str, Meta(min_length=1, description="Fairlead's own name at the provider.")]
    client_secret: Annotated[str, Meta(description="Its secret: `env:NAME` or `file:PATH`.")]
    url: Annotated[
        str, Meta(description="Where it is asked; default: the `introspection_endpoint` of the issuer's discovery.")
    ] = ""
    every: Annotated[
        int, Meta(ge=1, le=300, description="Seconds for which an answer counts: so long a revocation may take.")
    ] = 5
    opaque: Annotated[
        bool,
        Meta(
            description="Accept tokens that are no JSON Web Tokens, by the provider's answer alone. For one provider "
            "at most: such a token does not say whose it is."
        ),
    ] = False


class Introspection(Struct, frozen=True, kw_only=True):
    """Checked. `secret` is the reference, never what it stands for."""

    client_id: str
    secret: str
    url: str
    every: int
    opaque: bool


def compile_introspection(key: str, settings: IntrospectionSettings | None) -> Introspection | None:
    """Check it. Raises `BadInput` naming the key."""
    if settings is None:
        return None
    require_reference(f"{key}.client_secret", settings.client_secret)
    if settings.url:
        check_url(f"{key}.url", settings.url)
    return Introspection(
        client_id=settings.client_id,
        secret=settings.client_secret,
        url=settings.url,
        every=settings.every,
        opaque=settings.opaque,
    )


def require_one_opaque(found: Sequence[Introspection | None]) -> None:
    """Raises `BadInput` if two providers would be shown tokens that do not say whose they are."""
    opaque = [number for number, each in enumerate(found) if each is not None and each.opaque]
    if len(opaque) > 1:
        raise BadInput(
            f"identity.providers[{opaque[1]}].introspection.opaque is set, and that of another provider too",
            why="an opaque token does not say whose it is, and would be shown to both of them",
            mend="set it for one provider",
        )
