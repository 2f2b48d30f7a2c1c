"""Charts of results by group: heatmap, age of the evidence, forest of leads, transfer."""

from __future__ import annotations

from typing import Any

import polars as pl

from ctxlab.bench.breakdowns import AGES
from ctxlab.bench.leaderboard import Leaderboard
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


def heatmap(board: Leaderboard, frame: pl.DataFrame, by: str) -> LabChart:
    """Return the ranking metric of every strategy by group, a panel for each budget.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().heatmap(by="category").frame.height
    12
    """
    import altair as alt

    traits = board.measured.metrics[board.metric]
    share = traits.unit == "share"
    sort = list(dict.fromkeys(row.strategy for row in board.rows()))
    base = alt.Chart().encode(
        x=alt.X("group:N", title=by, sort=None).axis(labelAngle=-30),
        y=alt.Y("strategy:N", title=None, sort=sort),
    )
    scale = alt.Scale(scheme="viridis", domain=[0, 1]) if share else alt.Scale(scheme="viridis")
    cells = base.mark_rect().encode(
        color=alt.Color("value:Q", title=traits.title, scale=scale, legend=None),
        tooltip=_tooltip(number_format(traits)),
    )
    bright = alt.condition("datum.value > 0.6", alt.value("#111"), alt.value("#fff"))
    number = alt.datum.value * 100 if share else alt.datum.value
    text = (
        base.transform_calculate(number=number)
        .mark_text(fontSize=10)
        .encode(
            text=alt.Text("number:Q", format=".0f" if share else ",.3~g"),
            color=bright if share else alt.value("#fff"),
        )
    )
    budgets = list(dict.fromkeys(row.budget for row in board.rows()))
    layers = alt.layer(cells, text, data=values(frame.to_dicts())).properties(width=alt.Step(28))
    chart = layers.facet(facet=alt.Facet("budget:N", title=None, sort=budgets), columns=2)
    title = f"{traits.title.capitalize()}, by {by}{', %' if share else ''}"
    return LabChart(styled(chart, title, caption(board)), frame)


def by_age(board: Leaderboard, frame: pl.DataFrame) -> LabChart:
    """Return the ranking metric by the age of the evidence, the newest at the left.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().by_age().frame["group"].unique().sort().to_list()
    ['middle fifth', 'oldest fifth']
    """
    chart = _lines(board, frame, "age of the evidence", list(AGES))
    traits = board.measured.metrics[board.metric]
    title = f"{traits.title.capitalize()}, by the age of the evidence"
    return LabChart(styled(chart, title, caption(board)), frame)


def transfer(board: Leaderboard, frame: pl.DataFrame, by: str) -> LabChart:
    """Return the ranking metric from one dataset, or conversation, to the next.

    Lines that cross are strategies whose order does not carry over.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().transfer().frame["group"].unique().to_list()
    ['market']
    """
    chart = _lines(board, frame, by, list(dict.fromkeys(frame["group"].to_list())))
    traits = board.measured.metrics[board.metric]
    title = f"{traits.title.capitalize()}, from {by} to {by}"
    return LabChart(styled(chart, title, caption(board)), frame)


def forest(board: Leaderboard, frame: pl.DataFrame) -> LabChart:
    """Return the lead of every strategy over the baseline with its interval, around 0.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().forest().frame["strategy"].to_list()
    ['Oracle()', 'BM25()', 'RandomDrop()']
    """
    import altair as alt

    traits = board.measured.metrics[board.metric]
    share = traits.unit == "share"
    color, shape = colored(board, frame["strategy"].to_list() if frame.height else [])
    color, shape = color.legend(None), shape.legend(None)
    unit = "points" if share else traits.unit
    form = "+.0%" if share else "+,.3~g"
    x = alt.X("lead:Q", title=f"lead over {board.baseline} in {traits.title}, {unit}")
    base = alt.Chart().encode(
        y=alt.Y("strategy:N", title=None, sort=None), x=x.axis(format=form), color=color
    )
    rule = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    dots = base.mark_point(filled=True, size=60).encode(
        shape=shape,
        tooltip=["strategy:N", "budget:N", alt.Tooltip("lead:Q", format=form),
                 alt.Tooltip("low:Q", format=form), alt.Tooltip("high:Q", format=form),
                 alt.Tooltip("p:Q", format=".3~g", title="p, adjusted"), "n:Q"],
    )  # fmt: skip
    zero = alt.Chart().mark_rule(color=QUIET, strokeDash=[3, 3]).encode(x=alt.datum(0))
    budgets = list(dict.fromkeys(row.budget for row in board.rows()))
    chart = alt.layer(zero, rule, dots, data=values(frame.to_dicts())).properties(width=420)
    faceted = chart.facet(row=alt.Row("budget:N", title=None, sort=budgets))
    title = f"Leads over {board.baseline}"
    return LabChart(styled(faceted.resolve_scale(y="independent"), title, caption(board)), frame)


def _lines(board: Leaderboard, frame: pl.DataFrame, title: str, order: list[str]) -> Any:  # noqa: ANN401 - a chart
    import altair as alt

    traits = board.measured.metrics[board.metric]
    shown = frame.filter(~pl.col("strategy").is_in(_controls(board)))
    names = list(dict.fromkeys(row.strategy for row in board.rows()))
    color, shape = colored(board, [name for name in names if name in set(shown["strategy"])])
    base = alt.Chart().encode(x=alt.X("group:N", title=title, sort=order).axis(labelAngle=-25),
                              y=value_axis(traits), color=color)  # fmt: skip
    rule = base.mark_rule(opacity=0.35).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_point(filled=True, size=55).encode(
        shape=shape, tooltip=_tooltip(number_format(traits))
    )
    budgets = list(dict.fromkeys(row.budget for row in board.rows()))
    layers = alt.layer(rule, base.mark_line(), dots, data=values(shown.to_dicts()))
    return layers.properties(width=260, height=240).facet(
        column=alt.Column("budget:N", title=None, sort=budgets)
    )


def _controls(board: Leaderboard) -> list[str]:
    return [name for name, traits in board.traits.items() if traits.family == "control"]


def _tooltip(form: str) -> list[Any]:
    import altair as alt

    numbers = [alt.Tooltip(f"{name}:Q", format=form) for name in ("value", "low", "high")]
    return ["strategy:N", "budget:N", "group:N", *numbers, "n:Q", "conversations:Q"]
