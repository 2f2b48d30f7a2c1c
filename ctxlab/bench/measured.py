"""What an experiment measured, as arrays: one row per strategy and budget, one column a probe."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.core.metric import MetricTraits

_PROBE = ("dataset", "case_id", "probe_id")
_SIZES = ("tokens_before", "tokens_after", "budget_tokens", "seconds")


class Measured:
    """Values of every metric by cell (strategy and budget) and probe, averaged over seeds.

    Probes stand in the order of their names, so that no figure depends on the order of rows.

    Parameters
    ----------
    outcomes : polars.DataFrame
        One row per trial and probe, as `ctxlab.store.runs.Runs.outcomes` gives them.
    values : polars.DataFrame
        One row per trial, probe and metric.
    metrics : mapping of str to (str, MetricTraits)
        Name and traits of every metric, by its key.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> measured = sample_results().measured
    >>> measured.of("AllEvidence")[measured.cell("BM25()", "40%")].tolist()
    [1.0, 0.0, 1.0]
    """

    def __init__(
        self,
        outcomes: pl.DataFrame,
        values: pl.DataFrame,
        metrics: Mapping[str, tuple[str, MetricTraits]],
    ) -> None:
        self.metrics = dict(metrics.values())
        """Traits of every metric, by its name."""
        self._keys = {name: key for key, (name, _) in metrics.items()}
        cells = outcomes.select("strategy", "budget").unique(maintain_order=True)
        self.cells: dict[tuple[str, str], int] = {
            (str(strategy), str(budget)): at for at, (strategy, budget) in enumerate(cells.rows())
        }
        """BoardRow of every strategy and budget."""
        self.probes = outcomes.select(*_PROBE, "cluster", "category").unique(_PROBE).sort(_PROBE)
        """The probes, a row each: dataset, case_id, probe_id, cluster, category."""
        self._rows = outcomes.join(
            cells.with_row_index("cell"), on=["strategy", "budget"], maintain_order="left"
        ).join(self.probes.select(_PROBE).with_row_index("probe"), on=_PROBE, maintain_order="left")
        self._values = values
        self._matrices: dict[str, NDArray[np.float64]] = {}
        self._by_seed: dict[str, dict[int, float | None]] = {}

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of every probe as a number, shape (probes,)."""
        names = self.probes.select(pl.struct("dataset", "cluster").rank("dense").alias("code"))
        return names["code"].to_numpy().astype(np.int64) - 1

    @cached_property
    def cases(self) -> NDArray[np.int64]:
        """The conversation of every probe as a number, shape (probes,)."""
        names = self.probes.select(pl.struct("dataset", "case_id").rank("dense").alias("code"))
        return names["code"].to_numpy().astype(np.int64) - 1

    def cell(self, strategy: str, budget: str) -> int:
        """Return the row of a strategy at a budget."""
        return self.cells[strategy, budget]

    def of(self, metric: str) -> NDArray[np.float64]:
        """Return the values of a metric, shape (cells, probes); NaN where it does not apply.

        Parameters
        ----------
        metric : str
            Its name, or a size of every outcome: ``tokens_before``, ``tokens_after``,
            ``budget_tokens``, ``seconds``.
        """
        if metric not in self._matrices:
            if metric in _SIZES:
                rows = self._rows.select("cell", "probe", pl.col(metric).alias("value"))
            else:
                mine = self._values.filter(pl.col("metric_key") == self._keys[metric])
                rows = mine.join(
                    self._rows.select("trial_hash", "position", "cell", "probe"),
                    on=["trial_hash", "position"],
                )
            self._matrices[metric] = self._filled(rows)
        return self._matrices[metric]

    def _filled(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        means = rows.drop_nulls("value").group_by("cell", "probe").agg(pl.col("value").mean())
        matrix = np.full((len(self.cells), self.probes.height), np.nan)
        matrix[means["cell"].to_numpy(), means["probe"].to_numpy()] = means["value"].to_numpy()
        return matrix

    def seed_deviation(self, metric: str, cell: int) -> float | None:
        """Return the standard deviation of a mean from seed to seed; None with a single seed.

        Seeds are replicates, not conversations: this says what another draw would change, and no
        interval holds it.
        """
        if metric not in self._by_seed:
            mine = self._values.filter(pl.col("metric_key") == self._keys[metric])
            places = self._rows.select("trial_hash", "position", "cell", "seed")
            means = (
                mine.drop_nulls("value")
                .join(places, on=["trial_hash", "position"])
                .group_by("cell", "seed")
                .agg(pl.col("value").mean())
            )
            spread = means.group_by("cell").agg(pl.col("value").std())
            self._by_seed[metric] = dict(spread.iter_rows())
        return self._by_seed[metric].get(cell)

    def mean(self, metric: str, cell: int, chosen: NDArray[np.bool_] | None = None) -> float | None:
        """Return the mean of a metric over the probes that it applies to; None where to none."""
        row = self.of(metric)[cell]
        row = row if chosen is None else row[chosen]
        row = row[~np.isnan(row)]
        return float(row.mean()) if row.size else None
