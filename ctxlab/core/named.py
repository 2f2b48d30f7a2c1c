"""Values with a name: what strategies and metrics have in common, as text and as data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, ValidationError

from ctxlab.core.segments import Value
from ctxlab.errors import SpecError, UnknownNameError


class NamedValue(Value):
    """A frozen value that its name and its non-default parameters rebuild.

    Examples
    --------
    >>> from ctxlab.strategies.lexical import BM25
    >>> str(BM25(neighbours=2))
    'BM25(neighbours=2)'
    """

    model_config = ConfigDict(allow_inf_nan=False)

    if not TYPE_CHECKING:  # the fields are the parameters, as the plugin of pydantic knows

        def __init__(self, **parameters: Any) -> None:  # noqa: ANN401 - whatever the fields are
            try:
                super().__init__(**parameters)
            except ValidationError as error:
                faults = "; ".join(_fault(type(self), fault) for fault in error.errors())
                raise SpecError(f"{type(self).__name__}: {faults}") from error

    def spec(self) -> dict[str, Any]:
        """Return the name and the non-default parameters: a key, and enough to rebuild it.

        Examples
        --------
        >>> from ctxlab.strategies.lexical import BM25
        >>> BM25(neighbours=2).spec()
        {'BM25': {'neighbours': 2}}
        """
        values = {name: _plain(value) for name, value in self._changed().items()}
        return {qualified_name(type(self)): values}

    def _changed(self) -> dict[str, Any]:
        fields = type(self).model_fields
        values = {name: getattr(self, name) for name in fields}
        return {
            name: _literal(value)
            for name, value in values.items()
            if value != fields[name].get_default(call_default_factory=True)
        }

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._changed().items())
        return f"{qualified_name(type(self))}({arguments})"

    __repr__ = __str__


def _fault(cls: type[NamedValue], fault: Any) -> str:  # noqa: ANN401 - as pydantic gives it
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return str(UnknownNameError("parameter", place, cls.model_fields))
    if fault["type"] == "value_error":
        # A validator of the class's own names the value itself.
        return str(fault["ctx"]["error"])
    return f"{place}={fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def qualified_name(cls: type) -> str:
    """Return the name that finds the class of a strategy or a metric again.

    A class of ctxlab's goes by its name, any other by module and qualified name.

    Examples
    --------
    >>> from ctxlab.strategies.lexical import BM25
    >>> qualified_name(BM25)
    'BM25'
    """
    if cls.__module__.startswith("ctxlab."):
        return cls.__name__
    return f"{cls.__module__}:{cls.__qualname__}"


def _literal(value: object) -> object:
    """Return a parameter as a literal can be written: a member's value, a set in order."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | set):
        return tuple(sorted(map(_literal, value)))  # type: ignore[type-var]
    if isinstance(value, tuple | list):
        return type(value)(map(_literal, value))
    if isinstance(value, Mapping):
        return {_literal(key): _literal(item) for key, item in value.items()}
    return value


def _plain(value: object) -> object:
    """Return a literal as data: values with names as their specs."""
    if isinstance(value, NamedValue):
        return value.spec()
    if isinstance(value, tuple | list):
        return list(map(_plain, value))
    return value
