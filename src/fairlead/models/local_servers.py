"""Model servers that people run on their own machines: where each listens unless it is told otherwise, and by what a
list of models tells whose it is."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.models.failures import LONGEST_ERROR_BODY
from fairlead.models.secret import Secret
from fairlead.models.settings import Models
from fairlead.net.http import Http, Patience

_MOST: Final = 1 << 20  # bytes of a list of models
_OWNERS: Final = {"llamacpp": "llama.cpp", "vllm": "vLLM", "sglang": "SGLang", "library": "Ollama"}


class Usual(Struct, frozen=True):
    """A server as it is usually found: its name, and where it lists its models."""

    runtime: str
    url: str
    path: str
    key: Secret | None = None


USUAL: Final[tuple[Usual, ...]] = (
    Usual("Ollama", "http://127.0.0.1:11434", "/api/tags"),
    Usual("llama.cpp", "http://127.0.0.1:8080/v1", "/models"),
    Usual("vLLM", "http://127.0.0.1:8000/v1", "/models"),
    Usual("LM Studio", "http://127.0.0.1:1234/v1", "/models"),
)


class Served(Struct, frozen=True):
    """A model that a server offers. `known_by` changes with its weights, as far as the server tells; else it is ""."""

    name: str
    known_by: str = ""


class LocalServer(Struct, frozen=True, kw_only=True):
    """A server that answered, or that is declared and did not: then `failed` says why."""

    runtime: str
    url: str
    models: tuple[Served, ...] = ()
    failed: str = ""


class _Tag(Struct):
    name: str = ""
    id: str = ""
    digest: str = ""
    owned_by: str = ""
    meta: dict[str, int | float | str | bool | None] | None = None


class _Listing(Struct):
    models: list[_Tag] | None = None
    data: list[_Tag] | None = None


def of_the_house(models: Models) -> tuple[Usual, ...]:
    """The servers that a workspace declares for models that do not run in a cloud, and those that are usual beside
    them."""
    declared: dict[str, Usual] = {}
    for model in models.models.values():
        endpoint = models.endpoints[model.endpoint]
        if model.placement.kind != "cloud" and endpoint.url.startswith("http"):
            path = "/api/tags" if endpoint.scheme == "ollama" else "/models"
            declared.setdefault(endpoint.url, Usual(endpoint.name, endpoint.url, path, endpoint.key))
    return (*declared.values(), *(each for each in USUAL if each.url not in declared))


async def found(http: Http, clock: Clock, usual: Sequence[Usual], seconds: float) -> list[LocalServer]:
    """What each of these says of itself, all asked at once and for no longer than `seconds`."""
    return list(await asyncio.gather(*(_asked(http, clock, each, seconds) for each in usual)))


async def _asked(http: Http, clock: Clock, usual: Usual, seconds: float) -> LocalServer:
    try:
        async with asyncio.timeout(seconds):
            body = await _listed(http, clock, usual, seconds)
    except TimeoutError:
        return LocalServer(runtime=usual.runtime, url=usual.url, failed=f"no answer within {seconds:g} s")
    except Upstream as error:
        return LocalServer(runtime=usual.runtime, url=usual.url, failed=error.message)
    return read(usual, body)


async def _listed(http: Http, clock: Clock, usual: Usual, seconds: float) -> bytes:
    headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "fairlead"}
    if usual.key is not None:
        headers["authorization"] = f"Bearer {usual.key.reveal()}"
    patience = Patience(connect=seconds, first_byte=seconds, idle=seconds)
    async with await http.get(
        usual.url + usual.path, headers, deadline=clock.monotonic() + seconds, patience=patience, subject=usual.runtime
    ) as answer:
        if answer.status != 200:
            await answer.start(LONGEST_ERROR_BODY)
            raise Upstream(f"it answers {answer.status}", subject=usual.runtime)
        return await answer.read(_MOST)


def read(usual: Usual, body: bytes) -> LocalServer:
    """What a list of models tells. The server's own word for whose it is counts more than where it listens."""
    try:
        listing = msgspec.json.decode(body, type=_Listing)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return LocalServer(runtime=usual.runtime, url=usual.url, failed="what it lists is no list of models")
    tags = listing.data or listing.models or []
    by_name = {one.name: one for one in listing.models or () if one.name}
    runtime = next((_OWNERS[one.owned_by] for one in tags if one.owned_by in _OWNERS), usual.runtime)
    return LocalServer(
        runtime=runtime,
        url=usual.url,
        models=tuple(
            Served(one.id or one.name, _known_by(by_name.get(one.name or one.id, one)) or _known_by(one))
            for one in tags
        ),
    )


def _known_by(tag: _Tag) -> str:
    """What tells one model's weights from another's of the same name."""
    if tag.digest:
        return tag.digest.removeprefix("sha256:")[:16]
    if tag.meta:
        said = {name: tag.meta[name] for name in ("n_params", "size", "n_vocab") if name in tag.meta}
        return "-".join(str(value) for value in said.values())
    return ""
