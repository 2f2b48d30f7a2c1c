"""Rankings: by words, by graphs, by marks of salience; against their definitions."""

from __future__ import annotations

import math
import runpy
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Segment
from ctxlab.core.task import Task
from ctxlab.strategies import BM25, MMR, TFIDF, LexRank, Salience, Surprisal, TextRank
from ctxlab.strategies.graph import pagerank
from ctxlab.strategies.salience import MARKS, marks
from ctxlab.testing import check_laws, sample_case
from ctxlab.text.words import terms

TEXTS = (
    "The fish stall opens at six and sells fish until noon.",
    "Bread is sold until noon.",
    "Coffee first?",
    "No fish, no bread, no coffee at the stall today.",
    "hm",
)


def context_of(*texts: str) -> Context:
    """Return a context with a message a text."""
    return Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))


def cosine(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the cosine of two sparse vectors."""
    dot = sum(weight * b.get(term, 0.0) for term, weight in a.items())
    norms = math.hypot(*a.values()) * math.hypot(*b.values()) if a and b else 0.0
    return dot / norms if norms else 0.0


def vectors(texts: tuple[str, ...]) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Return tf·idf vectors by the definition, and the idf."""
    found = [terms(text) for text in texts]
    n = len(texts)
    idf = {t: math.log(n / sum(t in f for f in found)) + 1 for f in found for t in f}
    return [{t: f.count(t) * idf[t] for t in f} for f in found], idf


def test_tfidf_is_the_cosine_with_the_question():
    """Scores equal those of the definition, computed in plain Python."""
    rows, idf = vectors(TEXTS)
    query = "When does the fish stall sell bread?"
    target = {t: terms(query).count(t) * idf[t] for t in terms(query) if t in idf}
    expected = [cosine(row, target) for row in rows]
    found = TFIDF().score(context_of(*TEXTS), Task(budget=1, query=query))
    assert found == pytest.approx(expected)
    assert found[0] > found[1] > 0


def test_tfidf_without_a_question_prefers_the_typical():
    """Without a question the conversation itself is the question."""
    scores = TFIDF().score(context_of("fish", "fish", "bread"), Task(budget=1))
    assert scores[0] > scores[2] > 0


def test_textrank_is_pagerank_over_overlaps():
    """Scores equal those of the paper's graph, built pair by pair and walked densely."""
    sets = [set(terms(text)) for text in TEXTS]
    weights = np.zeros((len(sets), len(sets)))
    for i, j in combinations(range(len(sets)), 2):
        logs = math.log(max(2, len(sets[i]))) + math.log(max(2, len(sets[j])))
        weights[i, j] = weights[j, i] = len(sets[i] & sets[j]) / logs
    expected = pagerank(lambda v: weights @ v, len(sets), 0.85)
    found = TextRank().score(context_of(*TEXTS), Task(budget=1))
    assert found == pytest.approx(expected, abs=1e-6)
    assert sum(found) == pytest.approx(1)


def test_lexrank_is_pagerank_over_cosines():
    """Scores equal those of the dense matrix of cosines, and of its thresholded one."""
    rows, _ = vectors(TEXTS)
    weights = np.array([[cosine(a, b) for b in rows] for a in rows])
    for threshold in (0.0, 0.1):
        kept = np.where(weights >= threshold, weights, 0.0)
        expected = pagerank(lambda v, kept=kept: kept @ v, len(rows), 0.85)
        found = LexRank(threshold=threshold).score(context_of(*TEXTS), Task(budget=1))
        assert found == pytest.approx(expected, abs=1e-6)


def test_mmr_takes_the_best_marginal_value_each_time():
    """The order equals that of the definition, evaluated over all items at every step."""
    rows, idf = vectors(TEXTS)
    query = "fish and bread"
    target = {t: idf[t] for t in terms(query)}
    left, taken = set(range(len(rows))), []
    while left:
        value = {
            i: 0.7 * cosine(rows[i], target)
            - 0.3 * max((cosine(rows[i], rows[j]) for j in taken), default=0.0)
            for i in left
        }
        best = min(left, key=lambda i: (-round(value[i], 9), i))
        taken.append(best)
        left.remove(best)
    scores = MMR().score(context_of(*TEXTS), Task(budget=1, query=query))
    assert sorted(range(len(rows)), key=lambda i: -scores[i]) == taken


def test_surprisal_is_the_mean_of_bits():
    """Rare words carry more bits; the mean does not depend on length."""
    scores = Surprisal().score(context_of("a a a", "a b", ""), Task(budget=1))
    assert scores == pytest.approx([-math.log2(0.8), (-math.log2(0.8) - math.log2(0.2)) / 2, 0])


def test_marks_see_what_they_name():
    """Each mark rises with what it is named after, all else equal."""
    plain = "and then some more words came along here"
    marked = {
        "numbers": "and then 40 more 17 came along here",
        "names": "and then Mira and Jonas came along here",
        "times": "and then yesterday some week came along here",
        "errors": "and then some error failed along here",
        "decisions": "and then we decided and agreed along here",
        "self_reference": "and then I and my words came here",
        "address": "and then you and your words came here",
        "pleasantries": "thanks and great hello words came along here",
        "question": "and then some more words came along here?",
    }
    for mark, text in marked.items():
        context = context_of(plain, text)
        column = marks(context, np.array([9, 9]))[:, MARKS.index(mark)]
        assert column[1] > column[0], mark
    context = Context.of(
        [Message("a", "user", "Why?"), Message("b", "assistant", "so"), Message("c", "user", "so")]
    )
    table = marks(context, np.array([2, 1, 1]))
    assert table[:, MARKS.index("reply")].tolist() == [0, 1, 0]
    assert table[:, MARKS.index("recency")].tolist() == [0, 0.5, 1]


def test_salience_asks_a_question_only_when_told_to():
    """It is query-agnostic by default and says so; with relevance it is not."""
    context = sample_case().context()
    asked, blind = Task(budget=1, query="the cold store behind gate 4"), Task(budget=1)
    assert Salience().score(context, asked) == Salience().score(context, blind)
    assert not Salience().traits.query_aware
    aware = Salience(relevance=3)
    assert aware.traits.query_aware
    assert aware.score(context, asked) != aware.score(context, blind)
    best = max(range(len(context)), key=aware.score(context, asked).__getitem__)
    assert "cold store" in context[best].text


def test_salience_weights_are_parameters():
    """A weight moves its mark: with numbers alone, the message with most numbers wins."""
    zero = dict.fromkeys(MARKS, 0.0)
    only = Salience(**{**zero, "numbers": 1.0, "bias": 0.0, "density": 0.0})
    scores = only.score(context_of("no", "17 and 4", "17"), Task(budget=1))
    assert scores[1] > scores[2] > scores[0]


@pytest.mark.parametrize("strategy", [BM25(), TFIDF(), MMR()], ids=str)
def test_a_ranking_that_matches_nothing_ranks_the_newest_first(strategy):
    """What it says of its order is what it keeps."""
    context = context_of(*TEXTS)
    task = Task(budget=Task(budget=1).size(context) // 2, query="submarine")
    ranking = strategy.ranking(context, task)
    assert list(ranking) == [4, 3, 2, 1, 0]
    kept = strategy.compress(context, task)
    assert kept == context.keep_groups(ranking[: len(kept)])


@pytest.mark.parametrize(
    "strategy", [TFIDF(neighbours=1), Salience(relevance=1, smoothing=1.0), Surprisal()], ids=str
)
def test_variants_keep_the_laws(strategy):
    """Not only defaults are lawful."""
    check_laws(strategy, examples=60)


@pytest.mark.parametrize("strategy", [TFIDF(), Salience(), Surprisal(), TextRank(), LexRank()])
def test_empty_and_wordless_contexts(strategy):
    """Nothing, and texts without a word, are ranked without a fault."""
    task = Task(budget=1, query="fish")
    assert list(strategy.score(Context(), task)) == []
    assert len(strategy.score(Context((Segment.of("a", ""), Segment.of("b", "?!"))), task)) == 2


def test_the_default_weights_are_what_training_gives(data_dir):
    """The weights that ship are those that the training script computes from the dev data."""
    training = Path(__file__).parent / "benchmarks" / "train_salience.py"
    trained = runpy.run_path(str(training))["final"](data_dir)
    shipped = {name: getattr(Salience(), name) for name in trained}
    assert shipped == pytest.approx(trained, abs=0.02)
