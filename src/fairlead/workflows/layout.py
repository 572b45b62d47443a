"""Where the steps of a workflow stand in a picture: each list of steps is a column of rows, and lists within a step lie
side by side below its head. Pure geometry, in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.workflows.definition import Step
from fairlead.workflows.graph import follows_of, lists_of, ordered

WIDTH, HEIGHT, GAP, PAD, HEAD, LABEL = 190, 44, 26, 14, 30, 18


@dataclass(frozen=True, slots=True)
class Box:
    """A step in the picture, or with `frame` a step that holds others."""

    id: str
    kind: str
    said: str
    x: int
    y: int
    width: int
    height: int
    frame: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a list within a step, where there are several."""

    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the middle of a box's lower edge to the middle of another's upper edge."""

    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(slots=True)
class Picture:
    """What is drawn, and how large it is in all."""

    boxes: list[Box]
    labels: list[Label]
    arrows: list[Arrow]
    width: int = 0
    height: int = 0


def picture_of(steps: Sequence[Step]) -> Picture:
    """The picture of a definition's steps."""
    picture = Picture([], [], [])
    picture.width, picture.height = _list(picture, steps, PAD, PAD)
    picture.width += 2 * PAD
    picture.height += 2 * PAD
    return picture


def rows_of(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in rows: one comes below all that it follows, and beside what may run at the same time."""
    follows, rank = follows_of(steps), dict[str, int]()
    rows: list[list[Step]] = []
    for step in ordered(steps):
        rank[step.id] = max((rank[each] + 1 for each in follows[step.id] if each in rank), default=0)
        while len(rows) <= rank[step.id]:
            rows.append([])
        rows[rank[step.id]].append(step)
    return rows


def _list(picture: Picture, steps: Sequence[Step], x: int, y: int) -> tuple[int, int]:
    """Place a list of steps with its upper left corner here; its size."""
    rows = rows_of(steps)
    sizes = {step.id: size_of(step) for step in steps}
    widths = [sum(sizes[step.id][0] for step in row) + GAP * (len(row) - 1) for row in rows]
    width, top = max(widths, default=WIDTH), y
    placed: dict[str, tuple[int, int, int]] = {}
    for row, taken in zip(rows, widths, strict=True):
        left = x + (width - taken) // 2
        for step in row:
            size = sizes[step.id]
            _step(picture, step, left, top, size)
            placed[step.id] = (left + size[0] // 2, top, top + size[1])
            left += size[0] + GAP
        top += max(sizes[step.id][1] for step in row) + GAP
    for id, before in follows_of(steps).items():
        for each in before:
            if each in placed and id in placed:
                start, end = placed[each], placed[id]
                picture.arrows.append(Arrow((start[0], start[2]), (end[0], end[1])))
    return width, top - GAP - y


def size_of(step: Step) -> tuple[int, int]:
    """How much room a step takes, with all within it."""
    inner = [_size_of_list(steps) for _, _, steps in lists_of(step)]
    if not inner:
        return WIDTH, HEIGHT
    label = LABEL if len(inner) > 1 or step.otherwise else 0
    width = sum(size[0] for size in inner) + GAP * (len(inner) - 1) + 2 * PAD
    return max(WIDTH, width), HEAD + label + max(size[1] for size in inner) + PAD


def _size_of_list(steps: Sequence[Step]) -> tuple[int, int]:
    rows = [[size_of(step) for step in row] for row in rows_of(steps)]
    width = max(sum(size[0] for size in row) + GAP * (len(row) - 1) for row in rows)
    return width, sum(max(size[1] for size in row) for row in rows) + GAP * (len(rows) - 1)


def _step(picture: Picture, step: Step, x: int, y: int, size: tuple[int, int]) -> None:
    lists = list(lists_of(step))
    box = Box(step.id, step.kind, said_of(step), x, y, *size, frame=bool(lists), optional=bool(step.when))
    picture.boxes.append(box)
    label = LABEL if len(lists) > 1 or step.otherwise else 0
    left = x + (size[0] - sum(_size_of_list(each)[0] for _, _, each in lists) - GAP * (len(lists) - 1)) // 2
    for name, _, inner in lists:
        width, _ = _size_of_list(inner)
        if label:
            picture.labels.append(Label(named(step, name), left + width // 2, y + HEAD + LABEL - 6))
        _list(picture, inner, left, y + HEAD + label)
        left += width + GAP


def named(step: Step, name: str) -> str:
    """What a list within a step is called: its condition, its branch, or what it is for."""
    if step.switch is not None and name.startswith("case "):
        return shortened(step.switch.cases[int(name.removeprefix("case ")) - 1].when, 30)
    return {"failed": "where it fails", "each": "each", "turn": "each turn"}.get(name, name)


def said_of(step: Step) -> str:
    """What a step does, in a few words."""
    node = getattr(step, step.kind)
    match step.kind:
        case "model" | "agent":
            said = node.task or node.model or "any model"
        case "tool":
            said = node.call
        case "python":
            said = node.function
        case "subflow":
            said = node.workflow
        case "approval":
            said = f"asks {node.role}"
        case "map":
            said = f"{node.over}, at most {node.at_most}"
        case "loop":
            said = f"until {node.until}, at most {node.at_most}"
        case "wait":
            said = f"for {node.for_}" if node.for_ else f"until {node.until}" if node.until else f"for {node.signal}"
        case _:
            said = step.about
    return said


def shortened(text: str, most: int) -> str:
    """A text of so many characters at most, its end cut off by "…"."""
    return text if len(text) <= most else text[: most - 1] + "…"
