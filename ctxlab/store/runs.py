"""Experiments, trials, measurements and ledgers, in and out in bulk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from time import monotonic
from typing import Any

import polars as pl

from ctxlab.errors import NotFoundError
from ctxlab.redaction import redacted
from ctxlab.store.connection import Database
from ctxlab.store.json_marks import storable_json, stored_json
from ctxlab.store.json_text import json_text
from ctxlab.store.run_tables import (
    CASE_DOCUMENTS,
    EXPERIMENT_CASES,
    EXPERIMENT_METRICS,
    EXPERIMENT_TRIALS,
    LEDGER,
    MEASUREMENTS,
    METRIC_FAILURES,
    METRICS,
    OUTCOMES,
    TRIALS,
)
from ctxlab.store.storable import new_id, storable, stored
from ctxlab.store.table import Table

_FLUSH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One probe of a trial, and the compression that it was asked of: tokens and seconds.

    Examples
    --------
    >>> Asked("p1", "number", 900, 90, 90, 0.01).tokens_after
    90
    """

    probe_id: str
    category: str
    tokens_before: int
    tokens_after: int
    budget_tokens: int
    seconds: float


@dataclass(frozen=True)
class Trial:
    """One trial: what was asked, what it measured, or why it failed.

    Parameters
    ----------
    trial_hash : str
        Its key: everything that its result depends on.
    strategy, spec, traits
        The strategy as text, as data, and what the catalogue says of it: enough to show the
        trial where the strategy's class cannot be imported.
    budget, dataset, case_id, cluster, seed, encoding, version
        What it was run on, and by which ctxlab.
    outcomes : tuple of Asked
        One for each probe; one without a probe where the case has none.
    values : tuple of (str, int, float or None)
        Metric key, position in `outcomes`, value.
    failures : tuple of (str, str)
        Metric key and error of each metric that raised.
    ledger : str
        The compact ledger, as JSON; empty where the trial was stored before and only metrics
        are new.
    error : str or None
        Why it failed.

    Examples
    --------
    >>> Trial("9f", "KeepLast()", {}, {}, "10%", "d", "c", "c", 0, "o200k_base", "0").error is None
    True
    """

    trial_hash: str
    strategy: str
    spec: Mapping[str, Any]
    traits: Mapping[str, Any]
    budget: str
    dataset: str
    case_id: str
    cluster: str
    seed: int
    encoding: str
    version: str
    outcomes: tuple[Asked, ...] = ()
    values: tuple[tuple[str, int, float | None], ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    ledger: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Experiment:
    """A stored experiment: what was asked for, and the conditions under which it ran.

    Examples
    --------
    >>> Experiment("exp_1", "first", {}, {}).name
    'first'
    """

    id: str
    name: str
    spec: Mapping[str, Any]
    manifest: Mapping[str, Any]


class Runs:
    """The experiments of a store.

    Examples
    --------
    >>> runs = Runs(Database())
    >>> runs.add_experiment("first", {"budgets": ["10%"]}, {}, ["9f"]).startswith("exp_")
    True
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def add_experiment(
        self,
        name: str,
        spec: Mapping[str, Any],
        manifest: Mapping[str, Any],
        trials: Sequence[str],
        cases: Sequence[str] = (),
        metrics: Sequence[str] = (),
    ) -> str:
        """Store an experiment with the keys of its trials, cases and metrics; return its id."""
        experiment = new_id("exp")
        texts = (json_text(spec, "the experiment's spec"), json_text(manifest, "its manifest"))
        with self._db.write() as connection:
            connection.execute(
                "INSERT INTO experiments (id, name, spec, manifest) VALUES (?, ?, ?, ?)",
                [experiment, storable(name), *texts],
            )
            links = (
                (EXPERIMENT_TRIALS, "trial_hash", trials),
                (EXPERIMENT_CASES, "case_digest", cases),
                (EXPERIMENT_METRICS, "metric_key", metrics),
            )
            for table, column, keys in links:
                rows = [
                    {"experiment_id": experiment, "position": at, column: key}
                    for at, key in enumerate(keys)
                ]
                self._insert(table, rows)
        return experiment

    def add_cases(self, documents: Iterable[Mapping[str, str]]) -> None:
        """Keep conversations as documents; those that are kept already stay.

        Parameters
        ----------
        documents : iterable of mapping
            ``case_digest``, ``dataset``, ``case_id`` and ``document`` of each.

        Examples
        --------
        >>> case = {"case_digest": "9f", "dataset": "d", "case_id": "c", "document": "{}"}
        >>> Runs(Database()).add_cases([case])
        """
        self._add_new(CASE_DOCUMENTS, list(documents))

    def add_metrics(self, metrics: Iterable[Mapping[str, str]]) -> None:
        """Keep metrics; those that are kept already stay.

        Parameters
        ----------
        metrics : iterable of mapping
            ``metric_key``, ``name``, ``spec`` and ``traits`` (as JSON) of each.

        Examples
        --------
        >>> metric = {"metric_key": "9f", "name": "Rate", "spec": "{}", "traits": "{}"}
        >>> Runs(Database()).add_metrics([metric])
        """
        self._add_new(METRICS, list(metrics))

    def _add_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        [key] = table.primary
        frame = table.frame(rows).unique(key, maintain_order=True)
        with self._db.write() as connection:
            connection.register("_new", frame.to_arrow())
            connection.execute(
                f"INSERT INTO {table.name} BY NAME SELECT * FROM _new "  # noqa: S608 - declared
                f"WHERE {key} NOT IN (SELECT {key} FROM {table.name})"
            )
            connection.unregister("_new")

    def known(self, hashes: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return those of `hashes` whose trials did not fail, with the metrics measured on them.

        Examples
        --------
        >>> Runs(Database()).known(["9f"])
        {}
        """
        if not hashes:
            return {}
        with self._db.write() as connection:
            connection.register("_asked", pl.DataFrame({"trial_hash": list(hashes)}).to_arrow())
            rows = connection.execute(
                "SELECT t.trial_hash, list(DISTINCT m.metric_key) FROM _asked "
                "JOIN trials t USING (trial_hash) LEFT JOIN measurements m USING (trial_hash) "
                "WHERE t.error IS NULL GROUP BY ALL"
            ).fetchall()
            connection.unregister("_asked")
        return {key: frozenset(metrics) - {None} for key, metrics in rows}

    def add(self, trials: Sequence[Trial]) -> None:
        """Store trials in place of earlier ones of the same hash, or add metrics to stored ones.

        Examples
        --------
        >>> trial = Trial("9f", "KeepLast()", {}, {}, "10%", "d", "c", "c", 0, "o200k_base", "0")
        >>> with Database() as db:
        ...     Runs(db).add([trial])
        ...     db.rows("SELECT strategy FROM trials")
        [('KeepLast()',)]
        """
        new = [trial for trial in trials if trial.ledger or trial.error is not None]
        new = new or [trial for trial in trials if not trial.values]
        with self._db.write() as connection:
            if new:
                connection.execute(
                    "DELETE FROM trials WHERE trial_hash IN (SELECT unnest(?::VARCHAR[]))",
                    [[trial.trial_hash for trial in new]],
                )
                self._insert(TRIALS, [_trial_row(trial) for trial in new])
                self._insert(OUTCOMES, [row for trial in new for row in _outcome_rows(trial)])
                self._insert(
                    LEDGER,
                    [
                        {"trial_hash": t.trial_hash, "entries": storable_json(t.ledger or "{}")}
                        for t in new
                    ],
                )
            values = [
                {"trial_hash": trial.trial_hash, "position": at, "metric_key": key, "value": value}
                for trial in trials
                for key, at, value in trial.values
            ]
            self._insert(MEASUREMENTS, values)
            failures = [
                {"trial_hash": trial.trial_hash, "metric_key": key, "error": redacted(error)}
                for trial in trials
                for key, error in trial.failures
            ]
            self._insert(METRIC_FAILURES, failures)

    @contextmanager
    def buffered(self) -> Iterator[Callable[[Sequence[Trial]], None]]:
        """Give a function that takes trials and stores them together, at the latest each second.

        What was taken is stored when the block ends, however it ends.

        Examples
        --------
        >>> with Database() as db, Runs(db).buffered() as keep:
        ...     keep([])
        """
        waiting: list[Trial] = []
        flushed = monotonic()

        def keep(trials: Sequence[Trial]) -> None:
            nonlocal flushed
            waiting.extend(trials)
            if monotonic() - flushed >= _FLUSH_SECONDS:
                self.add(waiting)
                waiting.clear()
                flushed = monotonic()

        try:
            yield keep
        finally:
            if waiting:
                self.add(waiting)

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._db.insert(table.name, table.frame(rows))

    def frame(self) -> pl.DataFrame:
        """Return all experiments, the newest first, with the number of trials done.

        Examples
        --------
        >>> Runs(Database()).frame().columns
        ['id', 'name', 'created_at', 'trials', 'done', 'failed', 'conversations', 'ctxlab']
        """
        return self._db.frame(
            "SELECT e.id, e.name, e.created_at, count(*) AS trials, count(t.trial_hash) AS done, "
            "count(t.error) AS failed, "
            "count(DISTINCT t.dataset || chr(31) || t.case_id) AS conversations, "
            "e.manifest->>'ctxlab' AS ctxlab FROM experiments e "
            "LEFT JOIN experiment_trials x ON x.experiment_id = e.id "
            "LEFT JOIN trials t USING (trial_hash) GROUP BY ALL ORDER BY e.id DESC"
        )

    def experiment(self, name: str) -> Experiment:
        """Return an experiment by its id, or the newest of a name.

        Raises
        ------
        NotFoundError
            When there is none.

        Examples
        --------
        >>> Runs(Database()).experiment("first")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: no experiment 'first' in the store; ...
        """
        rows = self._db.rows(
            "SELECT id, name, spec, manifest FROM experiments WHERE $name IN (id, name) "
            "ORDER BY id = $name DESC, id DESC LIMIT 1",
            {"name": storable(name)},
        )
        if not rows:
            raise NotFoundError(
                f"no experiment {name!r} in the store; "
                "`Store.runs.frame()` or `ctxlab experiments` lists them"
            )
        [(found, title, spec, manifest)] = rows
        return Experiment(found, stored(title), json.loads(spec), json.loads(manifest))

    def cases(self, experiment: str) -> Iterator[str]:
        """Yield the documents of an experiment's conversations, in order."""
        rows = self._db.rows(
            "SELECT document FROM experiment_cases JOIN case_documents USING (case_digest) "
            "WHERE experiment_id = ? ORDER BY position",
            [experiment],
        )
        return (document for (document,) in rows)

    def metrics(self, experiment: str) -> list[tuple[str, str, str, str]]:
        """Return key, name, spec and traits of an experiment's metrics, in order."""
        return self._db.rows(
            "SELECT m.metric_key, m.name, m.spec, m.traits FROM experiment_metrics "
            "JOIN metrics m USING (metric_key) WHERE experiment_id = ? ORDER BY position",
            [experiment],
        )

    def trials(self, experiment: str) -> pl.DataFrame:
        """Return the trials of an experiment that are done, in the order of its grid."""
        return self._db.frame(
            "SELECT t.* EXCLUDE (created_at) FROM experiment_trials e "
            "JOIN trials t USING (trial_hash) WHERE e.experiment_id = ? ORDER BY e.position",
            [experiment],
        )

    def outcomes(self, experiment: str) -> pl.DataFrame:
        """Return every probe of every trial, with the trial's strategy, budget, case and seed."""
        return self._db.frame(
            "SELECT t.strategy, t.budget, t.dataset, t.case_id, t.cluster, t.seed, o.* "
            "FROM experiment_trials e JOIN trials t USING (trial_hash) "
            "JOIN outcomes o USING (trial_hash) "
            "WHERE e.experiment_id = ? ORDER BY e.position, o.position",
            [experiment],
        )

    def values(self, experiment: str) -> pl.DataFrame:
        """Return ``trial_hash, position, metric_key, value`` per trial, probe and metric."""
        return self._db.frame(
            "SELECT v.trial_hash, v.position, v.metric_key, v.value FROM measurements v "
            "SEMI JOIN experiment_trials e ON e.trial_hash = v.trial_hash AND e.experiment_id = $e "
            "SEMI JOIN experiment_metrics m ON m.metric_key = v.metric_key "
            "AND m.experiment_id = $e",
            {"e": experiment},
        )

    def metric_failures(self, experiment: str) -> list[tuple[str, str, str, str]]:
        """Return strategy, conversation, metric and error of every metric that raised."""
        return self._db.rows(
            "SELECT t.strategy, t.case_id, m.name, f.error FROM experiment_trials e "
            "JOIN metric_failures f USING (trial_hash) JOIN trials t USING (trial_hash) "
            "JOIN experiment_metrics x ON x.metric_key = f.metric_key "
            "AND x.experiment_id = e.experiment_id JOIN metrics m ON m.metric_key = f.metric_key "
            "WHERE e.experiment_id = ? ORDER BY e.position",
            [experiment],
        )

    def ledger(self, trial_hash: str) -> str:
        """Return the compact ledger of a trial, as JSON.

        Raises
        ------
        NotFoundError
            When there is no such trial.

        Examples
        --------
        >>> Runs(Database()).ledger("9f")
        Traceback (most recent call last):
        ctxlab.errors.NotFoundError: no trial '9f' in the store; run its experiment again
        """
        rows = self._db.rows("SELECT entries FROM ledger WHERE trial_hash = ?", [trial_hash])
        if not rows:
            raise NotFoundError(f"no trial {trial_hash!r} in the store; run its experiment again")
        return stored_json(str(rows[0][0]))


def _trial_row(trial: Trial) -> dict[str, Any]:
    row = {name: getattr(trial, name) for name in TRIALS.names if name != "created_at"}
    return {
        **row,
        "error": row["error"] and redacted(row["error"]),
        "spec": json_text(trial.spec, f"the spec of {trial.strategy}"),
        "traits": json_text(trial.traits, f"the traits of {trial.strategy}"),
    }


def _outcome_rows(trial: Trial) -> Iterator[dict[str, Any]]:
    for position, asked in enumerate(trial.outcomes):
        facts = {one.name: getattr(asked, one.name) for one in fields(Asked)}
        yield {"trial_hash": trial.trial_hash, "position": position, **facts}
