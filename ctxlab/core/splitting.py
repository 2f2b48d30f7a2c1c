"""A context cut into sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import Segment
from ctxlab.text.sentences import sentence_ranges


@dataclass(frozen=True)
class _SentencesOf(Remembered[Context]):
    """A context in sentences."""


def split(context: Context) -> Context:
    """Return `context` with every message in sentences, one segment each.

    Pinned segments, groups of tool calls with their results, and what a strategy wrote stay
    whole. Split once a context, so that what is memoised on the result is shared.

    Examples
    --------
    >>> context = Context((Segment.of("message:m1", "It rained. We stayed."),))
    >>> [segment.text for segment in split(context)]
    ['It rained. ', 'We stayed.']
    """
    return context.memo(_SentencesOf(), lambda: Context(tuple(_pieces(context))))


def _pieces(context: Context) -> Iterator[Segment]:
    for segment in context:
        if segment.pinned or segment.group is not None or not segment.verbatim:
            yield segment
            continue
        ranges = sentence_ranges(segment.text)
        if len(ranges) < 2:
            yield segment
        else:
            yield from (segment.cut(start, end) for start, end in ranges)
