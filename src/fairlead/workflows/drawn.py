"""A workflow as a picture: SVG, Mermaid, or text for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from msgspec import Struct

from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import every_step, follows_of, lists_of
from fairlead.workflows.layout import Arrow, Box, named, picture_of, said_of, shortened


class Mark(Struct, frozen=True):
    """How far a run is with a step: a state, and what is said of it."""

    state: str
    said: str


Marks = Mapping[str, Mark]
"""By the step's id, which is there once in a definition."""
_NONE: Marks = {}
_STATES = {
    "done": "#bbf7d0",
    "under way": "#bfdbfe",
    "parked": "#fde68a",
    "failed": "#fecaca",
    "caught": "#fed7aa",
    "undone": "#e9d5ff",
    "left out": "#f1f5f9",
}
"""Of what is still to come, or was not reached, the ground is white."""
_TINTS = {
    "model": "#dbeafe",
    "agent": "#dbeafe",
    "tool": "#dcfce7",
    "python": "#dcfce7",
    "subflow": "#dcfce7",
    "approval": "#fef3c7",
    "wait": "#fef3c7",
    "transform": "#f1f5f9",
}


def svg_of(name: str, definition: Definition, marks: Marks = _NONE) -> str:
    """A picture that stands by itself: no script, no font and no image from elsewhere. With `marks` that of a run."""
    picture = picture_of(definition.steps)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width} {picture.height}" '
        f'width="{picture.width}" height="{picture.height}" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(name)}</title>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>',
        f'<rect width="{picture.width}" height="{picture.height}" fill="#ffffff"/>',
    ]
    lines += [_box(box, marks) for box in picture.boxes]
    lines += [_arrow(arrow) for arrow in picture.arrows]
    lines += [
        f'<text x="{label.x}" y="{label.y}" text-anchor="middle" fill="#475569" font-style="italic">'
        f"{escape(shortened(label.text, 34))}</text>"
        for label in picture.labels
    ]
    return "\n".join((*lines, "</svg>\n"))


def _box(box: Box, marks: Marks) -> str:
    tint, mark = "#ffffff" if box.frame else _TINTS.get(box.kind, "#ffffff"), marks.get(box.id)
    dashes = ' stroke-dasharray="5 3"' if box.optional else ""
    middle, room = box.x + box.width // 2, box.width // 7
    second = shortened(f"{box.kind}  {box.said}" if box.said else box.kind, room)
    if mark is not None:
        tint = "#ffffff" if box.frame else _STATES.get(mark.state, "#ffffff")
        second = shortened(mark.said, room)
    if box.frame and mark is not None:
        words = f'<text x="{box.x + 10}" y="{box.y + 20}">{escape(shortened(f"{box.id}: {mark.said}", room))}</text>'
    elif box.frame:
        head = shortened(f"{box.id}  ({box.kind}{': ' + box.said if box.said else ''})", room)
        words = f'<text x="{box.x + 10}" y="{box.y + 20}" font-weight="600">{escape(head)}</text>'
    else:
        words = (
            f'<text x="{middle}" y="{box.y + 19}" text-anchor="middle" font-weight="600">'
            f"{escape(shortened(box.id, room))}</text>"
            f'<text x="{middle}" y="{box.y + 35}" text-anchor="middle" fill="#334155">{escape(second)}</text>'
        )
    title = f"{box.id}: {box.kind} {box.said}" + (f"; {mark.said}" if mark is not None else "")
    return (
        f'<g><title>{escape(title)}</title><rect x="{box.x}" y="{box.y}" '
        f'width="{box.width}" height="{box.height}" rx="6" fill="{tint}" stroke="#475569"{dashes}/>{words}</g>'
    )


def _arrow(arrow: Arrow) -> str:
    (x, y), (to, end) = arrow.start, arrow.end
    half = (y + end) // 2
    path = f"M{x} {y}L{to} {end}" if x == to else f"M{x} {y}C{x} {half} {to} {half} {to} {end}"
    return f'<path d="{path}" fill="none" stroke="#475569" marker-end="url(#end)"/>'


def mermaid_of(definition: Definition, marks: Marks = _NONE) -> str:
    """The same for Mermaid, which many wikis draw."""
    tints = [f"  style {id}_ fill:{_STATES[mark.state]}" for id, mark in marks.items() if mark.state in _STATES]
    return "\n".join(("flowchart TD", *_mermaid(definition.steps, "  ", marks), *tints)) + "\n"


def _mermaid(steps: Sequence[Step], indent: str, marks: Marks) -> Iterator[str]:
    for step in steps:
        lists = list(lists_of(step))
        mark = f"<br>{marks[step.id].said}" if step.id in marks else ""
        said = f"<b>{step.id}</b><br>{step.kind} {said_of(step)}{mark}".strip().replace('"', "#quot;")
        if not lists:
            yield f'{indent}{step.id}_["{said}"]'
            continue
        yield f'{indent}subgraph {step.id}_["{said}"]'
        for number, (name, _, inner) in enumerate(lists):
            if len(lists) > 1:
                title = named(step, name).replace('"', "#quot;")
                yield f'{indent}  subgraph {step.id}_{number}_["{title}"]'
            yield from _mermaid(inner, indent + "    ", marks)
            if len(lists) > 1:
                yield f"{indent}  end"
        yield f"{indent}end"
    for id, before in follows_of(steps).items():
        yield from (f"{indent}{each}_ --> {id}_" for each in before)


def text_of(definition: Definition, marks: Marks = _NONE) -> str:
    """The same as indented lines."""
    return "\n".join(_lines(definition.steps, "", marks)) + "\n"


def _lines(steps: Sequence[Step], indent: str, marks: Marks) -> Iterator[str]:
    follows, before = follows_of(steps), ""
    for step in steps:
        after = follows[step.id]
        beside = f"  after {', '.join(after) or 'nothing'}" if after != ((before,) if before else ()) else ""
        only = f"  when {step.when}" if step.when else ""
        mark = f"  [{marks[step.id].said}]" if step.id in marks else ""
        yield f"{indent}{step.id}: {step.kind} {said_of(step)}".rstrip() + only + beside + mark
        lists = list(lists_of(step))
        for name, _, inner in lists:
            if len(lists) > 1:
                yield f"{indent}  {named(step, name)}:"
            yield from _lines(inner, indent + ("    " if len(lists) > 1 else "  "), marks)
        before = step.id


def count_of(definition: Definition) -> int:
    """How many steps a definition has, at any depth."""
    return sum(1 for _ in every_step(definition.steps))
