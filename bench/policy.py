"""What policy costs on the path of a request, in microseconds. Run: python bench/policy.py"""

import time
from collections.abc import Callable

from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, Access, DataClass, Labels
from fairlead.models.types import ChatRequest, Message, Model, Placement
from fairlead.policy import Asked, Rule, compile_policy
from fairlead.tasks.types import Task, TaskType

PROSE = "Please summarise the quarterly report for the board, with 3 key points and 12 numbers from 2024. "


def microseconds(work: Callable[[], object], rounds: int, per: int = 1) -> float:
    """The best of seven runs, for one call (or one of the `per` parts of a call)."""
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(rounds):
            work()
        best = min(best, time.perf_counter() - started)
    return best / rounds / per * 1e6


def main() -> None:
    models = tuple(
        Model(name=f"m{n}", endpoint="e", remote="r", placement=Placement("cloud" if n % 2 else "device"))
        for n in range(5)
    )
    rules = [
        Rule(redact=("payment_card", "secret"), audience="cloud"),
        Rule(redact=("payment_card", "iban", "email"), audience="replies"),
        Rule(withhold=("secret",)),
    ]
    policy = compile_policy({}, rules)
    caller = Caller(person="p", groups=frozenset({"a", "b"}), department="sales")
    task = Task(type=TaskType(name="t"), labels=NO_LABELS, question="")
    labels = Labels(DataClass.confidential, frozenset({"payment_card"}))
    access = Access(frozenset({"a"}), DataClass.internal, "o")
    clean = ChatRequest(model="auto", size=1, messages=[Message("user", (PROSE * 70)[:6144])])
    dirty = ChatRequest(model="auto", size=1, messages=[Message("user", "4111 1111 1111 1111 " + (PROSE * 70)[:6144])])
    reply = PROSE * 20
    chunks = [reply[at : at + 10] for at in range(0, len(reply), 10)]

    def stream() -> None:
        screen = policy.screen(caller, Asked("t"), models[1])
        for chunk in chunks:
            screen.feed(chunk)
        screen.close()

    may = policy.may_read(caller)
    for name, cost in (
        ("compile a policy", microseconds(lambda: compile_policy({}, rules), 3)),
        ("detect, 6 KB clean", microseconds(lambda: policy.detect(clean), 500)),
        ("detect, 6 KB with a card", microseconds(lambda: policy.detect(dirty), 200)),
        (
            "authorize 5 models, remembered",
            microseconds(lambda: policy.authorize(caller, task, labels, models, "d"), 5000),
        ),
        (
            "authorize 5 models, afresh",
            microseconds(lambda: policy.authorize_afresh(caller, "t", labels, models, "d"), 50),
        ),
        ("may_read", microseconds(lambda: policy.may_read(caller), 5000)),
        ("may_read of one item", microseconds(lambda: may(access), 5000)),
        ("screen, open", microseconds(lambda: policy.screen(caller, Asked("t"), models[1]), 2000)),
        ("screen, 10 characters", microseconds(stream, 20, len(chunks))),
    ):
        print(f"{name:32} {cost:10.2f} µs")


if __name__ == "__main__":
    main()
