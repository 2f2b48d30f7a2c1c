"""Where code comes from: ctxlab, Python, an installed library, or its user's own files."""

from __future__ import annotations

import sys
import sysconfig
from enum import Enum
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from ctxlab.core.named import NamedValue
from ctxlab.core.own_code import library_version, own_digest


class Origin(Enum):
    """Whose code a module holds.

    Examples
    --------
    >>> origin("ctxlab.core.task"), origin("json"), origin("numpy").name
    (<Origin.OURS: 'ctxlab'>, <Origin.PYTHON: 'python'>, 'LIBRARY')
    """

    OURS = "ctxlab"
    PYTHON = "python"
    LIBRARY = "library"
    COMPILED = "compiled"
    USER = "user"


def origin(module: str) -> Origin:
    """Return whose code a module holds; what is not found is its user's, as a notebook's cell is.

    An installed package with strategies or metrics of its own is its user's, too: it is edited
    and installed again under one version.

    Examples
    --------
    >>> origin("__main__").name, origin("a_module_made_by_exec").name
    ('USER', 'USER')
    """
    top = module.partition(".")[0]
    if top == "ctxlab":
        return Origin.OURS
    if top in ("__main__", ""):
        return Origin.USER
    found = _origin(top, _file(module) or _file(top))
    return Origin.USER if found is Origin.LIBRARY and top in _homes() else found


def place(module: str) -> str:
    """Return the text that stands for a module that is not its user's: its name and version.

    One of ctxlab's stands by the digest of its code.

    Examples
    --------
    >>> place("json"), place("numpy").partition(" ")[0]
    ('json', 'numpy')
    """
    match origin(module):
        case Origin.OURS:
            return f"{module} {own_digest(module)}"
        case Origin.LIBRARY:
            return f"{module} {_version(module.partition('.')[0])}"
    return module


def _homes() -> set[str]:
    """Return the packages that strategies and metrics come from."""
    classes: list[type] = [NamedValue]
    for cls in classes:
        classes += cls.__subclasses__()
    return {cls.__module__.partition(".")[0] for cls in classes}


def _file(module: str) -> str:
    """Return the file of a module, loaded or not; empty where it has none."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        spec = getattr(loaded, "__spec__", None)
        return str(getattr(loaded, "__file__", None) or getattr(spec, "origin", None) or "")
    if "." in module:
        return ""
    try:
        spec = find_spec(module)
    except ValueError:
        return ""
    return str(spec.origin or "") if spec else ""


@cache
def _origin(top: str, file: str) -> Origin:
    if file in ("built-in", "frozen") or top in sys.builtin_module_names:
        return Origin.PYTHON
    path = Path(file)
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    if installed and _version(top):
        return Origin.LIBRARY
    if not installed and file and any(path.is_relative_to(root) for root in _python()):
        return Origin.PYTHON
    return Origin.COMPILED if file.endswith(tuple(EXTENSION_SUFFIXES)) else Origin.USER


@cache
def _python() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


@cache
def _version(top: str) -> str:
    """Return a library's version; its distribution may go by another name than its package."""
    found = library_version(top)
    if not found:
        from importlib.metadata import packages_distributions

        found = ",".join(map(library_version, packages_distributions().get(top, ())))
    return found
