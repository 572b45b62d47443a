"""`python -m fairlead.audit verify FILE`: check an audit export with nothing but this package."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from fairlead.audit.verify import Verdict, verify_export
from fairlead.errors import BadInput


def main(arguments: list[str]) -> int:
    """Check one file and say what was found. Returns 0 if it holds, 1 if it does not, 2 if it could not be checked."""
    asked = _parser().parse_args(arguments)
    try:
        kept = [path.read_text(encoding="utf-8") for path in asked.checkpoint]
        verdict = verify_export(asked.file, asked.key, kept)
    except (OSError, UnicodeDecodeError) as error:
        print(f"cannot check {asked.file}: {error}", file=sys.stderr)
        return 2
    except BadInput as error:
        print(f"cannot check {asked.file}: {error.message}; {error.mend}", file=sys.stderr)
        return 2
    print(*describe(verdict, asked.key is not None), sep="\n")
    return 0 if verdict.ok else 1


def describe(verdict: Verdict, key_given: bool) -> list[str]:
    """The verdict in plain words, a line each."""
    if not verdict.ok:
        return ["DOES NOT HOLD", *(f"- {problem}" for problem in verdict.problems)]
    lines = [f"HOLDS: {verdict.size} records, all in place and unchanged", f"root {verdict.root}"]
    if verdict.signed < verdict.size:
        lines.append(f"signed up to record {verdict.signed - 1}; later records rest on the database's own head")
    if not key_given:
        lines.append("checked with the key that the file names: give --key to know who signed it")
    return lines


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m fairlead.audit", description="Check Fairlead's audit log, offline.")
    verify = parser.add_subparsers(required=True).add_parser("verify", help="check an exported audit log")
    verify.add_argument("file", type=Path, help="the export that `fairlead audit export` wrote")
    verify.add_argument("--key", help="the log's verifier key (NAME+KEYID+BASE64), from a source you trust")
    verify.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept elsewhere; may be repeated"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
