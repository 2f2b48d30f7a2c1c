"""Figures of compression. They mix easily, so each has one name."""

from __future__ import annotations


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
