"""The rows of a leaderboard: one strategy at one budget, with every metric's estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOLERANCE = 0.005
"""A result this far above its budget, in shares of it, is not compared at that budget."""


@dataclass(frozen=True)
class Estimate:
    """A metric of one strategy at one budget: its mean, interval, and lead over the baseline.

    Parameters
    ----------
    mean : float or None
        Over the probes that it applies to.
    low, high : float or None
        95 % interval over clusters; None with fewer than two.
    n : int
        Probes that it applies to.
    p_value : float or None
        Of the paired test against the baseline, adjusted for all rivals and budgets shown.
    lead, lead_low, lead_high : float or None
        Paired difference to the baseline, with its interval.
    seed_deviation : float or None
        Standard deviation of the mean from seed to seed, where there are several.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sample_results().rows()[1].metrics["AllEvidence"].n
    3
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    p_value: float | None = None
    lead: float | None = None
    lead_low: float | None = None
    lead_high: float | None = None
    seed_deviation: float | None = None


@dataclass(frozen=True)
class BoardRow:
    """One strategy at one budget.

    Parameters
    ----------
    strategy, budget : str
        As they were asked for.
    cases, probes, failed : int
        Conversations with questions, questions that the ranking metric applies to, and trials
        that failed.
    metrics : mapping of str to Estimate
        Every metric, by name.
    metric : str
        What the ranking, the skill and `p_value` go by.
    rate, tokens, budget_error : float
        Tokens after over tokens before, mean tokens after, and by which share of the budget the
        result misses it.
    skill : float or None
        Where the ranking metric stands between the random floor (0) and its oracle (1).
    latency_ms, tokens_per_second : float
        Mean time of one compression, and tokens that went in by that time.
    family, query_aware, control, baseline
        What the strategy is.
    below : tuple of str
        The controls that it lies below, decisively.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> row = sample_results().rows()[0]
    >>> row.strategy, row.budget, row.all_evidence
    ('Oracle()', '40%', 1.0)
    """

    strategy: str
    budget: str
    cases: int
    probes: int
    failed: int
    metrics: Mapping[str, Estimate]
    metric: str
    rate: float
    tokens: float
    budget_error: float
    skill: float | None
    latency_ms: float
    tokens_per_second: float
    family: str
    query_aware: bool
    control: bool
    baseline: bool
    below: tuple[str, ...] = ()

    @property
    def shown(self) -> Estimate:
        """The metric that the ranking goes by."""
        return self.metrics[self.metric]

    @property
    def p_value(self) -> float | None:
        """That of the ranking metric, against the baseline."""
        return self.shown.p_value

    @property
    def over_budget(self) -> bool:
        """Whether the result is above its budget, beyond tolerance."""
        return self.budget_error > TOLERANCE

    @property
    def comparable(self) -> bool:
        """Whether it is a strategy at its budget: neither a control nor over the budget.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> [row.comparable for row in sample_results().rows()]
        [False, True, False, True]
        """
        return not self.control and not self.over_budget and bool(self.probes)

    def mean(self, metric: str) -> float | None:
        """Return the mean of a metric; None where it was not measured."""
        found = self.metrics.get(metric)
        return found.mean if found else None

    @property
    def all_evidence(self) -> float | None:
        """Mean of `AllEvidence`."""
        return self.mean("AllEvidence")

    @property
    def all_evidence_low(self) -> float | None:
        """Lower end of the interval of `AllEvidence`."""
        found = self.metrics.get("AllEvidence")
        return found.low if found else None

    @property
    def all_evidence_high(self) -> float | None:
        """Upper end of the interval of `AllEvidence`."""
        found = self.metrics.get("AllEvidence")
        return found.high if found else None

    @property
    def evidence_tokens(self) -> float | None:
        """Mean of `EvidenceTokens`."""
        return self.mean("EvidenceTokens")

    @property
    def answer(self) -> float | None:
        """Mean of `AnswerKept`."""
        return self.mean("AnswerKept")

    def as_dict(self) -> dict[str, Any]:
        """Return the row as it stands in JSON and frames: plain fields, then every metric.

        Examples
        --------
        >>> from ctxlab.testing import sample_results
        >>> sample_results().rows()[0].as_dict()["metrics"]["AllEvidence"]["n"]
        3
        """
        fields = {name: getattr(self, name) for name in FIELDS}
        return fields | {"metrics": {name: vars(found) for name, found in self.metrics.items()}}


FIELDS = (
    "strategy", "budget", "cases", "probes", "all_evidence", "all_evidence_low",
    "all_evidence_high", "evidence_tokens", "answer", "rate", "skill", "p_value", "latency_ms",
    "failed", "metric", "family", "query_aware", "control", "baseline", "tokens",
    "budget_error", "tokens_per_second", "below",
)  # fmt: skip
"""The plain fields of a row, in JSON and frames."""
