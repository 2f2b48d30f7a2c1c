"""Data on stdout: JSON, or tables that keep their width in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ctxlab.bench.leaderboard import Leaderboard


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
    rows: Iterable[Sequence[object]],
    columns: Mapping[str, str] | Sequence[str],
    title: str | None = None,
    sides: Sequence[str] = (),
) -> None:
    """Print rows as a table.

    Parameters
    ----------
    rows : iterable of sequence
        Cells, as many as there are columns.
    columns : mapping of str to str, or sequence of str
        Headings, each with ``left`` or ``right``.
    title : str, optional
        A line above.
    sides : sequence of str
        Those of the columns, where headings repeat.

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
    headed = columns.items() if isinstance(columns, Mapping) else zip(columns, sides, strict=True)
    for name, side in headed:
        # Names do not break while there is room elsewhere.
        table.add_column(
            name,
            justify="right" if side == "right" else "left",
            overflow="fold",
            no_wrap=side == "name",
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = "" if value is None else str(value)
    return escape(text.encode("utf-8", "replace").decode())


def _width() -> int:
    """Return the characters of a line; a pipe has no width, and a table cut there loses data."""
    from shutil import get_terminal_size

    return get_terminal_size().columns if sys.stdout.isatty() else 160


def _print(table: Table) -> None:
    from rich.console import Console

    Console(file=sys.stdout, width=_width(), highlight=False).print(table)


def put_leaderboard(board: Leaderboard) -> None:
    """Print the leaderboard: a table a budget, query-aware strategies apart.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> put_leaderboard(sample_results().leaderboard())
    Budget 40%
    ...
    """
    from ctxlab.display.board_columns import by_budget, columns, fitting, groups, marks

    everything = columns(board)
    shown = fitting(everything, board.rows(), _width())
    for budget, rows in by_budget(board.rows()):
        cells: list[Sequence[object]] = []
        for title, members in groups(rows):
            cells.append([f"— {title}", *[""] * len(shown)])
            for row in members:
                notes = ", ".join(marks(row))
                name = f"  {row.strategy}" + (f" ({notes})" if notes else "")
                cells.append([name, *(column.text(row) for column in shown)])
        sides = ["name", *["right"] * len(shown)]
        put_table(cells, ["strategy", *(c.title for c in shown)], f"Budget {budget}", sides)
    if left_out := [column.title for column in everything if column not in shown]:
        put(f"Not shown at this width: {', '.join(left_out)}; --json and --out have all.")
