"""A piece of work: what several actions of one person do together, by whichever agents."""

from hashlib import sha256

_PREFIX = "work_"


def work_id(subject: str, tenant: str, name: str) -> str:
    """What the log knows a piece of work by. `subject` is the person's pseudonym, so that no other person's work of the
    same name is the same, and nobody who reads the log learns the name."""
    whole = "\0".join((subject, tenant, name))
    return _PREFIX + sha256(whole.encode()).hexdigest()[:24]


def is_work(within: str) -> bool:
    """Whether a record's `within` is a piece of work, and not the action that it was a part of."""
    return within.startswith(_PREFIX)
