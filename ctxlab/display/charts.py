"""A metric against its cost: the curve over budgets, and the frontier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import Better, MetricTraits
from ctxlab.display.chart_rendering import (
    QUIET,
    LabChart,
    caption,
    colored,
    number_format,
    styled,
    value_axis,
    values,
)

_ROW = ("strategy", "budget", "rate", "tokens", "query_aware", "family", "control", "over_budget")
_SHOWN = ("strategy", "budget", "rate", "tokens", "query_aware", "value", "low", "high")
_SIZE = {"width": 520, "height": 320}


def chart_rows(board: Leaderboard) -> list[dict[str, Any]]:
    """Return what charts are drawn from: every strategy and budget with the ranking metric.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> chart_rows(sample_results().leaderboard())[0]["value"]
    1.0
    """
    return [
        {
            **{name: getattr(row, name) for name in _ROW},
            "value": row.shown.mean,
            "low": row.shown.low,
            "high": row.shown.high,
            "n": row.shown.n,
        }
        for row in board.rows()
        if row.shown.mean is not None
    ]


def availability_curve(board: Leaderboard, encoding: str = "") -> LabChart:
    """Return the ranking metric against the share of tokens kept, with intervals.

    The random floor and the oracle are drawn as quiet dashed lines; strategies that see the
    question have filled marks, those that do not have open ones.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> chart = availability_curve(sample_results().leaderboard())
    >>> chart.to_dict()["encoding"]["y"]["title"]
    'all evidence kept'
    """
    import altair as alt

    rows, traits = chart_rows(board), board.measured.metrics[board.metric]
    strategies = [row for row in rows if not row["control"] and not row["over_budget"]]
    limits = [row for row in rows if row["family"] == "control" and 0 < row["rate"] < 0.999]
    color, shape = colored(board, _best_first(strategies))
    base = alt.Chart(values(_shown(strategies))).encode(color=color)
    band = base.mark_errorband(opacity=0.15).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2)
    seen = alt.condition("datum.query_aware", alt.value(1.0), alt.value(0.0))
    points = base.mark_point(size=55, filled=True, strokeWidth=1.5).encode(
        fillOpacity=seen, stroke=color, shape=shape, tooltip=_tooltip(traits)
    )
    quiet = (
        alt.Chart(values(_shown(limits)))
        .mark_line(strokeDash=[4, 3], strokeWidth=1.2, color=QUIET)
        .encode(detail="strategy:N", tooltip=_tooltip(traits))
    )
    label = (
        alt.Chart(values(_shown(_last(limits))))
        .mark_text(align="left", dx=6, fontSize=10, color=QUIET)
        .encode(text="strategy:N")
    )
    x = (
        alt.X("rate:Q", title=f"share of the tokens kept{_of(encoding)}")
        .axis(format=".0%")
        .scale(zero=True, nice=True)
    )
    layers = alt.layer(quiet, label, band, line, points).encode(x=x, y=value_axis(traits))
    title = f"{traits.title.capitalize()}, by tokens kept"
    return LabChart(styled(layers.properties(**_SIZE), title, caption(board)), pl.DataFrame(rows))


def pareto(board: Leaderboard, encoding: str = "") -> LabChart:
    """Return every strategy at every budget, with the frontier that nothing else beats.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> chart = pareto(sample_results().leaderboard())
    >>> chart.to_dict()["encoding"]["x"]["title"]
    'tokens in the context'
    """
    import altair as alt

    traits = board.measured.metrics[board.metric]
    rows = [row for row in chart_rows(board) if not row["control"]]
    color, shape = colored(board, _best_first(rows))
    base = alt.Chart(values(_shown(rows))).encode(color=color)
    rule = base.mark_rule(opacity=0.4).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_point(filled=True, size=70, opacity=0.9).encode(
        shape=shape, tooltip=_tooltip(traits)
    )
    step = alt.Chart(values(_shown(frontier(rows, traits.better)))).mark_line(
        interpolate="step-after", color=QUIET, strokeWidth=1.2, strokeDash=[2, 2]
    )
    x = alt.X("tokens:Q", title=f"tokens in the context{_of(encoding)}")
    x = x.axis(format="~s").scale(zero=True)
    layers = alt.layer(step, rule, dots).encode(x=x, y=value_axis(traits))
    title = f"{traits.title.capitalize()}, by what it costs"
    return LabChart(styled(layers.properties(**_SIZE), title, caption(board)), pl.DataFrame(rows))


def frontier(rows: Sequence[Mapping[str, Any]], better: Better = "higher") -> list[dict[str, Any]]:
    """Return the rows that no other row beats in both tokens and value, cheapest first.

    Examples
    --------
    >>> rows = [{"tokens": 1, "value": 0.5}, {"tokens": 2, "value": 0.4}]
    >>> [row["tokens"] for row in frontier(rows)]
    [1]
    """
    sign = 1 if better == "higher" else -1
    best: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda r: (r["tokens"], -sign * r["value"])):
        if not best or sign * row["value"] > sign * best[-1]["value"]:
            best.append(dict(row))
    return best


def _of(encoding: str) -> str:
    return f", {encoding}" if encoding else ""


def _best_first(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["strategy"] for row in sorted(rows, key=lambda row: -row["value"])]


def _last(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return list({row["strategy"]: row for row in sorted(rows, key=lambda r: r["rate"])}.values())


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep what a chart shows: a saved notebook should not change with the latency."""
    return [{name: row[name] for name in _SHOWN if name in row} for row in rows]


def _tooltip(traits: MetricTraits) -> list[Any]:
    import altair as alt

    return [
        alt.Tooltip("strategy:N"),
        alt.Tooltip("budget:N"),
        alt.Tooltip("value:Q", format=number_format(traits), title=traits.title),
        alt.Tooltip("low:Q", format=number_format(traits), title="from"),
        alt.Tooltip("high:Q", format=number_format(traits), title="to"),
        alt.Tooltip("rate:Q", format=".1%", title="tokens kept"),
    ]
