"""Cutting a text to a number of tokens, without counting all of it."""

from __future__ import annotations

from collections.abc import Callable


def clipped(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """Return a longest beginning of `text` that takes at most `tokens`.

    Counts of beginnings grow all but steadily with their length: the length is found by
    doubling, then by halving, so that a text of megabytes costs no more than what is kept.

    Parameters
    ----------
    text : str
        What is cut.
    tokens : int
        The limit; nothing is left of the text when it is not positive.
    count : callable
        Tokens of a text.

    Examples
    --------
    >>> clipped("one two three", 7, len)
    'one two'
    """
    fits, fails = 0, max(1, tokens)
    while fails <= len(text) and count(text[:fails]) <= tokens:
        fits, fails = fails, fails * 2
    if fails > len(text):
        if count(text) <= tokens:
            return text
        fails = len(text)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if count(text[:middle]) <= tokens:
            fits = middle
        else:
            fails = middle
    return text[:fits]


def clipped_end(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """Return a longest end of `text` that takes at most `tokens`.

    Examples
    --------
    >>> clipped_end("one two three", 5, len)
    'three'
    """
    return clipped(text[::-1], tokens, lambda part: count(part[::-1]))[::-1]
