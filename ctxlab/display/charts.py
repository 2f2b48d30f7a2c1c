"""Charts that show live, reopened and offline: compiled Vega 5 with a PNG beside it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import Better, MetricTraits

if TYPE_CHECKING:
    import altair as alt

RENDERER = "ctxlab"
"""The name that the renderer is registered under with altair."""

# Okabe & Ito's palette without its yellow, then Tol's: colour-blind readers can tell them apart.
_PALETTE = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444",
    "#882255", "#44AA99", "#999933", "#332288", "#AA4499", "#117733",
]  # fmt: skip
_QUIET = "#999999"
_SHOWN = (
    "strategy", "budget", "rate", "tokens", "query_aware", "value", "low", "high", "step", "tier",
    "full_history",
)  # fmt: skip
_ROW = (
    "strategy", "budget", "rate", "tokens", "query_aware", "family", "control", "over_budget",
)  # fmt: skip
_VEGA = "https://vega.github.io/schema/vega/v5.json"


def bundle(spec: Mapping[str, Any], **_: object) -> dict[str, Any]:
    """Return a chart as a notebook's output: interactive Vega 5, and a PNG where that fails.

    Parameters
    ----------
    spec : mapping
        A Vega-Lite specification, as altair makes it.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> chart = availability_curve(sample_results().leaderboard())
    >>> sorted(bundle(chart.to_dict()))
    ['application/vnd.vega.v5+json', 'image/png']
    """
    import vl_convert

    text = json.dumps(spec)
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(text)
    compiled["$schema"] = _VEGA
    png = vl_convert.vegalite_to_png(text, scale=1.5)
    return {
        "application/vnd.vega.v5+json": compiled,
        "image/png": base64.b64encode(png).decode(),
    }


def enable() -> None:
    """Make altair show charts this way in this process.

    Examples
    --------
    >>> enable()
    """
    import altair as alt

    alt.renderers.register(RENDERER, bundle)
    alt.renderers.enable(RENDERER)


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
        }
        for row in board.rows()
        if row.shown.mean is not None
    ]


def availability_curve(board: Leaderboard) -> alt.LayerChart:
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

    enable()
    shown, traits = chart_rows(board), board.measured.metrics[board.metric]
    strategies = [row for row in shown if not row["control"] and not row["over_budget"]]
    limits = [row for row in shown if row["family"] == "control" and 0 < row["rate"] < 0.999]
    color = _color(strategies)
    base = alt.Chart(alt.Data(values=_json(strategies))).encode(color=color)
    band = base.mark_errorband(opacity=0.15).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2)
    seen = alt.condition("datum.query_aware", alt.value(1.0), alt.value(0.0))
    points = base.mark_point(size=55, filled=True, strokeWidth=1.5).encode(
        fillOpacity=seen,
        stroke=color,
        tooltip=_tooltip(traits),
    )
    quiet = (
        alt.Chart(alt.Data(values=_json(limits)))
        .mark_line(strokeDash=[4, 3], strokeWidth=1.2, color=_QUIET)
        .encode(detail="strategy:N", tooltip=_tooltip(traits))
    )
    label = (
        alt.Chart(alt.Data(values=_json(_last(limits))))
        .mark_text(align="left", dx=6, fontSize=10, color=_QUIET)
        .encode(text="strategy:N")
    )
    x = (
        alt.X("rate:Q", title="share of the tokens kept")
        .axis(format=".0%")
        .scale(zero=True, nice=True)
    )
    return _styled(alt.layer(quiet, label, band, line, points).encode(x=x, y=_axis(traits)))


def pareto(board: Leaderboard) -> alt.LayerChart:
    """Return every strategy at every budget, with the frontier that nothing else beats.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> chart = pareto(sample_results().leaderboard())
    >>> chart.to_dict()["encoding"]["x"]["title"]
    'tokens in the context'
    """
    import altair as alt

    enable()
    traits = board.measured.metrics[board.metric]
    shown = [row for row in chart_rows(board) if not row["control"]]
    dots = (
        alt.Chart(alt.Data(values=_json(shown)))
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(color=_color(shown), tooltip=_tooltip(traits))
    )
    step = alt.Chart(alt.Data(values=_json(frontier(shown, traits.better)))).mark_line(
        interpolate="step-after", color=_QUIET, strokeWidth=1.2, strokeDash=[2, 2]
    )
    x = alt.X("tokens:Q", title="tokens in the context").axis(format="~s").scale(zero=True)
    return _styled(alt.layer(step, dots).encode(x=x, y=_axis(traits)))


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


def tier_bars(rows: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Return the tokens of each tier step by step, with what the full history would cost.

    Parameters
    ----------
    rows : sequence of mapping
        ``step``, ``tier``, ``tokens`` and ``full_history``, in the order of the steps.

    Examples
    --------
    >>> row = {"step": "challenge", "tier": "short-term", "tokens": 9, "full_history": 9}
    >>> tier_bars([row]).to_dict()["encoding"]["x"]["title"]
    'step'
    """
    import altair as alt

    enable()
    tiers = ["persistent", "long-term", "short-term"]
    steps = list(dict.fromkeys(row["step"] for row in rows))
    color = alt.Color("tier:N", title=None, sort=tiers).scale(domain=tiers, range=_PALETTE[:3])
    data = alt.Data(values=_json(rows))
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(y=alt.Y("tokens:Q", title="tokens"), color=color, order="tier:N")
    )
    line = (
        alt.Chart(data)
        .mark_line(point=True, color=_QUIET, strokeDash=[4, 3])
        .encode(y=alt.Y("full_history:Q", title="tokens", aggregate="max"))
    )
    x = alt.X("step:N", title="step", sort=steps).axis(labelAngle=-35)
    return _styled(alt.layer(bars, line).encode(x=x))


def _styled(chart: alt.LayerChart) -> alt.LayerChart:
    styled: alt.LayerChart = (
        chart.properties(width=520, height=320)
        .configure_view(stroke=None)
        .configure_axis(gridColor="#e6e6e6", domainColor="#bbbbbb", tickColor="#bbbbbb")
        .configure_legend(labelLimit=320, symbolSize=90, symbolOpacity=1)
    )
    return styled


def _axis(traits: MetricTraits) -> alt.Y:
    import altair as alt

    share = traits.unit == "share"
    axis: alt.Y = alt.Y("value:Q", title=traits.title).axis(format=".0%" if share else "~s")
    scaled: alt.Y = axis.scale(domain=[0, 1]) if share else axis.scale(zero=True, nice=True)
    return scaled


def _color(rows: Sequence[Mapping[str, Any]]) -> alt.Color:
    """Return one colour a strategy, the best first in the legend."""
    import altair as alt

    best_first = sorted(rows, key=lambda row: -row["value"])
    names = list(dict.fromkeys(row["strategy"] for row in best_first))
    color: alt.Color = alt.Color("strategy:N", title=None, sort=names)
    return color.scale(domain=names, range=[_PALETTE[i % len(_PALETTE)] for i in range(len(names))])


def _last(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return list({row["strategy"]: row for row in sorted(rows, key=lambda r: r["rate"])}.values())


def _json(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep what a chart shows: a saved notebook should not change with the latency."""
    return [{name: row[name] for name in _SHOWN if name in row} for row in rows]


def _tooltip(traits: MetricTraits) -> list[Any]:
    import altair as alt

    form = ".1%" if traits.unit == "share" else ",.4~g"
    return [
        alt.Tooltip("strategy:N"),
        alt.Tooltip("budget:N"),
        alt.Tooltip("value:Q", format=form, title=traits.title),
        alt.Tooltip("rate:Q", format=".1%"),
    ]
