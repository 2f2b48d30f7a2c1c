"""``%load_ext ctxlab``: the store in SQL, and the commands, in a cell of a notebook."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxlab.cli.options import DEFAULT_STORE
from ctxlab.errors import CtxlabError, StoreError

if TYPE_CHECKING:
    import polars as pl


def register(shell: Any) -> None:  # noqa: ANN401 - an interactive shell
    """Give a shell the magics ``%%ctxsql`` and ``%ctxlab``.

    Examples
    --------
    >>> class Shell:
    ...     def register_magic_function(self, function, magic_kind, magic_name):
    ...         print(magic_kind, magic_name)
    >>> register(Shell())
    line_cell ctxsql
    line ctxlab
    """
    shell.register_magic_function(_told(ctxsql), "line_cell", "ctxsql")
    shell.register_magic_function(_told(ctxlab), "line", "ctxlab")


def ctxsql(line: str, cell: str | None = None) -> pl.DataFrame:
    """Ask the store in SQL, and return a frame: ``%%ctxsql --store lab.duckdb``.

    Raises
    ------
    StoreError
        When there is no such store.

    Examples
    --------
    >>> import tempfile
    >>> from ctxlab.store import Store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Store(f"{folder}/lab.duckdb").close()
    ...     ctxsql(f"--store {folder}/lab.duckdb", "SELECT 42 AS answer").rows()
    [(42,)]
    """
    from ctxlab.store import Store

    parser = ArgumentParser(prog="%%ctxsql", exit_on_error=False, add_help=False)
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE)
    known, rest = parser.parse_known_args(shlex.split(line) if cell is not None else [])
    text = cell if cell is not None else line
    if rest:
        raise CtxlabError(f"%%ctxsql takes --store FILE on its line, not {rest[0]!r}")
    if not known.store.exists():
        raise StoreError(f"there is no store {known.store}; name one: %%ctxsql --store lab.duckdb")
    with Store.to_read(known.store) as lab:
        return lab.query(text)


def ctxlab(line: str) -> None:
    """Run a command as in a terminal: ``%ctxlab compare talk.jsonl --budget 10%``.

    Examples
    --------
    >>> ctxlab("--version")
    ctxlab ...
    """
    import click

    from ctxlab.cli import app

    try:
        app(shlex.split(line), standalone_mode=False, prog_name="ctxlab")
    except click.exceptions.Exit:
        return
    except click.ClickException as error:
        raise CtxlabError(f"{error.format_message()}; %ctxlab --help lists the commands") from error


def _told(magic: Callable[..., Any]) -> Callable[..., Any]:
    """Return a magic whose errors are a line, as on the command line."""

    def run(*lines: str) -> Any:  # noqa: ANN401 - what the magic returns
        try:
            return magic(*lines)
        except CtxlabError as error:
            sys.stderr.write(f"ctxlab: {error}\n")
            return None

    run.__doc__ = magic.__doc__
    run.__name__ = magic.__name__
    return run
