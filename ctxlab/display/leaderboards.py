"""Leaderboards as sanitizer-safe HTML: inline styles, tables, everything from data escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.display.board_columns import BoardColumn, by_budget, columns, groups, marks

_LINE = "border-bottom:1px solid var(--jp-border-color2,#ddd)"
_QUIET = "color:var(--jp-ui-font-color2,#777)"


def leaderboard_html(board: Leaderboard) -> str:
    """Return a leaderboard as tables: one a budget, query-aware strategies apart.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> html = leaderboard_html(sample_results().leaderboard())
    >>> "BM25()" in html and "<script" not in html
    True
    """
    shown = columns(board)
    parts = []
    for budget, rows in by_budget(board.rows()):
        parts.append(f"<h4 style='margin:1em 0 .2em'>Budget {escape(budget)}</h4>")
        head = "<th style='text-align:left'>strategy</th>" + "".join(
            f"<th style='text-align:right' title='{escape(c.meaning)}'>{escape(c.title)}</th>"
            for c in shown
        )
        body = "".join(
            f"<tr><td colspan='{len(shown) + 1}' style='text-align:left;{_QUIET}'>"
            f"<i>{title}</i></td></tr>" + "".join(_leader(row, shown) for row in members)
            for title, members in groups(rows)
        )
        parts.append(f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>")
    return "".join(parts)


def _leader(row: BoardRow, shown: Sequence[BoardColumn]) -> str:
    notes = ", ".join(marks(row))
    name = f"<code>{escape(row.strategy)}</code>"
    name += f" <span style='{_QUIET}'>{escape(notes)}</span>" if notes else ""
    cells = (f"<b>{escape(c.text(row))}</b>" if c.strong else escape(c.text(row)) for c in shown)
    right = "".join(f"<td style='text-align:right;padding:.1em .6em'>{cell}</td>" for cell in cells)
    return f"<tr style='{_LINE}'><td style='text-align:left'>{name}</td>{right}</tr>"
