"""Experiments, trials, outcomes and ledgers, in and out in bulk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import polars as pl

from ctxlab.errors import NotFoundError
from ctxlab.store.connection import Database
from ctxlab.store.storable import all_storable, new_id, storable


@dataclass(frozen=True, slots=True)
class Measure:
    """What one probe found in one compressed context: shares from 0 to 1, tokens, seconds.

    Examples
    --------
    >>> Measure("p1", "number", 1.0, 1.0, None, 900, 90, 90, 0.01).tokens_after
    90
    """

    probe_id: str
    category: str
    all_evidence: float | None
    evidence_tokens: float | None
    answer: float | None
    tokens_before: int
    tokens_after: int
    budget_tokens: int
    seconds: float


@dataclass(frozen=True)
class Trial:
    """One trial: what was asked, what it measured, or why it failed.

    Examples
    --------
    >>> Trial("9f", "KeepLast()", {}, "10%", "d", "c", 0, "o200k_base", "0", False).error is None
    True
    """

    trial_hash: str
    strategy: str
    spec: dict[str, object]
    budget: str
    dataset: str
    case_id: str
    seed: int
    encoding: str
    version: str
    query_aware: bool
    measures: tuple[Measure, ...] = ()
    ledger: str = "{}"
    error: str | None = None


_TRIAL = {
    "trial_hash": pl.String, "strategy": pl.String, "spec": pl.String, "budget": pl.String,
    "dataset": pl.String, "case_id": pl.String, "seed": pl.Int64, "encoding": pl.String,
    "version": pl.String, "query_aware": pl.Boolean, "probes": pl.Int32, "error": pl.String,
}  # fmt: skip
_OUTCOME = {
    "trial_hash": pl.String, "position": pl.Int32, "probe_id": pl.String, "category": pl.String,
    "all_evidence": pl.Float64, "evidence_tokens": pl.Float64, "answer": pl.Float64,
    "tokens_before": pl.Int64, "tokens_after": pl.Int64, "budget_tokens": pl.Int64,
    "seconds": pl.Float64,
}  # fmt: skip


def add_experiment(
    db: Database, name: str, spec: Mapping[str, object], trials: Sequence[str]
) -> str:
    """Store an experiment and the hashes of its trials, done or not; return its id.

    Examples
    --------
    >>> add_experiment(Database(), "first", {"budgets": ["10%"]}, ["9f"]).startswith("exp_")
    True
    """
    experiment = new_id("exp")
    with db.write() as connection:
        connection.execute(
            "INSERT INTO experiments (id, name, spec, version) VALUES (?, ?, ?, ?)",
            [experiment, storable(name), json.dumps(spec), version("ctxlab")],
        )
        links = {"trial_hash": list(trials), "position": range(len(trials))}
        frame = pl.DataFrame(links, schema={"trial_hash": pl.String, "position": pl.Int32})
        db.insert("experiment_trials", frame.with_columns(experiment_id=pl.lit(experiment)))
    return experiment


def known_trials(db: Database, hashes: Sequence[str]) -> set[str]:
    """Return those of `hashes` whose trials are stored and did not fail.

    Examples
    --------
    >>> known_trials(Database(), ["9f"])
    set()
    """
    rows = db.rows(
        "SELECT trial_hash FROM trials WHERE error IS NULL AND list_contains(?, trial_hash)",
        [list(hashes)],
    )
    return {key for (key,) in rows}


def add_trials(db: Database, trials: Sequence[Trial]) -> None:
    """Store trials with their outcomes and ledgers, in place of earlier ones of the same hash.

    Examples
    --------
    >>> trial = Trial("9f", "KeepLast()", {}, "10%", "d", "c", 0, "o200k_base", "0", False)
    >>> with Database() as db:
    ...     add_trials(db, [trial])
    ...     db.rows("SELECT strategy FROM trials")
    [('KeepLast()',)]
    """
    rows = [_trial_row(trial) for trial in trials]
    outcomes = [
        _outcome_row(trial.trial_hash, position, measure)
        for trial in trials
        for position, measure in enumerate(trial.measures)
    ]
    ledgers = [(trial.trial_hash, trial.ledger) for trial in trials]
    with db.write() as connection:
        connection.execute(
            "DELETE FROM trials WHERE list_contains(?, trial_hash)",
            [[trial.trial_hash for trial in trials]],
        )
        db.insert("trials", pl.DataFrame(rows, schema=_TRIAL, orient="row"))
        if outcomes:
            db.insert("outcomes", pl.DataFrame(outcomes, schema=_OUTCOME, orient="row"))
        db.insert("ledger", pl.DataFrame(ledgers, schema=["trial_hash", "entries"], orient="row"))


def _trial_row(trial: Trial) -> tuple[object, ...]:
    return (
        trial.trial_hash,
        trial.strategy,
        json.dumps(trial.spec),
        trial.budget,
        trial.dataset,
        storable(trial.case_id),
        trial.seed,
        trial.encoding,
        trial.version,
        trial.query_aware,
        len(trial.measures),
        None if trial.error is None else storable(trial.error),
    )


def _outcome_row(key: str, position: int, measure: Measure) -> tuple[object, ...]:
    probe, category = all_storable((measure.probe_id, measure.category))
    return (
        key,
        position,
        probe,
        category,
        measure.all_evidence,
        measure.evidence_tokens,
        measure.answer,
        measure.tokens_before,
        measure.tokens_after,
        measure.budget_tokens,
        measure.seconds,
    )


def trials_frame(db: Database, experiment: str) -> pl.DataFrame:
    """Return the trials of an experiment that are done, in the order of its grid.

    Raises
    ------
    NotFoundError
        When there is no such experiment.

    Examples
    --------
    >>> trials_frame(Database(), "exp_none")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: no experiment 'exp_none' in the store; ...
    """
    if not db.rows("SELECT 1 FROM experiments WHERE id = ?", [experiment]):
        raise NotFoundError(
            f"no experiment {experiment!r} in the store; "
            "`ctxlab sql` on the table experiments lists them"
        )
    return db.frame(
        "SELECT t.* EXCLUDE (created_at) FROM experiment_trials e JOIN trials t USING (trial_hash) "
        "WHERE e.experiment_id = ? ORDER BY e.position",
        [experiment],
    )


def outcomes_frame(db: Database, experiment: str) -> pl.DataFrame:
    """Return every outcome of an experiment with its trial's strategy, budget, case and seed.

    Examples
    --------
    >>> outcomes_frame(Database(), "exp_none").height
    0
    """
    return db.frame(
        "SELECT t.strategy, t.budget, t.dataset, t.case_id, t.seed, o.* EXCLUDE (position) "
        "FROM experiment_trials e JOIN trials t USING (trial_hash) "
        "JOIN outcomes o USING (trial_hash) "
        "WHERE e.experiment_id = ? ORDER BY e.position, o.position",
        [experiment],
    )


def ledger_of(db: Database, trial_hash: str) -> str:
    """Return the compact ledger of a trial, as JSON.

    Raises
    ------
    NotFoundError
        When there is no such trial.

    Examples
    --------
    >>> ledger_of(Database(), "9f")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: no trial '9f' in the store; ...
    """
    rows = db.rows("SELECT entries FROM ledger WHERE trial_hash = ?", [trial_hash])
    if not rows:
        raise NotFoundError(f"no trial {trial_hash!r} in the store; run its experiment again")
    return str(rows[0][0])
