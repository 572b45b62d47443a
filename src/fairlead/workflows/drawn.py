"""A workflow as a picture: SVG, Mermaid, or text for a terminal."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import every_step, follows_of, lists_of
from fairlead.workflows.layout import Arrow, Box, named, picture_of, said_of, shortened

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


def svg_of(name: str, definition: Definition) -> str:
    """A picture that stands by itself: no script, no font and no image from elsewhere."""
    picture = picture_of(definition.steps)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width} {picture.height}" '
        f'width="{picture.width}" height="{picture.height}" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(name)}</title>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>',
        f'<rect width="{picture.width}" height="{picture.height}" fill="#ffffff"/>',
    ]
    lines += [_box(box) for box in picture.boxes]
    lines += [_arrow(arrow) for arrow in picture.arrows]
    lines += [
        f'<text x="{label.x}" y="{label.y}" text-anchor="middle" fill="#475569" font-style="italic">'
        f"{escape(shortened(label.text, 34))}</text>"
        for label in picture.labels
    ]
    return "\n".join((*lines, "</svg>\n"))


def _box(box: Box) -> str:
    tint = "#ffffff" if box.frame else _TINTS.get(box.kind, "#ffffff")
    dashes = ' stroke-dasharray="5 3"' if box.optional else ""
    middle, room = box.x + box.width // 2, box.width // 7
    second = shortened(f"{box.kind}  {box.said}" if box.said else box.kind, room)
    if box.frame:
        head = shortened(f"{box.id}  ({box.kind}{': ' + box.said if box.said else ''})", room)
        words = f'<text x="{box.x + 10}" y="{box.y + 20}" font-weight="600">{escape(head)}</text>'
    else:
        words = (
            f'<text x="{middle}" y="{box.y + 19}" text-anchor="middle" font-weight="600">'
            f"{escape(shortened(box.id, room))}</text>"
            f'<text x="{middle}" y="{box.y + 35}" text-anchor="middle" fill="#334155">{escape(second)}</text>'
        )
    return (
        f'<g><title>{escape(box.id)}: {escape(box.kind)} {escape(box.said)}</title><rect x="{box.x}" y="{box.y}" '
        f'width="{box.width}" height="{box.height}" rx="6" fill="{tint}" stroke="#475569"{dashes}/>{words}</g>'
    )


def _arrow(arrow: Arrow) -> str:
    (x, y), (to, end) = arrow.start, arrow.end
    half = (y + end) // 2
    path = f"M{x} {y}L{to} {end}" if x == to else f"M{x} {y}C{x} {half} {to} {half} {to} {end}"
    return f'<path d="{path}" fill="none" stroke="#475569" marker-end="url(#end)"/>'


def mermaid_of(definition: Definition) -> str:
    """The same for Mermaid, which many wikis draw."""
    return "\n".join(("flowchart TD", *_mermaid(definition.steps, "  ", ""))) + "\n"


def _mermaid(steps: Sequence[Step], indent: str, prefix: str) -> Iterator[str]:
    for step in steps:
        lists = list(lists_of(step))
        said = f"<b>{step.id}</b><br>{step.kind} {said_of(step)}".strip().replace('"', "#quot;")
        if not lists:
            yield f'{indent}{step.id}_["{said}"]'
            continue
        yield f'{indent}subgraph {step.id}_["{said}"]'
        for number, (name, _, inner) in enumerate(lists):
            if len(lists) > 1:
                title = named(step, name).replace('"', "#quot;")
                yield f'{indent}  subgraph {step.id}_{number}_["{title}"]'
            yield from _mermaid(inner, indent + "    ", "")
            if len(lists) > 1:
                yield f"{indent}  end"
        yield f"{indent}end"
    for id, before in follows_of(steps).items():
        yield from (f"{indent}{each}_ --> {id}_" for each in before)


def text_of(definition: Definition) -> str:
    """The same as indented lines."""
    return "\n".join(_lines(definition.steps, "")) + "\n"


def _lines(steps: Sequence[Step], indent: str) -> Iterator[str]:
    follows, before = follows_of(steps), ""
    for step in steps:
        after = follows[step.id]
        beside = f"  after {', '.join(after) or 'nothing'}" if after != ((before,) if before else ()) else ""
        only = f"  when {step.when}" if step.when else ""
        yield f"{indent}{step.id}: {step.kind} {said_of(step)}".rstrip() + only + beside
        lists = list(lists_of(step))
        for name, _, inner in lists:
            if len(lists) > 1:
                yield f"{indent}  {named(step, name)}:"
            yield from _lines(inner, indent + ("    " if len(lists) > 1 else "  "))
        before = step.id


def count_of(definition: Definition) -> int:
    """How many steps a definition has, at any depth."""
    return sum(1 for _ in every_step(definition.steps))
