"""``ctxlab strategies`` and ``formats``: the catalogue, and what files can be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import AllowImport, AsJSON, say
from ctxlab.cli.output import put, put_json, put_table

if TYPE_CHECKING:
    from ctxlab.chats.file_format import Format
    from ctxlab.strategies.catalogue import CatalogueRow


def strategies(
    name: Annotated[str | None, typer.Argument(help="One strategy, with its parameters.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a table in Markdown.")] = False,
    allow_import: AllowImport = False,
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
        cls = STRATEGIES.find(name.removesuffix("()"), allow_import=allow_import)
        _put_strategy(catalogue.row_of(cls), as_json=as_json)
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


def formats(
    name: Annotated[str | None, typer.Argument(help="One format, with its example.")] = None,
    as_json: AsJSON = False,
) -> None:
    """List the formats of conversations that are read, each with an example.

    For example:

      ctxlab formats

      ctxlab formats claude-code

      ctxlab formats --json
    """
    from ctxlab.datasets import FORMATS, find_format

    chosen = [find_format(name)] if name else list(FORMATS.values())
    if as_json:
        rows = [
            {"name": one.name, "description": one.description, "lines": one.lines,
             "example": one.example}
            for one in chosen
        ]  # fmt: skip
        put_json({"schema": 1, "rows": rows})
    elif name:
        put(f"{chosen[0].name}: {chosen[0].description}")
        put(_example(chosen[0]))
    else:
        put_table(
            ([one.name, one.description, _example(one, short=True)] for one in chosen),
            dict.fromkeys(("format", "what", "example"), "left"),
        )
        put("files: JSON, JSON lines, CSV, Parquet, text; gzip, zstd, zip; folders, patterns, -")
        put("a reader of your own: --format module:reader, or the entry points ctxlab.formats")
    for problem in FORMATS.problems().values():
        say(problem)


def _example(one: Format, *, short: bool = False) -> str:
    import json

    if isinstance(one.example, str):
        text = one.example
    elif one.lines and isinstance(one.example, list) and not short:
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in one.example)
    else:
        text = json.dumps(one.example, ensure_ascii=False, indent=None if short else 2)
    line = " ".join(text.split())
    return (line if len(line) <= 60 else f"{line[:59]}…") if short else text
