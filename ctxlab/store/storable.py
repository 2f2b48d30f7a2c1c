"""Text as DuckDB can hold it: UTF-8, whatever a conversation holds.

A lone surrogate, which JSON can carry and UTF-8 cannot, is stored as a JSON string behind a
mark, and comes back as it was.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from threading import Lock

MARK = "\x00json:"
"""Stands before a text that is stored as JSON."""

_clock, _last = Lock(), 0


def storable(text: str) -> str:
    r"""Return `text` in a form that has UTF-8.

    Examples
    --------
    >>> storable("plain"), storable("\ud800")
    ('plain', '\x00json:"\\ud800"')
    """
    if not text.startswith(MARK):
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return MARK + json.dumps(text)


def stored(text: str) -> str:
    r"""Return the text that `storable` was given.

    Examples
    --------
    >>> stored(storable("\ud800")) == "\ud800"
    True
    """
    if not text.startswith(MARK):
        return text
    original: str = json.loads(text[len(MARK) :])
    return original


def all_storable(texts: Iterable[str]) -> list[str]:
    """Return every text in a form that has UTF-8, fast where none needs it.

    Examples
    --------
    >>> all_storable(["a", "b"])
    ['a', 'b']
    """
    return [text if text.isascii() and text[:1] != "\x00" else storable(text) for text in texts]


def new_id(prefix: str) -> str:
    """Return a new id; ids of one process sort in the order in which they were made.

    Examples
    --------
    >>> new_id("wks").startswith("wks_")
    True
    """
    global _last
    with _clock:
        _last = max(time.time_ns(), _last + 1)
        return f"{prefix}_{_last:016x}{secrets.token_hex(6)}"
