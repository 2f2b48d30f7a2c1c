"""Text from data as it may stand in HTML: nothing runs, no formula forms, no mark turns a line."""

from __future__ import annotations

import re
from html import escape

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, marks of direction and lone surrogates: they are named, not obeyed."""
_TITLE = 300


def safe(text: str) -> str:
    r"""Return text as HTML that reads as it was written.

    Besides HTML's own characters, dollars and backslashes stand in elements of their own, which
    part them from each other, so that MathJax finds no formula; marks of direction and control
    characters are named.

    Examples
    --------
    >>> safe("<b>$40")
    '&lt;b&gt;<span>$</span>40'
    >>> safe("abc\u202edef")
    'abc<small>[U+202E]</small>def'
    """
    html = escape(text).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")
    return _UNSEEN.sub(lambda found: f"<small>[U+{ord(found[0]):04X}]</small>", html)


def short(text: str, limit: int) -> str:
    """Return text in one line of at most `limit` characters.

    Examples
    --------
    >>> short("a long  story", 8)
    'a long …'
    """
    line = " ".join(text[: 4 * limit].split())
    whole = len(line) <= limit and len(text) <= 4 * limit
    return line if whole else f"{line[: limit - 1].rstrip()} …"


def named(text: str, limit: int = 90) -> str:
    """Return code as HTML, such as a strategy as it is written; a long one is cut, and told whole.

    Examples
    --------
    >>> named("BM25()")
    '<code>BM25()</code>'
    """
    if len(text) <= limit:
        return f"<code>{safe(text)}</code>"
    title = escape(_UNSEEN.sub("·", short(text, _TITLE)))
    return f"<code title='{title}'>{safe(short(text, limit))}</code>"
