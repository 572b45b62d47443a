"""Why a push is refused."""

from typing import TYPE_CHECKING, Final

from fairlead.errors import BadInput, NotFound
from fairlead.identity.settings import Provider

if TYPE_CHECKING:
    from fairlead.identity.directory import PersonFields

_LONGEST_NAME: Final = 512


class Taken(BadInput):
    """Another person or group of the same provider has this name already.

    Two of one name could not be told apart when rights are decided. Look for the other one, and change or delete it
    first.
    """

    code = "taken"
    status = 409


class Outdated(BadInput):
    """What was to be changed has been changed meanwhile: `If-Match` names another version.

    Read it again and decide anew.
    """

    code = "outdated"
    status = 412


def require_fit(provider: Provider, fields: "PersonFields") -> None:
    """Raises `BadInput` unless a person can be known by these names."""
    require_name("userName", fields.user_name)
    if fields.external_id:
        require_name("externalId", fields.external_id)
    elif provider.scim is not None and provider.scim.person == "externalId":
        raise BadInput(
            "the person has no externalId",
            why="`scim.person` says that tokens name people by it, so nobody could be found without one",
            mend="map the attribute that tokens have in their claim to externalId, or set `scim.person: userName`",
            param="externalId",
        )


def require_name(attribute: str, value: str) -> None:
    """Raises `BadInput` for a name that is empty, too long, or cannot be shown."""
    if not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise BadInput(
            f"{attribute} is no fit name",
            why=f"it has 1 to {_LONGEST_NAME} characters that can be printed",
            mend="correct it at the provider",
            param=attribute,
        )


def require_match(version: int, match: int | None) -> None:
    """Raises `Outdated` if somebody means another version than there is."""
    if match is not None and match != version:
        raise Outdated(
            f"this is at version {version}, and version {match} was meant",
            why="it was changed meanwhile",
            mend="read it again and decide anew",
        )


def taken(attribute: str) -> Taken:
    """The error for a name that another one has."""
    return Taken(
        f"another one has this {attribute} already",
        why="two of one name could not be told apart when rights are decided",
        mend=f"look for it by {attribute}, and change or delete it",
        param=attribute,
    )


def unknown(what: str, id: str) -> NotFound:
    """The error for whom, or what, this provider has not pushed."""
    return NotFound(
        f"there is no {what} {id[:80]!r} of this provider",
        why="it was never pushed, or was deleted or erased",
        mend="push it anew, or look for it by its name",
    )


def too_many(what: str, most: int) -> BadInput:
    """The error for one more than every worker has in memory."""
    return BadInput(
        f"there are {most} {what} of this provider already",
        why="every worker has all of them in memory",
        mend="push only those who use Fairlead",
    )
