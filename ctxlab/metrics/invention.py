"""Invention: values in rewritten text that stand in no source.

Values that follow from the source without standing in it, such as a sum or the date of a
"yesterday", count as invented, too: offline nobody can tell them from a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.metrics.credit import Credit, restored, said
from ctxlab.metrics.retention import speakers
from ctxlab.text.kinds import Kind, values


@dataclass(frozen=True, slots=True)
class _AllTextKey:
    """Finds all that stands in a context, normalised."""


class _Invented(Metric):
    """Share of the distinct values of one kind in rewritten text that no source holds."""

    KIND: ClassVar[Kind]

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where nothing was rewritten or no such value written."""
        credit = Credit.of(run.before, run.after)
        found = {
            credit.normal(value.text)
            for segment in written(run)
            for value in values(restored(segment), self.KIND, speakers(run.before))
        } - {""}
        if not found:
            return None
        held = run.before.memo(_AllTextKey(), lambda: _all_text(run.before, credit))
        return sum(value not in held for value in found) / len(found)


def written(run: Run) -> Iterator[Segment]:
    """Yield what the strategy of a run wrote, without placeholders.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> list(written(sample_run()))
    []
    """
    given = set(map(id, run.before))
    for segment in run.after:
        if not segment.verbatim and not segment.placeholder and id(segment) not in given:
            yield segment


def _all_text(context: Context, credit: Credit) -> str:
    # Two spaces part the texts, so that nothing is found across their ends.
    texts = (text for one in context for text in (*said(one), one.name or ""))
    return " ".join(credit.normal(text) for text in texts)


def _traits(title: str) -> MetricTraits:
    return MetricTraits(
        title=title, unit="share", better="lower", family="invention",
        source="Nan et al. 2021, arXiv:2102.09130, entity precision",
    )  # fmt: skip


class InventedNumbers(_Invented):
    """Share of the distinct numbers in rewritten text that stand in no source.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> from ctxlab.core.strategy import Strategy
    >>> from ctxlab.core.task import Task
    >>> class Careless(Strategy):
    ...     '''Writes another number.'''
    ...     def compress(self, context, task):
    ...         return context.keep(s.rewritten(s.text.replace("63", "36")) for s in context)
    >>> context = Context.of([Message("m1", "user", "63 stalls, 14 of them sell fish")])
    >>> InventedNumbers().measure(Run.of(Careless(), context, Task(budget=50)), None)
    0.5
    """

    TRAITS = _traits("invented numbers")
    KIND = "number"


class InventedNames(_Invented):
    """Share of the distinct names in rewritten text that stand in no source.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> InventedNames().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("invented names")
    KIND = "name"


class InventedDates(_Invented):
    """Share of the distinct dates in rewritten text that stand in no source.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> InventedDates().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("invented dates")
    KIND = "date"
