"""Statistics: laws, limits of small designs, rounding noise, refusals, and every sentence."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import FrozenInstanceError
from itertools import combinations

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

shares = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0])
binary = st.integers(0, 1)
p_values = st.floats(0, 1)


@st.composite
def paired(draw, values=shares, largest=24):
    """Draw two equally long rows, and the conversation of every place."""
    n = draw(st.integers(2, largest))
    row = st.lists(values, min_size=n, max_size=n)
    clusters = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    return draw(row), draw(row), clusters


# Intervals


@given(paired())
@settings(max_examples=50)
def test_an_interval_lies_between_the_extreme_conversations(sample):
    """No resample can be better than the best conversation or worse than the worst."""
    values, _, clusters = sample
    found = cluster_bootstrap(values, clusters, resamples=200)
    of = {c: [v for v, d in zip(values, clusters, strict=True) if d == c] for c in clusters}
    means = [np.mean(part) for part in of.values()]
    assert found.clusters == len(of)
    assert found.estimate == pytest.approx(np.mean(values))
    if len(of) > 1:
        assert min(means) - 1e-9 <= found.low <= found.high <= max(means) + 1e-9


@given(paired())
@settings(max_examples=50)
def test_the_names_of_conversations_do_not_matter(sample):
    """Only which probes belong together counts."""
    a, b, clusters = sample
    names = [f"conversation {c}" for c in clusters]
    assert paired_bootstrap(a, b, clusters) == paired_bootstrap(a, b, names)
    assert paired_permutation(a, b, clusters) == paired_permutation(a, b, names)


def test_every_probe_weighs_the_same():
    """A long conversation counts for more: the mean is one over probes, not conversations."""
    found = cluster_bootstrap([1.0] * 9 + [0.0], [0] * 9 + [1])
    assert found.estimate == 0.9
    assert (found.low, found.high) == (0.0, 1.0)
    # Half of all resamples draw each conversation once, and give the mean over their probes.
    middle = cluster_bootstrap([1.0] * 9 + [0.0], [0] * 9 + [1], level=0.4)
    assert (middle.low, middle.high) == (0.9, 0.9)


def test_the_interval_is_scipys_percentile_interval_of_equal_conversations():
    """With conversations of one length, resampling them is resampling their means."""
    means = np.random.default_rng(5).random(20)
    ours = cluster_bootstrap(np.repeat(means, 3), np.repeat(np.arange(20), 3), resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (means,), np.mean, n_resamples=20_000, method="percentile", rng=0
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.005)


def test_a_seed_gives_one_interval_and_another_seed_another():
    """Figures can be reproduced, and are drawn."""
    values, clusters = np.random.default_rng(0).random(300), np.arange(300) % 30
    first, again, other = (cluster_bootstrap(values, clusters, seed=s) for s in (1, 1, 2))
    assert first == again != other


def test_a_higher_level_gives_a_wider_interval():
    """The level is the coverage aimed at."""
    values, clusters = np.random.default_rng(0).random(300), np.arange(300) % 30
    wide, narrow = (cluster_bootstrap(values, clusters, level=x) for x in (0.99, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_result_is_frozen():
    """A figure that was reported cannot change."""
    with pytest.raises(FrozenInstanceError):
        cluster_bootstrap([1, 0], "ab").low = 0.5


@pytest.mark.parametrize("conversations", [4, 500])
def test_a_whole_leaderboard_takes_about_a_second_at_most(conversations):
    """52 cells of 622 probes at 2,000 resamples each."""
    cells = np.random.default_rng(0).random((52, 622))
    clusters = np.arange(622) % conversations
    start = time.thread_time()  # neither other processes nor the threads of numpy count
    for cell in cells:
        cluster_bootstrap(cell, clusters)
    assert time.thread_time() - start < (0.5 if conversations == 4 else 1.5)


# Tests


@given(paired(), st.sampled_from([1e-12, 0.5, 3.0, 1e9]))
@settings(max_examples=50)
def test_the_permutation_test_is_free_of_scale_and_direction(sample, scale):
    """Neither the unit nor which strategy is called a can change p."""
    a, b, clusters = sample
    found = paired_permutation(a, b, clusters)
    scaled = paired_permutation(np.multiply(a, scale), np.multiply(b, scale), clusters)
    assert found == scaled == paired_permutation(b, a, clusters)
    assert found.smallest_p - 1e-12 <= found.p_value <= 1


@given(paired(binary, largest=12))
@settings(max_examples=50)
def test_without_clusters_the_permutation_test_of_yes_and_no_is_mcnemars(sample):
    """Flipping the signs of discordant pairs is tossing a coin for each."""
    a, b, _ = sample
    assert paired_permutation(a, b).p_value == pytest.approx(mcnemar(a, b))


@pytest.mark.parametrize(
    ("clusters", "exact", "floor"),
    [(1, True, 1.0), (4, True, 0.125), (12, True, 2 / 4096), (13, False, 1 / 10_001)],
)
def test_the_smallest_p_is_reached_by_the_clearest_data(clusters, exact, floor):
    """The floor is the design's own: no difference, however large, gets below it."""
    found = paired_permutation(
        np.ones(clusters * 5), np.zeros(clusters * 5), [*range(clusters)] * 5
    )
    assert (found.exact, found.smallest_p, found.clusters) == (exact, floor, clusters)
    assert floor <= found.p_value <= floor + 0.001


def test_thousands_of_units_are_flipped_in_bounded_memory():
    """Random patterns are drawn block by block."""
    rng = np.random.default_rng(0)
    a, b = rng.random(3000), rng.random(3000)
    tracemalloc.start()
    paired_permutation(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_rounding_noise_is_no_difference():
    """0.1 + 0.2 against 0.3, and sums that cancel, are ties and not 1e-17 ahead."""
    clusters = list("abcdefgh")
    found = compare_paired([0.1 + 0.2] * 8, [0.3] * 8, clusters)
    assert found.verdict == "equal"
    thirds = np.tile([0.1, 0.2, 0.3], 8)
    turned = np.tile([0.3, 0.1, 0.2], 8)
    found = compare_paired(thirds, turned, np.repeat(clusters, 3))
    assert (found.difference.estimate, found.difference.low, found.test.p_value) == (0.0, 0.0, 1.0)
    assert wilcoxon(thirds, turned, np.repeat(clusters, 3)) == 1.0


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


# Margins and scores


@given(paired(), st.floats(0.01, 0.5))
@settings(max_examples=40)
def test_equivalence_is_non_inferiority_both_ways(sample, margin):
    """It is symmetric, and a wider margin never undoes a claim."""
    a, b, clusters = sample
    there = non_inferiority(a, b, clusters, margin=margin)
    back = non_inferiority(b, a, clusters, margin=margin)
    assert equivalent(a, b, clusters, margin=margin) == (there.holds and back.holds)
    assert equivalent(a, b, clusters, margin=margin) == equivalent(b, a, clusters, margin=margin)
    if there.holds:
        assert non_inferiority(a, b, clusters, margin=2 * margin).holds


def test_the_one_sided_bound_is_the_lower_end_of_the_two_sided_interval():
    """95 % on one side is 90 % on two."""
    rng = np.random.default_rng(0)
    a, b, clusters = rng.random(200), rng.random(200), np.arange(200) % 20
    bound = non_inferiority(a, b, clusters, margin=0.1, level=0.95).bound
    assert bound == paired_bootstrap(a, b, clusters, level=0.9).low


def test_one_conversation_shows_no_margin():
    """Without an interval nothing is claimed, not even for equal strategies."""
    found = non_inferiority([1, 1], [1, 1], "aa", margin=0.5)
    assert (found.holds, found.bound) == (False, None)
    assert not equivalent([1, 1], [1, 1], "aa", margin=0.5)


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


# Comparisons


def compared(differences, conversations, each=10, **options):
    """Compare A with B, whose means differ by `differences` in the conversations."""
    base = np.full(conversations * each, 0.5)
    shift = np.repeat(np.resize(differences, conversations), each)
    clusters = np.repeat(np.arange(conversations), each)
    return compare_paired(base + shift, base, clusters, names=("A", "B"), **options)


CASES = {
    "equal": (
        compared([0], 4),
        "equal",
        "A and B are equal in availability, question by question, on 40 questions in "
        "4 conversations.",
    ),
    "same-mean": (
        compared([0.01, -0.01], 8),
        "not decisive",
        "A and B have the same mean availability, though they differ on 80 questions (95 % "
        "interval -0.8 to 0.8, 80 questions in 8 conversations): not decisive; A is not worse "
        "than B by more than 2.0 points.",
    ),
    "one-conversation": (
        compared([0.1], 1),
        "no interval",
        "A leads B by 10.0 points in availability (10 questions in 1 conversation), but one "
        "conversation gives no interval: not decisive; compare on at least 6 conversations.",
    ),
    "few": (
        compared([0.1], 4, measure="all evidence"),
        "suggestive",
        "A leads B by 10.0 points in all evidence (95 % interval 10.0 to 10.0, 40 questions in "
        "4 conversations), but 4 conversations cannot give a permutation p below 0.125: "
        "suggestive, not decisive; compare on 6 at least.",
    ),
    "few-resamples": (
        compared([0.1], 20, permutations=9),
        "suggestive",
        "A leads B by 10.0 points in availability (95 % interval 10.0 to 10.0, 200 questions in "
        "20 conversations), but so few resamples cannot give a permutation p below 0.1: "
        "suggestive, not decisive; draw 20 at least.",
    ),
    "decisive": (
        compared([0.1], 6),
        "decisive",
        "A leads B by 10.0 points in availability (95 % interval 10.0 to 10.0, 60 questions in "
        "6 conversations): decisive (permutation p = 0.0312).",
    ),
    "b-leads-within-the-margin": (
        compared([-0.01], 6),
        "decisive",
        "B leads A by 1.0 points in availability (95 % interval 1.0 to 1.0, 60 questions in "
        "6 conversations): decisive (permutation p = 0.0312); A is not worse than B by more "
        "than 2.0 points.",
    ),
    "small": (
        compared([0.0002], 6),
        "decisive",
        "A leads B by 0.02 points in availability (95 % interval 0.02 to 0.02, 60 questions in "
        "6 conversations): decisive (permutation p = 0.0312).",
    ),
    "adjusted": (
        compared([0.1], 6, adjusted_p=0.125),
        "suggestive",
        "A leads B by 10.0 points in availability (95 % interval 10.0 to 10.0, 60 questions in "
        "6 conversations), but the permutation test gives p = 0.125 after correction for several "
        "comparisons: suggestive, not decisive.",
    ),
    "two-conversations-and-a-margin": (
        compared([0.0, -0.01], 2),
        "not decisive",
        "B leads A by 0.5 points in availability (95 % interval 0.0 to 1.0, 20 questions in "
        "2 conversations), but the interval includes 0: not decisive; this suggests, no more, "
        "that A is not worse than B by more than 2.0 points.",
    ),
}


@pytest.mark.parametrize(("found", "verdict", "sentence"), CASES.values(), ids=CASES)
def test_the_sentence_can_be_quoted(found, verdict, sentence):
    """One sentence with the figures, their number, and an honest verdict."""
    assert found.verdict == verdict
    assert found.sentence == sentence
    assert found.decisive == (verdict == "decisive")


@given(paired())
@settings(max_examples=50)
def test_a_comparison_turned_round_says_the_same(sample):
    """Who is called a changes neither the verdict nor p, and mirrors the interval."""
    a, b, clusters = sample
    there = compare_paired(a, b, clusters, names=("A", "B"))
    back = compare_paired(b, a, clusters, names=("B", "A"))
    assert (there.verdict, there.test) == (back.verdict, back.test)
    assert there.difference.estimate == -back.difference.estimate
    if there.difference.low is not None:
        assert there.difference.low == pytest.approx(-back.difference.high)


@given(paired(), st.none() | p_values)
@settings(max_examples=60)
def test_decisive_needs_both_the_interval_and_the_test(sample, adjusted):
    """The rule, from the parts that are shown."""
    found = compare_paired(*sample, adjusted_p=adjusted)
    p = max(found.test.p_value, adjusted or 0)
    assert found.decisive == (found.difference.excludes(0.0) and p < 0.05)
    if found.test.clusters < 6:
        assert not found.decisive


@pytest.mark.parametrize(("p", "decisive"), [(0.0499, True), (0.05, False)])
def test_a_p_of_exactly_the_limit_is_not_below_it(p, decisive):
    """In floating point 1 − 0.95 is above 0.05; that must not decide."""
    assert compared([0.1], 8, adjusted_p=p).decisive is decisive


def test_a_correction_can_only_take_away():
    """An adjusted p below the test's own is not believed."""
    assert not compared([0.1], 5, adjusted_p=0.001).decisive


def test_strategies_that_do_not_differ_are_rarely_called_decisive():
    """Over 300 studies of 8 conversations without a difference at most about 5 %."""
    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(8), 10)
    wrong = 0
    for _ in range(300):
        lean = np.repeat(rng.normal(0, 0.3, 8), 10)
        noise = rng.normal(0, 0.3, 80)
        wrong += compare_paired(lean + noise, np.zeros(80), clusters, resamples=400).decisive
    assert wrong <= 0.08 * 300


# Refusals

NAN = float("nan")
REFUSALS = {
    "empty": (lambda: cluster_bootstrap([], []), "at least one"),
    "two rows": (lambda: cluster_bootstrap([[1], [0]], "ab"), r"\(2, 1\).* one row"),
    "words": (lambda: cluster_bootstrap(["yes"], "a"), "'yes'.* give 0 to 1"),
    "nan": (lambda: cluster_bootstrap([1, NAN], "ab"), "value 1 is nan; leave out"),
    "infinite": (lambda: paired_permutation([float("inf")], [0]), "value 0 is inf"),
    "lengths": (lambda: paired_permutation([1, 2], [1]), "2 and 1 .*same probes"),
    "clusters": (lambda: paired_bootstrap([1], [1], "ab"), "1 values and 2 clusters"),
    "no cluster": (lambda: wilcoxon([1, 0], [1, 1], [None, "a"]), "cluster is None; name"),
    "nan cluster": (lambda: cluster_bootstrap([1, 0], [NAN, 1.0]), "cluster is nan; name"),
    "level": (lambda: cluster_bootstrap([1, 0], "ab", level=95), "level 95 .*0.95 is usual"),
    "one-sided level": (
        lambda: non_inferiority([1], [1], "a", margin=0.1, level=0.5),
        "level 0.5 .*0.5 and 1",
    ),
    "resamples": (lambda: cluster_bootstrap([1, 0], "ab", resamples=0), "0 resamples.*draw"),
    "margin": (lambda: equivalent([1], [1], "a", margin=0), "margin of 0 .*give the loss"),
    "comparison's margin": (lambda: compare_paired([1], [1], "a", margin=NAN), "margin of nan"),
    "adjusted p": (lambda: compare_paired([1], [1], "a", adjusted_p=5), "p-value of 5 .*None"),
    "p": (lambda: holm([0.5, NAN]), "p-value of nan .*None"),
    "shares": (lambda: mcnemar([1, 0.5], [1, 1]), "not 0.5; use wilcoxon"),
    "no pair": (lambda: krippendorff_alpha([[1, None], [None, 1]]), "two raters"),
    "nobody": (lambda: krippendorff_alpha([]), "two raters"),
    "uneven": (lambda: krippendorff_alpha([[1, 2], [1]]), "1 to 2 ratings; give None"),
    "nan rating": (lambda: krippendorff_alpha([[NAN], [1.0]]), "nan; give None"),
    "worded interval": (
        lambda: krippendorff_alpha([["x", "y"], ["x", "y"]], interval=True),
        "numbers",
    ),
}


@pytest.mark.parametrize(("refused", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_no_statistic_can_be_made_of_is_refused(refused, message):
    """The error names the value, and what to do."""
    with pytest.raises(StatisticsError, match=message):
        refused()
