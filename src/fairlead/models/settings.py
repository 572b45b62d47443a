"""What `models:` in fairlead.yaml compiles to: the models of a workspace, and the endpoints that they share."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.models.checks import (
    address_of,
    credentials_of,
    headers_of,
    key_of,
    name_of,
    placement_of,
    scheme_of,
    url_of,
)
from fairlead.models.declared import DeploymentSettings, ModelSettings, Secrets, TimeoutSettings
from fairlead.models.deployments import Group, Member
from fairlead.models.quirks import Quirks
from fairlead.models.secret import Secret
from fairlead.models.sigv4 import Credentials
from fairlead.models.spaces import refuse_unlike, space_of
from fairlead.models.types import Model, PerMinute
from fairlead.net.addresses import Address
from fairlead.net.http import Patience

__all__ = ["EndpointSettings", "ModelSettings", "Models", "Quirks", "Secret", "TimeoutSettings", "compile_models"]


class EndpointSettings(Struct, frozen=True, kw_only=True):
    """One driver instance. Models with equal settings share it, and with it their connections."""

    name: str
    scheme: str
    url: str = ""
    key: Secret | None = None
    patience: Patience = Patience()
    quirks: Quirks = Quirks()
    concurrency: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    identify: bool = False
    credentials: Credentials | None = None


class Models(Struct, frozen=True, kw_only=True):
    """The models of a workspace. `unavailable` tells why a model cannot be used now; it is a reason, not an error.

    A model with deployments stands here as one model for each of them, `NAME/DEPLOYMENT`, and as a group under NAME.
    `aliases` gives the name of the model or group that an alias stands for.
    """

    models: Mapping[str, Model]
    endpoints: Mapping[str, EndpointSettings]
    unavailable: Mapping[str, str]
    groups: Mapping[str, Group] = {}
    aliases: Mapping[str, str] = {}


def compile_models(settings: Mapping[str, str | ModelSettings], secrets: Secrets) -> Models:
    """Check and compile `models:`. Raises `BadInput` naming the key.

    A key reference that stands for nothing is no error: the text is right and only this machine lacks the key. The
    model is then `unavailable`, and routing says so.
    """
    compiling = _Compiling(secrets)
    groups: dict[str, Group] = {}
    for name, given in settings.items():
        asked = ModelSettings(use=given) if isinstance(given, str) else given
        if not asked.deployments:
            compiling.add(name, asked)
            continue
        deployed = {place: _deployed(asked, each) for place, each in asked.deployments.items()}
        for place, settings_there in deployed.items():
            compiling.add(f"{name}/{place}", settings_there, group=name)
        groups[name] = Group(name_of(name), _members(name, asked.deployments, deployed))
    refuse_unlike(compiling.models.values())
    return Models(
        models=compiling.models,
        endpoints=compiling.endpoints,
        unavailable=compiling.unavailable,
        groups=groups,
        aliases=_aliases(settings),
    )


class _Compiling:
    """The models compiled so far, with what they share."""

    def __init__(self, secrets: Secrets) -> None:
        self.models: dict[str, Model] = {}
        self.endpoints: dict[str, EndpointSettings] = {}
        self.unavailable: dict[str, str] = {}
        self._secrets = secrets

    def add(self, name: str, asked: ModelSettings, group: str = "") -> None:
        """Compile one model. Raises `BadInput` naming the key."""
        if name in self.models:
            raise BadInput(f"models.{name} is there twice", why="as a deployment, and by itself", mend="rename one")
        _, defaults, remote = scheme_of(name, asked)
        address = address_of(name, asked, defaults)
        endpoint = self._endpoint(name, asked, address)
        self.models[name] = Model(
            name=name_of(name),
            endpoint=_shared(self.endpoints, endpoint),
            remote=remote,
            placement=asked.placement or placement_of(defaults, address, asked.region or ""),
            context=asked.context,
            max_output=0 if asked.embeddings is not None else asked.max_output or 4096,
            tools=defaults.tools if asked.tools is None else asked.tools,
            json_schema=defaults.json_schema if asked.json_schema is None else asked.json_schema,
            choices=defaults.choices and endpoint.quirks.choices,
            images=defaults.images if asked.images is None else asked.images,
            files=defaults.files if asked.files is None else asked.files,
            audio=defaults.audio if asked.audio is None else asked.audio,
            quotes_context=defaults.quotes_context,
            group=group,
            per_minute=_per_minute(asked),
            caches_from=asked.caches_from,
            space=space_of(name, asked, defaults, group),
        )

    def _endpoint(self, name: str, asked: ModelSettings, address: Address | None) -> EndpointSettings:
        scheme_name, defaults, remote = scheme_of(name, asked)
        key, missing = key_of(f"models.{name}.key", asked.key or defaults.key, self._secrets)
        credentials = None
        if defaults.signed and asked.key is None:
            credentials, missing = credentials_of(name, asked, self._secrets)
        if missing:
            self.unavailable[name] = missing
        waits = asked.timeouts
        usual = address is None or address.url == url_of(defaults, asked)
        return EndpointSettings(
            name=scheme_name if usual or address is None else f"{scheme_name}@{address.authority}",
            scheme=scheme_name,
            # A recording is its own endpoint: its path takes the address's place.
            url=remote if address is None else address.url,
            key=key,
            patience=Patience(connect=waits.connect, first_byte=waits.first_byte, idle=waits.idle),
            quirks=asked.quirks or defaults.quirks,
            concurrency=asked.concurrency,
            headers=tuple(sorted(headers_of(name, asked.headers))),
            identify=asked.identify,
            credentials=credentials,
        )


_REACH: Final = (
    "key", "url", "region", "credentials", "placement", "concurrency", "headers", "quirks",
    "requests_per_minute", "tokens_per_minute",
)  # fmt: skip


def _deployed(asked: ModelSettings, deployment: DeploymentSettings) -> ModelSettings:
    """The model as this deployment reaches it."""
    use = deployment.use or asked.use
    alike = use.partition("/")[0] == asked.use.partition("/")[0]
    usual = asked if alike else ModelSettings(use=use)
    reach = {
        field: getattr(usual, field) if getattr(deployment, field) is None else getattr(deployment, field)
        for field in _REACH
    }
    return msgspec.structs.replace(asked, use=use, deployments={}, aliases=[], **reach)


def _per_minute(asked: ModelSettings) -> PerMinute | None:
    limit = PerMinute(asked.requests_per_minute, asked.tokens_per_minute)
    return None if limit == PerMinute() else limit


def _members(
    name: str, declared: Mapping[str, DeploymentSettings], deployed: Mapping[str, ModelSettings]
) -> tuple[Member, ...]:
    """The deployments of a model, in the order of their declaration."""
    sized = all(each.concurrency for each in deployed.values())
    found = []
    for place, each in declared.items():
        usual = (deployed[place].concurrency if sized else None) or 1
        found.append(Member(f"{name}/{place}", each.priority, float(usual if each.weight is None else each.weight)))
    return tuple(found)


def _aliases(settings: Mapping[str, str | ModelSettings]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, asked in settings.items():
        for alias in asked.aliases if isinstance(asked, ModelSettings) else ():
            if alias in settings or alias in found:
                raise BadInput(
                    f"models.{name}.aliases: `{alias}` means something else already",
                    why=f"it is {'a model' if alias in settings else f'an alias of {found[alias]}'}",
                    mend="choose another alias",
                )
            found[name_of(alias)] = name
    return found


def _shared(endpoints: dict[str, EndpointSettings], wanted: EndpointSettings) -> str:
    """The name of an endpoint with these settings; a new one gets a number if its plain name is taken."""
    number, name = 1, wanted.name
    while (present := endpoints.get(name)) is not None:
        if msgspec.structs.replace(present, name=wanted.name) == wanted:
            return name
        number += 1
        name = f"{wanted.name}#{number}"
    endpoints[name] = msgspec.structs.replace(wanted, name=name)
    return name
