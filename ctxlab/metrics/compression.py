"""Figures of compression. They mix easily, so each has one name."""

from __future__ import annotations

from ctxlab.core.cases import Probe
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run


def rate(before: float, after: float) -> float:
    """Return tokens after over tokens before; 1 for an empty context.

    Examples
    --------
    >>> rate(200, 50)
    0.25
    """
    return after / before if before else 1.0


def ratio(before: float, after: float) -> float:
    """Return tokens before over tokens after; infinite when nothing is left.

    Examples
    --------
    >>> ratio(200, 50)
    4.0
    """
    if not after:
        return 1.0 if not before else float("inf")
    return before / after


def saving(before: float, after: float) -> float:
    """Return the share of tokens saved, 1 − rate.

    Examples
    --------
    >>> saving(200, 50)
    0.75
    """
    return 1.0 - rate(before, after)


def throughput(tokens: float, seconds: float) -> float:
    """Return the tokens that went in per second; infinite when no time was measured.

    Examples
    --------
    >>> throughput(5000, 0.5)
    10000.0
    """
    return tokens / seconds if seconds else float("inf")


def budget_error(budget: float, after: float) -> float:
    """Return by which share of the budget the result misses it; above 0 is too many tokens.

    Examples
    --------
    >>> budget_error(200, 150)
    -0.25
    """
    return (after - budget) / budget


class Rate(Metric):
    """Tokens left over tokens that went in, as both are billed as a chat; 1 for nothing at all.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> round(Rate().measure(sample_run(), None), 2)
    0.43
    """

    TRAITS = MetricTraits(
        title="rate", unit="ratio", better="lower", family="cost",
        source="Jiang et al. 2023, arXiv:2310.05736",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the rate."""
        return rate(run.tokens_before, run.tokens_after)


class BudgetDeviation(Metric):
    """By which share of the budget the result misses it: below 0 unused, above 0 too much.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> round(BudgetDeviation().measure(sample_run(), None), 2)
    -0.15
    """

    TRAITS = MetricTraits(
        title="budget error", unit="value", better="lower", family="cost",
        source="relative error of the size",
    )  # fmt: skip

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the signed error."""
        return budget_error(run.task.budget, run.tokens_after)


class Latency(Metric):
    """Seconds that the compression took, all stages together.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> Latency().measure(sample_run(), None) < 1
    True
    """

    TRAITS = MetricTraits(
        title="latency", unit="seconds", better="lower", family="cost", source="wall clock"
    )

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the seconds, None where nothing ran."""
        return run.seconds if run.stages else None
