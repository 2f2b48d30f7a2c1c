"""The leaderboard: one row for every strategy at every budget, with honest statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.core.strategy import Traits
from ctxlab.metrics import budget_error, rate, throughput
from ctxlab.stats import (
    Comparison,
    Interval,
    cluster_bootstrap,
    compare_paired,
    holm,
    paired_permutation,
    skill,
)

MeasureName = Literal["all_evidence", "evidence_tokens", "answer"]
"""What a ranking goes by: a column of the outcomes."""

_OVER = 0.005
"""A result this far above its budget, in shares of it, is not compared at that budget."""


@dataclass(frozen=True)
class Row:
    """One strategy at one budget; shares from 0 to 1, intervals over conversations.

    Parameters
    ----------
    strategy, budget : str
        As they were asked for.
    cases, probes, failed : int
        Conversations and questions measured, and trials that failed.
    all_evidence, evidence_tokens, answer : float or None
        Availability: mean over the probes that have evidence, or an answer that stood there.
    all_evidence_low, all_evidence_high : float or None
        Interval of `all_evidence`; None with fewer than two conversations.
    rate : float
        Tokens after over tokens before.
    skill : float or None
        Where the ranking measure stands between the random floor (0) and the oracle (1).
    p_value : float or None
        Of the paired permutation test against the baseline, Holm-adjusted within the budget.
    latency_ms, tokens_per_second : float
        Mean time of one compression, and tokens that went in by that time.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> row = sample_results().rows()[0]
    >>> row.strategy, row.budget, row.all_evidence
    ('Oracle()', '40%', 1.0)
    """

    strategy: str
    budget: str
    cases: int
    probes: int
    all_evidence: float | None
    all_evidence_low: float | None
    all_evidence_high: float | None
    evidence_tokens: float | None
    answer: float | None
    rate: float
    skill: float | None
    p_value: float | None
    latency_ms: float
    failed: int
    family: str
    query_aware: bool
    control: bool
    baseline: bool
    tokens: float
    budget_error: float
    tokens_per_second: float

    @property
    def comparable(self) -> bool:
        """Whether it is a strategy at its budget: neither a control nor over the budget.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [row.comparable for row in sample_results().rows()]
        [False, True, False, True]
        """
        return not self.control and self.budget_error <= _OVER and bool(self.probes)


class Leaderboard:
    """Rows, and paired comparisons, of the outcomes of an experiment.

    Every probe counts once: its measures are averaged over seeds. Intervals and tests resample
    whole conversations, because questions on one conversation are not independent.

    Parameters
    ----------
    outcomes : polars.DataFrame
        One row a trial and probe, with the trial's strategy, budget, dataset, case and seed.
    failed : mapping
        Failed trials of every strategy and budget.
    traits : mapping
        Traits of every strategy, by its text.
    measure : {"all_evidence", "evidence_tokens", "answer"}
        What the ranking, the skill and the tests go by.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().leaderboard().baseline
    'KeepLast()'
    """

    def __init__(
        self,
        outcomes: pl.DataFrame,
        failed: Mapping[tuple[str, str], int],
        traits: Mapping[str, Traits],
        measure: MeasureName = "all_evidence",
        baseline: str | None = None,
    ) -> None:
        self.measure = measure
        self._failed, self._traits = failed, traits
        self._probes = outcomes.group_by(
            "strategy", "budget", "dataset", "case_id", "probe_id", maintain_order=True
        ).agg(
            pl.col("category").first(),
            pl.col(
                "all_evidence",
                "evidence_tokens",
                "answer",
                "seconds",
                "tokens_before",
                "tokens_after",
                "budget_tokens",
            ).mean(),
        )
        self._parts = {
            (str(strategy), str(budget)): part
            for (strategy, budget), part in self._probes.group_by(
                "strategy", "budget", maintain_order=True
            )
        }
        self.baseline = baseline or self._default_baseline()

    def _default_baseline(self) -> str:
        names = list(self._traits)
        plain = [name for name in names if self._traits[name].family == "window"]
        others = [name for name in names if self._traits[name].family != "control"]
        return (plain or others or names)[0]

    def rows(self) -> list[Row]:
        """Return the rows, budget by budget, the best first.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [row.strategy for row in sample_results().leaderboard().rows()]
        ['Oracle()', 'BM25()', 'RandomDrop()', 'KeepLast()']
        """
        budgets = list(dict.fromkeys(budget for _, budget in self._all_keys()))
        return [row for budget in budgets for row in self._at(budget)]

    def _all_keys(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys([*self._parts, *self._failed]))

    def _at(self, budget: str) -> list[Row]:
        names = [name for name, at in self._all_keys() if at == budget]
        floor = self._extreme(names, budget, "seeded")
        ceiling = self._extreme(names, budget, "gold")
        adjusted = self._p_values(names, budget)
        rows = [self._row(name, budget, floor, ceiling, adjusted.get(name)) for name in names]
        return sorted(rows, key=lambda row: -(getattr(row, self.measure) or 0.0))

    def _row(
        self,
        name: str,
        budget: str,
        floor: float | None,
        ceiling: float | None,
        p_value: float | None,
    ) -> Row:
        part = self._parts.get((name, budget), self._probes.clear())
        traits = self._traits[name]
        means = {m: _mean(part, m) for m in ("all_evidence", "evidence_tokens", "answer")}
        interval = self._interval(name, budget, "all_evidence")
        chosen = means[self.measure]
        before, after = _total(part, "tokens_before"), _total(part, "tokens_after")
        asked = _total(part, "budget_tokens")
        return Row(
            strategy=name,
            budget=budget,
            cases=part.select("dataset", "case_id").n_unique(),
            probes=part[self.measure].drop_nulls().len(),
            all_evidence=means["all_evidence"],
            all_evidence_low=interval.low if interval else None,
            all_evidence_high=interval.high if interval else None,
            evidence_tokens=means["evidence_tokens"],
            answer=means["answer"],
            rate=rate(before, after),
            skill=skill(chosen, floor, ceiling),
            p_value=p_value,
            latency_ms=1000 * (_mean(part, "seconds") or 0.0),
            failed=self._failed.get((name, budget), 0),
            family=traits.family,
            query_aware=traits.query_aware,
            control=traits.family == "control",
            baseline=name == self.baseline,
            tokens=_mean(part, "tokens_after") or 0.0,
            budget_error=budget_error(asked, after) if asked else 0.0,
            tokens_per_second=throughput(before, _total(part, "seconds")),
        )

    def _extreme(self, names: Sequence[str], budget: str, trait: str) -> float | None:
        """Return the mean of the random floor (`seeded`) or of the oracle (`gold`)."""
        for name in names:
            traits = self._traits[name]
            if traits.family == "control" and getattr(traits, trait):
                return _mean(self._parts.get((name, budget), self._probes.clear()), self.measure)
        return None

    def _p_values(self, names: Sequence[str], budget: str) -> dict[str, float | None]:
        rivals = [n for n in names if n != self.baseline and self._traits[n].family != "control"]
        raw = []
        for name in rivals:
            ours, base, clusters = self.paired(name, self.baseline, budget)
            raw.append(paired_permutation(ours, base, clusters).p_value if ours.size else None)
        return dict(zip(rivals, holm(raw), strict=True))

    def interval(self, strategy: str, budget: str) -> Interval | None:
        """Return the mean of the measure with its interval; None where nothing was measured.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> found = sample_results().leaderboard().interval("Oracle()", "40%")
        >>> found.estimate, found.low
        (1.0, None)
        """
        return self._interval(strategy, budget, self.measure)

    def _interval(self, name: str, budget: str, measure: str) -> Interval | None:
        part = self._parts.get((name, budget), self._probes.clear()).drop_nulls(measure)
        clusters = part.select(pl.concat_str("dataset", "case_id", separator="\0")).to_series()
        values = part[measure].to_numpy()
        return cluster_bootstrap(values, clusters.to_numpy()) if values.size else None

    def paired(
        self, a: str, b: str, budget: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.object_]]:
        """Return the measure of both strategies on the probes that both were asked, and clusters.

        Returns
        -------
        tuple of ndarray, each of shape (probes,)
            Values of `a`, values of `b`, and the conversation of every probe.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> a, b, _ = sample_results().leaderboard().paired("BM25()", "KeepLast()", "40%")
        >>> bool(a.mean() > b.mean())
        True
        """
        keys = ["dataset", "case_id", "probe_id"]
        empty = self._probes.clear()
        left, right = (
            self._parts.get((name, budget), empty).select(*keys, self.measure) for name in (a, b)
        )
        both = left.join(right, on=keys, how="inner", maintain_order="left").drop_nulls()
        clusters = both.select(pl.concat_str("dataset", "case_id", separator="\0")).to_series()
        values = both[self.measure].to_numpy(), both[f"{self.measure}_right"].to_numpy()
        return (*values, clusters.to_numpy())

    def compare(self, a: str, b: str, budget: str, *, margin: float = 0.02) -> Comparison:
        """Compare two strategies at one budget, paired by probe.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> board = sample_results().leaderboard()
        >>> board.compare("BM25()", "KeepLast()", "40%").decisive
        False
        """
        ours, theirs, clusters = self.paired(a, b, budget)
        what = self.measure.replace("_", " ")
        return compare_paired(ours, theirs, clusters, names=(a, b), measure=what, margin=margin)

    def verdicts(self) -> list[tuple[str, Comparison]]:
        """Compare the best with the runner-up at every budget, apart for query-aware strategies.

        Controls, and strategies that exceed the budget, do not take part.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [budget for budget, _ in sample_results().leaderboard().verdicts()]
        []
        """
        found = []
        rows = [row for row in self.rows() if row.comparable]
        for budget in dict.fromkeys(row.budget for row in rows):
            for aware in (False, True):
                top = [r for r in rows if r.budget == budget and r.query_aware == aware][:2]
                if len(top) == 2:
                    best, second = top
                    found.append((budget, self.compare(best.strategy, second.strategy, budget)))
        return found


def _mean(part: pl.DataFrame, column: str) -> float | None:
    mean = part[column].drop_nulls().mean()
    return float(mean) if isinstance(mean, int | float) else None


def _total(part: pl.DataFrame, column: str) -> float:
    return float(part[column].sum())
