"""Intervals, paired tests, margins, power: against matrices, by simulation, and every sentence."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import simulate_statistics as simulated
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.errors import StatisticsError
from ctxlab.stats import (
    Clustered,
    PairedSample,
    cluster_interval,
    compare_paired,
    conversations_needed,
    equivalent,
    minimum_detectable_difference,
    non_inferiority,
    paired_interval,
    paired_test,
    spread,
)
from ctxlab.stats.clustered import WORKING

NAN = float("nan")


@st.composite
def samples(draw):
    """Draw values and the conversation of each, at least two conversations."""
    n = draw(st.integers(3, 20))
    values = draw(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=n, max_size=n))
    clusters = [0, 1, *draw(st.lists(st.integers(0, 5), min_size=n - 2, max_size=n - 2))]
    return values, clusters


def by_matrices(values, clusters):
    """Return variance and degrees of freedom of a mean by CR2, matrix by matrix, as published."""
    y, codes = np.asarray(values, float), np.asarray(clusters)
    n = len(y)
    x = np.ones((n, 1))
    working = np.where(codes[:, None] == codes, WORKING, 0.0) + (1 - WORKING) * np.eye(n)
    bread = np.linalg.inv(x.T @ x)
    residual_maker = np.eye(n) - x @ bread @ x.T
    errors = residual_maker @ y
    variance, columns = 0.0, []
    for cluster in np.unique(codes):
        own = codes == cluster
        root = scipy.linalg.cholesky(working[np.ix_(own, own)])
        rows = residual_maker[own]
        b = root @ (rows @ working @ rows.T) @ root.T
        adjust = root.T @ scipy.linalg.fractional_matrix_power(b, -0.5).real @ root
        lifted = (bread @ x[own].T @ adjust).ravel()
        variance += float(lifted @ errors[own]) ** 2
        columns.append(rows.T @ lifted)
    g = np.array(columns)
    p = g @ working @ g.T
    return variance, np.trace(p) ** 2 / (p**2).sum()


@given(samples())
def test_variance_and_degrees_of_freedom_are_those_of_the_published_matrices(sample):
    """CR2 with Satterthwaite's degrees of freedom, recomputed the long way."""
    values, clusters = sample
    found = Clustered.of(values, clusters)
    variance, df = by_matrices(values, clusters)
    assert found.variance == pytest.approx(variance, abs=1e-9)
    assert found.df == pytest.approx(max(df, 1.0), rel=1e-6)


@given(samples(), st.randoms())
def test_nothing_depends_on_the_order_of_rows_or_the_names_of_conversations(sample, random):
    """Bit for bit."""
    values, clusters = sample
    order = list(range(len(values)))
    random.shuffle(order)
    turned = [values[i] for i in order], [f"talk {clusters[i]}" for i in order]
    assert cluster_interval(*turned) == cluster_interval(values, clusters)
    zeros = [0.0] * len(values)
    assert paired_interval(turned[0], zeros, turned[1]) == paired_interval(values, zeros, clusters)


@given(samples())
def test_the_interval_excludes_zero_just_where_the_test_rejects(sample):
    """One statistic makes both."""
    values, clusters = sample
    found = PairedSample(values, [0.0] * len(values), clusters)
    p = found.p_value()
    if abs(p - 0.05) > 1e-6:
        assert found.interval().excludes(0.0) == (p < 0.05)
    assert found.smallest_p <= p + 1e-12


@given(samples())
def test_an_interval_stays_within_what_shares_can_be(sample):
    """And holds its estimate."""
    found = cluster_interval(*sample)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_all_of_it_in_four_conversations_is_not_certainty():
    """Equal values give an interval of a width that so few conversations deserve."""
    found = cluster_interval([1.0] * 40, np.repeat(np.arange(4), 10))
    assert found.high == 1.0
    assert 0.6 < found.low < 0.9
    assert not paired_interval([1.0] * 3, [0.5] * 3, "abc").excludes(0.0)


def test_every_question_counts_once_or_every_conversation():
    """Nine questions of one conversation against one of another."""
    values, clusters = [1.0] * 9 + [0.0], [0] * 9 + [1]
    assert cluster_interval(values, clusters).estimate == pytest.approx(0.9)
    assert cluster_interval(values, clusters, weights="conversation").estimate == 0.5


def test_one_conversation_gives_no_interval_no_test_and_no_margin():
    """Nothing is made up."""
    found = cluster_interval([1, 0], "aa")
    assert (found.low, found.high) == (None, None)
    assert paired_test([1, 0], [0, 0], "aa").p_value == 1.0
    assert not non_inferiority([1, 1], [1, 1], "aa", margin=0.5).holds
    assert minimum_detectable_difference(PairedSample([1], [0], "a")) is None


@pytest.mark.parametrize("kind", simulated.KINDS)
@pytest.mark.parametrize("share", [0.1, 0.7])
def test_intervals_cover(kind, share):
    """Near 95 % with ten conversations of any sizes; the benchmark shows it to the digit."""
    assert 0.92 <= simulated.coverage(300, 10, kind, share) <= 0.995


@pytest.mark.parametrize("kind", ["symmetric", "skewed", "tied to size"])
@pytest.mark.parametrize(("rivals", "budgets"), [(2, 1), (2, 6), (8, 3)])
def test_what_is_no_better_is_rarely_called_decisive(kind, rivals, budgets):
    """Any of the tests of one family, with ten conversations: at most 5 % of the time."""
    assert simulated.false_decisions(60, 10, rivals, budgets, kind) <= 0.05


def test_non_inferiority_errs_at_most_one_time_in_twenty():
    """Worse by just the margin, with four conversations and with thirty."""
    assert simulated.false_non_inferiority(300, 4) <= 0.06
    assert simulated.false_non_inferiority(300, 30) <= 0.08


def test_power_is_what_it_says():
    """A lead as large as what can be detected is found about four times out of five."""
    random = np.random.default_rng(0)
    counts = simulated.sizes("equal", 60, random)
    a, b = simulated.pair(counts, 0.05, random)
    sample = PairedSample(a, b, np.repeat(np.arange(60), counts))
    lead = minimum_detectable_difference(sample)
    assert 0.6 <= simulated.found(200, 60, lead) <= 0.95
    assert conversations_needed(sample, lead) == pytest.approx(60, abs=2)
    assert conversations_needed(sample, lead / 2) > 180


def test_margins_both_ways_are_equivalence():
    """Two one-sided tests."""
    clusters = list(range(80))
    a, b = [1.0] * 78 + [0.0] * 2, [0.0] * 2 + [1.0] * 78
    for margin in (0.01, 0.1, 0.2):
        both = [non_inferiority(x, y, clusters, margin=margin).holds for x, y in ((a, b), (b, a))]
        assert equivalent(a, b, clusters, margin=margin) == all(both)
    assert equivalent(a, b, clusters, margin=0.2)
    assert not equivalent(a, b, clusters, margin=0.01)


def test_another_unit_has_an_interval_in_that_unit():
    """Tokens are not bounded by 0 and 1, and a comparison reads in tokens."""
    tokens = [900, 1000, 1100, 950, 1050, 1000]
    found = cluster_interval(tokens, "abcdef", bounds=None)
    assert 900 < found.low < 1000 < found.high < 1100
    less = compare_paired(
        [t - 500 for t in tokens], tokens, "abcdef", names=("A", "B"), measure="tokens left",
        unit="tokens", better="lower", bounds=None, margin=10,
    )  # fmt: skip
    assert less.sentence.startswith("A leads B by 500 tokens in tokens left")


def test_seeds_are_replicates_whose_spread_is_shown_apart():
    """A strategy that another draw turns over, on conversations that are alike."""
    found = spread([[0.2, 0.2, 0.2], [0.6, 0.6, 0.6]])
    assert found.seeds == pytest.approx(0.283, abs=0.001)
    assert found.conversations == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(StatisticsError, match="two seeds"):
        spread([[0.2, 0.4]])


def compared(differences, conversations, each=10, **options):
    """Compare A with B, whose means differ by `differences` in the conversations."""
    base = np.full(conversations * each, 0.5)
    shift = np.repeat(np.resize(differences, conversations), each)
    clusters = np.repeat(np.arange(conversations), each)
    return compare_paired(base + shift, base, clusters, names=("A", "B"), **options)


SENTENCES = {
    "equal": (
        compared([0], 4), "equal",
        "A and B are equal in availability, question by question, on 40 questions in "
        "4 conversations.",
    ),
    "one-conversation": (
        compared([0.1], 1), "no interval",
        "A leads B by 10.0 points in availability (10 questions in 1 conversation), but one "
        "conversation gives no interval: not decisive; compare on more conversations.",
    ),
    "decisive": (
        compared([0.4], 20, budget="10%", adjusted_p=0.0004, family="6 tests, by Holm"), "decisive",
        "At 10%, A leads B by 40.0 points in availability (95 % interval 34.9 to 42.9, 200 "
        "questions in 20 conversations): decisive (p = 0.0004, corrected for 6 tests, by Holm).",
    ),
    "adjusted": (
        compared([0.4], 20, adjusted_p=0.125), "suggestive",
        "A leads B by 40.0 points in availability (95 % interval 34.9 to 42.9, 200 questions in 20 "
        "conversations), but p = 0.12, corrected for several comparisons: suggestive, not "
        "decisive; these conversations settle a difference of 5.8 points.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("found", "verdict", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_the_sentence_can_be_quoted(found, verdict, sentence):
    """One sentence with the figures, their number, and an honest verdict."""
    assert found.verdict == verdict
    assert found.sentence == sentence
    assert str(found) == sentence


@pytest.mark.parametrize(("p", "decisive"), [(0.0499, True), (0.05, False)])
def test_a_p_of_exactly_the_limit_is_not_below_it(p, decisive):
    """In floating point 1 − 0.95 is above 0.05; that must not decide."""
    assert compared([0.4], 20, adjusted_p=p).decisive is decisive


def test_a_sentence_says_what_it_would_take():
    """Conversations needed for what was seen, and what these can show."""
    sentence = compared([0.2, -0.1], 8).sentence
    assert "conversations would settle a difference of this size 4 times out of 5" in sentence
    assert "and these settle one of" in sentence


REFUSALS = {
    "empty": (lambda: cluster_interval([], []), "at least one"),
    "two rows": (lambda: cluster_interval([[1], [0]], "ab"), r"\(2, 1\).* one row"),
    "words": (lambda: cluster_interval(["yes"], "a"), "'yes'.* give 0 to 1"),
    "nan": (lambda: cluster_interval([1, NAN], "ab"), "value 1 is nan; leave out"),
    "infinite": (lambda: paired_test([float("inf")], [0], "a"), "value 0 is inf"),
    "lengths": (lambda: paired_test([1, 2], [1], "ab"), "2 and 1 .*same probes"),
    "clusters": (lambda: paired_interval([1], [1], "ab"), "1 values and 2 clusters"),
    "nan cluster": (lambda: cluster_interval([1, 0], [NAN, 1.0]), "cluster is nan; name"),
    "level": (lambda: cluster_interval([1, 0], "ab", level=95), "level 95 .*0.95 is usual"),
    "weights": (lambda: cluster_interval([1, 0], "ab", weights="word"), "neither 'question'"),
    "one-sided level": (
        lambda: non_inferiority([1], [1], "a", margin=0.1, level=0.5), "level 0.5 .*0.5 and 1",
    ),
    "margin": (lambda: compare_paired([1], [1], "a", margin=0), "margin of 0 .*loss"),
    "p": (lambda: compare_paired([1], [1], "a", adjusted_p=2), "p-value of 2 .*between 0 and 1"),
}  # fmt: skip


@pytest.mark.parametrize(("refused", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_no_statistic_can_be_made_of_is_refused(refused, message):
    """With the value, the limit and what to do."""
    with pytest.raises(StatisticsError, match=message):
        refused()
