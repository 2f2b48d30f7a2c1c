"""The transfer table: what is chosen on some sets of conversations, and keeps on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from ctxlab.bench.floors import is_floor
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.errors import StatisticsError
from ctxlab.stats import Interval, cluster_interval

THE_OTHERS = "the others"
"""The set that something was chosen on, where that is all but the one left out."""
_TEXTS = ("budget", "dataset", "chosen_on", "strategy")
_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(_TEXTS, pl.String()), "query_aware": pl.Boolean(),
    **dict.fromkeys(("value", "low", "high"), pl.Float64()),
    **dict.fromkeys(("n", "conversations"), pl.Int64()),
    "best": pl.String(), "best_value": pl.Float64(), "control": pl.String(),
    "control_value": pl.Float64(), "above_controls": pl.Boolean(),
}  # fmt: skip


def transfer_table(board: Leaderboard) -> pl.DataFrame:
    """Return what each dataset, or all but one, would have chosen, and what that keeps elsewhere.

    The strategies, variants of one with other parameters among them, are ranked by their mean
    over the datasets that they are chosen on, each of which counts once; query-aware ones apart.
    What is chosen is then held against the best of the dataset that was left out, and against its
    best control.

    Returns
    -------
    polars.DataFrame
        ``budget, dataset, chosen_on, strategy, query_aware, value, low, high, n, conversations,
        best, best_value, control, control_value, above_controls``.

    Raises
    ------
    StatisticsError
        When there are fewer than two datasets.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> transfer_table(sample_results().leaderboard())
    Traceback (most recent call last):
    ctxlab.errors.StatisticsError: one dataset leaves nothing to transfer to; ...
    """
    names = board.measured.probes["dataset"].unique(maintain_order=True).to_list()
    if len(names) < 2:
        raise StatisticsError(
            "one dataset leaves nothing to transfer to; measure conversations of several datasets"
        )
    return pl.DataFrame(list(_rows(board, names)), schema=_SCHEMA, orient="row")


def _rows(board: Leaderboard, names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    sign = 1.0 if board.measured.metrics[board.metric].better == "higher" else -1.0
    comparable = {(row.strategy, row.budget) for row in board.rows() if row.comparable}
    for budget in dict.fromkeys(budget for _, budget in board.measured.cells):
        found = _everywhere(board, budget, names)
        floors = [name for name in found if is_floor(board.traits[name])]
        for aware in (False, True):
            rivals = [
                name
                for name in found
                if (name, budget) in comparable and board.traits[name].query_aware == aware
            ]
            if not rivals:
                continue
            for dataset in names:
                others = [name for name in names if name != dataset]
                best = _best(found, rivals, [dataset], sign)
                control = _best(found, floors, [dataset], sign) if floors else None
                for label, chosen_on in ((THE_OTHERS, others), *((one, [one]) for one in others)):
                    chosen = _best(found, rivals, chosen_on, sign)
                    figure, n = found[chosen][dataset]
                    floor = found[control][dataset][0].estimate if control else None
                    yield (
                        budget, dataset, label, chosen, aware, figure.estimate, figure.low,
                        figure.high, n, figure.clusters, best, found[best][dataset][0].estimate,
                        control, floor,
                        None if floor is None else sign * (figure.estimate - floor) > 0,
                    )  # fmt: skip


def _everywhere(
    board: Leaderboard, budget: str, names: Sequence[str]
) -> dict[str, dict[str, tuple[Interval, int]]]:
    """Return the figures by dataset of every strategy that was measured on each of them."""
    measured = board.measured
    values, datasets = measured.of(board.metric), measured.probes["dataset"].to_numpy()
    found: dict[str, dict[str, tuple[Interval, int]]] = {}
    for (strategy, at), cell in measured.cells.items():
        if at != budget:
            continue
        figures = {}
        for name in names:
            there = (datasets == name) & ~np.isnan(values[cell])
            if there.any():
                interval = cluster_interval(
                    values[cell][there],
                    measured.clusters[there],
                    weights=board.weights,
                    bounds=board.bounds(board.metric),
                )
                figures[name] = interval, int(there.sum())
        if len(figures) == len(names):
            found[strategy] = figures
    return found


def _best(
    found: dict[str, dict[str, tuple[Interval, int]]],
    strategies: Sequence[str],
    names: Sequence[str],
    sign: float,
) -> str:
    return max(
        strategies, key=lambda one: sign * sum(found[one][name][0].estimate for name in names)
    )
