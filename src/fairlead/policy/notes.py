"""Remarks for whoever wrote the policies: what they most likely did not mean."""

from fairlead.policy.detect import Detection
from fairlead.policy.judge import Judge


def notes(call: Judge, read: Judge, release: Judge, detection: Detection) -> tuple[str, ...]:
    """Actions that nothing permits, and categories that nothing finds."""
    found = [
        f"no policy permits {judge.action}: {meaning}"
        for judge, meaning in (
            (call, "every call is refused"),
            (read, "nobody may read any context"),
            (release, "every reply is withheld"),
        )
        if all(each.effect != "permit" for each in judge.statements.values())
    ]
    known = {each.category for each in detection.detectors} | set(detection.classes)
    named = call.reads.named | release.reads.named
    found += [f"policies name the category {each!r}, which no detector finds" for each in sorted(named - known)]
    return tuple(found)
