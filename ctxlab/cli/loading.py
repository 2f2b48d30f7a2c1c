"""``ctxlab import``, ``datasets`` and ``sql``: what goes into the store, and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ctxlab.cli.options import (
    DEFAULT_STORE,
    AsJSON,
    ColumnName,
    Encoding,
    FormatName,
    Paths,
    SkipBad,
    StorePath,
    read_inputs,
    say,
)
from ctxlab.cli.output import put, put_json, put_table
from ctxlab.core.tokens import DEFAULT_ENCODING

if TYPE_CHECKING:
    from ctxlab.core.tokens import TokenCounter

datasets_app = typer.Typer(no_args_is_help=True, help="List and fetch datasets.")


def import_(
    paths: Paths,
    store: StorePath = DEFAULT_STORE,
    encoding: Encoding = DEFAULT_ENCODING,
    format_name: FormatName = None,
    column: ColumnName = None,
    skip_bad: SkipBad = False,
    skip_known: Annotated[
        bool, typer.Option("--skip-known", help="Leave conversations that are stored already.")
    ] = False,
    workshops: Annotated[
        list[str] | None,
        typer.Option("--workshop", help="Of a database: only this workshop; again for more."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Of a database: only workshops changed since, as 2026-11-01."),
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Of a database: also what is marked as deleted.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Import conversations, or a production database's workshops, with their tokens counted.

    For example:

      ctxlab import chats.jsonl --store lab.duckdb

      ctxlab import exports/ --format openai --skip-bad

      ctxlab import postgresql://reader@db.example.org/app --store lab.duckdb

      ctxlab import postgresql://localhost/app --since 2026-11-01 --skip-bad
    """
    from ctxlab.core.tokens import shared_counter
    from ctxlab.postgres import is_address
    from ctxlab.store import Store

    counter = shared_counter(encoding)
    databases = [path for path in paths if is_address(path)]
    if databases:
        chosen = {"workshops": workshops or None, "since": since, "deleted": deleted}
        _import_databases(
            databases, paths, store, counter, as_json=as_json, skip_bad=skip_bad, **chosen
        )
        return
    with Store(store) as lab:
        before = lab.counts()
        cases = read_inputs(paths, format_name, skip_bad=skip_bad, column=column)
        new = lab.add_cases(cases, counter, on_conflict="skip" if skip_known else "error")
        after = lab.counts()
    tables = ("chat_messages", "probes")
    messages, probes = (after.get(t, 0) - before.get(t, 0) for t in tables)
    if as_json:
        put_json({"schema": 1, "cases": new, "messages": messages, "probes": probes})
    else:
        put(f"{new:,} conversations, {messages:,} messages, {probes:,} probes into {store}")


def _import_databases(
    databases: list[str],
    paths: list[str],
    store: Path,
    counter: TokenCounter,
    *,
    as_json: bool,
    **chosen: Any,  # noqa: ANN401 - as `import_workshops` takes them
) -> None:
    from ctxlab.cli.production import report
    from ctxlab.errors import SpecError
    from ctxlab.postgres import import_workshops
    from ctxlab.store import Store

    if databases != paths:
        raise SpecError("import databases and files one after the other, not in one command")
    with Store(store) as lab:
        for address in databases:
            done = import_workshops(lab, address, counter=counter, **chosen)
            report(done, f"into {store}", as_json)


@datasets_app.command("list")
def list_datasets(as_json: AsJSON = False) -> None:
    """List the datasets that ctxlab knows by name, with splits, licence and origin.

    `NAME:SPLIT` goes wherever a name does.

    For example:

      ctxlab datasets list

      ctxlab datasets list --json
    """
    from ctxlab.datasets import sources

    rows = list(sources().values())
    if as_json:
        fields = ("name", "title", "format", "licence", "home", "address")
        listed = [
            {f: getattr(row, f) for f in fields}
            | {"splits": list(row.splits), "files": len(row.files), "bundled": bool(row.bundled)}
            for row in rows
        ]
        put_json({"schema": 1, "rows": listed})
        return
    columns = dict.fromkeys(("name", "what", "splits", "licence", "from"), "left")
    put_table(
        (
            (row.name, row.title, ", ".join(row.splits), row.licence, row.home or "bundled")
            for row in rows
        ),
        columns,
    )


@datasets_app.command("fetch")
def fetch_dataset(
    name: Annotated[
        str, typer.Argument(help="A name of `ctxlab datasets list`, or NAME:SPLIT of it.")
    ],
    folder: Annotated[Path | None, typer.Option(help="Where to download to.")] = None,
    sha256: Annotated[str | None, typer.Option(help="Digest that the file must have.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Fetch a dataset: from CTXLAB_DATA_DIR where that holds it, else from its publisher.

    For example:

      ctxlab datasets fetch locomo

      ctxlab datasets fetch qmsum:dev --folder data
    """
    from ctxlab.datasets import fetch
    from ctxlab.datasets.fetching import digest
    from ctxlab.datasets.public_sources import source_and_split

    wanted, split = source_and_split(name)
    say(f"{wanted.title}; licence: {wanted.licence}; {wanted.home or 'bundled with ctxlab'}")
    parts = wanted.files_of(split)
    if len(parts) > 1:
        say(f"{len(parts)} files, {sum(part.size or 0 for part in parts) / 1e6:.0f} MB")
    files = fetch(name, folder, sha256=sha256)
    if as_json:
        rows = [{"path": str(path), "sha256": digest(path)} for path in files]
        put_json({"schema": 1, "licence": wanted.licence, "rows": rows})
        return
    for path in files:
        put(str(path))


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; nothing can be changed.")],
    store: StorePath = DEFAULT_STORE,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which the query is given up.", min=0.0)
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Ask the store in SQL, read-only; also one on a medium that cannot be written.

    For example:

      ctxlab sql 'SELECT dataset, count(*) AS n FROM cases GROUP BY ALL'

      ctxlab sql 'SELECT strategy, count(*) AS n FROM trials GROUP BY ALL' --json

      ctxlab sql 'SUMMARIZE chat_messages' --store lab.duckdb --timeout 10
    """
    import json

    from ctxlab.errors import StoreError
    from ctxlab.store import Store

    if not store.exists():
        raise StoreError(f"there is no store {store}; import conversations first, or name another")
    with Store.to_read(store) as lab:
        frame = lab.query(query, timeout=timeout)
    if as_json:
        put_json({"schema": 1, "rows": json.loads(frame.write_json())})
        return
    numeric = {name for name, kind in frame.schema.items() if kind.is_numeric()}
    columns = {name: "right" if name in numeric else "left" for name in frame.columns}
    put_table(frame.rows(), columns)
