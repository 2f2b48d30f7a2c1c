"""The laws of a result: what every compressed context keeps of the one it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ctxlab.core.context import Context
from ctxlab.core.segments import Segment
from ctxlab.core.task import Task

Broken = tuple[str, object]
"""A law in words, and what breaks it."""


def broken_laws(
    context: Context, result: Context, task: Task, *, honours_budget: bool
) -> Iterator[Broken]:
    """Yield every law that a result breaks, with what breaks it; nothing where it keeps all.

    Parameters
    ----------
    context, result : Context
        What went in, and what a strategy made of it.
    task : Task
        The budget, and how tokens are counted.
    honours_budget : bool
        Whether the strategy promises to keep within it.

    Examples
    --------
    >>> context = Context((Segment.of("a", "xx"), Segment.of("b", "yy", pinned=True)))
    >>> [law for law, _ in broken_laws(context, Context(), Task(budget=99), honours_budget=True)]
    ['pinned segments stay as they are']
    """
    if honours_budget and not task.fits(result):
        yield f"the budget holds: {task.size(result):,} tokens within {task.budget:,}", result
    if result is context:
        return
    yield from _spans(context, result)
    yield from _groups(context, result)
    yield from _order(context, result)


def _spans(context: Context, result: Context) -> Iterator[Broken]:
    same = set(map(id, context.segments))
    for segment in result:
        if id(segment) in same:
            continue
        origins = [
            [o for o in context.from_source(span.source) if o.spans[0].covers(span)]
            for span in segment.spans
        ]
        if not segment.spans or not all(origins):
            yield "output spans lie within input spans", segment
        elif segment.verbatim and not any(_exact(segment, origin) for origin in origins[0]):
            yield "verbatim text is its source's", segment


def _exact(segment: Segment, origin: Segment) -> bool:
    if len(segment.spans) != 1:
        return False
    start = segment.spans[0].start - origin.spans[0].start
    return origin.text[start : start + len(segment.text)] == segment.text


def _groups(context: Context, result: Context) -> Iterator[Broken]:
    present = {span.source for segment in result for span in segment.spans if span.start < span.end}
    present |= {segment.source for segment in result if not segment.text and segment.verbatim}
    left = set(result.segments)
    for position, members in enumerate(context.groups):
        pinned = position in context.pinned_groups
        if len(members) == 1 and not pinned:
            continue
        segments = [context[i] for i in members if context[i].text]
        here = [segment.source in present for segment in segments]
        if any(here) and not all(here):
            yield "a group stays or goes as one", segments
        if pinned and not (all(here) and all(s in left for s in segments if s.pinned)):
            yield "pinned segments stay as they are", segments


def _order(context: Context, result: Context) -> Iterator[Broken]:
    order = {segment.source: at for at, segment in enumerate(context)}
    places = [order.get(segment.source, -1) for segment in result if segment.spans]
    if any(later < earlier for earlier, later in pairwise(places)):
        yield "the original order is kept", result
