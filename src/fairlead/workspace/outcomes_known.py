"""Outcomes as routing learns from them: how well a run was done, beside what its record, trace and prompt say of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from fairlead.costs.payload import decode_payload
from fairlead.costs.record import Record, decode_record
from fairlead.errors import FairleadError
from fairlead.learning.asked import asked
from fairlead.learning.trust import Trusted, trusted
from fairlead.models.types import Model
from fairlead.routing.learned import NO_FEATURES, Features, Observation, features
from fairlead.storage.store import Store
from fairlead.storage.types import NewOutcome
from fairlead.storage.vault import Vault
from fairlead.telemetry import decode

_NANO: Final = 1_000_000_000


def scores_since(store: Store, at: int) -> dict[str, list[tuple[float, float]]]:
    """Known outcomes by run, each a score from 0 to 1 and its weight."""
    return _by_run(_outcomes(store, at))


def trusted_scores_since(
    store: Store, at: int, caller_share: float
) -> tuple[dict[str, list[tuple[float, float]]], int]:
    """As `scores_since`, of the outcomes that may teach and with the weight that they have then; and how many others
    there are."""
    every = tuple(_outcomes(store, at))
    kept = trusted(every, caller_share).outcomes
    return _by_run(kept), len(every) - len(kept)


def trusted_since(store: Store, at: int, caller_share: float) -> Trusted:
    """Outcomes that may teach: nobody sways the rest, and what cannot be trusted is left out."""
    return trusted(_outcomes(store, at), caller_share)


def observations(
    store: Store, vault: Vault, models: Mapping[str, Model], outcomes: Iterable[NewOutcome]
) -> tuple[list[Observation], int]:
    """What these outcomes teach, and of how many of them the prompt is still there to look at.

    Deployments of one model are one. Outcomes of runs that the log no longer tells of are left out.
    """
    from fairlead.storage.log import Log

    by_run: dict[str, list[NewOutcome]] = {}
    for each in outcomes:
        by_run.setdefault(each.run, []).append(each)
    log, found, of_prompts = Log(store), list[Observation](), 0
    for row in log.since(0) if by_run else ():
        said = by_run.get(row.run)
        if said is None:
            continue
        record = decode_record(row.record)
        if record.kind != "call_model" or not record.model:
            continue
        sealed = log.payload(row.seq)
        question = None if sealed is None else _question(vault, sealed.subject, sealed.ciphertext, row.run)
        looks = NO_FEATURES if question is None else features(question)
        latency = _seconds(row.spans)
        for each in said:
            found.append(_observation(record, each, models, looks, latency))
            of_prompts += question is not None
    return found, of_prompts


def _by_run(outcomes: Iterable[NewOutcome]) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for each in outcomes:
        found.setdefault(each.run, []).append((each.score / 10_000, each.weight / 1000))
    return found


def _outcomes(store: Store, at: int) -> Iterator[NewOutcome]:
    from fairlead.storage.outcome_rows import outcomes_since

    with store.reading() as connection:
        yield from outcomes_since(connection, at)


def _observation(
    record: Record, outcome: NewOutcome, models: Mapping[str, Model], looks: Features, latency: float | None
) -> Observation:
    model, usage = models.get(record.model), record.usage
    return Observation(
        task=record.task,
        features=looks,
        model=(model.group if model is not None else "") or record.model,
        score=outcome.score / 10_000,
        cost=record.cost / _NANO,
        latency=latency,
        group=record.run,
        at=outcome.at,
        weight=outcome.weight / 1000,
        tokens_in=usage.input if usage is not None else None,
        tokens_out=usage.output if usage is not None else None,
    )


def _seconds(spans: bytes) -> float | None:
    """What the last call of the model took. Spans lie outside the proof: what cannot be read tells nothing."""
    try:
        found = [span for span in decode(spans) if span.name == "call"]
    except FairleadError:
        return None
    return found[-1].elapsed / 1e9 if found else None


def _question(vault: Vault, subject: str, ciphertext: bytes, run: str) -> str | None:
    """The last thing asked, as the classification saw it; None where it was erased or says nothing."""
    plain = vault.open_sealed(subject, ciphertext, run.encode())
    if plain is None:
        return None
    try:
        return asked(decode_payload(plain).body).text or None
    except msgspec.MsgspecError:
        return None
