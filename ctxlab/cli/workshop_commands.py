"""Workshops on the command line: tokens by step and tier, backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath
from ctxlab.cli.output import put, put_json, put_table

if TYPE_CHECKING:
    from ctxlab.store import Store


def tier_rows(path: str, store: Path, encoding: str, total: int) -> list[dict[str, Any]] | None:
    """Return the tokens of every step and tier of a workshop; None when `path` names none.

    A workshop is a file of one, the name of a bundled one, or an id of the store.

    Examples
    --------
    >>> rows = tier_rows("market-surplus", Path("none.duckdb"), "o200k_base", 15_000)
    >>> [row["tier"] for row in rows[:3]]
    ['short-term', 'long-term', 'persistent']
    """
    from ctxlab.core.budgets import TierBudget
    from ctxlab.core.tokens import TokenCounter
    from ctxlab.store import Store
    from ctxlab.workshop.assembly import step_table

    counter = TokenCounter(encoding)
    if path.startswith("wks_") and not Path(path).exists():
        with Store(store, counter=counter) as lab:
            return step_table(lab, path, TierBudget(total))
    with Store(":memory:", counter=counter) as lab:
        workshop = _loaded(path, lab)
        return None if workshop is None else step_table(lab, workshop, TierBudget(total))


def _loaded(path: str, store: Store) -> str | None:
    from ctxlab.chats.files import records
    from ctxlab.chats.workshop_file import is_workshop
    from ctxlab.datasets import fetch, is_dataset, load_workshop
    from ctxlab.workshop.workshops import Workshops

    named = not Path(path).exists() and is_dataset(path)
    file = fetch(path)[0] if named else Path(path)
    # Stdin is read once, and neither a pattern nor an address is a workshop's file.
    if not file.is_file() or not is_workshop(next(iter(records(file))).raw):
        return None
    return Workshops(store).add(load_workshop(file)).id


_PARTS = ("instructions", "persistent", "long-term", "earlier messages", "short-term")


def put_tiers(rows: list[dict[str, Any]]) -> None:
    """Print the tokens of every step: a column a tier, what it all comes to, and the history.

    Examples
    --------
    >>> rows = tier_rows("market-surplus", Path("none.duckdb"), "o200k_base", 15_000)
    >>> put_tiers(rows)
    Tokens sent by step and tier
    ...
    """
    steps: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        steps.setdefault(row["step"], {})[row["tier"]] = row
    cells = []
    for step, tiers in steps.items():
        prompt = tiers["prompt"]
        over = max(0, prompt["wanted"] - prompt["limit"])
        history = prompt["full_history"]
        saving = f"{100 * (1 - prompt['tokens'] / history):.0f} %" if history else "–"
        named = [tiers[t]["tokens"] for t in _PARTS]
        cells.append([step, *named, prompt["tokens"], prompt["limit"], over, history, saving])
    names = (*_PARTS, "prompt", "limit", "cut", "full history", "saving")
    columns = {"step": "left"} | dict.fromkeys(names, "right")
    put_table(cells, columns, "Tokens sent by step and tier")


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    store: StorePath = DEFAULT_STORE,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Copy the store, triggers and all, to a new file.

    For example:

      ctxlab backup lab-2026-11.duckdb --store lab.duckdb
    """
    from ctxlab.errors import StoreError
    from ctxlab.store import Store

    if not store.exists():
        raise StoreError(f"there is no store {store} to copy; name an existing one with --store")
    with Store.to_read(store) as lab:
        rows = lab.backup(target, overwrite=overwrite)
    _put_rows(rows, target, as_json=as_json)


def restore(
    source: Annotated[Path, typer.Argument(help="The backup to read.")],
    store: StorePath = DEFAULT_STORE,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Put a backup in the place of the store; one that is broken is moved aside.

    For example:

      ctxlab restore lab-2026-11.duckdb --store lab.duckdb --overwrite
    """
    from ctxlab.store.backup import restore as restore_file

    done = restore_file(source, store, overwrite=overwrite)
    _put_rows(done.rows, store, as_json=as_json, aside=done.aside)


def _put_rows(rows: int, target: Path, *, as_json: bool, aside: Path | None = None) -> None:
    if as_json:
        moved = {"moved_aside": str(aside)} if aside else {}
        put_json({"schema": 1, "rows": rows, "path": str(target)} | moved)
        return
    put(f"{rows:,} rows in {target}")
    if aside:
        put(f"what stood there could not be opened, and is now {aside}")
