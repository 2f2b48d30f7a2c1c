"""The prefix that a provider's cache would still hold."""

from __future__ import annotations

from itertools import takewhile

from ctxlab.core.cases import Probe
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment


class PrefixStability(Metric):
    """Share of the tokens left that are a prefix of what went in.

    A provider's cache holds the prompt before the compression; it serves whatever the prompt
    afterwards begins with alike, message by message and then text (Anthropic and OpenAI,
    "Prompt caching", 2024). The rest is read anew at the full price.

    Examples
    --------
    >>> from ctxlab.strategies.controls import Identity
    >>> from ctxlab.core.task import Task
    >>> from ctxlab.testing import sample_case, sample_run
    >>> PrefixStability().measure(sample_run(), None)
    0.0
    >>> run = Run.of(Identity(), sample_case().context(), Task(budget=999))
    >>> PrefixStability().measure(run, None)
    1.0
    """

    TRAITS = MetricTraits(
        title="prefix kept", unit="share", family="cost",
        source="Anthropic 2024 and OpenAI 2024, prompt caching",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where nothing is left."""
        counts = run.task.costs(run.after).texts
        total = sum(counts)
        if not total:
            return None
        pairs = list(zip(run.before, run.after, strict=False))
        same = sum(1 for _ in takewhile(lambda pair: _alike(*pair), pairs))
        kept = sum(counts[:same])
        if same < len(pairs) and _frame(pairs[same][0]) == _frame(pairs[same][1]):
            old, new = (segment.text for segment in pairs[same])
            ends = (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
            start = next(ends, min(len(old), len(new)))
            kept += min(run.task.tools.count(new[:start]), counts[same]) if start else 0
        return kept / total


def _alike(old: Segment, new: Segment) -> bool:
    return old is new or (old.text == new.text and _frame(old) == _frame(new))


def _frame(segment: Segment) -> tuple[object, ...]:
    """Return what of a segment is sent beside its text."""
    return (
        segment.source, segment.role, segment.name, segment.tool_calls, segment.tool_call_id,
    )  # fmt: skip
