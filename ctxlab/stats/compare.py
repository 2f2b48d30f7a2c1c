"""A comparison of two strategies that ends with one plain sentence."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2
from typing import Literal

from numpy.typing import ArrayLike

from ctxlab.stats.intervals import Interval, paired_bootstrap
from ctxlab.stats.samples import Clusters, checked, checked_margin, checked_p, paired_difference
from ctxlab.stats.tests import Permutation, paired_permutation

Verdict = Literal["equal", "no interval", "not decisive", "suggestive", "decisive"]
"""What a comparison came to."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same probes: how far apart, and whether that is decisive.

    The rules, in their order:

    1. ``equal``: no probe tells them apart;
    2. ``no interval``: there is but one conversation;
    3. ``not decisive``: the means are the same, or the interval of the difference includes 0;
    4. ``decisive``: the interval excludes 0 and the permutation test's p-value, adjusted when
       that was given, is below 1 − level;
    5. ``suggestive``: the interval excludes 0, but p is not below 1 − level. With fewer than six
       conversations it cannot be (at 95 %), so that nothing is decisive there.

    Parameters
    ----------
    names : tuple of str
        What is compared, a and b.
    measure : str
        By what; a share, so that differences are told in points.
    mean_a, mean_b : float
        Means over the probes.
    difference : Interval
        Of a − b.
    test : Permutation
        Of a against b.
    probes, differing : int
        Questions that both were asked, and those on which their values differ.
    not_inferior : bool
        Whether the whole interval lies above −`margin`. It is the two-sided interval that the
        sentence shows, and so stricter than `non_inferiority` at the same level.
    margin : float
        The loss that can be borne.
    adjusted_p : float or None
        The p-value corrected for other comparisons made beside this one.

    Examples
    --------
    >>> print(compare_paired([1, 1], [0, 1], "ab", names=("A", "B")).sentence)
    A leads B by 50.0 points in availability (95 % interval 0.0 to 100.0, 2 questions in 2
    conversations), but the interval includes 0: not decisive; this suggests, no more, that A is
    not worse than B by more than 2.0 points.
    """

    names: tuple[str, str]
    measure: str
    mean_a: float
    mean_b: float
    difference: Interval
    test: Permutation
    probes: int
    differing: int
    not_inferior: bool
    margin: float
    adjusted_p: float | None

    def __str__(self) -> str:
        return self.sentence

    __repr__ = __str__

    @property
    def p_value(self) -> float:
        """The p-value that decides: the adjusted one, which is never below the test's own.

        Examples
        --------
        >>> compare_paired([1] * 6, [0] * 6, "abcdef", adjusted_p=0.125).p_value
        0.125
        """
        return max(self.test.p_value, self.adjusted_p or 0.0)

    @property
    def verdict(self) -> Verdict:
        """What the comparison came to, in one or two words.

        Examples
        --------
        >>> compare_paired([1] * 4, [0] * 4, "abcd").verdict
        'suggestive'
        """
        if self.differing == 0:
            return "equal"
        if self.difference.low is None:
            return "no interval"
        if self.difference.estimate == 0 or not self.difference.excludes(0.0):
            return "not decisive"
        return "decisive" if self.p_value < self._alpha else "suggestive"

    @property
    def decisive(self) -> bool:
        """Whether the difference is decisive.

        Examples
        --------
        >>> compare_paired([1] * 6, [0] * 6, "abcdef").decisive
        True
        """
        return self.verdict == "decisive"

    @property
    def sentence(self) -> str:
        """One sentence that says what was seen and whether it is decisive.

        Examples
        --------
        >>> compare_paired([1], [1], "a", names=("A", "B")).sentence
        'A and B are equal in availability, question by question, on 1 question in 1 conversation.'
        """
        n = f"{_many(self.probes, 'question')} in {_many(self.difference.clusters, 'conversation')}"
        if self.verdict == "equal":
            both = " and ".join(self.names)
            return f"{both} are equal in {self.measure}, question by question, on {n}."
        return f"{self._lead()} ({self._interval()}{n}){self._judgment()}{self._borne()}."

    @property
    def _alpha(self) -> float:
        # 1 - 0.95 is a little more than 0.05 in floating point, and p may be 0.05 exactly.
        return round(1 - self.difference.level, 12)

    def _lead(self) -> str:
        gap = self.difference.estimate
        a, b = self.names if gap >= 0 else self.names[::-1]
        if gap == 0:
            differing = _many(self.differing, "question")
            return (
                f"{a} and {b} have the same mean {self.measure}, though they differ on {differing}"
            )
        return f"{a} leads {b} by {_points(abs(gap))} points in {self.measure}"

    def _interval(self) -> str:
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return ""
        if self.difference.estimate < 0:
            low, high = -high, -low
        level = f"{100 * self.difference.level:g} % interval"
        return f"{level} {_points(low)} to {_points(high)}, "

    def _judgment(self) -> str:
        """Return the verdict, after the reason why it is not a better one."""
        # Two sign patterns of 2**k, all as seen or all flipped, are the least that k can give.
        needed = floor(log2(2 / self._alpha)) + 1
        p = f"p = {self.p_value:.3g}"
        if self.adjusted_p is not None:
            p += " after correction for several comparisons"
        match self.verdict:
            case "decisive":
                return f": decisive (permutation {p})"
            case "no interval":
                return (
                    ", but one conversation gives no interval: not decisive; "
                    f"compare on at least {needed} conversations"
                )
            case "suggestive" if self.test.smallest_p >= self._alpha:
                limit = f"cannot give a permutation p below {self.test.smallest_p:.3g}"
                if self.test.exact:
                    of, remedy = _many(self.test.clusters, "conversation"), f"compare on {needed}"
                else:
                    least = floor(1 / self._alpha)
                    of, remedy = "so few resamples", f"draw {least:,}"
                return f", but {of} {limit}: suggestive, not decisive; {remedy} at least"
            case "suggestive":
                return f", but the permutation test gives {p}: suggestive, not decisive"
        if self.difference.estimate == 0:
            return ": not decisive"
        return ", but the interval includes 0: not decisive"

    def _borne(self) -> str:
        """Return the claim of non-inferiority, where the lead does not already say more."""
        if not self.not_inferior or self.difference.low is None or self.difference.low > 0:
            return ""
        a, b = self.names
        claim = f"{a} is not worse than {b} by more than {_points(self.margin)} points"
        # Where no lead could be decisive, the interval alone cannot settle this either.
        enough = self.test.smallest_p < self._alpha
        return f"; {claim}" if enough else f"; this suggests, no more, that {claim}"


def compare_paired(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    names: tuple[str, str] = ("a", "b"),
    measure: str = "availability",
    margin: float = 0.02,
    level: float = 0.95,
    resamples: int = 2000,
    permutations: int = 10_000,
    seed: int = 0,
    adjusted_p: float | None = None,
) -> Comparison:
    """Compare two strategies on the same probes, clustered by conversation.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same probes, shares from 0 to 1.
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
    resamples, permutations, seed : int
        Resamples of the bootstrap, sign patterns of the test, and the seed of both.
    adjusted_p : float, optional
        The p-value of this comparison after `holm`, when it is one of several.

    Raises
    ------
    StatisticsError
        When the lengths differ, there is no value, one is not a finite number, or a setting
        cannot be.

    Examples
    --------
    >>> compare_paired([1, 1, 0], [0, 0, 0], "abc").difference.estimate
    0.6666666666666666
    """
    left, right = checked(a), checked(b)
    difference = paired_bootstrap(
        left, right, clusters, level=level, resamples=resamples, seed=seed
    )
    return Comparison(
        names=names,
        measure=measure,
        mean_a=float(left.mean()),
        mean_b=float(right.mean()),
        difference=difference,
        test=paired_permutation(left, right, clusters, resamples=permutations, seed=seed),
        probes=left.size,
        differing=int((paired_difference(left, right) != 0).sum()),
        not_inferior=difference.low is not None and difference.low > -checked_margin(margin),
        margin=checked_margin(margin),
        adjusted_p=None if adjusted_p is None else checked_p(adjusted_p),
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _points(share: float) -> str:
    """Return a share in points; a small one keeps a digit, so that it does not read as 0."""
    points = 100 * share + 0.0  # turns a negative zero into 0
    return f"{points:.1f}" if abs(points) >= 0.05 or points == 0 else f"{points:.1g}"
