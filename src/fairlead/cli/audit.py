"""`fairlead audit`: prove what happened. The log is checked, signed, proven record by record, and carried away."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from fairlead.audit import leaf_hash, parse_checkpoint, verify_checkpoint, write_export
from fairlead.audit.proof import check_proof, encode_proof, prove_growth, prove_run
from fairlead.cli import complete
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.sealing import changed_payloads, check, in_words, links_of, log_key, ring_in, sign
from fairlead.errors import BadInput, Broken, NotFound

if TYPE_CHECKING:
    from fairlead.storage.log import Moment

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Verify, prove, sign and export the audit log.",
)

Key = Annotated[
    str, typer.Option("--key", help="The log's verifier key, from a source you trust.", show_default="the database's")
]


@app.command()
def verify(
    key: Key = "",
    checkpoint: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="A checkpoint kept elsewhere; may be repeated.")
    ] = None,
    anchors: Annotated[
        bool, typer.Option("--anchors", help="Compare with what lies in the anchors of fairlead.yaml, too.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Check every record against the stored head and the signed checkpoints, those in the data folder too.

    Ends with status 1 and names the first bad record if anything was changed, moved, added or cut off.
    """
    from fairlead.cli.anchors import Anchored

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        kept, links, problems = [path.read_text("utf-8") for path in checkpoint or ()], list[str](), list[str]()
        if anchors:
            found = Anchored(place, store, key)
            key, links, problems = found.key, found.successions, found.problems
            kept += found.checkpoints
            for each in found.said:
                say(each)
        verdict = check(place, store, key, kept, links)
        altered = changed_payloads(store)
    problems += verdict.problems
    if json:
        said = replace(verdict, ok=not problems, problems=tuple(problems))
        json_data({"verdict": said, "changed_payloads": altered})
    elif not problems and not altered:
        data(f"HOLDS: {verdict.size} records, all in place and unchanged\nroot {verdict.root}")
        if verdict.signed < verdict.size:
            say(f"signed up to {verdict.signed}; the rest rests on the database's own head: fairlead audit checkpoint")
    else:
        data("\n".join(["DOES NOT HOLD", *(f"- {problem}" for problem in problems), *map(_altered, altered)]))
    if problems or altered:
        raise typer.Exit(1)


def _altered(seq: int) -> str:
    return f"- the payload of record {seq} was changed: it does not hash to what the record says"


@app.command()
def prove(
    run: Annotated[str, typer.Argument(help="A run, or `last`.", autocompletion=complete.runs)],
    workspace: Workspace = None,
    data_folder: Data = None,
) -> None:
    """Prove that a run's records stand in the signed log: JSON that anyone can check without this database.

    To check: python -m fairlead.audit FILE
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store, in_words():
        log = log_of(store)
        rows = log.of_run(run)
        with log.at_one_moment() as moment:
            note = _last_checkpoint(moment)
            size = parse_checkpoint(note).size if note else 0
            if size <= rows[-1].seq:
                raise NotFound(
                    f"no checkpoint covers {rows[-1].run} yet",
                    why=f"its last record is {rows[-1].seq}, and {size} records are signed",
                    mend="fairlead audit checkpoint",
                )
            leaves = [leaf_hash(record) for _, record in moment.records()]
        found = ((row.seq, row.record) for row in rows)
        proof = prove_run(rows[-1].run, found, leaves, note, log_key(place, store), links_of(store))
    data(encode_proof(proof).decode())
    say(f"{len(rows)} record(s) of {proof.run} stand in the signed log of {size} records. {_HOW}")


@app.command()
def consistency(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint that was kept, in its file.")],
    workspace: Workspace = None,
    data_folder: Data = None,
) -> None:
    """Prove that the log has only grown since a checkpoint: JSON that anyone can check without this database.

    It leads from that checkpoint to the latest one. To check: python -m fairlead.audit FILE
    """
    place = find(workspace, data_folder)
    old = checkpoint.read_text("utf-8")
    with closing(open_store(place)) as store, in_words():
        verifier = log_key(place, store)
        before = verify_checkpoint(old, ring_in(store, verifier))
        with log_of(store).at_one_moment() as moment:
            new = _last_checkpoint(moment) or old
            leaves = (leaf_hash(record) for _, record in moment.records())
            proof = prove_growth(leaves, old, new, verifier, links_of(store))
        if problems := check_proof(proof, verifier):
            raise Broken(
                f"the log has not only grown: {problems[0]}",
                why="it does not agree with the checkpoint that was kept",
                mend="fairlead audit verify --checkpoint FILE tells which records; compare with a backup",
            )
    data(encode_proof(proof).decode())
    say(f"the signed log of {parse_checkpoint(new).size} records continues the one of {before.size}. {_HOW}")


_HOW = "Keep this in a file; to check it: python -m fairlead.audit FILE --key KEY"


def _last_checkpoint(moment: "Moment") -> str:
    notes = moment.checkpoints()
    return notes[-1] if notes else ""


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write. It must not exist.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
) -> None:
    """Write the whole log as one file that proves itself: python -m fairlead.audit FILE"""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        if dry_run:
            with log_of(store).at_one_moment() as moment:
                say(f"would sign and write {moment.head().size} records to {file}")
            return
        if file.exists():
            raise BadInput(f"{file} exists already", why="an export never overwrites", mend="name another file")
        sign(place, store)
        verifier, links = log_key(place, store), links_of(store)
        draft = file.with_name(f".{file.name}.part")
        with log_of(store).at_one_moment() as moment, draft.open("wb") as out:
            count = write_export(moment.records(), moment.checkpoints(), verifier, out, links)
        draft.rename(file)
    say(f"wrote {count} records; to check: python -m fairlead.audit {file} --key '{verifier}'")
    data(str(file))


@app.command()
def checkpoint(
    workspace: Workspace = None, data_folder: Data = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Sign the log as it stands, after checking it. Keep the checkpoint where the database's owner cannot reach."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        from fairlead.cli.anchors import deliver

        if dry_run:
            with log_of(store).at_one_moment() as moment:
                say(f"would sign a log of {moment.head().size} records")
            return
        signed = sign(place, store)
        verifier = log_key(place, store)
        deliver(place, store)
    if json:
        json_data({"size": signed.size, "checkpoint": signed.note, "file": str(signed.file), "verifier_key": verifier})
        return
    say(f"signed {signed.size} records; keep a copy of {signed.file} elsewhere, and this key: {verifier}")
    data(signed.note.rstrip("\n"))


@app.command("key")
def key_(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Print the public key that checks what the log has signed. Give it to whoever checks, by a way of its own.

    Of keys that have followed one another any will do: the statements that link them are printed with --json, and
    travel with every export and proof.
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store, in_words():
        links = links_of(store)
        ring = ring_in(store, log_key(place, store))
    if json:
        json_data({"origin": ring.name, "keys": ring.keys, "successions": links})
        return
    for each in ring.keys[:-1]:
        say(f"until {each.last} records: {each.key}")
    data(ring.keys[-1].key)


def commands() -> dict[str, Any]:
    return {"audit": typer.main.get_command(app)}
