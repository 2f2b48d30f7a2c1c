"""Descriptions of Python objects from outside ctxlab, as far as they can change a result.

A description is a tuple of plain data and of further objects. Functions are described by their
instructions, so that neither comments nor line numbers count; what they name is described with
them. What comes with Python, a library or ctxlab is described by name and version.
"""

from __future__ import annotations

import copyreg
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from ctxlab.core.code_origins import Origin, origin, place
from ctxlab.core.code_references import Named, Taken, taking, used

Description = tuple[object, ...]
_CACHES = (weakref.ref, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet)
_DESCRIPTORS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
)
# What Python or a library derives from the rest of a class, and where it stands.
_DERIVED = {
    "__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations__",
    "__annotations_cache__", "__class_vars__", "__conditional_annotations__", "__dict__",
    "__doc__", "__firstlineno__", "__module__", "__private_attributes__", "__qualname__",
    "__signature__", "__static_attributes__", "__weakref__", "_abc_impl",
}  # fmt: skip


_READS = {
    "open", "read_text", "read_bytes", "urlopen", "getenv", "environ", "import_module",
    "__import__",
}  # fmt: skip
"""What brings in what no description holds: files, variables of the system, modules by a text."""


class UnreadableCodeError(Exception):
    """An object that has no description; the text says why.

    Examples
    --------
    >>> import threading
    >>> describe(threading.Lock())
    Traceback (most recent call last):
    ctxlab.core.foreign_code.UnreadableCodeError: a _thread.lock has no stable form: cannot ...
    """


def describe(value: object) -> Description:
    """Return the description of a function, a class, a module or any other object.

    Raises
    ------
    UnreadableCodeError
        When nothing that stays the same from process to process tells it from others.

    Examples
    --------
    >>> import math
    >>> describe(math.sqrt)
    ('builtin', 'sqrt', 'math')
    """
    if origin(_module(value)) is Origin.COMPILED:
        raise UnreadableCodeError(f"{_module(value)} is compiled, so its code cannot be read")
    try:
        for kind, described in _KINDS:
            if isinstance(value, kind):
                return described(value)
        if is_dataclass(value):
            return ("dataclass", type(value), *_attributes(value, (f.name for f in fields(value))))
        return _reduced(value)
    except UnreadableCodeError:
        raise
    except Exception as error:
        # Whatever an object raises when it is looked at is why its trials are run again.
        name = f"{_module(type(value))}.{type(value).__qualname__}"
        raise UnreadableCodeError(f"a {name} has no stable form: {error}") from error


def _module(value: object) -> str:
    module = getattr(value, "__module__", None)
    return module if isinstance(module, str) else ""


def _function(function: types.FunctionType) -> Description:
    module = str(function.__globals__.get("__name__", ""))
    cells = tuple(map(_content, function.__closure__ or ()))
    if _by_name(function, module):
        local = (*cells, function.__defaults__) if "<locals>" in function.__qualname__ else ()
        return ("function", place(module), function.__qualname__, *local)
    if reads := _READS & set(function.__code__.co_names):
        raise UnreadableCodeError(
            f"it calls {', '.join(sorted(reads))}, so its result may depend on more than its code"
        )
    return (
        "function",
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        *map(Named, function.__code__.co_freevars, cells),
        *used(function.__code__, function.__globals__),
        *(Named(name, item) for name, item in vars(function).items() if name != "__wrapped__"),
    )


def _by_name(value: types.FunctionType | type, module: str) -> bool:
    """Say whether a name and a version stand for a function or a class.

    They do for all but its user's, and what merely calls itself by a name of ours.
    """
    match origin(module):
        case Origin.USER:
            return False
        case Origin.OURS:
            found: object = sys.modules.get(module)
            for part in value.__qualname__.split("."):
                found = getattr(found, part, None)
            return found is value
    return True


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return "an empty cell"


def _taken(taken: Taken) -> Description:
    module, names = taken.module, taken.names
    found: set[str] = set()
    match origin(module.__name__):
        case Origin.COMPILED:
            raise UnreadableCodeError(f"{module.__name__} is compiled, so its code cannot be read")
        case Origin.OURS if hasattr(module, "__path__"):
            found |= names & {*dir(module), *vars(module)}
            if not found:
                return ("module", place(module.__name__))
        case Origin.USER:
            # One that is handed on as a whole may be asked for anything.
            found |= names & vars(module).keys() or {n for n in vars(module) if n[:2] != "__"}
        case _:
            return ("module", place(module.__name__))
    parts = ((name, getattr(module, name)) for name in sorted(found))
    return (
        "module",
        module.__name__,
        *(Named(attribute, taking(value, names)) for attribute, value in parts),
    )


def _class(cls: type) -> Description:
    module = _module(cls)
    # A type without a module is one of a compiler of extensions, and holds no code itself.
    if not module or _by_name(cls, module):
        return ("class", cls.__qualname__, place(module))
    own = (
        Named(name, value)
        for name, value in vars(cls).items()
        if name not in _DERIVED and not name.startswith("__pydantic_")
    )
    return ("class", cls.__qualname__, type(cls), cls.__bases__, *own, *_fields(cls))


def _fields(cls: type) -> Iterator[Named]:
    """Yield the fields of a class of pydantic's or dataclasses': types, bounds and defaults."""
    for name, info in vars(cls).get("__pydantic_fields__", {}).items():
        yield Named(
            name, (info.annotation, info.default, info.default_factory, tuple(info.metadata))
        )
    decorators = vars(cls).get("__pydantic_decorators__")
    for kind in fields(decorators) if decorators else ():
        found = getattr(decorators, kind.name)
        if isinstance(found, dict):
            yield Named(kind.name, tuple((name, item.info) for name, item in found.items()))
    for name, field in vars(cls).get("__dataclass_fields__", {}).items():
        yield Named(name, (field.default, field.default_factory, field.init, field.kw_only))


def _model(model: BaseModel) -> Description:
    return ("model", type(model), *_attributes(model, type(model).model_fields))


def _attributes(value: object, names: Iterable[str]) -> Iterator[Named]:
    return (Named(name, getattr(value, name)) for name in names)


def _builtin(function: types.BuiltinFunctionType) -> Description:
    owner = function.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return ("builtin", function.__qualname__, place(function.__module__ or ""))
    return ("builtin", function.__qualname__, owner)


def _reduced(value: object) -> Description:
    """Describe an object by what would rebuild it in another process."""
    reducer = copyreg.dispatch_table.get(type(value))
    parts = reducer(value) if reducer else value.__reduce_ex__(4)
    if isinstance(parts, str):
        return ("global", type(value), parts, place(_module(value)))
    listed = (tuple(part) if isinstance(part, Iterator) else part for part in parts)
    return ("object", type(value), *listed)


_KINDS: tuple[tuple[Any, Callable[[Any], Description]], ...] = (
    (Taken, _taken),
    (types.ModuleType, lambda module: _taken(Taken(module, frozenset()))),
    (types.FunctionType, _function),
    ((types.GenericAlias, types.UnionType), _reduced),
    (type, _class),
    (types.MethodType, lambda method: ("method", method.__func__, method.__self__)),
    (types.BuiltinFunctionType, _builtin),
    (types.MethodWrapperType, lambda method: ("method", method.__name__, method.__self__)),
    (_DESCRIPTORS, lambda found: ("descriptor", found.__objclass__.__qualname__, found.__name__)),
    ((staticmethod, classmethod), lambda method: (type(method).__name__, method.__func__)),
    (property, lambda found: ("property", found.fget, found.fset, found.fdel)),
    (functools.cached_property, lambda found: ("property", found.func)),
    (
        functools._lru_cache_wrapper,
        lambda found: ("cached", found.__wrapped__, found.cache_parameters()),
    ),
    (_CACHES, lambda cache: ("cache", type(cache).__name__)),
    (Enum, lambda member: ("member", type(member), member.name, member.value)),
    (types.MappingProxyType, lambda proxy: ("mapping", dict(proxy))),
    (BaseModel, _model),
)
