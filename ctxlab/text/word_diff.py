"""The difference of two texts, word by word: what stayed, what went, what is new."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "out", "in"]

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_EXACT = 4_000_000
"""Pairs of words up to which every one is weighed; above, words that stand everywhere are not."""
_LONGEST = 400_000
"""Characters of both texts above which they are not compared."""


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of text: in both, gone, or new.

    Examples
    --------
    >>> Change("in", "40 loaves").kind
    'in'
    """

    kind: Kind
    text: str


def word_diff(source: str, written: str) -> list[Change]:
    """Return `source` turned into `written`, piece by piece; neighbours of one kind are joined.

    The pieces that are ``same`` or ``out`` add up to `source`, those that are ``same`` or ``in``
    to `written`. The longest common runs of words are matched first (Ratcliff & Metzener,
    "Pattern matching: the gestalt approach", Dr. Dobb's Journal, 1988).

    Examples
    --------
    >>> for change in word_diff("We sold 40 loaves today", "Sold 40 loaves"):
    ...     print(change.kind, repr(change.text))
    out 'We sold'
    in 'Sold'
    same ' 40 loaves'
    out ' today'
    """
    if len(source) + len(written) > _LONGEST:
        pieces = [Change("out", source), Change("in", written)]
    else:
        pieces = list(_pieces(_WORD.findall(source), _WORD.findall(written)))
    return [change for change in pieces if change.text]


def _pieces(old: list[str], new: list[str]) -> Iterator[Change]:
    popular = len(old) * len(new) > _EXACT
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=popular).get_opcodes():
        if tag == "equal":
            yield Change("same", "".join(old[a:b]))
        else:
            yield Change("out", "".join(old[a:b]))
            yield Change("in", "".join(new[c:d]))
