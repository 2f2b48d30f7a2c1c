"""Windows: the newest messages, or the first and the last."""

from __future__ import annotations

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.packing import Packer, newest
from ctxlab.core.segments import Note, Segment, Span
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task

_TOO_OLD = Note("older than the newest messages that fit")


class KeepLast(Strategy):
    """Keeps the newest groups and stops at the first that does not fit.

    Examples
    --------
    >>> context = Context((Segment.of("a", "old"), Segment.of("b", "new")))
    >>> KeepLast().compress(context, Task(budget=8)).text
    'new'
    """

    TRAITS = Traits(family="window", source="sliding window, folklore", cost="kept")

    def compress(self, context: Context, task: Task) -> Context:
        """Walk back from the newest group while the budget holds."""
        if task.fits(context):
            return context
        return context.keep_groups(newest(context, task), lambda _: _TOO_OLD)


class HeadTail(Strategy):
    """Keeps the first and the last groups, with a marker that counts what lies between.

    The beginning of a conversation sets the task and its end is where it stands; models
    also use both ends of a context best (Liu et al., "Lost in the Middle", 2024).

    Examples
    --------
    >>> context = Context(tuple(Segment.of(name, name * 9) for name in "abc"))
    >>> HeadTail(head=0.5, marker="").compress(context, Task(budget=20)).text
    'aaaaaaaaaccccccccc'
    """

    TRAITS = Traits(family="window", source="Liu et al. 2024, arXiv:2307.03172", cost="kept")

    head: float = Field(0.3, ge=0, le=1, description="share of the unpinned budget for the start")
    marker: str = Field(
        "({count} messages left out)", description="text put in the gap; empty for none"
    )

    def compress(self, context: Context, task: Task) -> Context:
        """Fill the head's share from the start, the rest from the end."""
        if task.fits(context):
            return context
        packer = Packer(context, task)
        reserve = self._marker_tokens(context, task)
        if reserve > packer.left:
            reserve = 0
        free = packer.left - reserve
        packer.left = round(self.head * free)
        tail = free - packer.left
        groups = range(len(context.groups))
        middle = next((group for group in groups if not packer.take(group)), len(groups))
        packer.left += tail
        for group in reversed(groups[middle:]):
            if not packer.take(group):
                break
        note = Note("between the first and the last messages that fit")
        kept = context.keep_groups(packer.kept, lambda _: note)
        return self._marked(context, kept) if reserve else kept

    def _marker_tokens(self, context: Context, task: Task) -> int:
        text = self.marker.replace("{count}", str(len(context)))
        sample = context[0].rewritten(text)
        dearest = max(task.costs(context).overheads)
        return task.tools.count(text) + max(task.tools.overhead(sample), dearest) if text else 0

    def _marked(self, context: Context, kept: Context) -> Context:
        left_out = len(context) - len(kept)
        if not left_out:
            return kept
        first = next(
            (i for i, (a, b) in enumerate(zip(context, kept, strict=False)) if a is not b),
            len(kept),
        )
        at = context[first]
        # The marker stands at the start of what it replaces and shows none of it.
        span = Span(at.source, at.spans[0].start, at.spans[0].start)
        within = first > 0 and context[first - 1].source == at.source
        marker = Segment(
            self.marker.replace("{count}", str(left_out)),
            (span,),
            tier=at.tier,
            role=at.role if within else "user",
            name=at.name if within else None,
            step=at.step,
            verbatim=False,
            note="marks a gap",
            placeholder=True,
        )
        return context.keep((*kept.segments[:first], marker, *kept.segments[first:]), kept.why)
