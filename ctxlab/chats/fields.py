"""Reading untrusted JSON field by field: every error says which field, and what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxlab.errors import DataError

_NAMES = {str: "a string", list: "a list", dict: "an object", int: "a number", bool: "a boolean"}


class Fields:
    """An object of a record, with the path that leads to it.

    Parameters
    ----------
    raw : object
        What stands there; anything but an object is an error.
    path : str
        Where it stands, such as ``"messages[3]"``.

    Raises
    ------
    DataError
        When it is not an object.

    Examples
    --------
    >>> Fields({"id": "c1"}).text("id")
    'c1'
    >>> Fields({"id": 7}, "messages[3]").text("id")
    Traceback (most recent call last):
    ctxlab.errors.DataError: field messages[3].id: is a number (7); expected a string
    """

    def __init__(self, raw: object, path: str = "") -> None:
        self.path = path
        self.raw: dict[str, Any] = expect(raw, dict, path)

    def at(self, name: str) -> str:
        """Return the path of a field.

        Examples
        --------
        >>> Fields({}, "messages[3]").at("content")
        'messages[3].content'
        """
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Say whether a field is there and not null.

        Examples
        --------
        >>> Fields({"name": None}).has("name")
        False
        """
        return self.raw.get(name) is not None

    def text(self, name: str) -> str:
        """Return a field that must be a string.

        Examples
        --------
        >>> Fields({}).text("id")
        Traceback (most recent call last):
        ctxlab.errors.DataError: field id: is missing; expected a string
        """
        if name not in self.raw:
            raise DataError("is missing; expected a string", field=self.at(name))
        found: str = expect(self.raw[name], str, self.at(name))
        return found

    def optional(self, name: str) -> str | None:
        """Return a field that is a string, null or absent.

        Examples
        --------
        >>> Fields({}).optional("name") is None
        True
        """
        return self.text(name) if self.has(name) else None

    def scalar(self, name: str) -> str:
        """Return a field that is a string or a number, as text; empty when absent.

        Examples
        --------
        >>> Fields({"answer": 314}).scalar("answer")
        '314'
        """
        value = self.raw.get(name, "")
        if value is None or isinstance(value, dict | list):
            raise DataError(
                f"is {_shown(value)}; expected a string or a number", field=self.at(name)
            )
        return str(value)

    def items(self, name: str) -> Iterator[tuple[str, object]]:
        """Yield path and value of every item of a field that must be a list.

        Examples
        --------
        >>> list(Fields({"evidence": ["m1"]}).items("evidence"))
        [('evidence[0]', 'm1')]
        """
        if name not in self.raw:
            raise DataError("is missing; expected a list", field=self.at(name))
        for index, value in enumerate(expect(self.raw[name], list, self.at(name))):
            yield f"{self.at(name)}[{index}]", value

    def child(self, name: str) -> Fields:
        """Return a field that must be an object.

        Examples
        --------
        >>> Fields({}).child("function")
        Traceback (most recent call last):
        ctxlab.errors.DataError: field function: is missing; expected an object
        """
        if name not in self.raw:
            raise DataError("is missing; expected an object", field=self.at(name))
        return Fields(self.raw[name], self.at(name))

    def objects(self, name: str) -> Iterator[Fields]:
        """Yield every item of a field that must be a list of objects.

        Examples
        --------
        >>> [one.text("id") for one in Fields({"probes": [{"id": "p1"}]}).objects("probes")]
        ['p1']
        """
        for path, value in self.items(name):
            yield Fields(value, path)


def expect(value: object, kind: type, path: str) -> Any:  # noqa: ANN401
    """Return `value` if it is of a kind.

    Raises
    ------
    DataError
        When it is not.

    Examples
    --------
    >>> expect([1], list, "x")
    [1]
    """
    if not isinstance(value, kind):
        raise DataError(f"is {_shown(value)}; expected {_NAMES[kind]}", field=path)
    return value


def _shown(value: object) -> str:
    if value is None:
        return "null"
    for kind in (bool, int, str, list, dict):
        if isinstance(value, kind):
            text = repr(value)
            return f"{_NAMES[kind]} ({text if len(text) <= 40 else text[:37] + '...'})"
    return f"a number ({value!r})"
