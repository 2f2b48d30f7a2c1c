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


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the rooms that a file needs to be imported, not those that a call needs later."""
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        if later or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            continue
        if isinstance(child, ast.ImportFrom) and (child.module or "").startswith("ctxlab."):
            yield str(child.module).split(".")[1]
        yield from imported(child)


def test_no_part_rests_on_one_that_rests_on_it():
    """`graphlib` names the circle where there is one."""
    rests: dict[str, set[str]] = {}
    for path in FILES:
        on = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
        rests.setdefault(part(path), set()).update(on - {part(path)})
    order = list(TopologicalSorter(rests).static_order())
    assert order.index("errors") < order.index("strategy") < order.index("strategies")
    assert order.index("strategies") < order.index("experiments") < order.index("cli")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_function_and_class_has_an_example(path):
    """In its docstring, run as a doctest; a command's stand in its help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    mark = "For example:" if part(path) == "cli" else ">>>"
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
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
