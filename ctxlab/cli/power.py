"""``ctxlab power``: what conversations can show, and how many a difference needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.errors import StoreError


def power(
    experiment: Annotated[str, typer.Argument(help="An experiment: id or name.")],
    difference: Annotated[
        float, typer.Option(help="The true difference to find: points, for shares.")
    ] = 5.0,
    metric: Annotated[
        str | None, typer.Option(help="By this metric; by the first when not given.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="The strategy that others are compared with.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Say which differences an experiment can show, and how many conversations one needs.

    Found 4 times out of 5, with p below 0.05 after the correction for all tests of the table.

    For example:

      ctxlab power compare --difference 3 --baseline KeepLast --store lab.duckdb
    """
    from ctxlab.bench.results import Results
    from ctxlab.display.numbers import signed
    from ctxlab.store import Store

    if not store.exists():
        raise StoreError(f"there is no store {store}; name an existing one with --store")
    with Store(store) as lab:
        results = Results.open(lab, experiment)
        board = results.leaderboard(metric, baseline)
        unit = board.measured.metrics[board.metric].unit
        wanted = difference / 100 if unit == "share" else difference
        rows = results.power(wanted, board.metric, board.baseline)
    if as_json:
        put_json({"schema": 1, "rows": [asdict(row) for row in rows]})
        return
    what = f"{difference:g} {'points' if unit == 'share' else unit}"
    sides = {
        "strategy": "name", "budget": "left", "conversations": "right", "questions": "right",
        "seen": "right", "shown from": "right", f"needed for {what}": "right",
    }  # fmt: skip
    cells = [
        [
            row.strategy,
            row.budget,
            row.conversations,
            row.questions,
            signed(row.lead, unit),
            _shown(row.detectable, unit),
            "over 100,000" if row.needed is None and row.conversations > 1 else row.needed,
        ]
        for row in rows
    ]
    put_table(cells, sides, f"{board.measured.metrics[board.metric].title}, {board.family}")
    put(
        "Found 4 times out of 5, with a p below 0.05 after that correction; conversations are "
        "what is independent."
    )


def _shown(value: float | None, unit: str) -> str:
    """Return the least difference that is found; a share cannot differ by more than 1."""
    from ctxlab.display.numbers import number

    if value is None or (unit == "share" and value > 1):
        return "none"
    return f"{100 * value:.1f}" if unit == "share" else number(value, "value")
