"""Two experiments against each other: what regressed between them, and how surely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.bench.results import Results
from ctxlab.stats import Interval, PairedSample, holm

_PROBE = ["dataset", "case_id", "probe_id"]


@dataclass(frozen=True)
class Difference:
    """One metric of one strategy at one budget, in two experiments.

    Parameters
    ----------
    strategy, budget, metric : str
        What is compared.
    before, after : float
        Means on the probes that both were asked.
    change : Interval
        Of after − before, over clusters.
    p_value : float
        Of the paired test, adjusted for all that are listed.
    worse : bool
        Whether the change goes in the wrong direction for the metric.
    probes : int
        Probes that both were asked.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> found = list(differences(sample_results(), sample_results()))
    >>> found[0].verdict, len(found)
    ('same', 12)
    """

    strategy: str
    budget: str
    metric: str
    before: float
    after: float
    change: Interval
    p_value: float
    worse: bool
    probes: int

    @property
    def verdict(self) -> str:
        """``same``, ``worse`` or ``better`` where that is decisive, else ``not decisive``."""
        if self.change.estimate == 0 and self.before == self.after:
            return "same"
        decisive = self.change.excludes(0.0) and self.p_value < 1 - self.change.level + 1e-12
        return ("worse" if self.worse else "better") if decisive else "not decisive"


def differences(before: Results, after: Results) -> Iterator[Difference]:
    """Yield every strategy, budget and metric that two experiments share, with what changed.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> {found.verdict for found in differences(sample_results(), sample_results())}
    {'same'}
    """
    old, new = before.measured, after.measured
    places = (
        old.probes.select(*_PROBE, "cluster")
        .with_row_index("a")
        .join(new.probes.select(_PROBE).with_row_index("b"), on=_PROBE, maintain_order="left")
    )
    clusters = places.select(pl.struct("dataset", "cluster").rank("dense").alias("code"))
    codes = clusters["code"].to_numpy().astype(np.int64)
    a, b = places["a"].to_numpy(), places["b"].to_numpy()
    shared = [name for name in old.metrics if name in new.metrics]
    found: list[tuple[str, str, str, NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]]
    found = []
    for (strategy, budget), cell in old.cells.items():
        if (strategy, budget) not in new.cells:
            continue
        for metric in shared:
            x = old.of(metric)[cell][a]
            y = new.of(metric)[new.cells[strategy, budget]][b]
            both = ~np.isnan(x) & ~np.isnan(y)
            if both.any():
                found.append((strategy, budget, metric, x[both], y[both], codes[both]))
    samples = [
        PairedSample(y, x, c, bounds=(0.0, 1.0) if old.metrics[m].unit == "share" else None)
        for _, _, m, x, y, c in found
    ]
    adjusted = holm([sample.p_value() for sample in samples])
    for (strategy, budget, metric, x, y, _), sample, p_value in zip(
        found, samples, adjusted, strict=True
    ):
        change = sample.interval()
        better = old.metrics[metric].better
        worse = change.estimate < 0 if better == "higher" else change.estimate > 0
        yield Difference(
            strategy,
            budget,
            metric,
            float(x.mean()),
            float(y.mean()),
            change,
            1.0 if p_value is None else p_value,
            worse,
            len(x),
        )
