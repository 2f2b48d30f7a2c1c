"""Results by group: category, conversation, dataset, or the age of what proves the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.cases import Case
from ctxlab.errors import UnknownNameError
from ctxlab.stats import cluster_interval

AGES = ("newest fifth", "second fifth", "middle fifth", "fourth fifth", "oldest fifth")
"""Where the oldest evidence of a probe stands, from the place where it is asked backwards."""
GROUPS = {"category": "category", "case": "case_id", "dataset": "dataset"}
"""What results can be grouped by, and the column that holds it."""


def breakdown(board: Leaderboard, labels: Sequence[str | None]) -> pl.DataFrame:
    """Return the ranking metric of every strategy and budget by group, with intervals.

    Parameters
    ----------
    board : Leaderboard
        What was measured.
    labels : sequence of str or None
        The group of every probe, in the order of ``board.measured.probes``; None leaves it out.

    Returns
    -------
    polars.DataFrame
        ``strategy, budget, group, value, low, high, n, conversations``; a row for each strategy,
        budget and group that has a value.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> board = sample_results().leaderboard()
    >>> breakdown(board, ["a", "a", "b"]).columns[:5]
    ['strategy', 'budget', 'group', 'value', 'low']
    """
    groups = [name for name in dict.fromkeys(labels) if name is not None]
    names = np.array([name or "" for name in labels])
    rows = list(_rows(board, {name: names == name for name in groups}))
    schema: dict[str, pl.DataType] = dict.fromkeys(("strategy", "budget", "group"), pl.String())
    schema |= dict.fromkeys(("value", "low", "high"), pl.Float64())
    schema |= dict.fromkeys(("n", "conversations"), pl.Int64())
    return pl.DataFrame(rows, schema=schema, orient="row")


def _rows(board: Leaderboard, masks: Mapping[str, np.ndarray]) -> Iterator[tuple[object, ...]]:
    measured = board.measured
    values, clusters = measured.of(board.metric), measured.clusters
    for (strategy, budget), cell in measured.cells.items():
        for group, mask in masks.items():
            there = mask & ~np.isnan(values[cell])
            if there.any():
                found = cluster_interval(
                    values[cell][there],
                    clusters[there],
                    weights=board.weights,
                    bounds=board.bounds(board.metric),
                )
                counts = int(there.sum()), found.clusters
                yield strategy, budget, group, found.estimate, found.low, found.high, *counts


def labels_by(board: Leaderboard, by: str) -> list[str | None]:
    """Return the group of every probe by a column: category, case or dataset.

    Raises
    ------
    UnknownNameError
        When it is none of these.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> labels_by(sample_results().leaderboard(), "category")
    ['number', 'person', 'correction']
    """
    if by not in GROUPS:
        raise UnknownNameError("grouping", by, GROUPS)
    found = board.measured.probes[GROUPS[by]].to_list()
    return [name if name else "(none)" for name in found]


def labels_by_age(board: Leaderboard, cases: Mapping[tuple[str, str], Case]) -> list[str | None]:
    """Return in which fifth of what was said before it the oldest evidence of each probe stands.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> results = sample_results()
    >>> labels_by_age(results.leaderboard(), results.cases)
    ['oldest fifth', 'middle fifth', 'middle fifth']
    """
    probes = {
        (*key, probe.id): (case, probe) for key, case in cases.items() for probe in case.probes
    }
    places = {key: {m.id: at for at, m in enumerate(case.messages)} for key, case in cases.items()}
    labels: list[str | None] = []
    for dataset, case_id, probe_id in board.measured.probes.select(
        "dataset", "case_id", "probe_id"
    ).iter_rows():
        case, probe = probes[dataset, case_id, probe_id]
        at = places[dataset, case_id]
        if not probe.evidence:
            labels.append(None)
            continue
        end = at[probe.at] if probe.at else len(case.messages)
        back = (end - 1 - min(at[name] for name in probe.evidence)) / max(1, end)
        labels.append(AGES[min(4, int(5 * back))])
    return labels


def leads(board: Leaderboard) -> pl.DataFrame:
    """Return the lead of every strategy over the baseline, with its interval and p.

    Returns
    -------
    polars.DataFrame
        ``strategy, budget, lead, low, high, p, n, comparable``.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> leads(sample_results().leaderboard())["strategy"].to_list()
    ['Oracle()', 'BM25()', 'RandomDrop()']
    """
    rows = [
        {
            "strategy": row.strategy,
            "budget": row.budget,
            "lead": row.shown.lead,
            "low": row.shown.lead_low,
            "high": row.shown.lead_high,
            "p": row.p_value,
            "n": row.shown.n,
            "comparable": row.comparable,
        }
        for row in board.rows()
        if row.shown.lead is not None
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
