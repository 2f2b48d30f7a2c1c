"""The store: conversations, experiments and workshops in one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from ctxlab.core.cases import Case
from ctxlab.core.tokens import TokenCounter, shared_counter
from ctxlab.core.views import view
from ctxlab.errors import OlderStoreError
from ctxlab.store import backup as _backup
from ctxlab.store import conversations, queries, reading
from ctxlab.store.connection import Database, Parameters
from ctxlab.store.conversations import Conversation
from ctxlab.store.migrate import tables
from ctxlab.store.runs import Runs
from ctxlab.store.vectors import Vectors

__all__ = ["Conversation", "Database", "Store"]


class Store:
    """A ctxlab store: one DuckDB file, or one in memory.

    Parameters
    ----------
    path : str or Path
        The file, made when absent; ``":memory:"`` keeps everything in memory.
    counter : TokenCounter, optional
        Counts what is stored; by default with o200k_base.
    read_only : bool
        Change nothing in the file, which may be on a medium that cannot be written; several
        processes may read at once.

    Raises
    ------
    StoreLockedError, StoreCorruptError, NewerStoreError
        When the file is held by another process, is not a store, or is newer than this ctxlab.
    OlderStoreError
        When the file is opened to read only and needs a migration.

    Examples
    --------
    >>> with Store(":memory:") as store:
    ...     store.query("SELECT count(*) AS n FROM cases").rows()
    [(0,)]
    """

    def __init__(
        self,
        path: str | Path = "ctxlab.duckdb",
        *,
        counter: TokenCounter | None = None,
        read_only: bool = False,
    ) -> None:
        self.db = Database(path, read_only=read_only)
        self.counter = counter or shared_counter()
        self.runs = Runs(self.db)
        """Experiments, trials, measurements and ledgers."""
        self.vectors = Vectors(self.db)
        """The vectors of texts that encoders gave."""

    @classmethod
    def to_read(cls, path: str | Path) -> Store:
        """Open a store to read it: without touching the file, unless it must be migrated first.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Store(f"{folder}/lab.duckdb").close()
        ...     with Store.to_read(f"{folder}/lab.duckdb") as store:
        ...         store.db.read_only
        True
        """
        try:
            return cls(path, read_only=True)
        except OlderStoreError:
            return cls(path)

    @property
    def path(self) -> str:
        """The file.

        Examples
        --------
        >>> Store(":memory:").path
        ':memory:'
        """
        return self.db.path

    def add_cases(
        self,
        cases: Iterable[Case],
        counter: TokenCounter | None = None,
        on_conflict: Literal["error", "skip"] = "error",
    ) -> int:
        """Store conversations with their probes and token counts; return how many were new.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> Store(":memory:").add_cases([sample_case()])
        1
        """
        return conversations.add_cases(self.db, cases, counter or self.counter, on_conflict)

    def cases(self, dataset: str | None = None, ids: Sequence[str] | None = None) -> Iterator[Case]:
        """Yield stored conversations as they went in.

        Examples
        --------
        >>> list(Store(":memory:").cases())
        []
        """
        return reading.read_cases(self.db, dataset, ids)

    def prime(self, counter: TokenCounter) -> None:
        """Teach a counter every count that is stored, so that it need not count again.

        Examples
        --------
        >>> Store(":memory:").prime(TokenCounter())
        """
        counter.prime(reading.stored_counts(self.db, counter.encoding))

    def query(
        self, text: str, parameters: Parameters = (), *, timeout: float | None = None
    ) -> pl.DataFrame:
        """Return the rows of one reading statement; nothing can be changed by it.

        It is given up after `timeout` seconds, and at an interrupt (Ctrl-C).

        Examples
        --------
        >>> Store(":memory:").query("SELECT ? AS answer", [42]).rows()
        [(42,)]
        """
        return queries.query(self.db, text, parameters, timeout=timeout)

    def backup(self, target: str | Path, *, overwrite: bool = False) -> int:
        """Copy the store, triggers and all, to a new file; return the number of rows.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Store(":memory:").backup(f"{folder}/copy.duckdb")
        0
        """
        return _backup.backup(self.db, target, overwrite=overwrite)

    def close(self) -> None:
        """Close the file; what was written is on disk.

        Examples
        --------
        >>> Store(":memory:").close()
        """
        self.db.close()

    def counts(self) -> dict[str, int]:
        """Return the number of rows of every table that holds some.

        Examples
        --------
        >>> Store(":memory:").counts()
        {}
        """
        sizes = {
            name: int(self.db.rows(f"SELECT count(*) FROM {name}")[0][0])  # noqa: S608
            for name in tables()
        }
        return {name: size for name, size in sizes.items() if size}

    def growth(self) -> Any:  # noqa: ANN401 - a chart
        """Return a chart: the tokens of every conversation so far, message by message.

        Examples
        --------
        >>> from ctxlab.testing import sample_case
        >>> store = Store(":memory:")
        >>> _ = store.add_cases([sample_case()])
        >>> store.growth().frame["tokens"].to_list()[-1]
        226
        """
        return view("growth", reading.growth(self.db), self.counter.encoding)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.path!r})"

    def _repr_html_(self) -> str:
        return str(view("store_html", self.path, self.counts()))
