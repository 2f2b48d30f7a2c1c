"""JSON in fewer tokens, and back: the same value with less ink.

The notation is JSON with three liberties. Rows that are alike become a table, the names once
and then a row a line; strings that cannot be mistaken go without quotes; nothing is indented::

    {"user": "Mira", "sales": [{"day": "Mon", "kg": 12}, {"day": "Tue", "kg": 9.50}]}
    {user:Mira,sales:[{day,kg}
    Mon,12
    Tue,9.50]}

`written` and `restored` are exact inverses: numbers keep their digits, keys their order, and a
text with a key twice is refused. Valid JSON without white space reads the same in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, cast

from ctxlab.errors import DataError


class Number(str):
    """A number as it was written: no digit is lost, whatever its size.

    Examples
    --------
    >>> Number("9.50")
    '9.50'
    """

    __slots__ = ()


Tree = dict[str, "Tree"] | list["Tree"] | str | bool | None
"""A JSON value whose numbers are `Number`."""
Header = tuple[tuple[str, "Header | None"], ...]
"""Names of columns, each with those of the objects below it, if it holds such."""

MAX_DEPTH = 100
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LITERALS: dict[str, Tree] = {"true": True, "false": False, "null": None}
# What a bare string may hold: none of the signs that end or begin something.
_SIGNS = r"\"\[\]{},\x00-\x1f\x7f\ud800-\udfff"
_BARE = re.compile(rf"[^\s:{_SIGNS}](?:[^{_SIGNS}]*[^\s{_SIGNS}])?")
_BARE_KEY = re.compile(rf"[^\s:{_SIGNS}]+")
_MISSING = object()


def parsed(text: str) -> Tree:
    """Return the JSON value of `text`, numbers as they are written.

    Raises
    ------
    DataError
        When it is not JSON, has a key twice, or is nested deeper than `MAX_DEPTH`.

    Examples
    --------
    >>> parsed('{"kg": 9.50}')
    {'kg': '9.50'}
    """
    try:
        tree: Tree = json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON that can be laid out: {error}") from error
    if _depth(tree) > MAX_DEPTH:
        raise DataError(f"is nested deeper than {MAX_DEPTH}")
    return tree


def minified(tree: Tree) -> str:
    """Return a value as JSON without white space.

    Examples
    --------
    >>> minified(parsed('{ "kg": [ 9.50, null ] }'))
    '{"kg":[9.50,null]}'
    """
    return _Writer(tables=False, bare=False).value(tree)


def written(tree: Tree, *, tables: bool = True, bare: bool = True) -> str:
    r"""Return a value in the compact notation.

    Parameters
    ----------
    tree : Tree
        The value, as `parsed` gives it.
    tables : bool
        Write rows that are alike as tables.
    bare : bool
        Leave quotes out where nothing can be mistaken.

    Examples
    --------
    >>> written(parsed('[{"day": "Mon", "kg": 12}, {"day": "Tue", "kg": 9.50}]'))
    '[{day,kg}\nMon,12\nTue,9.50]'
    """
    return _Writer(tables=tables, bare=bare).value(tree)


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


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _depth(tree: Tree) -> int:
    """Return how deep a value is nested, without recursion."""
    level: Sequence[Tree] = [tree]
    depth = 0
    while level:
        depth += 1
        level = [child for one in level for child in _children(one)]
    return depth


def _children(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, dict):
        yield from tree.values()
    elif isinstance(tree, list):
        yield from tree


def _header(rows: Sequence[Tree]) -> Header | None:
    """Return the columns of rows that are alike, or None when they are not.

    Every row is an object whose keys come in one order; at most half of the cells are missing.
    """
    objects = [row for row in rows if isinstance(row, dict) and row]
    if len(objects) < max(2, len(rows)):
        return None
    names = list(dict.fromkeys(name for row in objects for name in row))
    place = {name: i for i, name in enumerate(names)}
    for row in objects:
        order = [place[name] for name in row]
        if order != sorted(order):
            return None
    if 2 * sum(map(len, objects)) < len(names) * len(objects):
        return None
    return tuple((name, _below([row.get(name, _MISSING) for row in objects])) for name in names)


def _below(cells: Sequence[object]) -> Header | None:
    """Return the columns of cells that are all objects with the very same keys."""
    objects = [cell for cell in cells if isinstance(cell, dict) and cell]
    if len(objects) < len(cells) or len({tuple(one) for one in objects}) != 1:
        return None
    return tuple((name, _below([one[name] for one in objects])) for name in objects[0])


class _Writer:
    def __init__(self, *, tables: bool, bare: bool) -> None:
        self._tables, self._bare = tables, bare

    def value(self, tree: Tree | object) -> str:
        if isinstance(tree, Number):
            return str(tree)
        if isinstance(tree, str):
            return self._string(tree)
        if isinstance(tree, dict):
            pairs = (f"{self._key(name)}:{self.value(item)}" for name, item in tree.items())
            return f"{{{','.join(pairs)}}}"
        if isinstance(tree, list):
            header = _header(tree) if self._tables else None
            return self._table(header, tree) if header else f"[{','.join(map(self.value, tree))}]"
        return json.dumps(tree)

    def _table(self, header: Header, rows: Sequence[Tree]) -> str:
        lines = (",".join(self._cells(header, row)) for row in rows)
        return "\n".join((f"[{self._names(header)}", *lines)) + "]"

    def _names(self, header: Header) -> str:
        names = (self._key(name) + (self._names(below) if below else "") for name, below in header)
        return f"{{{','.join(names)}}}"

    def _cells(self, header: Header, row: Tree) -> Iterator[str]:
        cells = cast("Mapping[str, Tree]", row)  # the header was made of objects
        for name, below in header:
            cell = cells.get(name, _MISSING)
            if below:
                yield from self._cells(below, cells[name])
            else:
                yield "" if cell is _MISSING else self.value(cell)

    def _key(self, name: str) -> str:
        return name if self._bare and _BARE_KEY.fullmatch(name) else _quoted(name)

    def _string(self, text: str) -> str:
        plain = self._bare and _BARE.fullmatch(text) and not _like_a_literal(text)
        return text if plain else _quoted(text)


def _like_a_literal(text: str) -> bool:
    if text.lower() in _LITERALS:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    # A lone surrogate cannot be sent as it is.
    lone = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=lone)


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
        match = _BARE_KEY.match(self._text, self._at)
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
        match = _BARE.match(self._text, self._at)
        if not match:
            self._fail("a value is missing")
        self._at = match.end()
        if match[0] in _LITERALS:
            return _LITERALS[match[0]]
        return Number(match[0]) if _NUMBER.fullmatch(match[0]) else match[0]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str) -> None:
        if self._peek() != sign:
            self._fail(f"{sign!r} is missing")
        self._at += 1

    def _fail(self, problem: str) -> NoReturn:
        raise DataError(f"is not in the compact notation at character {self._at}: {problem}")
