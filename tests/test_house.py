"""The house: parts that rest on others without a circle, examples everywhere, a light door."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ctxlab

ROOT = Path(ctxlab.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py"))
HEAVY = {"duckdb", "numpy", "polars", "pydantic", "scipy", "sqlalchemy", "tiktoken", "torch"}


def part(path: Path) -> str:
    """Return the room of a file: its module, or the package that it stands in."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FLOORS = (
    ("redaction",),
    ("errors",),
    ("text", "stats"),
    ("core",),
    ("store", "models"),
    ("strategies", "metrics"),
    ("chats",),
    ("datasets", "workshop"),
    ("bench",),
    ("display", "export", "postgres"),
    ("cli", "testing", "__init__"),
)
"""The rooms of the house, from the ground up; the last floor is the roof."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
DOOR = "core/views.py"
"""The one file that may ask a room above its own: it shows what asks to be shown."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of ctxlab that a file rests on, wherever in it they are imported.

    What only a type checker imports is not needed to run, and does not count.
    """
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == "ctxlab":
            base = str(child.module)
            yield from (f"{base}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (a.name for a in child.names if a.name.split(".")[0] == "ctxlab")
        yield from imported(child)


def room_of(module: str) -> str:
    """Return the room of a module by its dotted name; a public name is of the roof."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOOR else "__init__"


def faults(sources: dict[str, str]) -> list[str]:
    """Return every import of files, given by path in the house, that does not go down a floor."""
    found = []
    for path, source in sources.items():
        own = path.split("/")[0].removesuffix(".py")
        for module in imported(ast.parse(source)):
            room = room_of(module)
            if room != own and FLOOR[room] >= FLOOR[own] and path != DOOR:
                found.append(f"{path} imports {module}")
    return found


def house() -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}


def test_every_room_rests_only_on_floors_below_it():
    """Imports inside functions count; so there is no circle between rooms either."""
    assert {part(path) for path in FILES} == set(FLOOR)
    assert faults(house()) == []


def test_the_door_is_the_one_exception():
    """Without its leave, the file that asks for views is the one that looks up."""
    source = (ROOT / DOOR).read_text(encoding="utf-8")
    assert faults({"core/door.py": source}) == ["core/door.py imports ctxlab.display"]


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("core/task.py", "from ctxlab.bench.grid import Grid", "ctxlab.bench.grid.Grid"),
        ("store/x.py", "def f():\n    from ctxlab import strategies", "ctxlab.strategies"),
        ("text/x.py", "import ctxlab.stats.samples", "ctxlab.stats.samples"),
        ("export/x.py", "class A:\n    def f(self):\n        import ctxlab.cli", "ctxlab.cli"),
        ("bench/x.py", "from ctxlab import Store", "ctxlab.Store"),
    ],
)
def test_a_planted_fault_is_found(path, source, fault):
    """Upwards, sideways, lazily, and through the roof."""
    assert faults({path: source}) == [f"{path} imports {fault}"]


def test_no_module_rests_on_one_that_rests_on_it():
    """`graphlib` names the circle where there is one, lazy imports included."""
    names = {module_name(path): path for path in FILES if path.name != "__init__.py"}
    rests = {}
    for name, path in names.items():
        source = path.read_text(encoding="utf-8")
        wanted = {m for m in imported(ast.parse(source)) for m in (m, m.rpartition(".")[0])}
        rests[name] = (wanted & set(names)) - {name}
    assert len(list(TopologicalSorter(rests).static_order())) == len(names)


def module_name(path: Path) -> str:
    return ".".join(["ctxlab", *path.relative_to(ROOT).with_suffix("").parts])


def test_the_store_loads_no_strategy_and_no_bench():
    """Whoever only stores does not pay for what compresses."""
    code = "from ctxlab.store import Store; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[1] for name in done.stdout.split() if name.startswith("ctxlab.")}
    assert loaded <= {"errors", "redaction", "text", "core", "store"}


def test_file_names_say_where_they_are():
    """No two rooms have a file of one name."""
    stems = [path.stem for path in FILES if path.name != "__init__.py"]
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []
    assert {stem for stem in stems if stem in FLOOR} == {"errors", "redaction"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_function_and_class_has_an_example(path):
    """In its docstring, run as a doctest; a command's stand in its help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mark = "For example:" if part(path) == "cli" else ">>>"
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        # An overload says a type; the function that follows has the docstring.
        and not any(ast.unparse(mark) == "overload" for mark in node.decorator_list)
    ]
    bare = [
        node.name
        for node in public
        if mark not in (text := ast.get_docstring(node) or "") and ">>>" not in text
    ]
    assert bare == []


def test_importing_ctxlab_loads_nothing_heavy():
    """Names are found when they are asked for."""
    code = "import ctxlab, sys; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ctxlab" in done.stdout.split()
    assert HEAVY.isdisjoint(done.stdout.split())
