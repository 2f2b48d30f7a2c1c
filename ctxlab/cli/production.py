"""``ctxlab push``: the lab's workshops, back into a production database."""

from __future__ import annotations

from collections.abc import Callable
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the SQL, and write nothing.")
    ] = False,
    create_tables: Annotated[
        bool, typer.Option("--create-tables", help="Make ctxlab's tables where they are absent.")
    ] = False,
    defaults: Annotated[
        list[str] | None,
        typer.Option(
            "--default",
            help="A value for a column that the database demands and the lab does not know, as "
            "org_id=o1 or workshops.org_id=o1; again for more.",
        ),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJSON = False,
) -> None:
    """Write what the lab changed to PostgreSQL, in one transaction.

    A row that was changed in the database since it was read is never overwritten: it is listed,
    and the exit code is 1. The password is best kept in PGPASSWORD or in ~/.pgpass.

    For example:

      ctxlab push postgresql://writer@db.example.org/app --store lab.duckdb --dry-run

      ctxlab push postgresql://localhost/app --workshop wks_1 --default clerk_user_id=user_7
    """
    from ctxlab.postgres import is_address, push_workshops
    from ctxlab.store import Store

    if not is_address(address):
        raise SpecError("the address must begin with postgresql://, as postgresql://host/database")
    if not store.exists():
        raise StoreError(f"there is no store {store}; import conversations first, or name another")
    with Store(store) as lab:
        done = push_workshops(
            lab,
            address,
            workshops or None,
            dry_run=dry_run,
            create_tables=create_tables,
            defaults=dict(map(_pair, defaults or ())),
        )
    if dry_run and not as_json:
        for statement in done.statements:
            put(statement)
        report(done, "would be written", as_json, to=say)
    else:
        report(done, "written", as_json)
    if done.conflicts:
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SpecError(f"--default {text!r} is not understood; write it as column=value")
    return name, value


def report(counts: Counts, what: str, as_json: bool, to: Callable[[str], None] = put) -> None:
    """Print what was moved; say which columns found no place, and which rows were left.

    Examples
    --------
    >>> from ctxlab.postgres import Counts
    >>> report(Counts({"workshops": 1}), "written", False)
    1 workshops written
    """
    if as_json:
        found = {"rows": dict(counts.rows)}
        lists = ("ignored", "skipped", "conflicts", "statements")
        put_json({"schema": 1} | found | {name: list(getattr(counts, name)) for name in lists})
        return
    rows = (f"{count:,} {table}" for table, count in counts.rows.items() if count)
    to(f"{', '.join(rows) or 'nothing'} {what}")
    for line in counts.skipped:
        say(f"skipped: {line}")
    for line in counts.conflicts:
        say(f"conflict: {line}")
    if counts.ignored:
        say(f"no place for {', '.join(counts.ignored)}")
