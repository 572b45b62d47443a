"""`--html FILE`: a report as one page that needs nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.cli.output import say
from fairlead.errors import BadInput

Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write the report as one page that needs nothing else.")
]


def require_page(html: Path | None) -> None:
    """Raises `BadInput` early for a file that is no page: what lies there would be lost."""
    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"--html is {html}", why="a page is written there", mend=f"--html {html.with_suffix('.html')}")


def write_page(html: Path, page: str) -> None:
    """Raises `BadInput` where it cannot be written."""
    try:
        html.write_text(page, "utf-8")
    except OSError as error:
        raise BadInput(
            f"{html} cannot be written", why=str(error.strerror or error), mend="name a file in a folder that is there"
        ) from error
    say(f"wrote {html}")
