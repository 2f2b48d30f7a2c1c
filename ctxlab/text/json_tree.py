"""JSON values as they were written: no digit of a number is lost, no key stands twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NoReturn

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

MAX_DEPTH = 100


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
