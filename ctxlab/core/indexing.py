"""The term index of a context: built once, shared by every strategy that ranks by words."""

from __future__ import annotations

from dataclasses import dataclass

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import spoken
from ctxlab.text.term_index import TermIndex


@dataclass(frozen=True)
class _TermIndexOf(Remembered[TermIndex]):
    """The term index of a context."""


def term_index(context: Context) -> TermIndex:
    """Return the index of a context's segments, names included; built once a context.

    Examples
    --------
    >>> from ctxlab.testing import sample_case
    >>> context = sample_case().context()
    >>> term_index(context) is term_index(context), term_index(context).n
    (True, 12)
    """
    return context.memo(_TermIndexOf(), lambda: TermIndex([spoken(segment) for segment in context]))
