"""Digests of code: a result is answered from the store only while its code is the same."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

from ctxlab.core.own_code import module_digest

_OWN = "ctxlab"
_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(...), range)
# What pydantic and Python add to a class; the fields and methods say all of it.
_ADDED = re.compile(
    r"__(module|doc|dict|weakref|qualname|annotations|annotate\w*|pydantic\w*|class_vars|"
    r"private_attributes|signature|abstractmethods|slots|hash|firstlineno|static_attributes|"
    r"parameters|orig_bases|dataclass\w+|match_args)__|_abc_impl|model_\w+"
)


@dataclass(frozen=True, slots=True)
class CodeDigest:
    """A digest of all code that can change what a value does.

    Parameters
    ----------
    text : str
        Hexadecimal.
    uncertain : str
        What could not be digested: where this is not empty, two equal digests do not mean equal
        code, and nothing may be answered from the store.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> code_digest(KeepLast()).uncertain
    ''
    """

    text: str
    uncertain: str = ""


def code_digest(value: object) -> CodeDigest:
    """Return a digest of the code behind a strategy, a metric or a function.

    Of ctxlab's own classes, that is the code of their module and of all that it imports. Of
    anybody else's, it is the class with its bases, methods, defaults and constants, and whatever
    functions, classes and values these name, in turn. Installed packages count by their version.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> from ctxlab.strategies.controls import Identity
    >>> code_digest(KeepLast()) == code_digest(Identity())
    False
    """
    walk = _Walk()
    walk.value(value)
    return CodeDigest(walk.hash.hexdigest(), "; ".join(walk.uncertain))


class _Walk:
    """Feeds a hash with everything that is reached from a value, each thing once."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.uncertain: list[str] = []
        self._seen: dict[int, int] = {}
        self._held: list[object] = []

    def _say(self, *parts: object) -> None:
        self.hash.update("\0".join(map(str, parts)).encode("utf-8", "surrogatepass") + b"\n")

    def value(self, value: Any) -> None:  # noqa: ANN401 - whatever code can hold
        """Take in a value of any kind."""
        if isinstance(value, _PLAIN) and not isinstance(value, Enum):
            self._say(type(value).__name__, repr(value))
            return
        if id(value) in self._seen:
            self._say("again", self._seen[id(value)])
            return
        self._seen[id(value)] = len(self._seen)
        self._held.append(value)
        self._compound(value)

    def _compound(self, value: Any) -> None:  # noqa: ANN401
        match value:
            case Enum():
                self._say("enum", type(value).__qualname__, value.name)
                self.value(value.value)
            case type():
                self._class(value)
            case FunctionType():
                self._function(value)
            case MethodType():
                self.value(value.__func__)
                self.value(value.__self__)
            case functools.partial():
                self._all("partial", (value.func, value.args, value.keywords))
            case staticmethod() | classmethod():
                self.value(value.__func__)
            case property() | functools.cached_property():
                self.value(getattr(value, "fget", None) or getattr(value, "func", None))
            case BuiltinFunctionType():
                self._builtin(value)
            case ModuleType():
                self._module(value)
            case CodeType():
                self._code(value)
            case tuple() | list():
                self._all(type(value).__name__, value)
            case set() | frozenset():
                self._all("set", sorted(value, key=repr))
            case dict() | MappingProxyType():
                self._all("dict", [part for pair in value.items() for part in pair])
            case re.Pattern():
                self._say("pattern", value.pattern, value.flags)
            case _:
                self._object(value)

    def _all(self, kind: str, values: Any) -> None:  # noqa: ANN401
        self._say(kind, len(values))
        for one in values:
            self.value(one)

    def _class(self, cls: type) -> None:
        root = cls.__module__.split(".")[0]
        self._say("class", cls.__module__ if root != "__main__" else "", cls.__qualname__)
        if root == _OWN:
            self._say(module_digest(cls.__module__))
            return
        if _installed(root):
            self._say(_installed(root))
            return
        for base in cls.__bases__:
            self.value(base)
        for name, member in sorted(vars(cls).items()):
            if not _ADDED.fullmatch(name):
                self._say("member", name)
                self.value(member)
        for name, field in sorted(getattr(cls, "model_fields", {}).items()):
            self._say("field", name, field.annotation)
            self.value(field.default)
            self.value(field.default_factory)
            self._all("bounds", [repr(bound) for bound in field.metadata])

    def _function(self, function: FunctionType) -> None:
        root = (function.__module__ or "").split(".")[0]
        if root == _OWN:
            self._say("ours", function.__qualname__, module_digest(function.__module__))
            return
        if _installed(root):
            self._say("installed", function.__module__, function.__qualname__, _installed(root))
            return
        self._code(function.__code__, function.__doc__)
        self._all("defaults", function.__defaults__ or ())
        self.value(function.__kwdefaults__ or {})
        if wrapped := getattr(function, "__wrapped__", None):
            self.value(wrapped)
        for cell in function.__closure__ or ():
            try:
                self.value(cell.cell_contents)
            except ValueError:
                self._say("empty cell")
        for name in sorted(_names(function.__code__)):
            if name in function.__globals__:
                self._say("global", name)
                self.value(function.__globals__[name])

    def _code(self, code: CodeType, doc: str | None = None) -> None:
        """Take in what a code object does: not where it stands, nor how it is laid out."""
        self._say("code", code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars)
        for constant in code.co_consts:
            if doc is None or constant is not doc:
                self.value(constant)

    def _builtin(self, function: BuiltinFunctionType) -> None:
        module = function.__module__ or ""
        root = module.split(".")[0]
        if not _standard(root) and not _installed(root) and root != "builtins":
            self.uncertain.append(f"{module}.{function.__name__} is compiled")
        self._say("built in", module, function.__name__, _installed(root))
        if not isinstance(function.__self__, ModuleType | type(None)):
            self.value(function.__self__)

    def _module(self, module: ModuleType) -> None:
        root = module.__name__.split(".")[0]
        if root == _OWN:
            self._say("module", module_digest(module.__name__))
        elif _standard(root):
            self._say("module", module.__name__)
        elif found := _installed(root):
            self._say("module", module.__name__, found)
        elif module.__spec__ and module.__spec__.origin:
            # A module of the user's own: all that it defines may be used through its name.
            for name, member in sorted(vars(module).items()):
                if not name.startswith("__"):
                    self._say("member", name)
                    self.value(member)
        else:
            self.uncertain.append(f"module {module.__name__} has no source")

    def _object(self, value: Any) -> None:  # noqa: ANN401
        cls = type(value)
        self.value(cls)
        if hasattr(cls, "model_fields"):
            self._all("fields", [getattr(value, name) for name in sorted(cls.model_fields)])
        elif is_dataclass(value):
            self._all("fields", [getattr(value, one.name) for one in fields(value)])
        elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
            self._say(
                "array", value.dtype, value.shape, hashlib.sha256(value.tobytes()).hexdigest()
            )
        elif isinstance(getattr(value, "__dict__", None), Mapping | dict) and not _standard(
            cls.__module__.split(".")[0]
        ):
            self.value(dict(sorted(vars(value).items())))
        elif " at 0x" in repr(value):
            self.uncertain.append(f"a {cls.__qualname__} cannot be told from another")
        else:
            self._say("shown", repr(value))


def _names(code: CodeType) -> set[str]:
    """Return the names that a function, and what is nested in it, may look up in its module."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names, *(name for nested in inner for name in _names(nested))}


def _standard(root: str) -> bool:
    return root in sys.stdlib_module_names


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@functools.cache
def _installed(root: str) -> str:
    """Return the name and version of the installed distribution of a package; empty if none.

    A package that is installed in place, from a folder that is being edited, counts as source.
    """
    if _standard(root) or root == "builtins":
        return f"python {sys.version_info[:2]}"
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    if not {"site-packages", "dist-packages"} & set(Path(file).parts):
        return ""
    return ", ".join(f"{name} {version(name)}" for name in _distributions().get(root, ()))
