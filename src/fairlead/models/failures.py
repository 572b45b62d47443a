"""What a provider's error means: from HTTP status and body to the errors that the path acts on.

Providers word errors in many shapes, and some put file paths, source lines or keys into them. Only a short, cleaned
sentence passes, and only where it tells the caller what to change.
"""

import msgspec

from fairlead.clock import Clock
from fairlead.errors import RateLimited, Rejected, TooLong, Upstream
from fairlead.models.embedding import EmbedCall
from fairlead.models.error_body import ErrorBody, cleaned, read_error
from fairlead.models.types import ModelCall
from fairlead.net.http_answer import HttpAnswer
from fairlead.net.pauses import LONGEST_PAUSE, retry_after

LONGEST_ERROR_BODY = 64 << 10

_TOO_LONG = (
    "context_length_exceeded",
    "exceed_context_size",
    "maximum context length",
    "context window",
    "prompt is too long",
    "input is too long",
    "context size",
    "too many tokens",
    "exceeds the maximum number of tokens",
)
_NO_SUCH_MODEL = (
    "model_not_found", "model not found", "does not exist", "unknown model", "no such model",
    "model identifier is invalid",
)  # fmt: skip
_NO_CREDIT = (
    "insufficient_quota", "credit balance", "billing_hard_limit", "exceeded your current quota", "servicequotaexceeded",
)  # fmt: skip
_RATE_LIMITED = ("rate_limit", "429", "resource_exhausted", "throttling")
_UNSAID = "see what this server does differently, and say so under `quirks:`"
_BAD_KEY = ("api_key_invalid", "api key not valid", "api key expired")


def failure(answer: HttpAnswer, body: bytes, *, clock: Clock, subject: str) -> Upstream:
    """The error for an answer whose status is not 200. `body` is the start of its body."""
    status = answer.status
    said = read_error(body, answer.headers)
    text = f"{said.kind} {said.words}"
    if status == 429:
        return _rate_limited(answer, said, clock, subject)
    if _says(_BAD_KEY, text):
        return _misdirected(401, subject)
    if status in (400, 413, 422):
        return _rejected(status, said, subject)
    if status == 402 or _says(_NO_CREDIT, text):
        return _no_credit(subject)
    if status >= 500 or status in (408, 409, 424, 425):
        return _out_of_order(status, answer, clock, subject)
    return _misdirected(status, subject)


def _misdirected(status: int, subject: str) -> Upstream:
    """The workspace has the wrong key, address or model: nothing that trying again mends."""
    if status in (401, 403):
        # Not even the cleaned words: this is where providers quote the key.
        return Upstream(
            f"the model's server refused the credentials (HTTP {status})",
            mend="check the key that `models:` names for this model, and what it may use",
            subject=subject,
            retryable=False,
        )
    if status < 400:
        return Upstream(
            f"the model's server answered with HTTP {status}, such as a redirect, which Fairlead does not follow",
            mend="give the final address under `models:`",
            subject=subject,
            retryable=False,
        )
    return _unknown_model(status, subject)


def beyond(what: str, call: ModelCall | EmbedCall, why: str) -> Rejected:
    """The error for a request that asks for what a model's protocol or server does not have."""
    return Rejected(
        f"model {call.model.name} cannot do {what}",
        why=why,
        mend="leave it out, or choose another model",
        subject=call.model.name,
        retryable=False,
    )


def stream_failure(raw: bytes, *, subject: str, kind: str = "") -> Upstream:
    """The error for an error event inside a 200 answer, whatever its shape, or for junk in its place. `kind` is the
    provider's name for it, where that stands beside the body."""
    if not _is_json(raw):
        return unusable("part of it is not JSON" if raw else "it is empty", subject=subject, charged="unknown")
    said = read_error(raw)
    text = f"{kind} {said.kind} {said.words}"
    if _says(_TOO_LONG, text):
        return _rejected(400, said, subject)
    if _says(_RATE_LIMITED, f"{kind} {said.kind}"):
        return RateLimited(
            "the model's server asks for a pause",
            mend="wait, or add another model to fall back to",
            subject=subject,
            charged="unknown",
            retry_after=said.pause,
        )
    why = ": ".join(part for part in (f"{kind} {said.kind}".strip(), cleaned(said.words)) if part)
    return Upstream(
        "the model's server reported an error in its answer",
        why=why or "it gave no reason",
        mend="try again, or add another model to fall back to",
        subject=subject,
        charged="unknown",
    )


def refused_content(reason: str, *, subject: str) -> Rejected:
    """The error for a provider that answers nothing because of what the request says."""
    return Rejected(
        "the model's provider refused the content of the request",
        why=f"it gives the reason {cleaned(reason)[:60]}",
        mend="change what is asked, or choose another model",
        subject=subject,
        retryable=False,
        charged="unknown",
    )


def unusable(why: str, *, subject: str, charged: str = "unknown") -> Upstream:
    """The error for a 200 answer that makes no sense."""
    return Upstream(
        "the model's server sent an answer that Fairlead cannot read",
        why=why,
        mend="check that the address under `models:` speaks the protocol that `use:` names",
        subject=subject,
        charged=charged,
    )


def _rate_limited(answer: HttpAnswer, said: ErrorBody, clock: Clock, subject: str) -> Upstream:
    # One vendor says that the quota is exceeded of every limit, but asks for a pause where waiting will do.
    spent = said.by_the_day or (said.pause is None and _says(_NO_CREDIT, f"{said.kind} {said.words}"))
    if spent:
        return _no_credit(subject)
    pause = retry_after(answer.headers.get("retry-after"), clock)
    if pause is None and said.pause is not None:
        pause = min(said.pause, LONGEST_PAUSE)
    return RateLimited(
        "the model's server asks for a pause (HTTP 429)",
        why="" if pause is None else f"it asks to wait {pause:g} s",
        mend="wait, or add another model to fall back to",
        subject=subject,
        retry_after=pause,
    )


def _rejected(status: int, said: ErrorBody, subject: str) -> Upstream:
    text = f"{said.kind} {said.words}"
    if status == 413 or _says(_TOO_LONG, text):
        return TooLong(
            "the prompt is too long for this model",
            why="input and output limit together pass its context length",
            mend="shorten the messages, lower max_tokens, or choose a model with a longer context",
            subject=subject,
            retryable=False,
        )
    if _says(_NO_SUCH_MODEL, text):
        return _unknown_model(status, subject)
    if _says(_NO_CREDIT, text):
        return _no_credit(subject)
    return Rejected(
        f"the model's server calls the request wrong (HTTP {status})",
        why=cleaned(said.words),
        mend="change the request as it says" if said.words else _UNSAID,
        subject=subject,
        retryable=False,
    )


def _no_credit(subject: str) -> Upstream:
    return Upstream(
        "the account at the model's provider has no credit or quota left",
        mend="add credit or raise the quota at the provider",
        subject=subject,
        retryable=False,
    )


def _unknown_model(status: int, subject: str) -> Upstream:
    return Upstream(
        f"the model's server does not know this model or address (HTTP {status})",
        mend="check the model's name and address under `models:`; `fairlead doctor` lists what the server offers",
        subject=subject,
        retryable=False,
    )


def _out_of_order(status: int, answer: HttpAnswer, clock: Clock, subject: str) -> Upstream:
    # A gateway in front of the model gave up waiting (408, 504, 524): the model itself may have gone on.
    charged = "unknown" if status in (408, 424, 504, 524) else "no"
    return Upstream(
        f"the model's server failed (HTTP {status})",
        why="it is overloaded" if status in (503, 529) else "",
        mend="try again, or add another model to fall back to",
        subject=subject,
        charged=charged,
        retry_after=retry_after(answer.headers.get("retry-after"), clock),
    )


def _says(any_of: tuple[str, ...], text: str) -> bool:
    text = text.lower()
    return any(phrase in text for phrase in any_of)


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
