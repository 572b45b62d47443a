"""The suites, and one run of one of them against one address."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evals.interop.servers import FORCES_TOOLS, MODEL, VECTORS, answers

SUITES = Path(__file__).parent / "suites"
# Of llama.cpp's server tests those that speak a client's protocol; the others start servers with options of their own.
_LLAMA_CPP = (
    "test_chat_completion.py", "test_compat_anthropic.py", "test_compat_oai_responses.py", "test_embedding.py",
    "test_tool_call.py",
)  # fmt: skip
# Tests that end the server's process, and with it all that would come after them.
_DEADLY = {"llama-cpp-python": ("unit/test_chat_completion.py::test_completion_with_invalid_grammar",)}
_LIMIT_S = 1200


@dataclass(frozen=True)
class Suite:
    """Tests by the files they are in; `folder` is where pytest starts."""

    name: str
    files: tuple[str, ...]
    folder: Path
    options: tuple[str, ...] = ()


def suites(cache: Path) -> dict[str, Suite]:
    """All suites, by name."""
    ours = {
        "langchain-openai": ("langchain_openai_chat.py",),
        "langchain-anthropic": ("langchain_anthropic_chat.py",),
        "openai-chat": ("openai_chat.py",),
        "openai-other": ("openai_other.py",),
        "openai-responses": ("openai_responses.py",),
        "open-responses": ("open_responses.py",),
        "anthropic": ("anthropic_messages.py",),
    }
    made = {name: Suite(name, files, SUITES) for name, files in ours.items()}
    tests = cache / "llama.cpp" / "tools" / "server" / "tests"
    units = tuple(f"unit/{name}" for name in _LLAMA_CPP)
    made["llama.cpp"] = Suite("llama.cpp", units, tests, ("-p", "pointed", "-m", "not slow", "-o", "pythonpath=."))
    return made


def run(suite: Suite, upstream: str, url: str, cache: Path, out: Path) -> Mapping[str, str]:
    """Outcome by test: "passed", "failed" or "skipped". Raises `RuntimeError` if the suite itself did not run."""
    out.mkdir(parents=True, exist_ok=True)
    report = out / f"{suite.name}.xml"
    command = [str(cache / "suites" / "bin" / "python"), "-m", "pytest", "-c", str(SUITES / "pytest.ini")]
    command += ["--rootdir", str(suite.folder), f"--junitxml={report}", *suite.options, *suite.files]
    command += [f"--deselect={test}" for test in _DEADLY.get(upstream, ())]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRLEAD_", "PYTHON"))}
    environment |= {"INTEROP_URL": url, "INTEROP_MODEL": MODEL, "INTEROP_VECTORS": VECTORS}
    environment["INTEROP_FORCES_TOOLS"] = "yes" if upstream in FORCES_TOOLS else "no"
    environment["PYTHONPATH"] = os.pathsep.join((str(SUITES), str(suite.folder)))
    environment |= dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "dummy")
    with (out / f"{suite.name}.log").open("wb") as log:
        subprocess.run(
            command, cwd=suite.folder, env=environment, stdout=log, stderr=subprocess.STDOUT,
            timeout=_LIMIT_S, check=False,
        )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"suite {suite.name} did not run: see {log.name}")
    if not answers(url):
        raise RuntimeError(f"suite {suite.name} brought down {upstream}: see {log.name} and the server's log beside it")
    return outcomes(report)


def outcomes(report: Path) -> dict[str, str]:
    """A JUnit report as outcomes by test. A test that is there twice passed only if it always did."""
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[name] = outcome if found.get(name, "passed") == "passed" else found[name]
    return found


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)
