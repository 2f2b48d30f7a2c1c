"""Statistics: against hand-reckoned values, brute force, and scipy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab.errors import StatisticsError
from ctxlab.stats import (
    cluster_bootstrap,
    compare_paired,
    equivalent,
    holm,
    krippendorff_alpha,
    mcnemar,
    non_inferiority,
    paired_bootstrap,
    paired_permutation,
    skill,
    wilcoxon,
)

values = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=9)


@given(values)
def test_the_exact_permutation_test_is_the_brute_force(differences):
    """All sign patterns, counted one by one."""
    zeros = [0.0] * len(differences)
    found = paired_permutation(differences, zeros)
    observed = abs(sum(differences))
    patterns = list(product((1, -1), repeat=len(differences)))
    extreme = sum(
        abs(sum(s * d for s, d in zip(p, differences, strict=True))) >= observed - 1e-9
        for p in patterns
    )
    assert found.exact
    assert found.p_value == pytest.approx(extreme / len(patterns))
    assert found.p_value >= found.smallest_p - 1e-12


def test_four_conversations_cannot_be_decisive():
    """However large the difference, p is 0.125, and the sentence says so."""
    clusters = np.repeat(list("abcd"), 100)
    found = compare_paired(np.ones(400), np.zeros(400), clusters, names=("A", "B"))
    assert found.test.p_value == found.test.smallest_p == 0.125
    assert not found.decisive
    assert "cannot give a permutation p below 0.125" in found.sentence


def test_a_consistent_difference_over_ten_conversations_is_decisive():
    """Interval and test agree, and the sentence can be quoted."""
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(10), 40)
    a, b = rng.random(400) < 0.8, rng.random(400) < 0.5
    found = compare_paired(a, b, clusters, names=("A", "B"))
    assert found.decisive
    assert found.sentence.startswith("A leads B by")
    assert "decisive (permutation p =" in found.sentence
    back = compare_paired(b, a, clusters, names=("B", "A"))
    assert back.sentence.startswith("A leads B by")


def test_a_large_sample_is_drawn_and_repeatable():
    """Beyond twelve clusters patterns are drawn, the same for the same seed."""
    rng = np.random.default_rng(0)
    a, b = rng.random(300), rng.random(300)
    clusters = np.arange(300) // 10
    first, again = (paired_permutation(a, b, clusters, seed=3) for _ in range(2))
    assert not first.exact
    assert first == again
    reference = scipy.stats.permutation_test(
        ((a - b).reshape(30, 10).sum(axis=1),),
        lambda x: x.sum(),
        permutation_type="samples",
        n_resamples=20_000,
        rng=0,
    )
    assert first.p_value == pytest.approx(reference.pvalue, abs=0.02)


def test_clusters_widen_the_interval():
    """Ten copies of one answer a conversation are no ten answers."""
    rng = np.random.default_rng(0)
    one_each = rng.random(12) < 0.5
    repeated, clusters = np.repeat(one_each, 10), np.repeat(np.arange(12), 10)
    clustered = cluster_bootstrap(repeated, clusters)
    naive = cluster_bootstrap(repeated, np.arange(120))
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
    assert clustered.estimate == naive.estimate


def test_the_interval_covers_what_it_should():
    """Over 200 simulated studies of 30 conversations about 95 % of intervals hold the truth."""
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        levels = rng.beta(6, 4, size=30)
        data = (rng.random((30, 8)) < levels[:, None]).ravel()
        found = cluster_bootstrap(data, np.repeat(np.arange(30), 8), resamples=400, seed=trial)
        hits += found.low <= 0.6 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


@pytest.mark.parametrize("clusters", [["a", "a"], [1, 1]])
def test_one_cluster_gives_no_interval(clusters):
    """Nothing is said about what one conversation cannot show."""
    found = cluster_bootstrap([0, 1], clusters)
    assert (found.low, found.high) == (None, None)
    assert not found.excludes(5.0)


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


def test_a_margin_makes_equal_strategies_not_inferior():
    """Equal is equivalent; clearly worse is inferior."""
    clusters = np.repeat(np.arange(8), 5)
    same, worse = np.ones(40), np.tile([0.0, 1.0], 20)
    assert equivalent(same, same, clusters, margin=0.02)
    assert not non_inferiority(worse, same, clusters, margin=0.02).holds
    assert non_inferiority(same, worse, clusters, margin=0.02).holds


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


@pytest.mark.parametrize(
    ("a", "b", "clusters"),
    [([], [], []), ([1, 2], [1], "ab"), ([1], [1], "ab"), ([float("nan")], [1], "a")],
    ids=["empty", "lengths", "clusters", "nan"],
)
def test_what_cannot_be_compared_is_refused(a, b, clusters):
    """The error says which values and what to do."""
    with pytest.raises(StatisticsError):
        paired_bootstrap(a, b, list(clusters))
