"""What Fairlead is made of: checks the locks, and writes them down as a bill of materials. Needs no network.

    python tools/supply.py          check the locks, the licences and locks/sbom.json; status 1 if anything is wrong
    python tools/supply.py --write  write locks/sbom.json (CycloneDX) anew, then check

Every dependency is one version with hashes, is what pyproject.toml asks for, and comes with what it needs in turn.
Licences are those that the installed packages declare; what is installed nowhere here keeps the licence that the bill
has, and for what is new LICENCES says it.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BILL = "locks/sbom.json"
# What may come into a program that others install; all of them let it be used and passed on as a part.
ALLOWED = frozenset(
    (
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0",
        "PSF-2.0", "Python-2.0", "Unlicense", "Zlib",
    )
)  # fmt: skip
# May be used as they are; whoever changes them passes the changes on. Looked at one by one.
ALLOWED_FOR = {
    "certifi": "MPL-2.0",
    "hypothesis": "MPL-2.0",
    "pathspec": "MPL-2.0",
    "dramatiq": "LGPL-3.0-or-later",  # of the identity provider that tests run
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "pymerkle": "GPL-3.0-or-later",
    "orjson": "MPL-2.0 AND (Apache-2.0 OR MIT)",
}
# Of packages that are for other systems than most of us have, or that declare none in a form that says which.
LICENCES = {
    "cedarpy": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "numpy": "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",  # of which versions differ by Python's
    "pgserver": "Apache-2.0",  # with PostgreSQL and pgvector under the PostgreSQL licence; for tests only
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",  # PDFium and what it is built with are of the permissive kind too
    "pywin32": "PSF-2.0",
    "tiktoken": "MIT",
    "tzdata": "Apache-2.0",
}
_TOLD = {
    "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0", "BSD License": "BSD-3-Clause", "BSD": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause", "BSD-3": "BSD-3-Clause", "ISC License (ISCL)": "ISC", "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
}  # fmt: skip
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)\s*(?:;(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


class Pin(NamedTuple):
    """One line of a lock."""

    name: str
    version: str
    hashes: tuple[str, ...]
    scope: str


def pins(text: str, scope: str, file: str, problems: list[str]) -> dict[str, Pin]:
    """What a lock holds. What is no pinned version with hashes is a problem."""
    found: dict[str, Pin] = {}
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    for line in filter(str.strip, joined.splitlines()):
        pin = _PIN.match(line)
        hashes = tuple(sorted(_HASH.findall(line)))
        if pin is None or not hashes or "://" in line:
            problems.append(f"{file}: not one version with sha256 hashes: {line.split('--hash')[0].strip()[:80]}")
            continue
        name = canonicalize_name(pin["name"])
        found[name] = Pin(name, pin["version"], hashes, scope)
    return found


def asked(project: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The requirements of pyproject.toml, each with the lock that must hold it."""
    for text in project["project"]["dependencies"]:
        yield text, "runtime"
    for text in project["dependency-groups"]["dev"]:
        yield text, "dev"
    for texts in project["project"].get("optional-dependencies", {}).values():
        for text in texts:
            yield text, "dev"
    for text in project["build-system"]["requires"]:
        yield text, "setup"


def agreement(project: dict[str, Any], locks: dict[str, dict[str, Pin]]) -> Iterator[str]:
    """Where a lock does not hold what is asked for, or two locks differ."""
    for text, lock in asked(project):
        wanted = Requirement(text)
        pin = locks[lock].get(canonicalize_name(wanted.name))
        if pin is None or not wanted.specifier.contains(pin.version, prereleases=True):
            yield f"locks/{lock}.txt does not hold {text} of pyproject.toml: make lock"
    for name in locks["runtime"].keys() & locks["dev"].keys():
        if locks["runtime"][name][:2] != locks["dev"][name][:2]:
            versions = f"{locks['runtime'][name].version} to run, {locks['dev'][name].version} to develop"
            yield f"{name} has two versions: {versions}"


def completeness(locks: dict[str, dict[str, Pin]]) -> Iterator[str]:
    """Where something that is installed as its lock says needs what no lock holds."""
    known = {**locks["setup"], **locks["runtime"], **locks["dev"]}
    for pin in known.values():
        for name in _needed(pin) if _installed(pin) else ():
            if canonicalize_name(name) not in known:
                yield f"{pin.name} needs {name}, which no lock holds: make lock"


@cache
def _needed(pin: Pin) -> tuple[str, ...]:
    """What it needs here, as it is installed."""
    every = map(Requirement, metadata.requires(pin.name) or ())
    return tuple(each.name for each in every if each.marker is None or each.marker.evaluate({"extra": ""}))


@cache
def _installed(pin: Pin) -> bool:
    try:
        return metadata.version(pin.name) == pin.version
    except metadata.PackageNotFoundError:
        return False


def licence(pin: Pin, before: dict[str, str]) -> str:
    """What its package declares where it is installed; else what the bill has; "" where nobody says."""
    if pin.name in LICENCES:
        return LICENCES[pin.name]
    return (_declared(pin) if _installed(pin) else "") or before.get(pin.name, "")


@cache
def _declared(pin: Pin) -> str:
    about = metadata.metadata(pin.name)
    expression = about.get("License-Expression")
    if expression:
        return expression
    text = about.get("License", "")
    classified = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier", []) if "License ::" in each]
    for told in (text, *classified):
        if told in _TOLD or told in ALLOWED:
            return _TOLD.get(told, told)
    return ""


def is_allowed(name: str, expression: str) -> bool:
    """Whether a licence expression leaves a choice, or a sum, of what is allowed."""
    if not expression:
        return False
    if expression == ALLOWED_FOR.get(name):
        return True
    choices = re.sub(r"[()]", " ", expression).split(" OR ")
    if "(" in expression:  # a sum of choices: each word must do
        return all(word in ALLOWED for word in re.sub(r"[()]|\b(?:AND|OR)\b", " ", expression).split())
    return any(all(part.strip() in ALLOWED for part in choice.split(" AND ")) for choice in choices)


def bill(project: dict[str, Any], every: Iterable[tuple[Pin, str]]) -> str:
    """A CycloneDX bill of materials. The same locks give the same bytes: no time and no random number is in it."""

    def component(pin: Pin, licensed: str) -> dict[str, Any]:
        purl = f"pkg:pypi/{pin.name}@{pin.version}"
        return {
            "type": "library",
            "bom-ref": purl,
            "name": pin.name,
            "version": pin.version,
            "scope": pin.scope,
            "hashes": [{"alg": "SHA-256", "content": each} for each in pin.hashes],
            "licenses": [{"expression": licensed}],
            "purl": purl,
        }

    about = project["project"]
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": about["name"],
                "name": about["name"],
                "version": about["version"],
                "licenses": [{"expression": about["license"]}],
            }
        },
        "components": [component(*each) for each in every],
    }
    return json.dumps(made, indent=1) + "\n"


def licences_of(text: str) -> dict[str, str]:
    """Licences by name, of a bill that was written before."""
    return {each["name"]: each["licenses"][0]["expression"] for each in json.loads(text)["components"]} if text else {}


def main(root: Path = ROOT) -> int:
    """Check, or write and check. Returns the exit status."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true", help="write the bill of materials anew")
    problems = check(root, write=options.parse_args().write)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def check(root: Path, *, write: bool = False) -> list[str]:
    """Every problem, in words."""
    problems: list[str] = []
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    scopes = {"runtime": "required", "dev": "excluded", "setup": "excluded"}
    locks = {
        name: pins((root / f"locks/{name}.txt").read_text("utf-8"), scope, f"locks/{name}.txt", problems)
        for name, scope in scopes.items()
    }
    problems += [*agreement(project, locks), *completeness(locks)]
    every = {**locks["setup"], **locks["dev"], **locks["runtime"]}
    before = (root / BILL).read_text("utf-8") if (root / BILL).exists() else ""
    known = licences_of(before)
    licensed = [(pin, licence(pin, known)) for _, pin in sorted(every.items())]
    for pin, told in licensed:
        if not is_allowed(pin.name, told):
            problems.append(f"{pin.name} {pin.version}: licence {told or 'not told'}: see ALLOWED in tools/supply.py")
    made = bill(project, licensed)
    if write:
        (root / BILL).write_text(made, "utf-8")
    elif made != before:
        problems.append(f"{BILL} is not what the locks say: python tools/supply.py --write")
    return problems


if __name__ == "__main__":
    sys.exit(main())
