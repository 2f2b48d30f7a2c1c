"""Runs of white space that are too long for tiktoken: it overflows its stack on them."""

from __future__ import annotations

import re

_LONG_SPACE = re.compile(r"\s{200000}")


def without_long_space(text: str) -> list[str]:
    """Return a text in pieces, none with a run of more than 200,000 white-space characters.

    Examples
    --------
    >>> without_long_space("two stalls")
    ['two stalls']
    """
    pieces, at = [], 0
    for run in _LONG_SPACE.finditer(text):
        pieces += [text[at : run.start()], run.group()]
        at = run.end()
    return [*pieces, text[at:]]
