"""The store: conversations, experiments and workshops in one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from ctxlab.model import Case
from ctxlab.store import backup as _backup
from ctxlab.store import conversations, protocols, reading, runs, schemas, sql
from ctxlab.store.artifacts import Artifacts
from ctxlab.store.compatibility import Compatibility, compatibility
from ctxlab.store.connection import Database, Parameters
from ctxlab.store.conversations import Conversation
from ctxlab.store.migrate import tables
from ctxlab.store.schemas import Migrated
from ctxlab.store.summaries import Summaries
from ctxlab.store.workshop import Workshop
from ctxlab.tokens import TokenCounter, shared_counter
from ctxlab.trials import Trial
from ctxlab.workshop import DESIGN_THINKING, Protocol

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ctxlab.datasets import WorkshopFile

__all__ = ["Conversation", "Database", "Store", "Workshop"]


class Store:
    """A ctxlab store: one DuckDB file, or one in memory.

    Parameters
    ----------
    path : str or Path
        The file, made when absent; ``":memory:"`` keeps everything in memory.
    counter : TokenCounter, optional
        Counts what is stored; by default with o200k_base.

    Raises
    ------
    StoreLockedError, StoreCorruptError, NewerStoreError
        When the file is held by another process, is not a store, or is newer than this ctxlab.

    Examples
    --------
    >>> with Store(":memory:") as store:
    ...     store.query("SELECT count(*) AS n FROM cases").rows()
    [(0,)]
    """

    def __init__(
        self, path: str | Path = "ctxlab.duckdb", *, counter: TokenCounter | None = None
    ) -> None:
        self.db = Database(path)
        self.counter = counter or shared_counter()
        self.artifacts = Artifacts(self.db, self.counter)
        self.summaries = Summaries(self.db, self.counter)
        self._migrations: dict[tuple[str, int], protocols.MigrateOne] = {}
        self._protocols: dict[str, Protocol] = {}
        self._read_at = -1

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

    def create_workshop(self, title: str, protocol: Protocol = DESIGN_THINKING) -> Workshop:
        """Make a workshop with all steps of a protocol, none of them started.

        Examples
        --------
        >>> Store(":memory:").create_workshop("Market hall")
        Workshop('Market hall', 0 of 10 steps complete)
        """
        with self.db.write():
            protocols.define(self.db, protocol)
            steps = tuple((step.id, ()) for step in protocol.steps)
            chat = Conversation(title, protocol.name, steps)
            [workshop] = conversations.add_conversations(self.db, [chat], self.counter)
        return Workshop(self, workshop)

    def add_workshop(self, file: WorkshopFile, protocol: Protocol = DESIGN_THINKING) -> Workshop:
        """Store a workshop file whole: messages, summaries, artifacts, and its probes as a case.

        Examples
        --------
        >>> from ctxlab.datasets import bundled_dir, load_workshop
        >>> file = load_workshop(bundled_dir() / "workshops/market-surplus.json")
        >>> Store(":memory:").add_workshop(file)
        Workshop('Food surplus at the covered market of Varnhem', 10 of 10 steps complete)
        """
        with self.db.write():
            protocols.define(self.db, protocol)
            workshop = Workshop(self, protocols.add_file(self.db, file, protocol, self.counter))
            for step in file.steps:
                if step.artifact is not None:
                    workshop.save_artifact(step.step, step.artifact)
                if step.summary is not None:
                    workshop.save_summary(step.step, step.summary)
            protocols.mark_complete(self.db, workshop.id)
        return workshop

    def workshop(self, id: str) -> Workshop:  # noqa: A002 - what it is
        """Return a handle to a stored workshop.

        Raises
        ------
        NotFoundError
            When there is none of that id.

        Examples
        --------
        >>> store = Store(":memory:")
        >>> store.workshop(store.create_workshop("Market hall").id).title
        'Market hall'
        """
        return Workshop(self, id)

    def workshops(self) -> dict[str, str]:
        """Return the title of every stored workshop, by id.

        Examples
        --------
        >>> Store(":memory:").workshops()
        {}
        """
        return dict(self.db.rows("SELECT id, title FROM workshops ORDER BY id"))

    def protocol(self, name: str) -> Protocol:
        """Return a protocol as it is stored.

        Raises
        ------
        NotFoundError
            When no workshop of that protocol was ever made.

        Examples
        --------
        >>> store = Store(":memory:")
        >>> store.create_workshop("Market hall").protocol == DESIGN_THINKING
        True
        """
        if self._read_at != self.db.generation:
            self._protocols, self._read_at = {}, self.db.generation
        if name not in self._protocols:
            self._protocols[name] = protocols.read(self.db, name)
        return self._protocols[name]

    def register_schema(
        self,
        step_id: str,
        version: int,
        schema: type[BaseModel] | Mapping[str, Any],
        migrate: protocols.MigrateOne | None = None,
    ) -> None:
        """Register a version of a step's artifact schema, with the way to it from the one before.

        Raises
        ------
        ConflictError
            When another schema is registered under that version.

        Examples
        --------
        >>> Store(":memory:").register_schema("note", 1, {"type": "object"})
        """
        name = getattr(migrate, "__qualname__", None)
        schemas.register_schema(self.db, step_id, version, schema, name)
        if migrate is not None:
            self._migrations[step_id, version] = migrate

    def compatibility(self, step_id: str, old: int, new: int) -> Compatibility:
        """Compare two schema versions, and replay every stored artifact on the new one.

        Examples
        --------
        >>> store = Store(":memory:")
        >>> store.register_schema("note", 1, {"type": "object"})
        >>> store.register_schema("note", 2, {"type": "object", "required": ["text"]})
        >>> store.compatibility("note", 1, 2).kind
        'compatible'
        """
        return compatibility(self.db, step_id, old, new)

    def migrate_artifacts(self, step_id: str, to: int, *, dry_run: bool = True) -> list[Migrated]:
        """Bring every artifact of a step to a schema version, in one transaction, all or nothing.

        Raises
        ------
        InvalidArtifactError
            When one cannot be brought there; then none is changed.

        Examples
        --------
        >>> store = Store(":memory:")
        >>> store.register_schema("note", 2, {"type": "object"})
        >>> store.migrate_artifacts("note", 2)
        []
        """

        def save(row: str, version: int, artifact: dict[str, Any]) -> None:
            self.artifacts.save(row, step_id, artifact, expected_version=version, schema_version=to)

        migrate = protocols.chain(self._migrations, step_id, to)
        return schemas.migrate_artifacts(self.db, step_id, migrate, to, save, dry_run=dry_run)

    def add_experiment(
        self, name: str, spec: Mapping[str, object], trials: Sequence[str] = ()
    ) -> str:
        """Store an experiment and the hashes of its trials, done or not; return its id.

        Examples
        --------
        >>> Store(":memory:").add_experiment("first", {})[:4]
        'exp_'
        """
        return runs.add_experiment(self.db, name, spec, trials)

    def known_trials(self, hashes: Sequence[str]) -> set[str]:
        """Return those of `hashes` whose trials are stored and did not fail.

        Examples
        --------
        >>> Store(":memory:").known_trials(["9f"])
        set()
        """
        return runs.known_trials(self.db, hashes)

    def add_trials(self, trials: Sequence[Trial]) -> None:
        """Store trials with their outcomes and ledgers.

        Examples
        --------
        >>> Store(":memory:").add_trials([])
        """
        if trials:
            runs.add_trials(self.db, trials)

    def trials_frame(self, experiment: str) -> pl.DataFrame:
        """Return the trials of an experiment that are done: one row each.

        Examples
        --------
        >>> store = Store(":memory:")
        >>> store.trials_frame(store.add_experiment("first", {})).height
        0
        """
        return runs.trials_frame(self.db, experiment)

    def outcomes_frame(self, experiment: str) -> pl.DataFrame:
        """Return the outcomes of an experiment: one row a trial and probe.

        Examples
        --------
        >>> Store(":memory:").outcomes_frame("exp_none").height
        0
        """
        return runs.outcomes_frame(self.db, experiment)

    def ledger_of(self, trial_hash: str) -> str:
        """Return the compact ledger of a trial, as JSON.

        Examples
        --------
        >>> Store(":memory:").ledger_of("9f")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: no trial '9f' in the store; ...
        """
        return runs.ledger_of(self.db, trial_hash)

    def query(self, text: str, parameters: Parameters = ()) -> pl.DataFrame:
        """Return the rows of one reading statement; nothing can be changed by it.

        Examples
        --------
        >>> Store(":memory:").query("SELECT ? AS answer", [42]).rows()
        [(42,)]
        """
        return sql.query(self.db, text, parameters)

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

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.path!r})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(name)}</td><td>{size:,}</td></tr>"
            for name, size in self.counts().items()
        )
        head = f"<b>Store</b> <code>{escape(self.path)}</code>"
        return f"{head}<table><tr><th>table</th><th>rows</th></tr>{rows}</table>"
