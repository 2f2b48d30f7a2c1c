"""``ctxlab strategies``: the catalogue, and the parameters of one strategy."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import AsJSON
from ctxlab.cli.output import put, put_json, put_table

if TYPE_CHECKING:
    from ctxlab.strategies.catalogue import CatalogueRow


def strategies(
    name: Annotated[str | None, typer.Argument(help="One strategy, with its parameters.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table in Markdown.")] = False,
    as_json: AsJSON = False,
) -> None:
    """List the strategies, with what was measured of them, or the parameters of one.

    For example:

      ctxlab strategies

      ctxlab strategies BM25 --json

      ctxlab strategies --markdown
    """
    from ctxlab.core.specs import STRATEGIES
    from ctxlab.strategies import catalogue

    if name is not None:
        _put_strategy(catalogue.row_of(STRATEGIES.find(name)), as_json=as_json)
        return
    entries = catalogue.catalogue()
    sets = catalogue.measurements()
    if as_json:
        facts = {key: asdict(found) for key, found in sets.items()}
        rows = [_entry(entry) for entry in entries]
        put_json({"schema": 1, "command": catalogue.command(), "sets": facts, "rows": rows})
        return
    if markdown:
        put(catalogue.markdown(entries))
        return
    heads = ("strategy", "family", "question", "needs", "guarantees")
    columns = dict.fromkeys(heads, "left")
    columns |= dict.fromkeys(sets, "right")
    put_table(
        (
            [
                entry.name,
                entry.traits.family,
                "yes" if entry.traits.query_aware else "",
                entry.traits.needs,
                entry.guarantees,
                *(str(entry.measured.get(key, catalogue.MISSING)) for key in sets),
            ]
            for entry in entries
        ),
        columns,
    )
    for key, found in sets.items():
        put(f"{key}: {found}")
    put(f"measured by: {catalogue.command()}")


def _entry(entry: CatalogueRow) -> dict[str, Any]:
    facts = asdict(entry)
    return {**facts.pop("traits"), **facts, "guarantees": entry.guarantees}


def _put_strategy(entry: CatalogueRow, *, as_json: bool) -> None:
    if as_json:
        put_json({"schema": 1, **_entry(entry)})
        return
    put(f"{entry.name}: {entry.summary}")
    put(f"source: {entry.traits.source}; cost: {entry.traits.cost}")
    for key, figure in entry.measured.items():
        put(f"{key}: {figure} %")
    rows = [[p.name, p.default, p.bounds, p.meaning] for p in entry.parameters]
    if rows:
        put_table(rows, dict.fromkeys(("parameter", "default", "bounds", "meaning"), "left"))
