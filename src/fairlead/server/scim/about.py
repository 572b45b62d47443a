"""What this SCIM service can do, as clients ask for it: ServiceProviderConfig, ResourceTypes, Schemas (RFC 7643)."""

from typing import Any, Final

from fairlead.errors import NotFound
from fairlead.server.scim.attributes import GROUP, USER
from fairlead.server.scim.resources import ROOT, listed

MOST_LISTED: Final = 200
_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"
PATHS: Final = ("ServiceProviderConfig", "ResourceTypes", "Schemas")


def about(provider: str, what: str, name: str) -> dict[str, Any]:
    """The document at a path. Raises `NotFound`."""
    at = f"{ROOT}{provider}/{what}"
    if what == "ServiceProviderConfig" and not name:
        return _config(at)
    known = _types(at) if what == "ResourceTypes" else _schemas(at)
    if not name:
        return listed(known.values(), len(known), 1)
    if what == "ServiceProviderConfig" or name not in known:
        raise NotFound(f"there is no {what} {name[:80]!r}", why="only people and groups are kept", mend=f"GET {at}")
    return known[name]


def _config(at: str) -> dict[str, Any]:
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_LISTED},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The token that the workspace names for this provider.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": at},
    }


def _types(at: str) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "schemas": [_TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "description": said,
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{at}/{name}"},
        }
        for name, schema, said in (("User", USER, "A person"), ("Group", GROUP, "A group of people"))
    }


def _schemas(at: str) -> dict[str, dict[str, Any]]:
    member = [
        _attribute("value", "Its id.", mutability="immutable"),
        _attribute("$ref", "Where it is.", kind="reference", mutability="immutable", referenceTypes=["User"]),
        _attribute("display", "Its name.", mutability="readOnly"),
    ]
    external = _attribute("externalId", "The provider's own id.", caseExact=True)
    kept = {
        USER: (
            _attribute("userName", "The name that the person signs in with.", required=True, uniqueness="server"),
            external,
            _attribute("active", "Whether the person may do anything.", kind="boolean"),
            _attribute(
                "groups",
                "The person's groups.",
                kind="complex",
                multiValued=True,
                mutability="readOnly",
                subAttributes=[{**each, "mutability": "readOnly"} for each in member],
            ),
        ),
        GROUP: (
            _attribute("displayName", "The group's name, as policies name it.", required=True, uniqueness="server"),
            external,
            _attribute("members", "Who is in it.", kind="complex", multiValued=True, subAttributes=member),
        ),
    }
    return {
        id: {
            "schemas": [_SCHEMA],
            "id": id,
            "name": id.rpartition(":")[2],
            "description": "What is kept of it; other attributes are taken and forgotten.",
            "attributes": list(attributes),
            "meta": {"resourceType": "Schema", "location": f"{at}/{id}"},
        }
        for id, attributes in kept.items()
    }


def _attribute(name: str, said: str, *, kind: str = "string", **more: Any) -> dict[str, Any]:
    usual = {
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return {"name": name, "type": kind, "description": said, **usual, **more}
