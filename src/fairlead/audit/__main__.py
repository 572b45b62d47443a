"""`python -m fairlead.audit FILE…`: check what was carried away of a log, with nothing but this package."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from fairlead.audit.malformed import Malformed
from fairlead.audit.offline import Finding, check_documents, key_for, read_document

_ABOUT = """\
Check Fairlead's audit log, offline. Needs no database, no key file and no network.

Each FILE is one of these, told apart by what stands in it:
  an export         as `fairlead audit export` writes it: the whole log
  a proof of a run  as `fairlead audit prove` writes it
  a proof of growth as `fairlead audit consistency` writes it: two checkpoints, of which one continues the other
  a checkpoint      as `fairlead audit checkpoint` writes it, and as it lies in .fairlead/checkpoints
  a succession      as `fairlead audit key` writes it: one signing key names the next

Files given together must belong to one history of one log."""
_ENDS = """\
Ends with status 0 if everything holds, 1 if something does not, 2 if it could not be checked."""


def main(arguments: list[str]) -> int:
    """Check the files and say what was found. Returns 0 if all hold, 1 if one does not, 2 if one cannot be checked."""
    asked = _parser().parse_args(arguments)
    documents = []
    for path in asked.file:
        try:
            documents.append((str(path), read_document(path)))
        except OSError as error:
            return _unchecked(path, error.strerror or str(error), "correct the path, or the rights of the file")
        except Malformed as error:
            return _unchecked(path, error.message, error.mend)
    try:
        findings = check_documents(documents, asked.key or key_for(each for _, each in documents))
    except OSError as error:
        return _unchecked(error.filename or "a file", error.strerror or str(error), "correct the rights of the file")
    except Malformed as error:
        return _unchecked("", error.message, error.mend)
    print(*describe(findings, asked.key is not None), sep="\n")
    return 1 if any(each.problems for each in findings) else 0


def describe(findings: list[Finding], key_given: bool) -> list[str]:
    """The findings in plain words, a line each."""
    lines = []
    for each in findings:
        about = each.about or "all together"
        lines.append(f"{'DOES NOT HOLD' if each.problems else 'HOLDS'}: {about}")
        lines += [f"- {line}" for line in (*each.problems, *each.said)]
    if not key_given:
        lines.append("checked with the key that the files name: give --key to know who signed them")
    return lines


def _unchecked(what: object, why: str, mend: str) -> int:
    print(f"error: cannot check{f' {what}' if what else ''}: {why}", file=sys.stderr)
    if mend:
        print(f"help: {mend}", file=sys.stderr)
    return 2


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m fairlead.audit",
        description=_ABOUT,
        epilog=_ENDS,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, nargs="+", metavar="FILE", help="an export, a proof or a checkpoint")
    parser.add_argument("--key", help="the log's verifier key (NAME+KEYID+BASE64), from a source you trust")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
