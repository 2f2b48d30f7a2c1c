"""Leaderboards as sanitizer-safe HTML: inline styles, tables, everything from data escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ctxlab.bench.board_rows import BoardRow, Estimate
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.core.metric import MetricTraits
from ctxlab.display.board_columns import BoardColumn, by_budget, columns, groups, marks
from ctxlab.display.escaping import named, safe
from ctxlab.display.look import BAD, GOOD, LINE, QUIET, TRACK

_CELL = "text-align:right;padding:.1em .6em"


def leaderboard_html(board: Leaderboard) -> str:
    """Return a leaderboard as tables: one a budget, query-aware strategies apart.

    Intervals of the ranking metric are drawn, and leads over the baseline coloured where their
    interval excludes 0: green for better, red for worse.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> html = leaderboard_html(sample_results().leaderboard())
    >>> "BM25()" in html and "<script" not in html
    True
    """
    shown = columns(board)
    traits = board.measured.metrics[board.metric]
    parts = []
    for budget, rows in by_budget(board.rows()):
        parts.append(f"<h4 style='margin:1em 0 .2em'>Budget {safe(budget)}</h4>")
        head = "<th style='text-align:left'>strategy</th><th></th>" + "".join(
            f"<th style='text-align:right' title='{escape(c.meaning)}'>{safe(c.title)}</th>"
            for c in shown
        )
        scale = _scale(rows, traits)
        body = "".join(
            f"<tr><td colspan='{len(shown) + 2}' style='text-align:left;{QUIET}'>"
            f"<i>{title}</i></td></tr>"
            + "".join(_leader(row, shown, scale, traits) for row in members)
            for title, members in groups(rows)
        )
        wide = "overflow-x:auto;white-space:nowrap"
        table = f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>"
        parts.append(f"<div style='{wide}'>{table}</div>")
    return "".join(parts)


def _scale(rows: Sequence[BoardRow], traits: MetricTraits) -> tuple[float, float]:
    if traits.unit == "share":
        return 0.0, 1.0
    ends = [v for r in rows for v in (r.shown.mean, r.shown.low, r.shown.high) if v is not None]
    return min([0.0, *ends]), max([0.0, *ends])


def _leader(
    row: BoardRow, shown: Sequence[BoardColumn], scale: tuple[float, float], traits: MetricTraits
) -> str:
    notes = ", ".join(marks(row))
    name = named(row.strategy, 70)
    name += f" <span style='{QUIET}'>{safe(notes)}</span>" if notes else ""
    cells = [
        f"<td style='text-align:left'>{name}</td>",
        f"<td style='padding:.1em .6em'>{interval_bar(row.shown, scale)}</td>",
    ]
    for column in shown:
        text = safe(column.text(row))
        if column.title == "lead":
            text = f"<span style='color:{lead_color(row.shown, traits)}'>{text}</span>"
        cells.append(f"<td style='{_CELL}'>{f'<b>{text}</b>' if column.strong else text}</td>")
    return f"<tr style='{LINE}'>{''.join(cells)}</tr>"


def lead_color(found: Estimate, traits: MetricTraits) -> str:
    """Return the colour of a lead: that of better or worse where its interval excludes 0.

    Examples
    --------
    >>> from ctxlab.core.metric import MetricTraits
    >>> share = MetricTraits(title="evidence", unit="share")
    >>> lead_color(Estimate(0.5, lead=0.1, lead_low=0.05, lead_high=0.2), share) == GOOD
    True
    """
    low, high = found.lead_low, found.lead_high
    if low is None or high is None or low <= 0 <= high:
        return "inherit"
    return GOOD if (low > 0) == (traits.better == "higher") else BAD


def interval_bar(found: Estimate, scale: tuple[float, float]) -> str:
    """Return a drawn interval with its mean, on a scale from its least to its most.

    Examples
    --------
    >>> interval_bar(Estimate(0.5, 0.25, 0.75), (0.0, 1.0)).count("<div")
    3
    """
    low, high = scale
    width = high - low
    if found.mean is None or width <= 0:
        return ""

    def at(value: float) -> float:
        return 100 * min(1.0, max(0.0, (value - low) / width))

    mean = at(found.mean)
    start = mean if found.low is None else at(found.low)
    end = mean if found.high is None else at(found.high)
    room = max(end - start, 1.0)
    tick = min(100.0, max(0.0, 100 * (mean - start) / room))
    place = f"margin-left:{tick:.1f}%;width:2px;height:.8em"
    inner = f"<div style='{place};background-color:#1976d2'></div>"
    return (
        f"<div style='width:9em;height:.8em;{TRACK}'>"
        f"<div style='margin-left:{min(start, 99.0):.1f}%;width:{room:.1f}%;height:.8em;"
        f"background-color:rgba(25,118,210,.35)'>{inner}</div></div>"
    )
