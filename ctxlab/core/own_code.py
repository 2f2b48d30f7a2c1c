"""Digests of ctxlab's own code: what a module and all that it rests on would do."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

_LIBRARIES = ("numpy", "scipy", "snowballstemmer", "tiktoken")
"""Whose versions may change a result: counting, stemming, linear algebra."""
_DATA = (".json", ".gz", ".txt")


@cache
def module_digest(module: str) -> str:
    """Return a digest of a module of ctxlab's and of all of ctxlab that it imports.

    Imports inside functions count. Comments, docstrings and layout do not: the digest changes
    when what the code does may change. Data files beside a module count with it.

    Parameters
    ----------
    module : str
        Its dotted name.

    Examples
    --------
    >>> module_digest("ctxlab.strategies.windows") == module_digest("ctxlab.strategies.lexical")
    False
    """
    parts = [f"{name} {_version(name)}" for name in _LIBRARIES]
    parts += [f"{name} {_own(name)[0]}" for name in sorted(_reach(module))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _reach(module: str) -> frozenset[str]:
    """Return a module with everything of ctxlab that it rests on."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _own(name)[1]
    return frozenset(seen)


@cache
def _own(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest of one module's code and data, and the modules that it imports."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return "", ()
    path = Path(spec.origin)
    tree = ast.parse(path.read_bytes())
    found = hashlib.sha256(ast.dump(_bare(tree)).encode())
    # A package's data belongs to the modules that stand beside it.
    for file in sorted(path.parent.iterdir()) if path.parent.name != "ctxlab" else ():
        if file.suffix in _DATA and file.name != "measured.json":
            found.update(file.read_bytes())
    return found.hexdigest(), tuple(dict.fromkeys(_imported(tree)))


def _bare(tree: ast.Module) -> ast.Module:
    """Return a tree without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body:
            continue
        first = body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            body[0] = ast.Pass()
    return tree


def _imported(tree: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and (child.module or "").startswith("ctxlab."):
            base = str(child.module)
            yield base
            yield from (f"{base}.{a.name}" for a in child.names if _is_module(f"{base}.{a.name}"))
        yield from _imported(child)


@cache
def _is_module(name: str) -> bool:
    parent, _, leaf = name.rpartition(".")
    spec = find_spec(parent)
    folders = spec.submodule_search_locations if spec else None
    return any(
        Path(folder, f"{leaf}.py").exists() or Path(folder, leaf, "__init__.py").exists()
        for folder in folders or ()
    )


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
