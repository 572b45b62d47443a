"""Conventions that reviewers would otherwise repeat. A failure says the rule, and where it is kept well."""

import ast
import gc
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
MODULES = sorted(SOURCE.rglob("*.py"))
VENDORS = ("openai", "anthropic", "claude", "gpt", "gemini", "bedrock", "mistral", "ollama", "llama")
# Where a vendor may be named: its driver, its protocol's door, and what the command line says about setting one up.
VENDOR_ROOMS = ("models/", "server/", "cli/", "workspace/templates", "costs/bundled.py")
# Nobody stands above these who could be told: what they do not catch ends a request, a thread or a worker's following.
DOORS = (
    "server/",
    "cli/main.py",
    "cli/aside.py",
    "storage/journal",
    "workspace/follow.py",
    "tools/threads.py",
    "tools/left_aside.py",
    "workflows/dispatch.py",
    "workflows/segments.py",
    "workflows/functions.py",
)
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc|base|impl)(_|\.|$)")
FORBIDDEN_CLASSES = re.compile(r"(Manager|Service|Handler|Processor|Util|Helper|Base|Impl)$")


def relative(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


class Code:
    """Every module, read once. `nodes` are all nodes of their trees by kind, each with its module's name."""

    def __init__(self) -> None:
        self.trees = {relative(path): ast.parse(path.read_text()) for path in MODULES}
        self.nodes: dict[type[ast.AST], list[tuple[str, Any]]] = defaultdict(list)
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                self.nodes[type(node)].append((name, node))

    def classes(self) -> list[tuple[str, ast.ClassDef]]:
        return self.nodes[ast.ClassDef]

    def functions(self) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        return self.nodes[ast.FunctionDef] + self.nodes[ast.AsyncFunctionDef]

    def called(self) -> Iterator[tuple[str, str, int]]:
        """Module, dotted name and line of everything that is called or read."""
        for name, node in self.nodes[ast.Attribute]:
            if dotted := _dotted(node):
                yield name, dotted, node.lineno


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as it is written; "" for an attribute of anything else than a name."""
    if isinstance(node, ast.Name):
        return node.id
    before = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before and isinstance(node, ast.Attribute) else ""


@pytest.fixture(scope="module")
def code() -> Code:
    gc.disable()  # nearly a million nodes, all of which stay: to look among them for garbage doubles the time
    try:
        return Code()
    finally:
        gc.enable()


def test_a_module_is_named_after_its_subject() -> None:
    wrong = [name for name in map(relative, MODULES) if FORBIDDEN_NAMES.search(name.removesuffix(".py"))]
    assert not wrong, f"a function without a home is a subject without a name (see costs/prices.py): {wrong}"


def test_a_class_is_named_after_what_it_is(code: Code) -> None:
    wrong = [f"{name}: {node.name}" for name, node in code.classes() if FORBIDDEN_CLASSES.search(node.name)]
    assert not wrong, f"name the thing, not its pattern (Ledger, Plan, Release): {wrong}"


def test_most_modules_fit_into_a_glance() -> None:
    lengths = {relative(path): path.read_text().count("\n") for path in MODULES}
    assert not {name: n for name, n in lengths.items() if n > 500}, "split a module that outgrew its name"
    long = {name for name, n in lengths.items() if n > 300}
    assert len(long) <= len(MODULES) * 0.1, f"more than a tenth of the modules are over 300 lines: {sorted(long)}"


def test_a_function_does_one_thing(code: Code) -> None:
    lengths = [
        (node.end_lineno - node.lineno + 1, f"{name}:{node.name}") for name, node in code.functions() if node.end_lineno
    ]
    assert not [where for lines, where in lengths if lines > 60], "split it: a stage, a decision or an effect each"
    long = [where for lines, where in lengths if lines > 40]
    assert len(long) <= len(lengths) * 0.02, f"more than one function in fifty is over 40 lines: {long}"


def test_no_vendor_is_named_outside_the_models_and_the_protocol_doors() -> None:
    wrong = [
        f"{relative(path)}:{number}: {line.strip()[:80]}"
        for path in MODULES
        if not relative(path).startswith(VENDOR_ROOMS)
        for number, line in enumerate(path.read_text().lower().splitlines(), 1)
        if any(vendor in line for vendor in VENDORS)
    ]
    assert not wrong, "routing and policy have no vendor term; names live in models/: " + "\n".join(wrong)


def test_errors_are_imported_from_where_the_tree_is() -> None:
    wrong = [
        relative(path)
        for path in MODULES
        if "fairlead.error_kinds" in path.read_text() and not relative(path).startswith(("error_kinds/", "errors.py"))
    ]
    assert not wrong, f"import errors from fairlead.errors, which shows them as one tree: {wrong}"


def test_time_and_randomness_come_from_the_clock(code: Code) -> None:
    clocks = re.compile(
        r"^(datetime\.(datetime\.)?(now|utcnow|today)|date\.today|time\.(time|time_ns|monotonic)|random\.|secrets\.|uuid\.|os\.urandom)"
    )
    wrong = [
        f"{name}:{line}: {what}"
        for name, what, line in code.called()
        if name not in ("clock.py", "server/workers.py") and not name.startswith("cli/")
        if clocks.match(what)
    ]
    assert not wrong, f"pass a Clock in, so that tests and replays are exact (see routing/breaker.py): {wrong}"


def test_nobody_reads_the_environment_below_the_command_line(code: Code) -> None:
    wrong = [
        f"{name}:{line}"
        for name, what, line in code.called()
        if not name.startswith("cli/") and what in ("os.environ", "os.getenv")
    ]
    assert not wrong, f"settings are compiled once and passed down (see cli/place.py): {wrong}"


def test_sql_that_only_sqlite_understands_stays_in_its_modules(code: Code) -> None:
    """Every other statement runs on both databases. Migrations choose; doctor looks at the file itself; connectors
    speak to databases of others."""
    only = re.compile(
        r"\bPRAGMA\b|sqlite_master|WITHOUT ROWID|\bfts5|INSERT OR |BEGIN IMMEDIATE|VACUUM INTO|strftime\(|json_extract"
    )
    rooms = ("storage/sqlite", "storage/migrations/", "cli/checks.py", "tools/sql_sqlite.py", "tools/sql_syntax.py")
    wrong = [
        f"{name}:{node.lineno}: {node.value[:60]!r}"
        for name, node in code.nodes[ast.Constant]
        if not name.startswith(rooms) and isinstance(node.value, str) and only.search(node.value)
    ]
    assert not wrong, f"say it in SQL of both, or in storage/sqlite.py (see storage/session_rows.py): {wrong}"


def test_only_doors_catch_everything(code: Code) -> None:
    wrong = []
    for name, node in code.nodes[ast.ExceptHandler]:
        broad = node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
        raises_again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
        if broad and not raises_again and not name.startswith(DOORS):
            wrong.append(f"{name}:{node.lineno}")
    assert not wrong, f"catch what you can mend; the door catches the rest (see server/door.py): {wrong}"


def test_public_data_is_frozen(code: Code) -> None:
    wrong = []
    for name, node in code.classes():
        if not node.name.startswith("_") and any(ast.unparse(base).endswith("Struct") for base in node.bases):
            frozen = any(k.arg == "frozen" and ast.unparse(k.value) == "True" for k in node.keywords)
            if not frozen:
                wrong.append(f"{name}: {node.name}")
    assert not wrong, f"data that is passed around never changes (see routing/types.py): {wrong}"


def test_public_names_of_the_faces_are_documented(code: Code) -> None:
    wrong = []
    for name, tree in code.trees.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
                "_"
            ):
                small = isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith("Struct") for b in node.bases)
                short = node.end_lineno is not None and node.end_lineno - node.lineno < 16  # a getter needs none
                quiet = small or short or name.startswith(("cli/", "storage/migrations/"))
                if ast.get_docstring(node) is None and not quiet:
                    wrong.append(f"{name}: {node.name}")
    assert not wrong, f"say what the signature cannot: why, units, errors raised: {wrong}"


@pytest.mark.parametrize("word", ["classify", "stitch", "authorize", "plan", "reserve", "attempt", "check", "settle"])
def test_every_stage_stands_in_the_path(word: str) -> None:
    path = (SOURCE / "execution" / "model_call.py").read_text()
    assert f'action.step("{word}")' in path, (
        "all stages are on one screen; a skipped one is written as skipped, and why"
    )
    assert path.count("\n") <= 100, "the path is to be seen on one screen"


def test_what_an_action_asks_for_itself_is_kept_only_if_the_action_is(code: Code) -> None:
    wrong = []
    for name, node in code.nodes[ast.Call]:
        given = {each.arg for each in node.keywords}
        if _dotted(node.func) == "Arrival" and given & {"within", "judges"} and "keep" not in given:
            wrong.append(f"{name}:{node.lineno}")
    assert not wrong, f"pass on `keep` of the action's own arrival (see execution/judging.py): {wrong}"
