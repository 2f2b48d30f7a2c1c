"""Phases of long work, named while they last; and what an interrupt leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ctxlab.cli.options import say


@contextmanager
def phase(name: str, kept: str = "") -> Iterator[None]:
    """Show the name of what is under way, on a terminal; an interrupt says what is kept.

    Parameters
    ----------
    name : str
        What is done: read, statistics, report.
    kept : str
        What is said when it is interrupted.

    Examples
    --------
    >>> with phase("statistics"):
    ...     sum(range(9))
    36
    """
    try:
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(f"{name} …"):
            yield
    except KeyboardInterrupt:
        say(f"stopped at {name}{f': {kept}' if kept else ''}")
        raise typer.Exit(130) from None
