"""What the store holds of an experiment, read once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ctxlab.bench.case_documents import from_document
from ctxlab.core.cases import Case
from ctxlab.core.metric import MetricTraits

if TYPE_CHECKING:
    from ctxlab.store import Store


@dataclass(frozen=True)
class Stored:
    """What the store holds of an experiment, as it was read.

    Parameters
    ----------
    trials, outcomes, values : polars.DataFrame
        One row per trial; per trial and probe; per trial, probe and metric.
    metrics : mapping of str to (str, MetricTraits)
        Name and traits of every metric, by its key.
    metric_failures : list of (str, str, str, str)
        Strategy, conversation, metric and error.
    ledger : callable
        The compact ledger of a trial, by its hash.
    cases : callable
        The conversations.
    manifest : mapping
        Versions, digests, encoding, seeds, command and machine.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sorted(sample_results().stored.manifest)[:4]
    ['cases', 'command', 'ctxlab', 'encoder']
    """

    trials: pl.DataFrame
    outcomes: pl.DataFrame
    values: pl.DataFrame
    metrics: Mapping[str, tuple[str, MetricTraits]]
    metric_failures: list[tuple[str, str, str, str]]
    ledger: Callable[[str], str]
    cases: Callable[[], Iterable[Case]]
    manifest: Mapping[str, Any]


def stored_results(store: Store, experiment: str, cases: tuple[Case, ...] = ()) -> Stored:
    """Read an experiment by its name or id; `cases` are its conversations, where at hand.

    Raises
    ------
    NotFoundError
        When the store holds no such experiment.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> stored_results(Store(":memory:"), "exp_none")
    Traceback (most recent call last):
    ctxlab.errors.NotFoundError: ...
    """
    runs = store.runs
    found = runs.experiment(experiment)
    return Stored(
        trials=runs.trials(found.id),
        outcomes=runs.outcomes(found.id),
        values=runs.values(found.id),
        metrics={
            key: (name, MetricTraits(**json.loads(traits)))
            for key, name, _, traits in runs.metrics(found.id)
        },
        metric_failures=runs.metric_failures(found.id),
        ledger=runs.ledger,
        cases=lambda: cases or map(from_document, runs.cases(found.id)),
        manifest=found.manifest,
    )
