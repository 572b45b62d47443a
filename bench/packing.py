"""What it takes to make a pack of 24 passages, to render it and to hash it: CPU of one thread, nothing read.

    python -m bench.packing

`first` is with passages that this process has not seen before, `again` with passages that it has: what is known of a
passage by itself (its kind, its likeness, its figures) is worked out once.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from statistics import median

from fairlead.context import Hit, render
from fairlead.context.packing import Gathered, digest_of, pack_of
from fairlead.context.types import LivePiece
from fairlead.labels import DataClass

_PACKS = 60
_SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wo", "xi", "zu")


def _text(draw: random.Random, words: list[str]) -> str:
    sentences = (" ".join(draw.choices(words, k=draw.randint(6, 18))) for _ in range(14))
    return ". ".join(f"{one} within {draw.randint(2, 90)} {draw.choice(words)}" for one in sentences) + "."


def _gathered(draw: random.Random, words: list[str]) -> Gathered:
    hits = tuple(
        Hit(
            item=f"handbook/page-{number}", version="0123456789ab", title="A page", heading=f"A page > Part {number}",
            text=_text(draw, words), owner="retail", verified="2026-01-31", review_by="2026-12-01",
            data_class=DataClass.internal, score=1.0,
        )
        for number in range(24)
    )  # fmt: skip
    live = LivePiece(name="order", state="met", tool="shop.order", title="The order", text="status: sent", as_of="now")
    return Gathered(snapshot="s", budget=20_000, hits=hits, live=(live,), today="2026-11-21")


def _us(work: Callable[[int], object]) -> float:
    """The median of all packs: other work on the machine lengthens some."""
    took = []
    for number in range(_PACKS):
        began = time.process_time_ns()
        work(number)
        took.append(time.process_time_ns() - began)
    return round(median(took) / 1000, 1)


def main() -> int:
    draw = random.Random(7)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(3000)]
    all_of_them = [_gathered(draw, words) for _ in range(_PACKS)]
    pack_of(_gathered(draw, words))
    first = _us(lambda number: pack_of(all_of_them[number]))
    again = _us(lambda number: pack_of(all_of_them[number]))
    pack = pack_of(all_of_them[0])
    result = {
        "passages": len(pack.passages),
        "first_us": first,
        "again_us": again,
        "digest_us": _us(lambda _: digest_of(pack)),
        "render_us": _us(lambda _: render(pack, "Answer briefly.")),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
