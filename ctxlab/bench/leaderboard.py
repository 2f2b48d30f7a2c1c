"""The leaderboard: one row for every strategy at every budget, with honest statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ctxlab.bench.board_rows import BoardRow, Estimate
from ctxlab.bench.floors import floors_missed
from ctxlab.bench.measured import Measured
from ctxlab.core.strategy import Traits
from ctxlab.core.views import view
from ctxlab.errors import StatisticsError
from ctxlab.metrics.compression import budget_error, rate, throughput
from ctxlab.stats import (
    Comparison,
    Family,
    Interval,
    PairedSample,
    Weights,
    cluster_interval,
    compare_paired,
    holm,
    skill,
)


@dataclass(frozen=True)
class Leaderboard:
    """Rows, and paired comparisons, of what an experiment measured.

    Every probe counts once: its values are averaged over seeds. Intervals and tests are over
    whole clusters, because questions on one conversation are not independent.

    Parameters
    ----------
    measured : Measured
        All values.
    failed : mapping
        Failed trials of every strategy and budget.
    traits : mapping
        Traits of every strategy, by its text.
    metric : str
        What the ranking, the skill and the sentences go by.
    baseline : str
        What the leads and tests compare with.
    weights : {"question", "conversation"}
        What counts once in means, intervals and tests.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().leaderboard().baseline
    'KeepLast()'
    """

    measured: Measured
    failed: Mapping[tuple[str, str], int]
    traits: Mapping[str, Traits]
    metric: str
    baseline: str
    weights: Weights = "question"

    def __str__(self) -> str:
        names = f"{len({s for s, _ in self.measured.cells})} strategies"
        head = f"Leaderboard by {self.measured.metrics[self.metric].title}: {names}, "
        head += f"{self.measured.probes.height:,} questions, baseline {self.baseline}"
        best = {row.budget: row for row in reversed(self.rows()) if row.comparable}
        lines = [
            f"  {budget}: {row.strategy} {row.shown.mean:.3g}"
            for budget, row in reversed(best.items())
            if row.shown.mean is not None
        ]
        return "\n".join([head, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(view("leaderboard_html", self))

    @cached_property
    def _rows(self) -> list[BoardRow]:
        keys = list(dict.fromkeys([*self.measured.cells, *self.failed]))
        rows = [self._row(strategy, budget) for strategy, budget in keys]
        budgets = list(dict.fromkeys(budget for _, budget in keys))
        better = self.measured.metrics[self.metric].better
        sign = -1.0 if better == "higher" else 1.0
        found = self._tested(rows)
        return sorted(
            found,
            key=lambda r: (
                budgets.index(r.budget),
                r.shown.mean is None,
                sign * (r.shown.mean or 0.0),
            ),
        )

    def rows(self) -> list[BoardRow]:
        """Return the rows, budget by budget, the best first.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [row.strategy for row in sample_results().leaderboard().rows()]
        ['Oracle()', 'BM25()', 'RandomDrop()', 'KeepLast()']
        """
        return self._rows

    def _row(self, name: str, budget: str) -> BoardRow:
        traits, measured = self.traits[name], self.measured
        cell = measured.cells.get((name, budget))
        sizes = {size: self._total(size, cell) for size in ("tokens_before", "tokens_after")}
        seconds, asked = self._total("seconds", cell), self._total("budget_tokens", cell)
        outcomes = self._present("tokens_after", cell)
        metrics = {metric: self._estimate(metric, name, budget) for metric in measured.metrics}
        return BoardRow(
            strategy=name,
            budget=budget,
            cases=len(np.unique(measured.cases[self._present(self.metric, cell)])),
            probes=metrics[self.metric].n,
            failed=self.failed.get((name, budget), 0),
            metrics=metrics,
            metric=self.metric,
            rate=rate(sizes["tokens_before"], sizes["tokens_after"]),
            tokens=sizes["tokens_after"] / max(1, int(outcomes.sum())),
            budget_error=budget_error(asked, sizes["tokens_after"]) if asked else 0.0,
            skill=self._skill(metrics[self.metric].mean, budget),
            latency_ms=1000 * seconds / max(1, int(outcomes.sum())),
            tokens_per_second=throughput(sizes["tokens_before"], seconds),
            family=traits.family,
            query_aware=traits.query_aware,
            control=traits.family == "control",
            baseline=name == self.baseline,
        )

    def _present(self, metric: str, cell: int | None) -> NDArray[np.bool_]:
        if cell is None:
            return np.zeros(self.measured.probes.height, np.bool_)
        there: NDArray[np.bool_] = ~np.isnan(self.measured.of(metric)[cell])
        return there

    def _total(self, size: str, cell: int | None) -> float:
        return 0.0 if cell is None else float(np.nansum(self.measured.of(size)[cell]))

    def _estimate(self, metric: str, name: str, budget: str) -> Estimate:
        interval = self.interval(name, budget, metric)
        if interval is None:
            return Estimate(None)
        n = int(self._present(metric, self.measured.cells[name, budget]).sum())
        lead = self._lead(metric, name, budget)
        return Estimate(
            interval.estimate,
            interval.low,
            interval.high,
            n,
            lead=lead.estimate if lead else None,
            lead_low=lead.low if lead else None,
            lead_high=lead.high if lead else None,
            seed_deviation=self.measured.seed_deviation(metric, self.measured.cells[name, budget]),
        )

    def _lead(self, metric: str, name: str, budget: str) -> Interval | None:
        if name == self.baseline:
            return None
        sample = self._sample(name, budget, metric)
        return sample.interval() if sample else None

    def _sample(self, name: str, budget: str, metric: str) -> PairedSample | None:
        """Return the differences to the baseline; None where nothing is shared."""
        ours, base, clusters = self.paired(name, self.baseline, budget, metric)
        if not ours.size:
            return None
        return PairedSample(ours, base, clusters, weights=self.weights, bounds=self.bounds(metric))

    def bounds(self, metric: str) -> tuple[float, float] | None:
        """Return the least and the most of a metric where it has both.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().leaderboard().bounds("AllEvidence")
        (0.0, 1.0)
        """
        low, high = self.measured.metrics[metric].bounds
        return (low, high) if isfinite(high) and isfinite(low) else None

    def _skill(self, value: float | None, budget: str) -> float | None:
        if not self.measured.metrics[self.metric].oracle:
            return None  # the oracle of evidence is no ceiling of this metric
        return skill(value, self._extreme(budget, "seeded"), self._extreme(budget, "gold"))

    def _extreme(self, budget: str, trait: str) -> float | None:
        """Return the mean of the random floor (`seeded`) or of the oracle (`gold`)."""
        for name, at in self.measured.cells:
            traits = self.traits[name]
            if at == budget and traits.family == "control" and getattr(traits, trait):
                found = self.interval(name, budget)
                return found.estimate if found else None
        return None

    def _tested(self, rows: Sequence[BoardRow]) -> list[BoardRow]:
        """Return the rows with p-values, adjusted for all that a reader is shown of one metric."""
        found = list(rows)
        asked = [at for at, row in enumerate(found) if _is_rival(row)]
        for metric in self.measured.metrics:
            raw = [self._p_value(metric, found[at]) for at in asked]
            for at, p_value in zip(asked, holm(raw), strict=True):
                estimates = dict(found[at].metrics)
                estimates[metric] = replace(estimates[metric], p_value=p_value)
                found[at] = replace(found[at], metrics=estimates)
        missed = floors_missed(self, found)
        return [replace(row, below=missed.get((row.strategy, row.budget), ())) for row in found]

    def _p_value(self, metric: str, row: BoardRow) -> float | None:
        sample = self._sample(row.strategy, row.budget, metric)
        return sample.p_value() if sample else None

    @cached_property
    def family(self) -> Family:
        """The tests that are corrected together: all rivals against the baseline, at all budgets.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> str(sample_results().leaderboard().family)
        'one test, against KeepLast()'
        """
        rivals = [row for row in self.rows() if _is_rival(row)]
        names, budgets = {row.strategy for row in rivals}, {row.budget for row in rivals}
        return Family(len(names), len(budgets), self.baseline, len(rivals))

    def interval(self, strategy: str, budget: str, metric: str | None = None) -> Interval | None:
        """Return the mean of a metric with its interval; None where nothing was measured.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> found = sample_results().leaderboard().interval("Oracle()", "40%")
        >>> found.estimate, found.low
        (1.0, None)
        """
        metric = metric or self.metric
        cell = self.measured.cells.get((strategy, budget))
        there = self._present(metric, cell)
        if cell is None or not there.any():
            return None
        values = self.measured.of(metric)[cell][there]
        return cluster_interval(
            values,
            self.measured.clusters[there],
            weights=self.weights,
            bounds=self.bounds(metric),
        )

    def paired(
        self, a: str, b: str, budget: str, metric: str | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return a metric of both strategies on the probes that both were asked, and clusters.

        Returns
        -------
        tuple of ndarray, each of shape (probes,)
            Values of `a`, values of `b`, and the cluster of every probe.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> a, b, _ = sample_results().leaderboard().paired("BM25()", "KeepLast()", "40%")
        >>> bool(a.mean() > b.mean())
        True
        """
        metric = metric or self.metric
        cells = [self.measured.cells.get((name, budget)) for name in (a, b)]
        both = self._present(metric, cells[0]) & self._present(metric, cells[1])
        if not both.any():
            nothing = np.zeros(0)
            return nothing, nothing, np.zeros(0, np.int64)
        values = self.measured.of(metric)
        return values[cells[0]][both], values[cells[1]][both], self.measured.clusters[both]

    def compare(
        self,
        a: str,
        b: str,
        budget: str,
        *,
        metric: str | None = None,
        margin: float = 0.02,
        wanted: float | None = None,
    ) -> Comparison:
        """Compare two strategies at one budget, paired by probe.

        Conversations needed are for a difference of `wanted`, or of what was seen.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> board = sample_results().leaderboard()
        >>> board.compare("BM25()", "KeepLast()", "40%").decisive
        False
        """
        name = metric or self.metric
        ours, theirs, clusters = self.paired(a, b, budget, name)
        if not ours.size:
            raise StatisticsError(
                f"{a} and {b} share no question at {budget} that {name} applies to; "
                "compare what was asked of both"
            )
        traits = self.measured.metrics[name]
        row = next((r for r in self.rows() if (r.strategy, r.budget) == (a, budget)), None)
        rival = row if row and b == self.baseline and _is_rival(row) else None
        return compare_paired(
            ours,
            theirs,
            clusters,
            names=(a, b),
            measure=traits.title,
            unit=traits.unit,
            better=traits.better,
            margin=margin,
            weights=self.weights,
            bounds=self.bounds(name),
            budget=budget,
            adjusted_p=rival.metrics[name].p_value if rival and self.family.tests > 1 else None,
            family=str(self.family),
            tests=self.family.tests if rival else 1,
            wanted=wanted,
        )

    def verdicts(self) -> list[tuple[str, Comparison]]:
        """Compare the best with the baseline at every budget, apart for query-aware strategies.

        Controls, and strategies that exceed the budget, do not take part.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [budget for budget, _ in sample_results().leaderboard().verdicts()]
        ['40%']
        """
        return self._verdicts

    @cached_property
    def _verdicts(self) -> list[tuple[str, Comparison]]:
        found = []
        rows = [row for row in self.rows() if _is_rival(row)]
        for budget in dict.fromkeys(row.budget for row in rows):
            for aware in (False, True):
                best = next(
                    (r for r in rows if r.budget == budget and r.query_aware == aware), None
                )
                if best and (self.baseline, budget) in self.measured.cells:
                    comparison = self.compare(best.strategy, self.baseline, budget)
                    found.append((budget, comparison))
        return found


def _is_rival(row: BoardRow) -> bool:
    """Say whether a row is tested against the baseline: controls and overruns test nothing."""
    return row.comparable and not row.baseline
