"""JSON in fewer tokens, and back: the same value with less ink.

The notation is JSON with three liberties. Rows that are alike become a table, the names once
and then a row a line; strings that cannot be mistaken go without quotes; nothing is indented::

    {"user": "Mira", "sales": [{"day": "Mon", "kg": 12}, {"day": "Tue", "kg": 9.50}]}
    {user:Mira,sales:[{day,kg}
    Mon,12
    Tue,9.50]}

`written` and `restored` (in `json_layout_reader`) are exact inverses: numbers keep their digits,
keys their order, and a text with a key twice is refused. Valid JSON without white space reads the
same in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from ctxlab.text.json_tree import Number, Tree

Header = tuple[tuple[str, "Header | None"], ...]
"""Names of columns, each with those of the objects below it, if it holds such."""

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
LITERALS: dict[str, Tree] = {"true": True, "false": False, "null": None}
# What a bare string may hold: none of the signs that end or begin something.
_SIGNS = r"\"\[\]{},\x00-\x1f\x7f\ud800-\udfff"
BARE = re.compile(rf"[^\s:{_SIGNS}](?:[^{_SIGNS}]*[^\s{_SIGNS}])?")
BARE_KEY = re.compile(rf"[^\s:{_SIGNS}]+")
_MISSING = object()


def minified(tree: Tree) -> str:
    """Return a value as JSON without white space.

    Examples
    --------
    >>> from ctxlab.text.json_tree import parsed
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
    >>> from ctxlab.text.json_tree import parsed
    >>> written(parsed('[{"day": "Mon", "kg": 12}, {"day": "Tue", "kg": 9.50}]'))
    '[{day,kg}\nMon,12\nTue,9.50]'
    """
    return _Writer(tables=tables, bare=bare).value(tree)


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
        return name if self._bare and BARE_KEY.fullmatch(name) else _quoted(name)

    def _string(self, text: str) -> str:
        plain = self._bare and BARE.fullmatch(text) and not _like_a_literal(text)
        return text if plain else _quoted(text)


def _like_a_literal(text: str) -> bool:
    if text.lower() in LITERALS:
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
