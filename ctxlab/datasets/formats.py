"""Which formats there are: those that the modules of packages declare, ours and others'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from ctxlab.chats.file_format import Format
from ctxlab.core.declarations import Declaration, Plugins, declared, imported
from ctxlab.errors import SpecError, UnknownNameError

PACKAGES = ("ctxlab.chats", "ctxlab.chats.logs", "ctxlab.chats.exports", "ctxlab.datasets")
_DECLARED = re.compile(r"^(FORMAT) = Format\(", re.MULTILINE)


class Formats(Mapping[str, Format]):
    """The formats by name, in the order in which a record is tried.

    That is by priority, ours before others', then by name. Modules are read for ``FORMAT =
    Format(…)``, and imported when formats are first asked for. What other packages declare and
    cannot be had is left out, as are two of one name; a line in the log names the package.

    Examples
    --------
    >>> list(FORMATS)[-3:]
    ['messages', 'message-lines', 'transcript']
    """

    def __init__(self) -> None:
        self._added: dict[str, Format] = {}
        self._plugins = Plugins("ctxlab.formats", _DECLARED)

    @cached_property
    def _own(self) -> Mapping[str, Format]:
        modules = (one for name in PACKAGES for one in declared(name, _DECLARED, "ctxlab"))
        return {found.name: found for found in (one.load() for one in modules)}

    @cached_property
    def _others(self) -> Mapping[str, Format]:
        """What other packages declare: no name of ours, and none that two of them have."""
        names: dict[str, list[tuple[Declaration, Format]]] = {}
        for one in self._plugins.declarations:
            found = self._plugins.load(one)
            if isinstance(found, Format):
                names.setdefault(found.name, []).append((one, found))
            elif one.place not in self._plugins.problems:
                self._plugins.report(one.package, one.place, "it is no ctxlab.datasets.Format")
        for name, several in names.items():
            for one, _ in several if len(several) > 1 or name in self._own else ():
                self._plugins.report(one.package, one.place, f"the name {name!r} is taken")
        return {
            name: several[0][1]
            for name, several in names.items()
            if len(several) == 1 and name not in self._own
        }

    def add(self, one: Format) -> Format:
        """Register a format that no package declares, in place of one added under its name.

        Raises
        ------
        SpecError
            When the name is one of ctxlab's.

        Examples
        --------
        >>> FORMATS.add(FORMATS["locomo"])
        Traceback (most recent call last):
        ctxlab.errors.SpecError: 'locomo' is the name of a format of ctxlab's; give yours another
        """
        if one.name in self._own:
            taken = "a format of ctxlab's; give yours another"
            raise SpecError(f"{one.name!r} is the name of {taken}")
        self._added[one.name] = one
        return one

    def problems(self) -> Mapping[str, str]:
        """Return what other packages declare and is left out, by place, and why.

        Examples
        --------
        >>> dict(FORMATS.problems())
        {}
        """
        _ = self._others
        return MappingProxyType(self._plugins.problems)

    def __getitem__(self, name: str) -> Format:
        for table in (self._own, self._added):
            if name in table:
                return table[name]
        return self._others[name]

    def __iter__(self) -> Iterator[str]:
        ours = [((-one.priority, 0, one.name), one.name) for one in self._own.values()]
        theirs = {**self._others, **self._added}.values()
        ours += [((-one.priority, 1, one.name), one.name) for one in theirs]
        yield from (name for _, name in sorted(ours))

    def __len__(self) -> int:
        return len(self._own) + len({*self._others, *self._added})


FORMATS = Formats()
"""Every format there is."""


def register_format(one: Format) -> Format:
    """Make a format known for as long as Python runs, as in a notebook.

    A package that is installed declares its formats under the entry points ``ctxlab.formats``.

    Raises
    ------
    SpecError
        When the name is one of ctxlab's.

    Examples
    --------
    >>> register_format(FORMATS["locomo"])
    Traceback (most recent call last):
    ctxlab.errors.SpecError: 'locomo' is the name of a format of ctxlab's; give yours another
    """
    return FORMATS.add(one)


def sniff(raw: object, *, lines: bool = False) -> Format | None:
    """Return the format that a record looks like, or None.

    Parameters
    ----------
    raw : object
        The record.
    lines : bool
        It is the list of a file's lines: only formats of such are asked.

    Examples
    --------
    >>> sniff([{"role": "user", "content": "Hi"}]).name
    'openai'
    """
    kinds = (one for one in FORMATS.values() if one.lines or not lines)
    return next((one for one in kinds if recognised(one, raw)), None)


def recognised(one: Format, raw: object) -> bool:
    """Say whether a format recognises a record; one of others' that fails does not.

    Examples
    --------
    >>> recognised(FORMATS["openai"], [{"role": "user", "content": "Hi"}])
    True
    """
    try:
        return bool(one.recognises(raw))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return False


def find_format(name: str) -> Format:
    """Return a format by its name, or one of your own as ``module:name``.

    What goes by that name is a `Format`, or a function that takes a record and a name and yields
    cases.

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest.
    SpecError
        When ``module:name`` cannot be imported, or is neither.

    Examples
    --------
    >>> find_format("locomo").name
    'locomo'
    >>> find_format("ctxlab.datasets.locomo:read_locomo").description
    'Yield the case of one conversation.'
    """
    if ":" in name:
        return _as_format(name, imported(name, "format"))
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return FORMATS[name]


def _as_format(place: str, found: object) -> Format:
    if isinstance(found, Format):
        return found
    if isinstance(found, type) or not callable(found):
        expected = "a ctxlab.datasets.Format or a function of a record and a name"
        raise SpecError(f"{place!r} is a {type(found).__name__}, not {expected}")
    description = (found.__doc__ or "").strip().partition("\n")[0]
    return Format(
        name=place, description=description, recognises=bool, read=found, example=None
    )  # fmt: skip
