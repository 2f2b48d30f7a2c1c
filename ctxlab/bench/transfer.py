"""Does what is best on other data hold here? Every data set is left out in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.bench.measured import Measured
from ctxlab.core.metric import MetricTraits
from ctxlab.core.strategy import Traits
from ctxlab.errors import StatisticsError
from ctxlab.stats import cluster_interval


@dataclass(frozen=True, slots=True)
class Transfer:
    """One data set that was left out of the choice, at one budget.

    Parameters
    ----------
    dataset, budget : str
        What was left out, and the budget.
    query_aware : bool
        Whether the choice was among strategies that see the question.
    chosen : str
        The strategy with the best mean over all other data sets.
    value, low, high : float or None
        What it reaches here, with its 95 % interval over conversations.
    best, best_value : str, float
        The best strategy here, in hindsight.
    control, control_value : str, float or None
        The best control here; gold evidence is none.

    Examples
    --------
    >>> row = Transfer("a", "10%", False, "KeepLast()", .2, .1, .4, "X()", .3, "RandomDrop()", .1)
    >>> row.holds
    True
    """

    dataset: str
    budget: str
    query_aware: bool
    chosen: str
    value: float
    low: float | None
    high: float | None
    best: str
    best_value: float
    control: str | None
    control_value: float | None
    higher_is_better: bool = True

    @property
    def holds(self) -> bool:
        """Whether the choice reaches at least what the best control does here."""
        if self.control_value is None:
            return True
        lead = self.value - self.control_value
        return lead >= 0 if self.higher_is_better else lead <= 0


def transfer(measured: Measured, traits: Mapping[str, Traits], metric: str) -> list[Transfer]:
    """Return how the best of all other data sets does on each that was left out.

    A strategy's figure over several data sets is the mean of its means on each, so that no large
    one decides. Query-aware strategies and others are chosen apart; controls are not chosen.

    Parameters
    ----------
    measured : Measured
        What an experiment on at least two data sets measured.
    traits : mapping of str to Traits
        Those of its strategies.
    metric : str
        The name of one that was measured.

    Raises
    ------
    StatisticsError
        When there are fewer than two data sets.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> results = sample_results()
    >>> transfer(results.measured, results.traits, "AllEvidence")
    Traceback (most recent call last):
    ctxlab.errors.StatisticsError: a choice is tried on data that it was not made on: ...
    """
    datasets = measured.probes["dataset"].unique(maintain_order=True).to_list()
    if len(datasets) < 2:
        raise StatisticsError(
            "a choice is tried on data that it was not made on: that takes 2 data sets, and "
            f"there is {len(datasets)}; give compare the files of a second one, too"
        )
    unit = measured.metrics[metric]
    return [
        row
        for budget in dict.fromkeys(budget for _, budget in measured.cells)
        for aware in (False, True)
        for row in _left_out(measured, traits, metric, unit, budget, datasets, aware=aware)
    ]


def transfer_frame(rows: list[Transfer]) -> pl.DataFrame:
    """Return the rows as a frame, with whether each choice holds.

    Examples
    --------
    >>> row = Transfer("a", "10%", False, "KeepLast()", .2, .1, .4, "X()", .3, "RandomDrop()", .1)
    >>> transfer_frame([row])["holds"].to_list()
    [True]
    """
    frame = pl.DataFrame([asdict(row) | {"holds": row.holds} for row in rows])
    return frame.drop("higher_is_better")


def _left_out(
    measured: Measured,
    traits: Mapping[str, Traits],
    metric: str,
    unit: MetricTraits,
    budget: str,
    datasets: list[str],
    *,
    aware: bool,
) -> list[Transfer]:
    here = [name for name, at in measured.cells if at == budget]
    rivals = [n for n in here if traits[n].family != "control" and traits[n].query_aware == aware]
    controls = [n for n in here if traits[n].family == "control" and not traits[n].gold]
    controls = [n for n in controls if traits[n].honours_budget]
    if not rivals:
        return []
    sign = 1.0 if unit.better == "higher" else -1.0
    means = {name: _means(measured, metric, name, budget, datasets) for name in here}
    found = []
    for at, dataset in enumerate(datasets):
        others = np.arange(len(datasets)) != at
        tried = [name for name in rivals if not np.isnan(means[name][at])]
        if not tried:
            continue
        chosen = max(tried, key=lambda name: sign * float(np.nanmean(means[name][others])))
        best = max(tried, key=lambda name: sign * means[name][at])
        control = max(controls, key=lambda name: sign * means[name][at], default=None)
        low, high = _interval(measured, metric, unit, chosen, budget, dataset)
        found.append(
            Transfer(
                dataset,
                budget,
                aware,
                chosen,
                float(means[chosen][at]),
                low,
                high,
                best,
                float(means[best][at]),
                control,
                None if control is None else float(means[control][at]),
                unit.better == "higher",
            )
        )
    return found


def _means(
    measured: Measured, metric: str, name: str, budget: str, datasets: list[str]
) -> NDArray[np.float64]:
    """Return the mean of a strategy on every data set; NaN where the metric does not apply."""
    cell = measured.cell(name, budget)
    asked = measured.probes["dataset"].to_numpy()
    values = [measured.mean(metric, cell, asked == dataset) for dataset in datasets]
    return np.array([np.nan if value is None else value for value in values])


def _interval(
    measured: Measured, metric: str, unit: MetricTraits, name: str, budget: str, dataset: str
) -> tuple[float | None, float | None]:
    row = measured.of(metric)[measured.cell(name, budget)]
    there = (measured.probes["dataset"].to_numpy() == dataset) & ~np.isnan(row)
    found = cluster_interval(row[there], measured.clusters[there], bounds=unit.bounds)
    return found.low, found.high
