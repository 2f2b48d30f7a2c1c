r"""Digests of ctxlab's own code: a module, all that it imports, and the libraries under them.

Comments, docstrings and blank lines change no result, so they change no digest. Their removal
is lexical: parsing every module takes five times as long, and the rest is read anew in every
process.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# What this module asks for is only shown: see `ctxlab.core.views`.
_DOOR = "ctxlab.core.views"

_LONG = r'"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+"""'
_LONG_SINGLE = r"'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+'''"
_SHORT = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"' + "|" + r"'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'"
_NOTHING = r"[ \t]*+(?:#[^\n]*+)?"
_LAYOUT = re.compile(
    # A docstring, after the colon that opens its body or at the start of the file.
    rf"(\A|:)(?:{_NOTHING}\n)*+[ \t]*+[rR]?{_LONG}(?={_NOTHING}(?:\n|\Z))"
    # Any other string, which stays as it is.
    rf"|({_LONG}|{_LONG_SINGLE}|{_SHORT})"
    # The end of a line, and whatever lines without code follow it.
    rf"|(\n)(?:{_NOTHING}\n)*+"
    r"|[ \t]++(?:#[^\n]*+)?(?=\n)|#[^\n]*+",
    re.DOTALL,
)
_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n)+", re.MULTILINE)
_IMPORT = re.compile(
    r"^[ \t]*(?:from ([\w.]+) import (\([^)]*\)|[^\n]*)|import ([^\n]*))", re.MULTILINE
)


def code_alone(source: str) -> str:
    r"""Return Python source without comments, docstrings, blank lines and trailing white space.

    Examples
    --------
    >>> code_alone('def two():\n    return 2  # twice\n\n\n# The end.\n')
    'def two():\n    return 2\n'
    """
    return _LAYOUT.sub(_kept, source)


def _kept(match: re.Match[str]) -> str:
    return match[match.lastindex] if match.lastindex else ""


def imported(code: str) -> Iterator[str]:
    r"""Yield the dotted names that `code_alone` imports, anywhere in it.

    What only a type checker imports does not run, and is left out.

    Examples
    --------
    >>> list(imported("import numpy as np\nfrom ctxlab.text import words, sentences\n"))
    ['numpy', 'ctxlab.text', 'ctxlab.text.words', 'ctxlab.text.sentences']
    """
    for base, names, modules in _IMPORT.findall(_TYPES_ONLY.sub("", code)):
        if base:
            yield base
        for name in (names or modules).strip("()").split(","):
            if name.strip():
                plain = name.split()[0]
                yield f"{base}.{plain}" if base else plain


@cache
def own_digest(*modules: str) -> str:
    """Return a digest of modules of ctxlab: their code, and all that can change what it does.

    That is every module of ctxlab that they import, at any depth and inside functions too, the
    data files that these name, and the versions of the libraries that they import. It is taken
    once a process, from the files as they are then.

    Parameters
    ----------
    *modules : str
        Dotted names, such as ``"ctxlab.strategies.lexical"``.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits; the same on every machine and Python.

    Examples
    --------
    >>> own_digest("ctxlab.text.words") == own_digest("ctxlab.text.sentences")
    False
    """
    found = sorted(closure(*modules))
    libraries = sorted({name for module in found for name in _module(module).libraries})
    lines = [f"{module} {_module(module).digest}" for module in found]
    lines += (f"{name} {library_version(name)}" for name in libraries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def closure(*modules: str) -> frozenset[str]:
    """Return modules of ctxlab with every other that they import, at any depth.

    Examples
    --------
    >>> sorted(closure("ctxlab.text.words"))[:3]
    ['ctxlab.errors', 'ctxlab.redaction', 'ctxlab.text.folding']
    """
    found: set[str] = set()
    left = list(modules)
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += _module(module).imports
    return frozenset(found)


@cache
def library_version(name: str) -> str:
    """Return the version of the distribution that a package comes with; empty where none is.

    Examples
    --------
    >>> library_version("numpy")[0].isdigit(), library_version("no_such_package")
    (True, '')
    """
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


class _Module:
    """The digest of one module with its data files, and what it imports."""

    def __init__(self, name: str) -> None:
        path = _path(name)
        if path is None:
            raise ModuleNotFoundError(f"there is no module {name}")
        code = code_alone(path.read_text(encoding="utf-8"))
        whole = hashlib.sha256(code.encode())
        for data in _data_files(path, code):
            whole.update(data.name.encode() + hashlib.sha256(data.read_bytes()).digest())
        names = set(imported(code))
        self.digest = whole.hexdigest()
        self.imports = () if name == _DOOR else tuple(n for n in names if _path(n) is not None)
        tops = {n.partition(".")[0] for n in names}
        self.libraries = tops - sys.stdlib_module_names - {"ctxlab"}


@cache
def _module(name: str) -> _Module:
    return _Module(name)


@cache
def _path(name: str) -> Path | None:
    top, *parts = name.split(".")
    if top != "ctxlab":
        return None
    place = _ROOT.joinpath(*parts)
    for path in (place / "__init__.py", place.parent / f"{place.name}.py"):
        if path.is_file():
            return path
    return None


@cache
def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(p for p in folder.iterdir() if p.is_file() and p.suffix != ".py"))


def _data_files(path: Path, code: str) -> list[Path]:
    """Return the files beside a module that it names, whole or by an ending such as .bin.gz."""
    return [
        file
        for file in _files(path.parent)
        if file.name in code or (len(file.suffixes) > 1 and "".join(file.suffixes) in code)
    ]
