"""A comparison of two strategies that ends with one plain sentence."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from ctxlab.stats.intervals import Clusters, Interval, checked, paired_bootstrap
from ctxlab.stats.paired import Permutation, paired_permutation


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same probes: how far apart, and whether that is decisive.

    It is decisive when the interval of the difference excludes 0 and the permutation test's
    p-value is below 1 − level: both the size and the consistency over conversations count.

    Parameters
    ----------
    names : tuple of str
        What is compared, a and b.
    measure : str
        By what.
    mean_a, mean_b : float
        Means over the probes.
    difference : Interval
        Of a − b.
    test : Permutation
        Of a against b.
    probes : int
        Questions that both were asked.
    not_inferior : bool
        Whether the whole interval lies above −`margin`.
    margin : float
        The loss that can be borne.

    Examples
    --------
    >>> print(compare_paired([1, 1], [0, 1], "ab", names=("A", "B")).sentence)
    A leads B by 50.0 points in availability (95 % interval 0.0 to 100.0; 2 questions, 2
    conversations): not decisive, the interval includes 0; A is not worse than B by more than
    2.0 points.
    """

    names: tuple[str, str]
    measure: str
    mean_a: float
    mean_b: float
    difference: Interval
    test: Permutation
    probes: int
    not_inferior: bool
    margin: float

    @property
    def decisive(self) -> bool:
        """Whether the difference is decisive.

        Examples
        --------
        >>> compare_paired([1], [0], "a").decisive
        False
        """
        return self.difference.excludes(0.0) and self.test.p_value < 1 - self.difference.level

    @property
    def sentence(self) -> str:
        """One sentence that says what was seen and whether it is decisive.

        Examples
        --------
        >>> compare_paired([1], [1], "a", names=("A", "B")).sentence
        'A and B are equal in availability on the 1 question in 1 conversation.'
        """
        gap = self.difference.estimate
        questions = _many(self.probes, "question")
        conversations = _many(self.difference.clusters, "conversation")
        a, b = self.names if gap >= 0 else self.names[::-1]
        if gap == 0 and self.test.p_value == 1 and not self.difference.excludes(0.0):
            equal = f"{a} and {b} are equal in {self.measure}"
            return f"{equal} on the {questions} in {conversations}."
        lead = f"{a} leads {b} by {100 * abs(gap):.1f} points in {self.measure}"
        return f"{lead} ({self._interval()}{questions}, {conversations}): {self._verdict()}."

    def _interval(self) -> str:
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return ""
        if self.difference.estimate < 0:
            low, high = -high, -low
        level = f"{100 * self.difference.level:g} % interval"
        return f"{level} {_points(low)} to {_points(high)}; "

    def _verdict(self) -> str:
        alpha = 1 - self.difference.level
        if self.difference.low is None:
            return "not decisive, one conversation gives no interval; compare on more"
        if self.decisive:
            return f"decisive (permutation p = {self.test.p_value:.3g})"
        if not self.difference.excludes(0.0):
            return "not decisive, the interval includes 0" + self._enough()
        if self.test.smallest_p >= alpha:
            return (
                f"suggestive, not decisive, because {self.test.clusters} conversations cannot give "
                f"a permutation p below {self.test.smallest_p:.3g}; compare on at least 6"
            )
        return f"not decisive (permutation p = {self.test.p_value:.3g})"

    def _enough(self) -> str:
        if not self.not_inferior:
            return ""
        first, second = self.names
        return f"; {first} is not worse than {second} by more than {_points(self.margin)} points"


def compare_paired(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    names: tuple[str, str] = ("a", "b"),
    measure: str = "availability",
    margin: float = 0.02,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two strategies on the same probes, clustered by conversation.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes.
    clusters : sequence, length n
        The conversation of every probe.
    names : tuple of str
        What the sentence calls them.
    measure : str
        What the sentence says was measured.
    margin : float
        How much worse a may be and still count as not inferior.
    level : float
        Of the interval; 1 − level is the limit of the p-value.
    seed : int
        Of the resamples.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, or one is not a number.

    Examples
    --------
    >>> compare_paired([1, 1, 0], [0, 0, 0], "abc").difference.estimate
    0.6666666666666666
    """
    left, right = checked(a), checked(b)
    difference = paired_bootstrap(left, right, clusters, level=level, seed=seed)
    return Comparison(
        names=names,
        measure=measure,
        mean_a=float(left.mean()),
        mean_b=float(right.mean()),
        difference=difference,
        test=paired_permutation(left, right, clusters, seed=seed),
        probes=left.size,
        not_inferior=difference.low is not None and difference.low > -margin,
        margin=margin,
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
