"""``ctxlab push``: the lab's workshops, back into a production database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ctxlab.cli.options import DEFAULT_STORE, AsJSON, StorePath, say
from ctxlab.cli.output import put, put_json
from ctxlab.errors import SpecError, StoreError

if TYPE_CHECKING:
    from ctxlab.postgres import Counts


def push(
    address: Annotated[str, typer.Argument(help="postgresql://user@host/database")],
    workshops: Annotated[
        list[str] | None,
        typer.Option("--workshop", help="Only the workshop of this id; again for more."),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Write workshops of the store to PostgreSQL, in one transaction; absent tables are made.

    Nothing is written when someone else saved an artifact in between. The password is best kept
    in PGPASSWORD or in ~/.pgpass.

    For example:

      ctxlab push postgresql://writer@db.example.org/app --store lab.duckdb

      ctxlab push postgresql://localhost/app --workshop wks_1
    """
    from ctxlab.postgres import is_address, push_workshops
    from ctxlab.store import Store

    if not is_address(address):
        raise SpecError("the address must begin with postgresql://, as postgresql://host/database")
    if not store.exists():
        raise StoreError(f"there is no store {store}; import conversations first, or name another")
    with Store(store) as lab:
        report(push_workshops(lab, address, workshops or None), "written", as_json)


def report(counts: Counts, what: str, as_json: bool) -> None:
    """Print what was moved; say which columns found no place.

    Examples
    --------
    >>> from ctxlab.postgres import Counts
    >>> report(Counts({"workshops": 1}), "written", False)
    1 workshops written
    """
    if as_json:
        put_json({"schema": 1, "rows": dict(counts.rows), "ignored": list(counts.ignored)})
        return
    rows = (f"{count:,} {table}" for table, count in counts.rows.items() if count)
    put(f"{', '.join(rows) or 'nothing'} {what}")
    if counts.ignored:
        say(f"no place for {', '.join(counts.ignored)}")
