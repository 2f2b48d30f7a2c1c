"""What was lost: probes whose evidence did not come through, with the messages and the reasons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ctxlab.core.cases import Case

Lost = Mapping[str, tuple[str, str, float | None, int | None]]


@dataclass(frozen=True)
class LostEvidence:
    """A message of the evidence that did not come through whole, and why.

    Examples
    --------
    >>> LostEvidence("m1", "314 stalls", "KeepLast()", "too old").reason
    'too old'
    """

    id: str
    text: str
    stage: str
    reason: str


@dataclass(frozen=True)
class LostProbe:
    """A probe whose evidence was lost under one strategy at one budget.

    Examples
    --------
    >>> LostProbe("c", "p", "How many?", "314", "number", "KeepLast()", "10%", ()).case
    'c'
    """

    case: str
    probe: str
    question: str
    answer: str
    category: str
    strategy: str
    budget: str
    evidence: tuple[LostEvidence, ...]


def lost_probes(
    rows: pl.DataFrame, ledger: Callable[[str], str], cases: Mapping[tuple[str, str], Case]
) -> Iterator[LostProbe]:
    """Yield what was lost.

    Parameters
    ----------
    rows : polars.DataFrame
        The outcomes that lost evidence: ``trial_hash, strategy, budget, dataset, case_id,
        probe_id``.
    ledger : callable
        The compact ledger of a trial, by its hash.
    cases : mapping
        The conversations, by dataset and id.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> next(sample_results().lost("KeepLast()")).evidence[0].reason
    'older than the newest messages that fit'
    """
    for (key,), members in rows.group_by("trial_hash", maintain_order=True):
        runs = json.loads(ledger(str(key)))["runs"]
        lost = {(run["probe"], run["at"]): run["lost"] for run in runs}
        for row in members.iter_rows(named=True):
            yield _lost_probe(row, lost, cases[row["dataset"], row["case_id"]])


def _lost_probe(
    row: Mapping[str, Any], lost: Mapping[tuple[str | None, str | None], Lost], case: Case
) -> LostProbe:
    probe = next(probe for probe in case.probes if probe.id == row["probe_id"])
    asked = probe.id if (probe.id, probe.at) in lost else None
    gone = lost[asked, probe.at]
    evidence = tuple(
        LostEvidence(message.id, message.content, stage, reason)
        for message in case.messages
        if message.id in probe.evidence and f"message:{message.id}" in gone
        for stage, reason, *_ in [gone[f"message:{message.id}"]]
    )
    return LostProbe(
        f"{case.dataset} {case.id}",
        probe.id,
        probe.question,
        probe.answer,
        probe.category,
        row["strategy"],
        row["budget"],
        evidence,
    )
