"""The command line: a thin caller. Data goes to stdout, progress and logs to stderr.

Exit codes: 0 ok, 1 failure, 2 usage, 3 a gate was missed.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, TextIO, cast

import typer

from ctxlab.cli import (
    comparing,
    compressing_chats,
    experiments,
    exporting,
    lab,
    listing,
    loading,
    power,
    production,
    showing,
    workshop_commands,
)
from ctxlab.core.unforeseen import explained
from ctxlab.errors import BudgetError, CtxlabError, SpecError, UnknownNameError
from ctxlab.redaction import Redacting

app = typer.Typer(
    name="ctxlab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A laboratory for context compression: measure what every strategy keeps, loses, costs.",
)
app.command()(comparing.demo)
app.command()(lab.lab)
app.command("import")(loading.import_)
app.command()(showing.budget)
app.command()(comparing.compare)
app.command()(showing.show)
app.command()(experiments.experiments)
app.command()(experiments.reproduce)
app.command()(experiments.diff)
app.command()(power.power)
app.command()(experiments.metrics)
app.command()(listing.strategies)
app.command()(listing.formats)
app.add_typer(loading.datasets_app, name="datasets")
app.command()(loading.sql)
app.command()(workshop_commands.backup)
app.command()(workshop_commands.restore)
app.command("export")(exporting.export_)
app.command()(production.push)
app.command()(compressing_chats.compress)

_USAGE = (BudgetError, SpecError, UnknownNameError)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"ctxlab {version('ctxlab')}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold what every command has."""


def main() -> None:
    """Run the command line; an error is one line on stderr and an exit code.

    Examples
    --------
    >>> from typer.testing import CliRunner
    >>> CliRunner().invoke(app, ["--version"]).exit_code
    0
    """
    # Somebody's `module:Class` stands in the folder they work in; the last place that is looked in.
    sys.path.append("")
    sys.stderr = cast("TextIO", Redacting(sys.stderr))
    try:
        app()
    except CtxlabError as error:
        sys.stderr.write(f"ctxlab: {error}\n")
        sys.exit(2 if isinstance(error, _USAGE) else 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CTXLAB_TRACEBACK"):
            raise
        sys.stderr.write(f"ctxlab: {explained(error)}\n")
        sys.exit(1)
