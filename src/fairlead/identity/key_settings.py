"""`keys:` in fairlead.yaml: keys that come with the workspace, and what binds one to a person who is pushed."""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.keys import Key
from fairlead.identity.secret_references import digest_referred_to


class KeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `keys:` in fairlead.yaml: a key that comes with the workspace, known by a secret or its digest."""

    secret: Annotated[
        str,
        Meta(description="Where the key is: `env:NAME`, or `sha256:HEX`, the digest that `fairlead key add` prints."),
    ]
    person: Annotated[str, Meta(min_length=1, description="Who acts with this key.")]
    agent: Annotated[str, Meta(description="The program that acts for the person.")] = ""
    department: Annotated[str, Meta(description="The person's department.")] = ""
    groups: Annotated[list[str], Meta(description="The person's groups.")] = []
    roles: Annotated[list[str], Meta(description="The person's roles.")] = []
    bound_to: Annotated[
        str,
        Meta(
            description="The provider with `scim` at which the person (`NAME|…`) must be active. Of the key's groups "
            "those count that were pushed for the person."
        ),
    ] = ""


def compile_keys(keys: Mapping[str, KeySettings], reveal: Callable[[str], str]) -> tuple[Key, ...]:
    """Check and compile. Raises `BadInput` naming the key of the workspace."""
    seen: dict[bytes, str] = {}
    declared = []
    for name, settings in keys.items():
        digest = digest_referred_to(f"keys.{name}.secret", settings.secret, reveal, "fairlead key add")
        if not digest:
            raise BadInput(
                f"keys.{name}.secret: {settings.secret} is not set on this machine",
                why="whoever shows an empty key would be this caller",
                mend=f"export {settings.secret.removeprefix('env:')}=… before starting",
            )
        if digest in seen:
            raise BadInput(
                f"keys.{name}.secret is the same key as keys.{seen[digest]}.secret",
                why="one key is one caller",
                mend="give each its own",
            )
        seen[digest] = name
        declared.append(
            Key(
                name=name,
                digest=digest,
                person=settings.person,
                agent=settings.agent,
                department=settings.department,
                groups=frozenset(settings.groups),
                roles=frozenset(settings.roles),
                bound_to=settings.bound_to,
            )
        )
    return tuple(declared)


def require_binding(key: str, bound_to: str, person: str, pushing: Collection[str]) -> None:
    """Raises `BadInput` if a key is bound to a provider that is none of those `pushing` their people, or to nobody of
    its people."""
    if not bound_to:
        return
    if bound_to not in pushing:
        raise BadInput(
            f"{key}: {bound_to!r} is no provider that pushes its people",
            why="whether a person is active is known only where the provider pushes it",
            mend=f"name one of {', '.join(pushing)}"
            if pushing
            else "add `scim` to the provider, or leave `bound_to` out",
        )
    if not person.startswith(f"{bound_to}|"):
        raise BadInput(
            f"{key}: the person {person!r} is none of {bound_to}",
            why=f"people of that provider are called {bound_to}|…",
            mend=f"set the person to {bound_to}| and what `scim.person` names them by",
        )
