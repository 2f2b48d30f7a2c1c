"""The tables of runs, declared once: experiments, trials, what was measured, what was kept."""

from __future__ import annotations

from ctxlab.store.column import BIGINT, INTEGER, JSON, REAL, TEXT, TIME, Column, json_is
from ctxlab.store.forms import ESCAPED
from ctxlab.store.table import Parent, Table

EXPERIMENTS = Table(
    "experiments",
    (
        Column("id", TEXT),
        Column("name", TEXT, form=ESCAPED),
        Column("spec", JSON),
        Column("manifest", JSON),
        Column("created_at", TIME, default="now()"),
    ),
    primary=("id",),
)
EXPERIMENT_TRIALS = Table(
    "experiment_trials",
    (Column("experiment_id", TEXT), Column("position", INTEGER), Column("trial_hash", TEXT)),
    parents=(Parent("experiments", ("experiment_id",)),),
)
EXPERIMENT_CASES = Table(
    "experiment_cases",
    (Column("experiment_id", TEXT), Column("position", INTEGER), Column("case_digest", TEXT)),
    parents=(Parent("experiments", ("experiment_id",)),),
)
EXPERIMENT_METRICS = Table(
    "experiment_metrics",
    (Column("experiment_id", TEXT), Column("position", INTEGER), Column("metric_key", TEXT)),
    parents=(Parent("experiments", ("experiment_id",)),),
)
TRIALS = Table(
    "trials",
    (
        Column("trial_hash", TEXT),
        Column("strategy", TEXT),
        Column("spec", JSON),
        Column("traits", JSON),
        Column("budget", TEXT),
        Column("dataset", TEXT, form=ESCAPED),
        Column("case_id", TEXT, form=ESCAPED),
        Column("cluster", TEXT, form=ESCAPED),
        Column("seed", BIGINT),
        Column("encoding", TEXT),
        Column("version", TEXT),
        Column("error", TEXT, optional=True, form=ESCAPED),
        Column("created_at", TIME, default="now()"),
    ),
    primary=("trial_hash",),
)
OUTCOMES = Table(
    "outcomes",
    (
        Column("trial_hash", TEXT),
        Column("position", INTEGER),
        Column("probe_id", TEXT, form=ESCAPED),
        Column("category", TEXT, form=ESCAPED),
        Column("tokens_before", BIGINT),
        Column("tokens_after", BIGINT),
        Column("budget_tokens", BIGINT),
        Column("seconds", REAL),
    ),
    parents=(Parent("trials", ("trial_hash",), ("trial_hash",)),),
)
LEDGER = Table(
    "ledger",
    (Column("trial_hash", TEXT), Column("entries", JSON, check=json_is("object"))),
    primary=("trial_hash",),
    parents=(Parent("trials", ("trial_hash",), ("trial_hash",)),),
)
METRICS = Table(
    "metrics",
    (
        Column("metric_key", TEXT),
        Column("name", TEXT),
        Column("spec", JSON),
        Column("traits", JSON),
    ),
    primary=("metric_key",),
)
MEASUREMENTS = Table(
    "measurements",
    (
        Column("trial_hash", TEXT),
        Column("position", INTEGER),
        Column("metric_key", TEXT),
        Column("value", REAL, optional=True),
    ),
    parents=(Parent("trials", ("trial_hash",), ("trial_hash",)),),
)
METRIC_FAILURES = Table(
    "metric_failures",
    (Column("trial_hash", TEXT), Column("metric_key", TEXT), Column("error", TEXT, form=ESCAPED)),
    parents=(Parent("trials", ("trial_hash",), ("trial_hash",)),),
)
CASE_DOCUMENTS = Table(
    "case_documents",
    (
        Column("case_digest", TEXT),
        Column("dataset", TEXT, form=ESCAPED),
        Column("case_id", TEXT, form=ESCAPED),
        Column("document", TEXT),
    ),
    primary=("case_digest",),
)

RUN_TABLES = (
    EXPERIMENTS, EXPERIMENT_TRIALS, EXPERIMENT_CASES, EXPERIMENT_METRICS, TRIALS, OUTCOMES, LEDGER,
    METRICS, MEASUREMENTS, METRIC_FAILURES, CASE_DOCUMENTS,
)  # fmt: skip
"""All of them, parents before children."""
