"""A comparison of two strategies that ends with one plain sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from ctxlab.stats.clustered import Clustered, Weights
from ctxlab.stats.intervals import Interval
from ctxlab.stats.paired import PairedSample, PairedTest
from ctxlab.stats.power import conversations_needed, minimum_detectable_difference
from ctxlab.stats.samples import (
    Bounds,
    Clusters,
    checked,
    checked_margin,
    checked_p,
    paired_difference,
)

Verdict = Literal["equal", "no interval", "not decisive", "suggestive", "decisive"]
"""What a comparison came to."""
Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two strategies on the same questions: how far apart, and whether that is decisive.

    The rules, in their order:

    1. ``equal``: no question tells them apart;
    2. ``no interval``: there is but one conversation;
    3. ``not decisive``: the interval of the difference includes 0;
    4. ``decisive``: it does not, and p, corrected for the family of tests where there is one, is
       below 1 − level;
    5. ``suggestive``: it does not, but p, corrected, is not below 1 − level.

    Parameters
    ----------
    names : tuple of str
        What is compared, a and b.
    measure, unit, better
        By what, in which unit (a share is told in points), and which direction is better.
    mean_a, mean_b : float
        Means over the questions, or over the conversations.
    difference : Interval
        Of a − b.
    test : PairedTest
        Of a against b.
    probes, differing : int
        Questions that both were asked, and those on which their values differ.
    not_inferior : bool
        Whether a is not worse than b by more than `margin`, one-sided.
    margin : float
        The loss that can be borne.
    adjusted_p : float or None
        The p-value corrected for the tests made beside this one.
    family : str
        Those tests, in words.
    budget : str
        Where the two were compared.
    detectable : float or None
        The true difference that a comparison like this finds 4 times out of 5.
    needed : int or None
        Conversations that would find the difference that was seen, or wanted, 4 times out of 5.

    Examples
    --------
    >>> print(compare_paired([1, 1, 0, 1], [0, 1, 0, 0], "abcd", names=("A", "B")).sentence)
    A leads B by 50.0 points in availability (95 % interval -63.5 to 100.0, 4 questions in 4
    conversations), but the interval includes 0: not decisive; 17 conversations would settle a
    difference of this size 4 times out of 5, and these can settle none.
    """

    names: tuple[str, str]
    measure: str
    unit: str
    better: Better
    mean_a: float
    mean_b: float
    difference: Interval
    test: PairedTest
    probes: int
    differing: int
    not_inferior: bool
    margin: float
    adjusted_p: float | None
    family: str
    budget: str
    detectable: float | None
    needed: int | None

    def __repr__(self) -> str:
        return self.sentence

    __str__ = __repr__

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
        >>> compare_paired([1] * 12, [0] * 12, "aabbccddeeff").verdict
        'decisive'
        """
        if self.differing == 0:
            return "equal"
        if self.difference.low is None:
            return "no interval"
        if not self.difference.excludes(0.0):
            return "not decisive"
        return "decisive" if self.p_value < self._alpha else "suggestive"

    @property
    def decisive(self) -> bool:
        """Whether the difference is decisive.

        Examples
        --------
        >>> compare_paired([1] * 3, [0] * 3, "abc").decisive
        False
        """
        return self.verdict == "decisive"

    @property
    def sentence(self) -> str:
        """One sentence that says what was seen, whether it is decisive, and what would be.

        Examples
        --------
        >>> compare_paired([1], [1], "a", names=("A", "B")).sentence
        'A and B are equal in availability, question by question, on 1 question in 1 conversation.'
        """
        n = f"{_many(self.probes, 'question')} in {_many(self.difference.clusters, 'conversation')}"
        at = f"at {self.budget}, " if self.budget else ""
        if self.verdict == "equal":
            both = " and ".join(self.names)
            text = f"{at}{both} are equal in {self.measure}, question by question, on {n}."
        else:
            text = f"{at}{self._lead()} ({self._interval()}{n}){self._judgment()}{self._borne()}."
        return text[0].upper() + text[1:] if at else text

    @property
    def _alpha(self) -> float:
        # 1 - 0.95 is a little more than 0.05 in floating point, and p may be 0.05 exactly.
        return round(1 - self.difference.level, 12)

    def _lead(self) -> str:
        gap = self.difference.estimate
        ahead = gap >= 0 if self.better == "higher" else gap <= 0
        a, b = self.names if ahead else self.names[::-1]
        if gap == 0:
            differing = _many(self.differing, "question")
            return (
                f"{a} and {b} have the same mean {self.measure}, though they differ on {differing}"
            )
        return f"{a} leads {b} by {self._amount(abs(gap))} in {self.measure}"

    def _amount(self, value: float) -> str:
        if self.unit == "share":
            return f"{_points(value)} points"
        return f"{_digits(value)}{'' if self.unit in ('value', 'ratio', 'count') else ' '}" + (
            "" if self.unit in ("value", "ratio", "count") else self.unit
        )

    def _interval(self) -> str:
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return ""
        if (self.difference.estimate < 0) == (self.better == "higher"):
            low, high = -high, -low
        level = f"{100 * self.difference.level:g} % interval"
        shown = _points if self.unit == "share" else _digits
        return f"{level} {shown(low)} to {shown(high)}, "

    def _judgment(self) -> str:
        """Return the verdict, after the reason why it is not a better one."""
        p = f"p = {self.p_value:.2g}"
        if self.adjusted_p is not None:
            p += f", corrected for {self.family or 'several comparisons'}"
        match self.verdict:
            case "decisive":
                return f": decisive ({p})"
            case "no interval":
                return (
                    ", but one conversation gives no interval: not decisive; "
                    "compare on more conversations"
                )
            case "suggestive":
                floor = ""
                if self.test.smallest_p >= self._alpha:
                    few = _many(self.test.clusters, "conversation")
                    floor = f" ({few} cannot give a p below {self.test.smallest_p:.2g})"
                return f", but {p}{floor}: suggestive, not decisive{self._settled()}"
        if self.difference.estimate == 0:
            return f": not decisive{self._settled()}"
        return f", but the interval includes 0: not decisive{self._settled()}"

    def _settled(self) -> str:
        """Return what it would take to decide."""
        parts = []
        if self.needed is not None and self.needed > self.difference.clusters:
            parts.append(
                f"{self.needed:,} conversations would settle a difference of this size "
                "4 times out of 5"
            )
        if self.detectable is not None and self.unit == "share" and self.detectable > 1:
            parts.append("these can settle none")
        elif self.detectable is not None:
            these = "these settle one of" if parts else "these conversations settle a difference of"
            parts.append(f"{these} {self._amount(self.detectable)}")
        return "; " + ", and ".join(parts) if parts else ""

    def _borne(self) -> str:
        """Return the claim of non-inferiority, where the lead does not already say more."""
        if not self.not_inferior or self.verdict in ("decisive", "suggestive", "no interval"):
            return ""
        a, b = self.names
        return f"; {a} is not worse than {b} by more than {self._amount(self.margin)}"


def compare_paired(
    a: ArrayLike,
    b: ArrayLike,
    clusters: Clusters,
    *,
    names: tuple[str, str] = ("a", "b"),
    measure: str = "availability",
    unit: str = "share",
    better: Better = "higher",
    margin: float = 0.02,
    level: float = 0.95,
    weights: Weights = "question",
    bounds: Bounds = (0.0, 1.0),
    adjusted_p: float | None = None,
    family: str = "",
    budget: str = "",
    tests: int = 1,
    wanted: float | None = None,
) -> Comparison:
    """Compare two strategies on the same questions, clustered by conversation.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Values of the same questions.
    clusters : sequence, length n
        The conversation, or whatever is independent, of every question.
    names : tuple of str
        What the sentence calls them.
    measure, unit, better
        What was measured, in which unit, and which direction is better.
    margin : float
        How much worse a may be and still count as not inferior.
    level : float
        Of the interval; 1 − level is the limit of the p-value.
    weights, bounds
        As for `ctxlab.stats.cluster_interval`.
    adjusted_p : float, optional
        The p-value of this comparison after `holm`, when it is one of several.
    family, budget : str
        The tests that it was corrected for, and where the two were compared, in words.
    tests : int
        How many tests the family has: what it would take to decide is reckoned for them.
    wanted : float, optional
        The true difference that `needed` is reckoned for; the one that is seen when not given.

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
    limit = checked_margin(margin)
    sample = PairedSample(left, right, clusters, weights, bounds)
    other = sample if better == "higher" else PairedSample(right, left, clusters, weights, bounds)
    bound = other.lower_bound(level)
    alpha = (1 - level) / tests
    return Comparison(
        names=names,
        measure=measure,
        unit=unit,
        better=better,
        mean_a=Clustered.of(left, clusters, weights).mean,
        mean_b=Clustered.of(right, clusters, weights).mean,
        difference=sample.interval(level),
        test=PairedTest(sample.p_value(), sample.smallest_p, sample.clusters),
        probes=left.size,
        differing=int((paired_difference(left, right) != 0).sum()),
        not_inferior=bound is not None and bound > -limit,
        margin=limit,
        adjusted_p=None if adjusted_p is None else checked_p(adjusted_p),
        family=family,
        budget=budget,
        detectable=minimum_detectable_difference(sample, alpha=alpha),
        needed=conversations_needed(sample, sample.mean if wanted is None else wanted, alpha=alpha),
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _points(share: float) -> str:
    """Return a share in points; a small one keeps a digit, so that it does not read as 0."""
    points = 100 * share + 0.0  # turns a negative zero into 0
    return f"{points:.1f}" if abs(points) >= 0.05 or points == 0 else f"{points:.1g}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
