"""What editors know of the front matter of a page: the keys of every page, and those of its kind."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from fairlead.context.kinds import KINDS, Form, KindField
from fairlead.labels import ClassName

_DAY: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_Day = Annotated[str, Meta(pattern=_DAY)]
_Kind = Literal["page", "process", "policy", "term", "unit", "role", "flow", "decision", "dependency", "voice"]
_Status = Literal["draft", "review", "published", "retired"]
_FORMS: Final[Mapping[Form, Mapping[str, Any]]] = {
    "name": {"type": "string"},
    "names": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "day": {"type": "string", "pattern": _DAY},
    "count": {"type": "integer", "minimum": 1, "maximum": 10},
}


class Verified(Struct, frozen=True, forbid_unknown_fields=True):
    """Who last looked at a page and found it right."""

    at: Annotated[_Day, Meta(description="The day, such as 2026-01-31.")]
    by: Annotated[str, Meta(description="The person or team that looked.")] = ""


class PageFrontMatter(Struct, frozen=True):
    """The lines between two `---` at the top of a page of `context/`. Other keys are left to other tools."""

    title: Annotated[str | UnsetType, Meta(description="Default: the first heading, else the file's name.")] = UNSET
    owner: Annotated[str | UnsetType, Meta(description="Who answers for the page: a person, team or department.")] = (
        UNSET
    )
    audience: Annotated[
        str | list[str] | UnsetType,
        Meta(description="Who may read it: groups, departments (`department:sales`) or persons (`person:kim`)."),
    ] = UNSET
    class_: Annotated[ClassName | UnsetType, Meta(description="How far its text may travel.")] = field(
        default=UNSET, name="class"
    )
    verified: Annotated[_Day | Verified | UnsetType, Meta(description="When it was last found right, and by whom.")] = (
        UNSET
    )
    review_by: Annotated[_Day | UnsetType, Meta(description="When it has to be looked at again.")] = UNSET
    expires: Annotated[_Day | UnsetType, Meta(description="The last day on which it holds.")] = UNSET
    kind: Annotated[_Kind, Meta(description="What the page is. Each kind has keys of its own.")] = "page"
    status: Annotated[_Status, Meta(description="Only published pages are found and cited.")] = "published"
    topics: Annotated[str | list[str] | UnsetType, Meta(description="Words that task types ask for.")] = UNSET
    trusted: Annotated[bool, Meta(description="`false` for words of outsiders: packs label them so.")] = True
    contradicts: Annotated[
        str | list[str] | UnsetType,
        Meta(description="Pages that say otherwise, by their names, until it is settled which holds."),
    ] = UNSET
    source: Annotated[str | UnsetType, Meta(description="The synced source that it came from; written by sync.")] = (
        UNSET
    )
    origin: Annotated[str | UnsetType, Meta(description="Where in the source it lies; written by sync.")] = UNSET
    changed: Annotated[
        _Day | UnsetType, Meta(description="When the source says that its text last changed; written by sync.")
    ] = UNSET


def with_kinds(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of `PageFrontMatter` with the keys of each kind, which count only in pages of that kind."""
    return {**schema, "allOf": [_of_kind(kind, fields) for kind, fields in KINDS.items() if fields]}


def _of_kind(kind: str, fields: Mapping[str, KindField]) -> dict[str, Any]:
    needed = [name for name, each in fields.items() if each.needed]
    keys = {
        name: {"description": f"{each.says[0].upper()}{each.says[1:]}.", **_FORMS[each.form]}
        for name, each in fields.items()
    }
    return {
        "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
        "then": {"required": needed, "properties": keys},
    }
