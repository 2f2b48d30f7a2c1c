"""Charts of tokens: the tiers step by step, one step's tiers, and how conversations grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from ctxlab.core.budgets import TierUse
from ctxlab.display.chart_rendering import PALETTE, QUIET, LabChart, styled, values
from ctxlab.display.look import TIERS


def tier_bars(rows: Sequence[Mapping[str, Any]]) -> LabChart:
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

    tiers = ["persistent", "long-term", "short-term"]
    shown = [row for row in rows if row["tier"] in tiers]
    steps = list(dict.fromkeys(row["step"] for row in shown))
    color = alt.Color("tier:N", title=None, sort=tiers)
    color = color.scale(domain=tiers, range=[TIERS[tier] for tier in tiers])
    names = ("step", "tier", "tokens", "full_history")
    data = values([{name: row[name] for name in names} for row in shown])
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(y=alt.Y("tokens:Q", title="tokens"), color=color, order="tier:N",
                tooltip=["step:N", "tier:N", "tokens:Q", "full_history:Q"])
    )  # fmt: skip
    line = (
        alt.Chart(data)
        .mark_line(point=True, color=QUIET, strokeDash=[4, 3])
        .encode(y=alt.Y("full_history:Q", title="tokens", aggregate="max"))
    )
    x = alt.X("step:N", title="step", sort=steps).axis(labelAngle=-35)
    layers = alt.layer(bars, line).encode(x=x).properties(width=520, height=300)
    told = "dashed: the full history"
    return LabChart(
        styled(layers, "Tokens sent, by step and tier", told),
        pl.DataFrame(list(rows), infer_schema_length=None),
    )


def step_tiers(rows: Sequence[TierUse], step: str, full_history: int) -> LabChart:
    """Return one step's tiers: what is used as a bar, the limit as a tick.

    Examples
    --------
    >>> step_tiers([TierUse("persistent", 90, 500)], "persona", 900).frame["limit"].to_list()
    [500]
    """
    import altair as alt

    frame = pl.DataFrame(
        [{"tier": r.tier, "used": r.used, "limit": r.limit, "over": r.over} for r in rows]
    )
    base = alt.Chart(values(frame.to_dicts())).encode(y=alt.Y("tier:N", title=None, sort=None))
    names = frame["tier"].to_list()
    color = alt.Color("tier:N", legend=None).scale(
        domain=names, range=[TIERS.get(name, QUIET) for name in names]
    )
    bars = base.mark_bar(height=16).encode(
        x=alt.X("used:Q", title="tokens"),
        color=color,
        tooltip=["tier:N", "used:Q", "limit:Q", "over:Q"],
    )
    ticks = base.mark_tick(thickness=3, size=24, color="#d32f2f").encode(x="limit:Q")
    told = f"red: the limit; the full history takes {full_history:,} tokens"
    chart = alt.layer(bars, ticks).properties(width=460, height=130)
    return LabChart(styled(chart, f"Tokens of step {step}", told), frame)


def growth(frame: pl.DataFrame, encoding: str) -> LabChart:
    """Return the running total of tokens of every conversation, message by message.

    Parameters
    ----------
    frame : polars.DataFrame
        ``conversation, message, tokens``.
    encoding : str
        Whose tokens.

    Examples
    --------
    >>> frame = pl.DataFrame({"conversation": ["a"], "message": [1], "tokens": [9]})
    >>> growth(frame, "o200k_base").to_dict()["encoding"]["x"]["title"]
    'message'
    """
    import altair as alt

    names = frame["conversation"].unique(maintain_order=True).to_list()
    color = alt.Color("conversation:N", title=None, sort=names).scale(
        domain=names, range=[PALETTE[i % len(PALETTE)] for i in range(len(names))]
    )
    chart = (
        alt.Chart(values(frame.to_dicts()))
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("message:Q", title="message"),
            y=alt.Y("tokens:Q", title=f"tokens so far, {encoding}").axis(format="~s"),
            color=color,
            tooltip=["conversation:N", "message:Q", "tokens:Q"],
        )
        .properties(width=520, height=300)
    )
    told = f"{len(names):,} conversation{'' if len(names) == 1 else 's'}, overhead included"
    return LabChart(styled(chart, "How conversations grow", told), frame)
