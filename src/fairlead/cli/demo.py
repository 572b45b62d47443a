"""`fairlead demo`: a working day of an invented retail company, on this machine alone."""

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.output import Json, json_data, say

if TYPE_CHECKING:
    from fairlead.cli.demonstration.play import Played

app = typer.Typer(**PLAIN)


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", show_default=False, help="Where to write the company; it stays there."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the company's folder, to look around in.")] = False,
    ask_own_models: Annotated[
        bool, typer.Option("--ask-own-models", help="Send one harmless question to the models that you have keys for.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a working day of an invented retail company: a real server, real rules, and two stand-ins for cloud vendors.

    Needs no key and no network. Status 0 only if everything came out as it should.
    """
    from fairlead.cli.demonstration.play import play

    began = time.monotonic()
    with _stopped_by_signals(), _workspace(folder, keep) as workspace:
        played = play(workspace, silent=json, ask_own=ask_own_models, kept=keep or folder is not None)
    seconds = round(time.monotonic() - began, 1)
    if json:
        said = {"ok": played.ok, "seconds": seconds, "steps": played.scenes, "spending": played.spending}
        json_data(said | {"trace": played.trace, "folder": played.folder})
    say(_verdict(played, seconds))
    raise typer.Exit(0 if played.ok else 1)


@contextmanager
def _workspace(folder: Path | None, keep: bool) -> Iterator[Path]:
    """Where the company is written; a folder that nobody asked to keep is removed, however the day ends."""
    if folder is not None:
        yield folder.absolute()
    elif keep:
        yield Path(tempfile.mkdtemp(prefix="fairlead-demo-")) / "northlight"
    else:
        with tempfile.TemporaryDirectory(prefix="fairlead-demo-") as temporary:
            yield Path(temporary) / "northlight"


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Whoever ends this program, by a closed terminal or by `kill`, ends what it started as well."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted; everything that was started is stopped")
        raise
    finally:
        for number, known in before.items():
            signal.signal(number, known)


def _verdict(played: "Played", seconds: float) -> str:
    wrong = [f"{scene.title}: {check.expected}" for scene in played.scenes for check in scene.checks if not check.ok]
    if wrong:
        return "\n".join(
            [f"{len(wrong)} thing(s) did not come out as they should, after {seconds:g} s:", *wrong,
             "look into it: fairlead demo --keep"]
        )  # fmt: skip
    return f"all {len(played.scenes)} scenes came out as they should, in {seconds:g} s; everything is stopped"


def commands() -> dict[str, Any]:
    return {"demo": typer.main.get_command(app)}
