"""How a provider is to treat a call, as clients of chats and of responses say it in the same fields."""

from typing import Final, Protocol

from fairlead.models.sampling import Handling

_NOTHING_SAID: Final = Handling()


class Asked(Protocol):
    """The fields of a request that are about its handling, as the OpenAI API (v1) names them; None for what was not
    sent."""

    @property
    def service_tier(self) -> str | None: ...
    @property
    def prompt_cache_key(self) -> str | None: ...
    @property
    def prompt_cache_retention(self) -> str | None: ...
    @property
    def user(self) -> str | None: ...
    @property
    def safety_identifier(self) -> str | None: ...
    @property
    def metadata(self) -> dict[str, str] | None: ...


def handling_of(asked: Asked) -> Handling | None:
    """What the client said of it, None for nothing."""
    handling = Handling(
        service_tier=asked.service_tier,
        prompt_cache_key=asked.prompt_cache_key,
        prompt_cache_retention=asked.prompt_cache_retention,
        user=asked.user,
        safety_identifier=asked.safety_identifier,
        metadata=asked.metadata,
    )
    return None if handling == _NOTHING_SAID else handling
