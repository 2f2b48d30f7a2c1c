"""Data on stdout: JSON, or tables that keep their width in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ctxlab.display.html import interval, p_text, percent

if TYPE_CHECKING:
    from rich.table import Table

    from ctxlab.bench.leaderboard import Row


def put_json(value: object) -> None:
    """Print a value as JSON.

    Examples
    --------
    >>> put_json({"schema": 1})
    {
      "schema": 1
    }
    """
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def put(text: str) -> None:
    """Print a line; what the terminal cannot show is replaced.

    Examples
    --------
    >>> put("314 stalls")
    314 stalls
    """
    shown = text.encode(sys.stdout.encoding or "utf-8", "replace").decode(
        sys.stdout.encoding or "utf-8"
    )
    sys.stdout.write(f"{shown}\n")


def put_table(
    rows: Iterable[Sequence[object]], columns: Mapping[str, str], title: str | None = None
) -> None:
    """Print rows as a table.

    Parameters
    ----------
    rows : iterable of sequence
        Cells, as many as there are columns.
    columns : mapping of str to str
        Headings, each with ``left`` or ``right``.
    title : str, optional
        A line above.

    Examples
    --------
    >>> put_table([["fish", 14]], {"kind": "left", "stalls": "right"})
     kind   stalls
    ...
     fish       14
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for name, side in columns.items():
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = "" if value is None else str(value)
    return escape(text.encode("utf-8", "replace").decode())


def _print(table: Table) -> None:
    from rich.console import Console

    # A pipe has no width; a table that is cut there would lose data.
    width = None if sys.stdout.isatty() else 160
    Console(file=sys.stdout, width=width, highlight=False).print(table)


def put_leaderboard(rows: Sequence[Row]) -> None:
    """Print the leaderboard: a table a budget, query-aware strategies apart.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> put_leaderboard(sample_results().rows())
    Budget 40%
    ...
    """
    columns = {
        "strategy": "left", "rate": "right", "all evidence": "right", "95 % interval": "right",
        "evidence tokens": "right", "skill": "right", "p": "right", "ms": "right",
    }  # fmt: skip
    for budget in dict.fromkeys(row.budget for row in rows):
        here = [row for row in rows if row.budget == budget]
        groups = (
            ("does not see the question", [r for r in here if not r.control and not r.query_aware]),
            ("sees the question", [r for r in here if not r.control and r.query_aware]),
            ("controls", [r for r in here if r.control]),
        )
        cells: list[Sequence[object]] = []
        for title, members in groups:
            if members:
                cells.append([f"— {title}", *[""] * 7])
                cells += map(_leader, members)
        put_table(cells, columns, f"Budget {budget}")


def _leader(row: Row) -> list[str]:
    marks = (
        (row.baseline, "baseline"),
        (row.budget_error > 0.005, "over budget"),
        (row.failed, f"{row.failed} failed"),
    )
    notes = ", ".join(text for on, text in marks if on)
    return [
        f"  {row.strategy}" + (f" ({notes})" if notes else ""),
        percent(row.rate),
        percent(row.all_evidence),
        interval(row.all_evidence_low, row.all_evidence_high),
        percent(row.evidence_tokens),
        "–" if row.skill is None else f"{row.skill:.2f}",
        p_text(row.p_value),
        f"{row.latency_ms:.1f}",
    ]
