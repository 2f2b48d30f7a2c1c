"""The compact notation of JSON, read back: the inverse of `written`."""

from __future__ import annotations

import json
from typing import NoReturn

from ctxlab.errors import DataError
from ctxlab.text.json_layout import BARE, BARE_KEY, LITERALS, NUMBER, Header, minified
from ctxlab.text.json_tree import Number, Tree


def restored(text: str) -> str:
    r"""Return the JSON, without white space, that `written` wrote as `text`.

    Raises
    ------
    DataError
        When the text is not in the notation, with the place.

    Examples
    --------
    >>> restored('[{day,kg}\nMon,12\nTue,9.50]')
    '[{"day":"Mon","kg":12},{"day":"Tue","kg":9.50}]'
    """
    return minified(_Reader(text).whole())


class _Reader:
    """A reader of the notation, by recursive descent."""

    _decoder = json.JSONDecoder()

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> Tree:
        tree = self._value()
        if self._at != len(self._text):
            self._fail("something stands after the value")
        return tree

    def _value(self) -> Tree:
        sign = self._peek()
        if sign == "{":
            return self._object()
        if sign == "[":
            return self._array()
        if sign == '"':
            return self._quoted()
        return self._scalar()

    def _object(self) -> Tree:
        self._take("{")
        found: dict[str, Tree] = {}
        while self._peek() != "}":
            name = self._key()
            self._take(":")
            found[name] = self._value()
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        return found

    def _array(self) -> Tree:
        start = self._at
        self._take("[")
        if self._peek() == "{":
            header = self._header_here()
            if header:
                return self._rows(header)
        self._at = start + 1
        found: list[Tree] = []
        while self._peek() != "]":
            found.append(self._value())
            if self._peek() != "]":
                self._take(",")
        self._take("]")
        return found

    def _header_here(self) -> Header | None:
        """Return the header that stands here; None where an object does."""
        self._take("{")
        columns: list[tuple[str, Header | None]] = []
        while self._peek() != "}":
            name = self._key()
            if self._peek() == ":":
                return None
            below = self._header_here() if self._peek() == "{" else None
            columns.append((name, below))
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        return tuple(columns) or None

    def _rows(self, header: Header) -> list[Tree]:
        rows: list[Tree] = []
        while self._peek() == "\n":
            self._take("\n")
            rows.append(self._row(header, [True]))
        self._take("]")
        return rows

    def _row(self, header: Header, first: list[bool]) -> dict[str, Tree]:
        """Read the cells of a header; `first` holds whether none of the line was read yet."""
        row: dict[str, Tree] = {}
        for name, below in header:
            if below:
                row[name] = self._row(below, first)
                continue
            if not first[0]:
                self._take(",")
            first[0] = False
            if self._peek() not in (",", "\n", "]", ""):
                row[name] = self._value()
        return row

    def _key(self) -> str:
        if self._peek() == '"':
            return self._quoted()
        match = BARE_KEY.match(self._text, self._at)
        if not match:
            self._fail("a name is missing")
        self._at = match.end()
        return match[0]

    def _quoted(self) -> str:
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except ValueError as error:
            self._fail(str(error))
        return str(value)

    def _scalar(self) -> Tree:
        match = BARE.match(self._text, self._at)
        if not match:
            self._fail("a value is missing")
        self._at = match.end()
        if match[0] in LITERALS:
            return LITERALS[match[0]]
        return Number(match[0]) if NUMBER.fullmatch(match[0]) else match[0]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str) -> None:
        if self._peek() != sign:
            self._fail(f"{sign!r} is missing")
        self._at += 1

    def _fail(self, problem: str) -> NoReturn:
        raise DataError(f"is not in the compact notation at character {self._at}: {problem}")
