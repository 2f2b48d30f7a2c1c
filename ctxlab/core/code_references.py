"""What code names: its globals, the modules that it imports, and what it takes of those."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import resolve_name
from typing import Any, cast

from ctxlab.core.code_origins import Origin, origin, place

_LAYOUT = {"__doc__", "__firstlineno__", "__static_attributes__"}


@dataclass(frozen=True)
class Named:
    """A part of a description that its owner calls by a name.

    Examples
    --------
    >>> Named("WEIGHT", 1.0).name
    'WEIGHT'
    """

    name: str
    value: object


def used(code: types.CodeType, namespace: Mapping[str, object]) -> Iterator[Named]:
    """Yield the globals and the modules that code names, and what it takes of those modules.

    Examples
    --------
    >>> import math
    >>> [found.name for found in used((lambda x: math.sqrt(x) * FACTOR).__code__, {"FACTOR": 2})]
    ['FACTOR']
    """
    parts = list(_nested(code))
    attributes = frozenset(name for part in parts for name in part.co_names)
    globals_used: set[str] = set()
    for part in parts:
        steps = instructions(part)
        for at, (operation, argument) in enumerate(steps):
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                globals_used.add(str(argument))
            elif operation == "IMPORT_NAME":
                # How many packages up it starts, and the names that it takes, were loaded before.
                (_, level), (_, names) = steps[at - 2 : at]
                dotted = "." * cast("int", level) + str(argument)
                found = _imported(dotted, cast("tuple[str, ...] | None", names), namespace)
                yield Named(dotted, taking(found, attributes))
    for name in sorted(globals_used & namespace.keys()):
        yield Named(name, taking(namespace[name], attributes))


def taking(found: object, attributes: frozenset[str]) -> object:
    """Return a module with the names that are taken of it; anything else as it is.

    Examples
    --------
    >>> taking(2, frozenset({"sqrt"}))
    2
    """
    return Taken(found, attributes) if isinstance(found, types.ModuleType) else found


def _imported(
    dotted: str, names: tuple[str, ...] | None, namespace: Mapping[str, object]
) -> object:
    """Import a module of the user's or of ctxlab's; of any other, the name and version will do."""
    try:
        name = resolve_name(dotted, str(namespace.get("__package__") or "") or None)
        if origin(name) in (Origin.PYTHON, Origin.LIBRARY):
            return place(name)
        # With names to take, submodules among them are imported, and the innermost is returned.
        return __import__(name, fromlist=names or ("__name__",))
    except ImportError as error:
        return f"{type(error).__name__} of {dotted}"


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


@lru_cache(maxsize=4096)
def instructions(code: types.CodeType) -> tuple[tuple[str, object], ...]:
    """Return the operations of code with what they work on; docstrings are not among them.

    Examples
    --------
    >>> def two():
    ...     '''Two.'''
    ...     return 2
    >>> 2 in [argument for _, argument in instructions(two.__code__)]
    True
    """
    by_value = {*dis.hasconst, *dis.hasname, *dis.haslocal, *dis.hasfree, *dis.hasjrel}
    found: list[tuple[str, object]] = []
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME" and step.argval in _LAYOUT:
            found.pop()
        elif step.opname != "NOP":
            found.append((step.opname, step.argval if step.opcode in by_value else step.arg))
    return tuple(found)


@dataclass(frozen=True)
class Taken:
    """A module, and the names that code may take of it.

    Examples
    --------
    >>> import math
    >>> Taken(math, frozenset({"sqrt"})).module.__name__
    'math'
    """

    module: Any
    names: frozenset[str]
