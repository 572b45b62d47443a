"""A talk between a server and the caller's program, in the SDK's words."""

from collections.abc import Mapping
from typing import Any, Final

from mcp import Client
from mcp_types import (
    CreateMessageResult,
    CreateMessageResultWithTools,
    ElicitResult,
    EmptyResult,
    ErrorData,
    InputRequiredResult,
    ListRootsResult,
    SamplingCapability,
    SetLevelRequest,
    SetLevelRequestParams,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from fairlead.errors import BadInput, FairleadError
from fairlead.tools.mcp_session import Asking, Session
from fairlead.tools.talk import Notice, Questions, Talk

_DECLINED: Final = -32600
_SAMPLED: Final[TypeAdapter[Any]] = TypeAdapter(CreateMessageResult | CreateMessageResultWithTools)


def callbacks(talk: Talk) -> dict[str, Any]:
    """What the SDK's client is opened with, so that it declares what the caller's program has declared and no more."""
    abilities = talk.abilities
    made: dict[str, Any] = {}

    async def asked(method: str, params: Any, kind: Any) -> Any:
        if talk.ask is None:
            return ErrorData(code=_DECLINED, message="nobody can be asked in the midst of this call")
        about = params.model_dump(by_alias=True, mode="json", exclude_none=True) if params is not None else {}
        try:
            given = await talk.ask(method, about)
            return kind.validate_python(given)
        except FairleadError as error:
            return ErrorData(code=_DECLINED, message=error.message)
        except ValidationError:
            return ErrorData(code=_DECLINED, message="the answer is none that the protocol knows")

    if "elicitation" in abilities:
        made["elicitation_callback"] = lambda _, params: asked("elicitation/create", params, TypeAdapter(ElicitResult))
    if "sampling" in abilities:
        made["sampling_callback"] = lambda _, params: asked("sampling/createMessage", params, _SAMPLED)
        made["sampling_capabilities"] = SamplingCapability.model_validate(abilities["sampling"])
    if "roots" in abilities:
        made["list_roots_callback"] = lambda _: asked("roots/list", None, TypeAdapter(ListRootsResult))
    if talk.log and talk.tell is not None:
        made |= {"log_level": talk.log, "logging_callback": lambda params: _note(talk, "log", params)}
    return made


async def _note(talk: Talk, kind: Any, params: BaseModel) -> None:
    assert talk.tell is not None
    await talk.tell(Notice(kind=kind, told=params.model_dump(by_alias=True, mode="json", exclude_none=True)))


def progress(talk: Talk | None) -> Any:
    """What the SDK calls as the work goes on, None where nobody wants to know."""
    if talk is None or not talk.progress or talk.tell is None:
        return None
    tell = talk.tell

    async def went_on(done: float, total: float | None, message: str | None) -> None:
        told = {"progress": done, "total": total, "message": message}
        await tell(Notice(kind="progress", told={key: value for key, value in told.items() if value is not None}))

    return went_on


async def listen(session: Session, client: Client, talk: Talk, asking: Asking) -> None:
    """Say what notes are wanted, where the revision has a request of its own for that."""
    capabilities = client.session.server_capabilities
    if not talk.log or client.session.discover_result is not None or capabilities is None or not capabilities.logging:
        return
    level: Any = talk.log
    await session.ask(SetLevelRequest(params=SetLevelRequestParams(level=level)), EmptyResult, asking)


def answers(talk: Talk | None) -> dict[str, Any]:
    """What stands in a request that is made again with what was asked for."""
    if talk is None or not talk.is_again:
        return {}
    given = {"inputResponses": dict(talk.answers)} if talk.answers else {}
    return given | ({"requestState": talk.state} if talk.state is not None else {})


def not_answers(error: ValidationError) -> BadInput:
    """The error for answers whose form the protocol does not know."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return BadInput(
        "the answers are none that the protocol knows",
        why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
        mend="answer each question in the form that its method has",
        param="inputResponses",
    )


def questions(result: InputRequiredResult) -> Questions:
    """What a server asks before it goes on, as it goes to the caller."""
    plain: Mapping[str, Any] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return Questions(asked=plain.get("inputRequests") or {}, state=plain.get("requestState"))
