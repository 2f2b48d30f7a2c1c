"""Recall of the evidence among the best of a ranking, as retrieval is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from ctxlab.core.cases import Probe
from ctxlab.core.context import Remembered
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.core.segments import Segment
from ctxlab.core.strategy import Strategy


@dataclass(frozen=True)
class _RankingKey(Remembered[Any]):
    """Finds the ranking of a run by all that it depends on, on the context that came out."""

    strategy: Strategy
    before: int
    query: str
    seed: int
    evidence: frozenset[str]
    budget: int
    tools: int


class EvidenceRecall(Metric):
    """Share of a probe's evidence among the `k` messages or sessions that are ranked best.

    Recall@k, whatever the budget: our rows can stand beside published R@5 and R@10. A session
    stands where its best message does. LongMemEval (Wu et al. 2025, arXiv:2410.10813) counts a
    probe only when any, or all, of its evidence is found: `credit` says which. The gold-evidence
    oracle ranks the evidence first: no ranking does better.

    Examples
    --------
    >>> from ctxlab.core.task import Task
    >>> from ctxlab.strategies.lexical import BM25
    >>> from ctxlab.testing import sample_case
    >>> case = sample_case()
    >>> probe = case.probes[2]
    >>> run = Run.of(BM25(), case.context(), Task(budget=60, query=probe.question), case)
    >>> EvidenceRecall(k=1).measure(run, probe), EvidenceRecall(k=5).measure(run, probe)
    (0.5, 1.0)
    """

    TRAITS = MetricTraits(
        title="evidence recall", unit="share", per="probe", family="ranking",
        source="Wu et al. 2025, arXiv:2410.10813", needs="evidence, ranking", oracle=True,
    )  # fmt: skip

    k: int = Field(5, ge=1, description="how many of the best ranked count")
    unit: Literal["message", "session"] = Field("message", description="what is counted")
    credit: Literal["share", "any", "all"] = Field(
        "share", description="the share found, or 1 when any or all of it is"
    )

    @property
    def traits(self) -> MetricTraits:
        """Titled by what is counted, at which k."""
        return replace(self.TRAITS, title=f"{self.unit} recall@{self.k}")

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the recall, None without evidence here, or where nothing is ranked."""
        sources = {f"message:{message}" for message in probe.evidence} if probe else set()
        gold = {self._place(s) for s in run.before if s.source in sources} - {None}
        ranking = _ranked(run) if gold else None
        if ranking is None:
            return None
        best: dict[str | None, None] = {}
        for segment in ranking:
            best.setdefault(self._place(segment))
            if len(best) == self.k:
                break
        share = len(gold & set(best)) / len(gold)
        if self.credit == "any":
            return float(share > 0)
        return float(share == 1) if self.credit == "all" else share

    def _place(self, segment: Segment) -> str | None:
        return segment.source if self.unit == "message" else segment.step


def _ranked(run: Run) -> Iterator[Segment] | None:
    """Return the segments that went in, the best ranked first, or None without a ranking."""
    task = run.task
    key = _RankingKey(
        run.strategy, id(run.before), task.query, task.seed, task.evidence, task.budget,
        id(task.tools),
    )  # fmt: skip
    # With the ranking the objects are kept whose identities are in the key.
    ranking, *_ = run.after.memo(
        key, lambda: (run.strategy.ranking(run.before, task), run.before, task.tools)
    )
    if ranking is None:
        return None
    return (run.before[i] for group in ranking for i in run.before.groups[group])
