"""What the modules of packages declare, read from their source, and what other packages add."""

from __future__ import annotations

import logging
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

from ctxlab.errors import SpecError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Declaration:
    """Something by a name at the top of a module, and the installed package that it came with.

    Examples
    --------
    >>> Declaration("KeepLast", "ctxlab.strategies.windows:KeepLast", "ctxlab").load().__name__
    'KeepLast'
    """

    name: str
    place: str
    package: str

    def load(self) -> Any:  # noqa: ANN401 - whatever stands there
        """Import the module and return what goes by the name, or None where nothing does."""
        module, _, path = self.place.partition(":")
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part, None)
        return found


def imported(place: str, kind: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what somebody wrote as ``module:name``.

    Raises
    ------
    SpecError
        When there is no such module, or nothing of the name in it.

    Examples
    --------
    >>> imported("ctxlab.strategies.windows:KeepLast", "strategy").__name__
    'KeepLast'
    """
    module, _, path = place.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    # A module's name that is empty or relative is a ValueError or a TypeError.
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        remedy = ""
        if module == "__main__":
            remedy = (
                "; it was defined in a notebook or a script that is over: run that again, or move "
                "it into a module and write module:Class"
            )
        raise SpecError(f"{kind} {place!r} cannot be imported: {error}{remedy}") from error
    return found


def declared(package: str, pattern: re.Pattern[str], owner: str) -> Iterator[Declaration]:
    r"""Yield what matches `pattern` in a module, or in a package and the modules in it.

    Nothing is imported but the packages above. Modules whose name begins with ``_`` are private,
    and packages within the package are looked into only as far as their ``__init__``.

    Parameters
    ----------
    package : str
        A module or a package.
    pattern : re.Pattern
        Finds, in a module's source, the names that count as group 1.
    owner : str
        The installed package that it belongs to.

    Raises
    ------
    ImportError
        When there is no such module.

    Examples
    --------
    >>> classes = re.compile(r"^class (\w+)\(", re.MULTILINE)
    >>> [found.name for found in declared("ctxlab.strategies.windows", classes, "ctxlab")]
    ['KeepLast', 'HeadTail']
    """
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    specs = [spec]
    for info in pkgutil.iter_modules(spec.submodule_search_locations or (), f"{package}."):
        if not info.name.rpartition(".")[2].startswith("_"):
            # Not by the name alone, which would import the package to find its module.
            within = info.module_finder.find_spec(info.name, None)
            specs += [within] if within else []
    for one in specs:
        for name in dict.fromkeys(pattern.findall(_source(one))):
            yield Declaration(name, f"{one.name}:{name}", owner)


def _source(spec: ModuleSpec) -> str:
    """Return a module's source; what has none, as a compiled one, declares nothing."""
    read = getattr(spec.loader, "get_source", None)
    return (read and read(spec.name)) or ""


class Plugins:
    """What installed packages name under an entry point; one that is broken hurts no other.

    Its error is logged once, with the package's name, and stands in `problems`.

    Parameters
    ----------
    group : str
        The entry points that name packages, modules, or ``module:name``.
    pattern : re.Pattern
        As for `declared`.

    Examples
    --------
    >>> Plugins("ctxlab.nothing", re.compile("(x)")).declarations
    ()
    """

    def __init__(self, group: str, pattern: re.Pattern[str]) -> None:
        self.group, self.pattern = group, pattern
        self.problems: dict[str, str] = {}

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        """Everything that is named, each once, in the order of the packages' names."""
        from importlib.metadata import entry_points

        found: dict[str, Declaration] = {}
        for point in sorted(entry_points(group=self.group), key=lambda one: (one.name, one.value)):
            owner = point.dist.name if point.dist else point.name
            module, _, path = point.value.partition(":")
            name = path.rpartition(".")[2]
            try:
                one = (Declaration(name, point.value, owner),)
                many = one if path else tuple(declared(module, self.pattern, owner))
            except Exception as error:  # noqa: BLE001 - others' code may raise anything
                self.report(owner, point.value, error)
                continue
            found |= {one.place: one for one in many if not one.name.startswith("_")}
        return tuple(found.values())

    def load(self, declaration: Declaration) -> Any:  # noqa: ANN401 - whatever stands there
        """Return what is declared, or None, and log it, where its module cannot be loaded."""
        if declaration.place in self.problems:
            return None
        try:
            return declaration.load()
        except Exception as error:  # noqa: BLE001 - others' code may raise anything
            self.report(declaration.package, declaration.place, error)
            return None

    def report(self, package: str, place: str, error: object) -> None:
        """Log that something is left out, and remember why."""
        cause = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else str(error)
        self.problems[place] = f"{place} of the package {package!r} is left out: {cause}"
        _log.warning("%s: %s", self.group, self.problems[place])
