"""Names of strategies and metrics: the modules of a package are the registry.

A package of anybody's names itself, or a single class, under an entry point, and is then a
registry, too: one file adds a strategy, here or elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from inspect import isabstract
from types import MappingProxyType
from typing import Generic, TypeGuard, TypeVar

from ctxlab.core.declarations import Declaration, Plugins, declared, imported
from ctxlab.core.foreign_imports import refuse_import
from ctxlab.core.named import NamedValue
from ctxlab.errors import SpecError, UnknownNameError

T = TypeVar("T", bound=NamedValue)
_CLASS = re.compile(r"^class ([A-Za-z]\w*)[(\[]", re.MULTILINE)


class Registry(Generic[T]):
    """The classes of one kind, by name, found in the modules of packages.

    A module is imported when one of its classes is asked for; that a package holds a class is
    read from its source. A class counts when it stands at the top of a module, can be made (it is
    not abstract), and its name does not begin with ``_``. A name of ctxlab's is ctxlab's: a class
    of another package with the same name is found as ``module:Class`` alone, and so are two
    classes of other packages with one name. A second name for a class (``Newest = KeepLast``)
    counts where an entry point says so, and is written as the class.

    Parameters
    ----------
    kind : str
        What the classes are, for errors: ``"strategy"``.
    group : str
        The package of ctxlab's whose modules hold them, and the entry points under which others
        name packages, modules or classes: ``"ctxlab.strategies"``.
    base : type
        What every class is a subclass of.

    Examples
    --------
    >>> from ctxlab.core.specs import STRATEGIES
    >>> "KeepLast" in STRATEGIES, STRATEGIES.find("KeepLast").__name__
    (True, 'KeepLast')
    """

    def __init__(self, kind: str, group: str, base: type[T]) -> None:
        self.kind, self.group, self.base = kind, group, base
        self._added: dict[str, type[T]] = {}
        self._plugins = Plugins(group, _CLASS)

    def add(self, cls: type[T]) -> type[T]:
        """Register a class that lives in no registered package, as in a notebook.

        A class that was added under the name before is replaced.

        Raises
        ------
        SpecError
            When it is no such class, is abstract, or has a private name or one of ctxlab's.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> from ctxlab.core.strategy import Pipeline
        >>> STRATEGIES.add(Pipeline).__name__
        'Pipeline'
        """
        if not self._fits(cls) or cls.__name__.startswith("_"):
            limit = f"a public, concrete subclass of {self.base.__name__}"
            raise SpecError(f"{cls!r} cannot be added; expected {limit}")
        if cls.__name__ in self._own:
            taken = f"{self.kind} of ctxlab's; give yours another name"
            raise SpecError(f"{cls.__name__!r} is the name of a {taken}")
        self._added[cls.__name__] = cls
        return cls

    @cached_property
    def _own(self) -> Mapping[str, Declaration]:
        """What ctxlab's modules declare, by name."""
        return {one.name: one for one in declared(self.group, _CLASS, "ctxlab")}

    @cached_property
    def _others(self) -> Mapping[str, tuple[Declaration, ...]]:
        """What other packages declare, by name: more than one where names clash."""
        names: dict[str, tuple[Declaration, ...]] = {}
        for one in self._plugins.declarations:
            if one.name not in self._own:
                names[one.name] = (*names.get(one.name, ()), one)
        return names

    def names(self) -> list[str]:
        """Return the names of all classes, in alphabetical order.

        What other packages declare and cannot be had is left out; a line in the log names the
        package, and `problems` has all of these.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.names()[:2]
        ['BM25', 'Budgeted']
        """
        own = (name for name, one in self._own.items() if self._fits(one.load()))
        return sorted({*self._added, *own, *filter(self._found, self._others)})

    def classes(self) -> dict[str, type[T]]:
        """Return every class by its name.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.classes()["KeepLast"]().traits.family
        'window'
        """
        return {name: self.find(name) for name in self.names()}

    def problems(self) -> Mapping[str, str]:
        """Return what other packages declare and is left out, by place, and why.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> dict(STRATEGIES.problems())
        {}
        """
        self.names()
        return MappingProxyType(self._plugins.problems)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._named(name) is not None

    def __getitem__(self, name: str) -> type[T]:
        return self.find(name)

    @cached_property
    def installed(self) -> frozenset[str]:
        """The places of what installed packages declare, as ``module:Class``."""
        return frozenset(one.place for one in self._plugins.declarations)

    def find(self, name: str, *, allow_import: bool = False) -> type[T]:
        """Return a class: a registered one by its name, any other as ``module:Class``.

        Parameters
        ----------
        name : str
            What it is called.
        allow_import : bool
            Import a module from outside ctxlab that no installed package declares.

        Raises
        ------
        UnknownNameError
            When nothing is registered under the name; the message offers the nearest.
        SpecError
            When a ``module:Class`` cannot or may not be imported, or is not such a class; when two
            packages have a class of the name, or the one that has it is broken.

        Examples
        --------
        >>> from ctxlab.core.specs import STRATEGIES
        >>> STRATEGIES.find("ctxlab.strategies.windows:KeepLast").__name__
        'KeepLast'
        """
        if ":" in name:
            return self._imported(name, allow_import)
        found = self._named(name)
        if found is None:
            raise UnknownNameError(self.kind, name, self.names())
        return found

    def _named(self, name: str) -> type[T] | None:
        """Return the class of a name, or None; a broken package is asked last, and said to be."""
        if name in self._added:
            return self._added[name]
        if name in self._own:
            found = self._own[name].load()
            return found if self._fits(found) else None
        found = self._found(name)
        problems = [self._plugins.problems.get(one.place) for one in self._others.get(name, ())]
        if found is None and any(problems):
            remedy = "write module:Class" if len(problems) > 1 else "mend or uninstall the package"
            raise SpecError(f"{self.kind} {name!r}: {'; '.join(filter(None, problems))}; {remedy}")
        return found

    def _found(self, name: str) -> type[T] | None:
        """Return the class of a name that other packages declare; None if it is not to be had."""
        places = self._others.get(name, ())
        if len(places) > 1:
            self._clash(places)
            return None
        found = [self._plugins.load(one) for one in places]
        return next(filter(self._fits, found), None)

    def _clash(self, places: Iterable[Declaration]) -> None:
        for one in places:
            if one.place not in self._plugins.problems:
                other = ", ".join(p.place for p in places if p != one)
                self._plugins.report(one.package, one.place, f"{other} has the same name")

    def _fits(self, found: object) -> TypeGuard[type[T]]:
        return isinstance(found, type) and issubclass(found, self.base) and not isabstract(found)

    def _imported(self, place: str, allow_import: bool) -> type[T]:
        refuse_import(place, self.kind, allow_import=allow_import, installed=self.installed)
        found = imported(place, self.kind)
        if not (isinstance(found, type) and issubclass(found, self.base)):
            kind = f"a subclass of {self.base.__name__}"
            raise SpecError(f"{place!r} is a {type(found).__name__}, not {kind}")
        if isabstract(found):
            raise SpecError(f"{place!r} is abstract; name a {self.kind} that can be made")
        return found
