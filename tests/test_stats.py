"""Ranks, corrections, skill and agreement: against hand-reckoned values, brute force, scipy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab.errors import StatisticsError
from ctxlab.stats import holm, krippendorff_alpha, mcnemar, skill, wilcoxon

values = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=9)
p_values = st.floats(0, 1)


def test_holm_is_the_hand_example():
    """Step down, monotone, capped at one, missing values kept."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []


@given(values.flatmap(lambda v: st.tuples(st.just(v), st.permutations(v))))
@settings(max_examples=40)
def test_wilcoxon_is_scipys_on_conversation_means(pair):
    """One value a conversation."""
    a, b = pair
    difference = np.subtract(a, b)
    expected = scipy.stats.wilcoxon(difference).pvalue if difference.any() else 1.0
    assert wilcoxon(a, b, list(range(len(a)))) == pytest.approx(expected)


def test_mcnemar_is_exact_on_the_discordant_pairs():
    """Concordant pairs do not count; shares are refused."""
    assert mcnemar([1] * 8 + [0, 1], [0] * 8 + [1, 1]) == pytest.approx(
        scipy.stats.binomtest(8, 9).pvalue
    )
    assert mcnemar([1, 0], [1, 0]) == 1.0
    with pytest.raises(StatisticsError, match="0 and 1"):
        mcnemar([0.5], [1])


def test_skill_stands_between_floor_and_ceiling():
    """The floor is 0, the ceiling 1, below the floor negative, and no range gives none."""
    assert skill(0.2, 0.2, 1.0) == 0.0
    assert skill(1.0, 0.2, 1.0) == 1.0
    assert skill(0.1, 0.2, 1.0) < 0
    assert skill(0.5, 1.0, 1.0) is None


def test_alpha_is_krippendorffs_example():
    """The nominal example of the textbook, missing ratings included."""
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    assert krippendorff_alpha(ratings) == pytest.approx(0.743, abs=0.001)
    assert krippendorff_alpha(ratings, interval=True) == pytest.approx(0.849, abs=0.001)


def test_wilcoxon_ranks_conversations_not_questions():
    """A conversation asked a hundred times counts once."""
    a, b, often = np.array([0.3, 0.5, 0.9, 0.2]), np.array([0.1, 0.1, 0.1, 0.5]), [100, 1, 1, 1]
    of = np.repeat(np.arange(4), often)
    expected = scipy.stats.wilcoxon([0.2, 0.4, 0.8, -0.3]).pvalue
    assert wilcoxon(a[of], b[of], of) == wilcoxon(a, b, "abcd") == wilcoxon(a, b) == expected


def test_wilcoxon_gives_equal_differences_equal_ranks():
    """0.3 − 0.1 and 0.5 − 0.3 are both 0.2, whatever the last bit says."""
    found = wilcoxon([0.3, 0.5, 0.1, 0.9], [0.1, 0.3, 0.3, 0.1])
    assert found == scipy.stats.wilcoxon([1, 1, -1, 4]).pvalue


@given(st.lists(p_values, min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(raw):
    """An adjusted p is the largest Bonferroni p of all sets of tests that hold it."""
    indices = range(len(raw))
    groups = [g for size in indices for g in combinations(indices, size + 1)]
    expected = [
        max(min(1.0, len(g) * min(raw[j] for j in g)) for g in groups if i in g) for i in indices
    ]
    assert holm(raw) == pytest.approx(expected)


@given(st.lists(st.none() | p_values, max_size=8))
def test_holm_leaves_out_what_was_not_tested(raw):
    """None stays where it is, and the rest is adjusted as if it were not there."""
    adjusted = holm(raw)
    assert [p is None for p in adjusted] == [p is None for p in raw]
    assert [p for p in adjusted if p is not None] == holm([p for p in raw if p is not None])


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_skill_needs_a_ceiling_above_the_floor(value, floor, ceiling):
    """Otherwise there is nothing to stand between."""
    assert (skill(value, floor, ceiling) is None) == (ceiling <= floor)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_skill_of_what_is_not_known_is_not_known(missing):
    """A table without a random floor or an oracle has no skill."""
    figures = [0.5, 0.1, 0.9]
    figures[missing] = None
    assert skill(*figures) is None


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=3, max_size=12))
def test_alpha_is_the_ratio_of_observed_to_expected_disagreement(items):
    """Pair by pair, as it is defined; the order of raters does not matter."""
    rows = list(zip(*items, strict=True))
    pooled = [rating for item in items for rating in item]
    for interval in (False, True):

        def apart(x, y, interval=interval):
            return (x - y) ** 2 if interval else x != y

        within = sum(apart(x, y) for item in items for x, y in combinations(item, 2)) / (3 - 1)
        over = sum(apart(x, y) for x, y in combinations(pooled, 2)) / (len(pooled) - 1)
        found = krippendorff_alpha(rows, interval=interval)
        assert found == (pytest.approx(1 - within / over) if over else None)
        turned = krippendorff_alpha(rows[::-1], interval=interval)
        assert turned == (None if found is None else pytest.approx(found))


def test_alpha_takes_labels_and_is_zero_by_chance():
    """Judges may answer in words; those who toss coins agree no more than coins."""
    assert krippendorff_alpha([["pass", "fail"], ["pass", "fail"]]) == 1.0
    coins = np.random.default_rng(0).integers(0, 2, (2, 5000)).tolist()
    assert krippendorff_alpha(coins) == pytest.approx(0, abs=0.05)


def test_alpha_of_raters_who_never_tell_apart_is_not_known():
    """Where everything got one rating, nothing shows that they would agree."""
    assert krippendorff_alpha([[0.3, 0.3], [0.3, 0.3]], interval=True) is None
