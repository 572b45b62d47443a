"""Prints this project's row of a table of shapes: how long modules and functions are, how they branch, what they skip.

    python bench/style_table.py            the row
    python bench/style_table.py --worst    and after it what is longest, to open next

Physical lines of src/fairlead; migrations, generated and vendored files are left out. Three figures in a cell are
median / ninetieth percentile / largest. A direction to watch from change to change, not a limit.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fairlead"
LEFT_OUT = ("migrations",)
LONG_MODULE, LONG_FUNCTION = 800, 60

Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.comprehension, ast.match_case)
ESCAPE = re.compile(r"#\s*(type:\s*ignore|noqa|pragma:\s*no cover|fmt:\s*(off|skip)|pyright:)")


def modules(folder: Path) -> dict[Path, str]:
    """Every module's text by its path."""
    paths = (path for path in sorted(folder.rglob("*.py")) if not set(LEFT_OUT) & set(path.parts))
    return {path: path.read_text() for path in paths}


def functions(tree: ast.Module) -> Iterator[Function]:
    """All functions and methods, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def lines_of(node: Function | ast.ClassDef) -> int:
    """Physical lines, decorators included."""
    first = min(each.lineno for each in (node, *node.decorator_list))
    return (node.end_lineno or node.lineno) - first + 1


def branches_of(function: Function) -> int:
    """Decisions plus one; each further operand of `and` and `or` is a decision too."""
    count = 1
    for node in own_nodes(function):
        if isinstance(node, BRANCHES):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
    return count


def params_of(function: Function) -> int:
    """Parameters that a caller thinks of: `self` and `cls` are none."""
    arguments = function.args
    named = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    extra = (arguments.vararg is not None) + (arguments.kwarg is not None)
    return len(named) + extra - (named[:1] in (["self"], ["cls"]))


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it catches whatever comes."""
    return handler.type is None or getattr(handler.type, "id", "") in ("Exception", "BaseException")


def escapes_of(text: str) -> int:
    """Comments that silence a type checker, a linter, a formatter or a coverage report."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(1 for token in tokens if token.type == tokenize.COMMENT and ESCAPE.search(token.string))


def late_imports(tree: ast.Module) -> int:
    """Imports inside functions."""
    return sum(isinstance(node, ast.Import | ast.ImportFrom) for each in functions(tree) for node in own_nodes(each))


def imports_of(path: Path, tree: ast.Module, known: set[str]) -> set[str]:
    """The project's modules that this one imports when it is loaded."""
    found: set[str] = set()
    for statement in _loaded(tree.body):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif statement.module and not statement.level:
            names = (f"{statement.module}.{alias.name}" for alias in statement.names)
            found |= {name if name in known else statement.module for name in names}
    return (found & known) - {name_of(path)}


def _loaded(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.unparse(statement.test):
            yield from _loaded([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Try):
            yield from _loaded(statement.body)


def name_of(path: Path) -> str:
    """A module's dotted name."""
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def knot(imports: dict[str, set[str]]) -> int:
    """Modules in the largest circle of imports, 0 if there is none."""
    reach = {name: _reached(name, imports) for name in imports}
    circles = ({other for other in reach[name] if name in reach[other]} for name in imports if name in reach[name])
    return max(map(len, circles), default=0)


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(imports[name])
    return found


def spread(values: list[int]) -> str:
    """Median / ninetieth percentile / largest."""
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]} / {ordered[len(ordered) * 9 // 10]} / {ordered[-1]}"


def row() -> str:
    """The table's row, as Markdown."""
    texts = modules(SOURCE)
    trees = {path: ast.parse(text) for path, text in texts.items()}
    sizes = [text.count("\n") for text in texts.values()]
    total = sum(sizes)
    made = [function for tree in trees.values() for function in functions(tree)]
    lengths = [lines_of(each) for each in made]
    classes = [lines_of(n) for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    public = [each for each in made if not each.name.startswith("_")]
    handlers = [n for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    known = {name_of(path) for path in trees}
    circle = knot({name_of(path): imports_of(path, tree, known) for path, tree in trees.items()})
    tests = sum(text.count("\n") for text in modules(ROOT / "tests").values())
    cells = (
        "*fairlead*",
        f"{total:,}",
        f"{len(texts)}",
        spread(sizes),
        f"{sum(size for size in sizes if size > LONG_MODULE) / total:.0%}",
        spread(lengths),
        f"{sum(length > LONG_FUNCTION for length in lengths) / len(lengths):.0%}",
        spread([branches_of(each) for each in made]),
        spread([params_of(each) for each in made]),
        f"{max(classes)}",
        f"{sum(ast.get_docstring(each) is not None for each in public) / len(public):.0%}",
        f"{sum(map(is_broad, handlers)) / total * 1000:.1f}",
        f"{sum(map(escapes_of, texts.values())) / total * 1000:.1f}",
        f"{sum(map(late_imports, trees.values())) / total * 1000:.1f}",
        f"{circle}",
        f"{tests / total:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def worst() -> str:
    """The three longest modules, functions and most branched functions: where to look next."""
    trees = {path: ast.parse(text) for path, text in modules(SOURCE).items()}
    sized = [(path.read_text().count("\n"), name_of(path)) for path in trees]
    made = [(each, name_of(path)) for path, tree in trees.items() for each in functions(tree)]
    long = [(lines_of(each), f"{module}.{each.name}") for each, module in made]
    branched = [(branches_of(each), f"{module}.{each.name}") for each, module in made]
    ranked = (("modules", sized), ("functions", long), ("branches", branched))
    return "\n".join(f"{title}: " + ", ".join(f"{n} {what}" for n, what in sorted(v)[:-4:-1]) for title, v in ranked)


if __name__ == "__main__":
    print(row())
    if "--worst" in sys.argv[1:]:
        print(worst())
