"""Names of strategies and metrics: the modules of a package are the registry.

A package registers itself, or a single class, under an entry point. ctxlab's own packages do it
the same way as anybody's, so that one file adds a strategy, here or elsewhere.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from inspect import isabstract
from types import ModuleType
from typing import Any, Generic, TypeVar

from ctxlab.core.named import NamedValue
from ctxlab.errors import SpecError, UnknownNameError

T = TypeVar("T", bound=NamedValue)
_CLASS = re.compile(r"^class ([A-Za-z]\w*)\(", re.MULTILINE)


class Registry(Generic[T]):
    """The classes of one kind, by name, found in the modules of packages.

    A module is imported when one of its classes is asked for; that a package holds a class is
    read from its source.

    Parameters
    ----------
    kind : str
        What the classes are, for errors: ``"strategy"``.
    group : str
        The entry points that name packages, modules or classes: ``"ctxlab.strategies"``.
    base : type
        What every class is a subclass of.

    Examples
    --------
    >>> from ctxlab.core.specs import STRATEGIES
    >>> "KeepLast" in STRATEGIES.names(), STRATEGIES.find("KeepLast").__name__
    (True, 'KeepLast')
    """

    def __init__(self, kind: str, group: str, base: type[T]) -> None:
        self.kind, self.group, self.base = kind, group, base
        self._own: dict[str, type[T]] = {}

    def add(self, cls: type[T]) -> None:
        """Register a class that lives in no registered package.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> from ctxlab.core.strategy import Pipeline
        >>> STRATEGIES.add(Pipeline)
        """
        self._own[cls.__name__] = cls

    @cached_property
    def _places(self) -> dict[str, str]:
        """Where each class that may be one stands, as ``module:class``; ctxlab's come last."""
        points = sorted(entry_points(group=self.group), key=lambda point: point.name == "ctxlab")
        return {name: place for point in points for name, place in _classes(point.value)}

    def names(self) -> list[str]:
        """Return the names of all classes, in alphabetical order.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.names()[:2]
        ['BM25', 'Budgeted']
        """
        return sorted({*self._own, *(name for name in self._places if self._load(name))})

    def classes(self) -> dict[str, type[T]]:
        """Return every class by its name.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.classes()["KeepLast"]().traits.family
        'window'
        """
        return {name: self.find(name) for name in self.names()}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._own or self._load(name) is not None)

    def __getitem__(self, name: str) -> type[T]:
        return self.find(name)

    def find(self, name: str) -> type[T]:
        """Return a class: a registered one by its name, any other as ``module:Class``.

        Raises
        ------
        UnknownNameError
            When nothing is registered under the name; the message offers the nearest.
        SpecError
            When a ``module:Class`` cannot be imported, or is not such a class.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.find("ctxlab.strategies.windows:KeepLast").__name__
        'KeepLast'
        """
        if ":" in name:
            return self._imported(name)
        found = self._own.get(name) or self._load(name)
        if found is None:
            raise UnknownNameError(self.kind, name, self.names())
        return found

    def _load(self, name: str) -> type[T] | None:
        if name not in self._places:
            return None
        module, _, _ = self._places[name].partition(":")
        found = getattr(import_module(module), name, None)
        return found if self._fits(found) else None

    def _fits(self, found: Any) -> bool:  # noqa: ANN401 - whatever a module holds
        return isinstance(found, type) and issubclass(found, self.base) and not isabstract(found)

    def _imported(self, place: str) -> type[T]:
        module, _, path = place.partition(":")
        try:
            found: Any = import_module(module)
            for part in path.split("."):
                found = getattr(found, part)
        # A module's name that is empty or relative is a ValueError or a TypeError.
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise SpecError(f"{self.kind} {place!r} cannot be imported: {error}") from error
        if not (isinstance(found, type) and issubclass(found, self.base)):
            kind = f"a subclass of {self.base.__name__}"
            raise SpecError(f"{place!r} is a {type(found).__name__}, not {kind}")
        if isabstract(found):
            raise SpecError(f"{place!r} is abstract; name a {self.kind} that can be made")
        return found


def _classes(value: str) -> Iterator[tuple[str, str]]:
    """Yield the classes, with their places, that an entry point's value names."""
    module, _, name = value.partition(":")
    if name:
        yield name, value
        return
    for source in _modules(import_module(module)):
        yield from ((found, f"{source}:{found}") for found in _CLASS.findall(_source(source)))


def _modules(module: ModuleType) -> Iterator[str]:
    yield module.__name__
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{module.__name__}."):
        yield info.name


def _source(module: str) -> str:
    spec = find_spec(module)
    loader = spec.loader if spec else None
    source = loader.get_source(module) if hasattr(loader, "get_source") else ""  # type: ignore[union-attr]
    return source or ""
