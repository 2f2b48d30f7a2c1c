"""Ranking by meaning: by hand, against slow references, and in a grid."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

import ctxlab
from ctxlab.bench.explaining import explain
from ctxlab.bench.grid import Grid
from ctxlab.core.context import Context
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.task import Task
from ctxlab.datasets import load
from ctxlab.errors import EncoderError, MissingToolError
from ctxlab.models import NamedEncoder, unit_rows
from ctxlab.models.cached_encoder import CachedEncoder
from ctxlab.store import Store
from ctxlab.strategies import (
    BM25,
    EmbeddingTopK,
    Fusion,
    IDFDensity,
    KeepLast,
    Oracle,
    RandomDrop,
    SemanticDeduplicate,
)
from ctxlab.strategies import semantic_duplicates as duplicates
from ctxlab.strategies.embedding import nearness, ranks
from ctxlab.testing import check_laws, sample_case, word_tools

THREADS = ThreadPoolExecutor(1)
WORDS = ("fish", "bread", "key", "stall")


def topics(texts):
    """One number a word of interest, and a bit of everything."""
    return [[text.lower().count(word) + 0.01 for word in WORDS] for text in texts]


def chat(*texts: str, **fields) -> Context:
    return Context.of(Message(f"m{i}", "user", text, **fields) for i, text in enumerate(texts))


def task(query: str = "", budget: int = 1000, encode=topics) -> Task:
    return Task(budget=budget, tools=word_tools(encode=encode), query=query)


def cosine(a, b) -> float:
    return float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))


TALK = chat(
    "the fish stall opens", "bread and bread", "who has the key", "fish fish", "nothing here"
)


def test_nearness_is_the_cosine_with_the_question():
    """As by hand, in double precision."""
    rows, query = topics([s.text for s in TALK]), topics(["fish stall"])[0]
    found = EmbeddingTopK().score(TALK, task("fish stall"))
    assert found == pytest.approx([cosine(row, query) for row in rows], abs=1e-6)


def test_without_a_question_the_centre_of_the_conversation_takes_its_place():
    """The centre is the mean of the unit vectors."""
    rows = unit_rows(np.asarray(topics([s.text for s in TALK]), np.float32))
    found = EmbeddingTopK().score(TALK, task())
    assert found == pytest.approx([cosine(row, rows.mean(axis=0)) for row in rows], abs=1e-6)


def test_names_are_encoded_with_what_was_said():
    """Who spoke is part of what a question may ask for."""
    asked: list[str] = []
    context = chat("hello", name="Ada")
    nearness(context, task("x", encode=lambda texts: asked.extend(texts) or [[1.0]] * len(texts)))
    assert asked == ["Ada: hello", "x"]


def test_a_conversation_is_encoded_once_however_many_questions_are_asked():
    """The matrix belongs to the context, and to the encoder that made it."""
    asked: list[str] = []

    def encode(texts):
        asked.extend(texts)
        return topics(texts)

    context = Context(TALK.segments)
    for query in ("fish", "bread", "key"):
        Fusion().score(context, task(query, encode=encode))
    assert len(asked) == len(TALK) + 3
    other = NamedEncoder("ones", lambda texts: [[1.0]] * len(texts))
    assert nearness(context, task("fish", encode=other)).tolist() == [1.0] * len(TALK)


def test_standard_scores_add_up_as_by_hand():
    """Half words, half meaning, and the prior's share, each in standard deviations."""

    def z(scores):
        return (np.asarray(scores) - np.mean(scores)) / np.std(scores)

    asked = task("fish stall")
    words = BM25(k1=1.2, b=0.5, smoothing=1.0).score(TALK, asked)
    meaning = EmbeddingTopK(smoothing=1.0).score(TALK, asked)
    rarity = IDFDensity().score(TALK, asked)
    found = Fusion(weight=0.4, smoothing=1.0, passage_weight=0.0, prior_weight=0.3)
    expected = 0.6 * z(words) + 0.4 * z(meaning) + 0.3 * z(rarity)
    assert found.score(TALK, asked) == pytest.approx(expected)


def test_the_passage_is_a_wider_gaussian_beside_the_narrow_one():
    """Two scales, each in standard deviations, then fused."""

    def z(scores):
        return (np.asarray(scores) - np.mean(scores)) / np.std(scores)

    asked = task("fish stall")
    fused = Fusion(weight=1.0, smoothing=0.0, passage=2.0, passage_weight=0.5, prior=None)
    near, wide = (EmbeddingTopK(smoothing=sigma).score(TALK, asked) for sigma in (0.0, 2.0))
    assert fused.score(TALK, asked) == pytest.approx(z(z(near) + 0.5 * z(wide)))


def test_reciprocal_ranks_add_up_as_by_hand():
    """1 / (60 + rank) each; what no word matches shares the rank after the last hit."""
    asked = task("fish")
    found = Fusion(method="rrf", smoothing=0, passage_weight=0, prior=None).score(TALK, asked)
    words, meaning = BM25(k1=1.2, b=0.5).score(TALK, asked), EmbeddingTopK().score(TALK, asked)
    for i, score in enumerate(found):
        above = [sum(other > one[i] for other in one) for one in (words, meaning)]
        assert score == pytest.approx(sum(0.5 / (61 + n) for n in above))


@given(arrays(np.float64, st.integers(0, 30), elements=st.integers(0, 5).map(float)))
def test_ranks_count_what_scores_higher(scores):
    """Equal scores share the best of their ranks."""
    assert ranks(scores).tolist() == [1.0 + sum(scores > score) for score in scores]


def test_neighbours_follow_their_hit():
    """The turns beside the best one are tried before the next best."""
    assert list(Fusion(neighbours=1).order([0.0, 0.0, 3.0, 0.0, 2.0]))[:4] == [2, 1, 3, 4]


def test_a_fusion_answers_for_its_prior():
    """A prior that draws lots makes the whole seeded; one that peeks, gold."""
    assert Fusion(prior=RandomDrop()).traits.seeded
    assert Fusion(prior=Oracle()).traits.gold
    assert Fusion(prior=None).traits == Fusion.TRAITS
    assert Fusion(prior=EmbeddingTopK()).traits.needs == "encoder"


@pytest.mark.parametrize(
    "strategy",
    [
        EmbeddingTopK(neighbours=2, smoothing=1.0),
        Fusion(method="rrf", neighbours=1, prior=RandomDrop()),
        Fusion(prior=None, passage_weight=0.0),
        SemanticDeduplicate(threshold=0.5, keep="first", min_words=1),
        SemanticDeduplicate() >> Fusion() >> KeepLast(),
    ],
    ids=str,
)
def test_other_parameters_keep_the_laws(strategy):
    """Not only defaults are lawful."""
    check_laws(strategy, examples=60)


@pytest.mark.parametrize("strategy", [EmbeddingTopK(), Fusion(), SemanticDeduplicate(min_words=1)])
def test_without_an_encoder_the_argument_to_pass_is_named(strategy):
    """Nothing is guessed."""
    with pytest.raises(MissingToolError, match=r"encoder=\.\.\., Tools\.of\(encode"):
        strategy.compress(TALK, Task(budget=8, tools=word_tools(), query="fish"))


@pytest.mark.parametrize("strategy", [EmbeddingTopK(), Fusion(), SemanticDeduplicate(min_words=1)])
def test_an_encoder_that_gives_no_matrix_is_named_as_the_cause(strategy):
    """A vector short is an error, never a wrong ranking."""
    with pytest.raises(EncoderError, match=r"shape \(4, 4\) for 5 texts"):
        strategy.compress(
            Context(TALK.segments), task("fish", 8, encode=lambda texts: topics(texts[1:]))
        )


def planted(vectors):
    """Return an encoder that gives the vector of the number that a text begins with."""
    return lambda texts: [vectors[int(text.split()[0])] for text in texts]


def numbered(n: int) -> Context:
    return chat(*(f"{i} one two three four five" for i in range(n)))


def test_near_duplicates_name_what_they_repeat():
    """The newest stays; the note says which, and how near."""
    context = numbered(3)
    found = SemanticDeduplicate().compress(
        context, task(encode=planted([[1.0, 0.0], [0.0, 1.0], [0.95, 0.1]]))
    )
    assert [s.source for s in found] == ["message:m1", "message:m2"]
    assert found.why(context[0]).reason == "near-duplicate of m2 (cosine 0.99)"
    first = SemanticDeduplicate(keep="first").compress(
        Context(context.segments), task(encode=planted([[1.0, 0.0], [0.0, 1.0], [0.95, 0.1]]))
    )
    assert [s.source for s in first] == ["message:m0", "message:m1"]


def test_a_chain_of_small_changes_does_not_carry_a_text_away():
    """What is compared is what stays: the ends of a chain are no duplicates."""
    angles = np.deg2rad([0, 20, 40])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).tolist()
    found = SemanticDeduplicate(keep="first").compress(numbered(3), task(encode=planted(vectors)))
    assert [s.source for s in found] == ["message:m0", "message:m2"]


def test_short_texts_and_pins_stay():
    """A yes answers another question each time."""
    context = Context.of(
        [
            Message("m0", "user", "1 one two three four", pinned=True),
            Message("m1", "user", "yes"),
            Message("m2", "user", "yes"),
            Message("m3", "user", "1 one two three four"),
        ]
    )
    found = SemanticDeduplicate().compress(context, task(encode=lambda t: [[1.0]] * len(t)))
    assert found.segments == context.segments


def test_calls_with_other_arguments_are_not_duplicates():
    """A group is encoded with its calls, and goes as one."""

    def call(i: int, arguments: str) -> list[Message]:
        return [
            Message(f"a{i}", "assistant", "", tool_calls=(ToolCall(f"c{i}", "look", arguments),)),
            Message(f"r{i}", "tool", "the shelf is empty as before", tool_call_id=f"c{i}"),
        ]

    context = Context.of([*call(0, '{"shelf": "fish"}'), *call(1, '{"shelf": "bread"}')])
    assert SemanticDeduplicate().compress(context, task()).segments == context.segments
    same = Context.of([*call(0, '{"shelf": "fish"}'), *call(1, '{"shelf": "fish"}')])
    found = SemanticDeduplicate().compress(same, task())
    assert [s.source for s in found] == ["message:a1", "message:r1"]


@given(
    arrays(np.float32, st.tuples(st.integers(0, 24), st.just(3)), elements=st.integers(-2, 2)),
    st.sampled_from([0.3, 0.7, 0.9, 1.0]),
    st.integers(1, 7),
)
def test_blocks_give_what_one_comparison_after_the_other_gives(vectors, threshold, block):
    """Against the definition: in turn, with what stays, whatever the size of the blocks."""
    rows = unit_rows(vectors)
    kept: list[int] = []
    gone: dict[int, float] = {}
    for i, row in enumerate(rows):
        cosines = [float(row @ rows[j]) for j in kept]
        if cosines and max(cosines) >= threshold - 1e-6:
            gone[i] = max(cosines)
        else:
            kept.append(i)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_BLOCK", block)
        patch.setattr(duplicates, "_COLUMNS", block)
        found = list(duplicates.near_twins(rows, threshold))
    assert {row: pytest.approx(value, abs=1e-5) for row, _, value in found} == gone
    for row, twin, value in found:
        assert twin in kept
        assert float(rows[row] @ rows[twin]) == pytest.approx(value, abs=1e-5)


def test_twenty_thousand_groups_take_megabytes_not_gigabytes():
    """The matrix of all similarities would take 1.6 GB."""
    import tracemalloc

    rows = unit_rows(np.random.default_rng(0).normal(size=(20_000, 16)).astype(np.float32))
    tracemalloc.start()
    found = list(duplicates.near_twins(rows, 0.8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found
    assert peak < 100e6


class Counting:
    """Counts the letters of texts, and how many texts it was given."""

    name = "counting"

    def __init__(self):
        self.texts = 0

    def __call__(self, texts):
        self.texts += len(texts)
        return [[text.count(letter) + 0.1 for letter in "aeiou17"] for text in texts]


def test_a_grid_encodes_each_text_once_and_a_second_one_nothing(tmp_path):
    """Strategies share vectors, and the store keeps them for other parameters."""
    encoder = Counting()
    strategies = ["EmbeddingTopK()", "Fusion()", "SemanticDeduplicate() >> KeepLast()", "BM25()"]
    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid(strategies, ["30%", "50%"], [sample_case()], encoder=encoder)
        results = grid.run(store, executor=THREADS)
        assert not results.failures()
        assert encoder.texts == 12 + 3
        Grid(["Fusion(weight=0.7)"], ["30%"], [sample_case()], encoder=encoder).run(
            store, executor=THREADS
        )
        grid.run(store, executor=THREADS)
    assert encoder.texts == 12 + 3


def test_only_trials_that_encode_are_keyed_by_the_encoder():
    """Others stay what they were, whichever encoder the grid carries."""

    def keys(strategy: str, encoder) -> list[str]:
        grid = Grid([strategy], ["30%"], [sample_case()], encoder=encoder)
        return [cut.key for cell in grid._cells for cut in cell.cuts]

    one, two = (NamedEncoder(name, topics) for name in ("one", "two"))
    assert keys("BM25()", None) == keys("BM25()", one) == keys("BM25()", two)
    found = [keys(s, e) for s in ("Fusion()", "KeepLast() >> Fusion()") for e in (None, one, two)]
    assert len({key for [key] in found}) == 6


@dataclass(frozen=True)
class Forbidden:
    """Encodes in the process that made it, and fails in any other."""

    pid: int
    name: str = "forbidden"

    def __call__(self, texts):
        if os.getpid() != self.pid:
            raise RuntimeError("loaded in a worker")
        return topics(texts)


def test_workers_get_vectors_not_the_model(tmp_path):
    """The model runs in the parent; a worker would have to load it again."""
    with Store(tmp_path / "lab.duckdb") as store:
        strategies = ["Fusion()", "SemanticDeduplicate() >> KeepLast()"]
        cases = [sample_case(), *load("agent-run")]
        grid = Grid(strategies, ["30%"], cases, encoder=Forbidden(os.getpid()))
        rows = grid.run(store).rows()
    assert {(row.failed, row.cases) for row in rows} == {(0, 2)}


def test_what_a_strategy_wrote_itself_is_encoded_where_it_runs():
    """A text that no one could know before still gets its vector."""
    encoder = Counting()
    strategy = "HeadTail() >> EmbeddingTopK()"
    grid = Grid([strategy], ["40%"], [sample_case()], encoder=encoder)
    assert not grid.run(executor=THREADS).failures()


def test_a_failing_encoder_is_a_failed_row_and_the_grid_goes_on(tmp_path):
    """Its words are in the row; it is not asked again for every strategy."""
    calls: list[int] = []

    def fails(texts):
        calls.append(len(texts))
        raise ConnectionError("no such host")

    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid(
            ["EmbeddingTopK()", "Fusion()", "BM25()"],
            ["30%", "50%"],
            [sample_case()],
            encoder=NamedEncoder("down", fails),
        )
        results = grid.run(store, executor=THREADS)
        again = grid.run(store, executor=THREADS)
    assert [row.strategy for row in results.rows() if not row.failed] == ["BM25()"] * 2
    assert {error for _, _, error in results.failures()} == {
        "EncoderError: ConnectionError: no such host"
    }
    assert len(results.failures()) == len(again.failures()) == 4
    assert len(calls) == 2


def test_without_an_encoder_the_trial_says_what_to_pass():
    """One that needs none runs on."""
    results = Grid(["Fusion()", "BM25()"], ["30%"], [sample_case()]).run(executor=THREADS)
    [(strategy, _, error)] = results.failures()
    assert strategy == "Fusion()"
    assert "--encoder" in error


def test_a_grid_wants_an_encoder_with_a_name():
    """Its trials are kept under it."""
    with pytest.raises(EncoderError, match="NamedEncoder"):
        Grid(["Fusion()"], ["30%"], [sample_case()], encoder=lambda texts: topics(texts))


def test_a_notebook_passes_an_encoder_where_it_compresses(tmp_path):
    """`compress` and `explain` take any callable, or one whose vectors are kept."""
    messages = [{"role": "user", "content": text} for text in (*(s.text for s in TALK), "fish?")]
    asked = {"budget": 24, "query": "fish", "strategy": "EmbeddingTopK()"}
    kept = ctxlab.compress(messages, **asked, encoder=topics)
    contents = [message["content"] for message in kept]
    assert contents == ["the fish stall opens", "fish fish", "fish?"]
    encoder = Counting()
    with Store(tmp_path / "lab.duckdb") as store:
        for _ in range(2):
            cached = CachedEncoder(encoder, store)
            shown = explain("Fusion()", Context(TALK.segments), "50%", query="fish", encoder=cached)
    assert encoder.texts == len(TALK) + 1
    assert any("lowest kept" in entry.reason for entry in shown.entries)
