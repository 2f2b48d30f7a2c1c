"""Power: what so many conversations can show, and how many would show a difference.

Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, for a mean with
known standard error, with Student's t in place of the normal.
"""

from __future__ import annotations

from ctxlab.stats.intervals import t_quantile
from ctxlab.stats.paired import PairedSample

POWER = 0.8
"""How often a true difference is to be found."""
_MOST = 100_000


def minimum_detectable_difference(
    sample: PairedSample, *, alpha: float = 0.05, power: float = POWER
) -> float | None:
    """Return the true difference that a comparison like this one finds with that power.

    None where there are fewer than two conversations.

    Parameters
    ----------
    sample : PairedSample
        What was seen: its conversations, their sizes, and how far they lie apart.
    alpha : float
        The limit of p; divided by the number of tests where there are several.
    power : float
        How often it is to be found.

    Examples
    --------
    >>> sample = PairedSample([1, 0, 1, 1], [0, 0, 1, 0], "abcd")
    >>> minimum_detectable_difference(sample) > 0.5
    True
    """
    if sample.clusters < 2:
        return None
    return _reach(sample.df, alpha, power) * sample.error_of(1.0)


def conversations_needed(
    sample: PairedSample, difference: float, *, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Return how many conversations like these would find a true difference with that power.

    None where there are fewer than two conversations, there is no difference to find, or more
    than 100,000 would be needed.

    Examples
    --------
    >>> sample = PairedSample([1, 0, 1, 1], [0, 0, 1, 0], "abcd")
    >>> conversations_needed(sample, 0.5) > conversations_needed(sample, 0.9)
    True
    """
    if sample.clusters < 2 or difference == 0:
        return None
    low, high = 2, _MOST
    if not _finds(high, sample, abs(difference), alpha, power):
        return None
    while low < high:
        middle = (low + high) // 2
        if _finds(middle, sample, abs(difference), alpha, power):
            high = middle
        else:
            low = middle + 1
    return low


def _finds(n: int, sample: PairedSample, difference: float, alpha: float, power: float) -> bool:
    df = max(1.0, sample.df * (n - 1) / (sample.clusters - 1))
    error = sample.error_of(n / sample.clusters)
    return _reach(df, alpha, power) * error <= difference


def _reach(df: float, alpha: float, power: float) -> float:
    rounded = round(df, 6)
    return t_quantile(1 - alpha / 2, rounded) + t_quantile(power, rounded)
