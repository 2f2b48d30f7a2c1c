"""Invention: values in rewritten text that stand in no source.

Values that follow from the source without standing in it, such as a sum or the date of a
"yesterday", count as invented, too: offline nobody can tell them from a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context, Remembered
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.metrics.credit import Credit, restored, said
from ctxlab.metrics.retention import speakers
from ctxlab.text.kinds import Kind, values


@dataclass(frozen=True)
class _AllTextKey(Remembered[Any]):
    """Finds all that stands in a context, as it is and normalised."""


class _Invented(Metric):
    """Share of the distinct values of one kind in rewritten text that no source holds."""

    KIND: ClassVar[Kind]

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where nothing was rewritten or no such value written."""
        credit = Credit.of(run.before, run.after)
        found = {
            key: value.text
            for segment in written(run)
            for value in values(restored(segment), self.KIND, speakers(run.before))
            if (key := credit.normal(value.text))
        }
        if not found:
            return None
        plain, normal = run.before.memo(_AllTextKey(), lambda: _all_text(run.before, credit))
        held = sum(self._held(key, text, plain, normal) for key, text in found.items())
        return 1 - held / len(found)

    def _held(self, key: str, text: str, plain: str, normal: str) -> bool:
        """Say whether the sources hold a value: `key` in `normal`, or `text` in `plain`."""
        if key in normal:
            return True
        return text in plain and bool(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", plain))


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


def _all_text(context: Context, credit: Credit) -> tuple[str, str]:
    texts = [text for one in context for text in (*said(one), one.name or "")]
    # Line breaks part the texts, so that nothing is found across their ends.
    return "\n".join(texts), "\n".join(map(credit.normal, texts))


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
    """Share of the distinct names in rewritten text of which a word stands in no source.

    A name may be made of words that stand apart: lists of names run into each other.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> InventedNames().measure(sample_run(), None) is None
    True
    """

    TRAITS = _traits("invented names")
    KIND = "name"

    def _held(self, key: str, text: str, plain: str, normal: str) -> bool:
        return all(f" {word} " in normal for word in key.split())


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
