"""Progress of long work: a bar in a terminal, a bar that lasts in a notebook, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from time import monotonic
from typing import Protocol

Advance = Callable[[int], None]
_EVERY = 0.2


class ShowsProgress(Protocol):
    """What shows how far a run is: a context manager that gives an `advance`.

    Examples
    --------
    >>> from contextlib import nullcontext
    >>> progress: ShowsProgress = lambda total, label: nullcontext(lambda n=1: None)
    """

    def __call__(self, total: int, label: str, /) -> AbstractContextManager[Advance]:
        """Begin to show `total` things under `label`."""


@contextmanager
def progress(total: int, label: str) -> Iterator[Advance]:
    """Show how far `total` things are, in whatever place can show it.

    A terminal gets a bar on stderr with things done, rate and time left; a notebook gets a bar
    that keeps its last state when saved; anything else gets nothing.

    Parameters
    ----------
    total : int
        Number of things.
    label : str
        What they are.

    Yields
    ------
    callable
        Called with the number of things just done.

    Examples
    --------
    >>> with progress(2, "trials") as advance:
    ...     advance(2)
    """
    if sys.stderr.isatty():
        with _in_terminal(total, label) as advance:
            yield advance
    elif _in_notebook():
        yield _NotebookBar(total, label).advance
    else:
        yield lambda _: None


@contextmanager
def _in_terminal(total: int, label: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    start, done = monotonic(), 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, rate="")

        def advance(n: int) -> None:
            nonlocal done
            done += n
            rate = f"{done / max(monotonic() - start, 1e-9):,.0f}/s"
            bar.update(task, advance=n, rate=rate)

        yield advance


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class _NotebookBar:
    def __init__(self, total: int, label: str) -> None:
        from IPython.display import HTML, display

        self._html: Callable[[str], object] = HTML
        self._total, self._label = total, label
        self._done, self._shown = 0, 0.0
        self._handle = display(HTML(self._bar()), display_id=True)

    def advance(self, n: int) -> None:
        self._done += n
        if self._done >= self._total or monotonic() - self._shown > _EVERY:
            self._shown = monotonic()
            self._handle.update(self._html(self._bar()))

    def _bar(self) -> str:
        return (
            f"<progress value='{self._done}' max='{max(self._total, 1)}'></progress> "
            f"{self._done:,} of {self._total:,} {escape(self._label)}"
        )
