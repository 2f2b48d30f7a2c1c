"""Pruning below the message, with plain functions for models."""

from __future__ import annotations

import pytest

from ctxlab.bench.explaining import explain
from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Segment, ToolCall
from ctxlab.core.task import Task
from ctxlab.core.tools import TokenScore, Tools
from ctxlab.errors import MissingExtraError, MissingToolError
from ctxlab.models.language_models import chunked, tiled
from ctxlab.strategies import LLMLingua2, LongLLMLingua, SelectiveContext
from ctxlab.strategies.units import TokenScores, phrases, words
from ctxlab.testing import check_laws, sample_case


def by_word(value):
    """Return a model that gives every word a value, by its text and the prefix."""

    def model(text: str, prefix: str = "") -> list[TokenScore]:
        return [TokenScore(a, b, float(value(text[a:b].strip(), prefix))) for a, b in words(text)]

    return model


def tools(value) -> Tools:
    """Return tools that count words, with a model for both uses."""
    model = by_word(value)
    return Tools(count=lambda text: len(text.split()), surprisal=model, classify=model)


def context_of(*texts: str) -> Context:
    """Return a context with a message a text."""
    return Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))


LENGTHS = tools(lambda word, _: len(word) / 20)


@pytest.mark.parametrize("unit", ["sentence", "phrase", "token"])
def test_selective_context_keeps_what_is_least_expected(unit):
    """By sentence, by phrase and by word, the units with the highest mean stay."""
    context = context_of("It is as it is, you know. \nStrawberries everywhere!\n No.")
    task = Task(budget=2, tools=LENGTHS)
    kept = SelectiveContext(unit=unit).compress(context, task)
    assert kept.text.strip() == "Strawberries everywhere!"
    assert task.fits(kept)
    assert all(segment.verbatim for segment in kept)


def test_the_percentile_drops_more_than_the_budget_asks():
    """What lies below it goes even where there is room."""
    context = context_of("a bb ccc dddd eeeee ffffff")
    task = Task(budget=5, tools=LENGTHS)
    assert len(SelectiveContext(unit="token").compress(context, task).text.split()) == 5
    strict = SelectiveContext(unit="token", percentile=70)
    assert strict.compress(context, task).text == "eeeee ffffff"


def test_surprisal_is_read_after_all_messages_before():
    """The model sees the conversation as one text, in order."""
    seen = []

    def model(text: str, prefix: str = "") -> list[TokenScore]:
        seen.append(text)
        return by_word(lambda word, _: len(word))(text)

    told = Tools(count=lambda text: len(text.split()), surprisal=model)
    SelectiveContext().compress(context_of("one two", "three four"), Task(budget=2, tools=told))
    assert seen == ["one two\nthree four"]


def test_lingua_forces_digits_and_named_words():
    """Forced words come before what the classifier likes better."""
    context = context_of("magnificent 17 gate wonderful")
    task = Task(budget=2, tools=LENGTHS)
    assert LLMLingua2().compress(context, task).text == "magnificent 17 "
    forced = LLMLingua2(force_tokens=("gate",))
    assert forced.compress(context, task).text == "17 gate "
    free = LLMLingua2(force_digits=False)
    assert free.compress(context, task).text == "magnificent wonderful"


def test_a_words_probability_is_the_mean_of_its_tokens():
    """Two tokens of one word are averaged, not the first or the best taken."""
    scores = TokenScores([TokenScore(0, 2, 0.2), TokenScore(2, 4, 0.8), TokenScore(4, 9, 0.6)])
    whole = Segment.of("m", "abcdefghi")
    assert scores.mean(whole.cut(0, 4)) == pytest.approx(0.5)
    assert scores.mean(whole.cut(6, 9)) == pytest.approx(0.6)


def test_long_lingua_follows_the_question():
    """Messages that make the question likely stay, and in them the words that it explains."""
    echo = tools(lambda word, prefix: 0.1 if word.strip("?.") in prefix else 3.0)
    context = context_of("coffee first", "stall seventeen sells fish", "rain again today")
    for query, expected in [("who sells fish?", "sells fish"), ("rain today?", "rain")]:
        task = Task(budget=2, tools=echo, query=query)
        kept = LongLLMLingua(bind="").compress(context, task)
        assert expected in kept.text
        assert "coffee" not in kept.text


@pytest.mark.parametrize(
    "strategy",
    [
        SelectiveContext(unit="token", percentile=30),
        SelectiveContext(unit="phrase"),
        LLMLingua2(force_tokens=("fish",), force_digits=False),
        LongLLMLingua(coarse=1, slope=1),
    ],
    ids=str,
)
def test_variants_keep_the_laws(strategy):
    """Cuts are traced to their characters, whatever the parameters."""
    check_laws(strategy, examples=60)


def test_tool_traffic_and_pins_are_never_cut():
    """What a program parses stays or goes whole."""
    call = ToolCall("c", "look", "{}")
    messages = [
        Message("s", "system", "Be brief and kind."),
        Message("a", "assistant", "Let me look that up.", tool_calls=(call,)),
        Message("t", "tool", '{"magnificent": "strawberries"}', tool_call_id="c"),
        Message("u", "user", "and then some more of it " * 5),
    ]
    context = Context.of(messages)
    for strategy in (SelectiveContext(unit="token"), LLMLingua2(), LongLLMLingua()):
        kept = strategy.compress(context, Task(budget=16, tools=LENGTHS, query="it"))
        for segment in kept:
            if segment.pinned or segment.group:
                assert segment in context.segments


def test_the_reason_tells_how_the_best_lost_part_stood():
    """The ledger names rank, score and cut-off of what went."""
    told = explain(SelectiveContext(unit="token"), context_of("a bb ccc dddd"), 2, tools=LENGTHS)
    assert told.entries[0].reason == (
        "the best part that went: rank 3 of 4 with score 0.1; the lowest kept has 0.15"
    )


@pytest.mark.parametrize("strategy", [SelectiveContext(), LLMLingua2(), LongLLMLingua()])
def test_without_a_model_the_error_says_what_to_pass(strategy):
    """Nothing is guessed: the error names the parameter and the argument."""
    with pytest.raises(MissingToolError, match=r"parameter model, or pass Tools"):
        strategy.compress(sample_case().context(), Task(budget=20, query="key"))


def test_without_the_packages_the_error_prints_the_install_line(monkeypatch):
    """A named model needs torch and transformers, which the error tells to install."""
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ctxlab\[models\]"'):
        SelectiveContext(model="gpt2").compress(sample_case().context(), Task(budget=20))


def test_tokens_with_gaps_and_shared_characters_tile():
    """Blanks go to the next token, bytes of one character become one piece."""
    found = tiled("é x", [(0, 1), (0, 1), (2, 3)], [1.0, 2.0, 4.0], sum)
    assert [(p.start, p.end, p.value) for p in found] == [(0, 1, 3.0), (1, 3, 4.0)]
    assert tiled("\u200b", [(0, 0)], [1.0], sum) == [TokenScore(0, 1, 1.0)]


def test_chunks_end_with_sentences_and_never_exceed_the_size():
    """Where no sentence ends within the size, a chunk ends where it must."""
    tokens = [(i, i + 1) for i in range(20)]
    assert list(chunked(tokens, [3, 9, 20], 8)) == [(0, 3), (3, 9), (9, 17), (17, 20)]


def test_words_and_phrases_tile():
    """Whatever the text, ranges cover it once."""
    for text in ("", " ", "  a, b (c)\n\nd — e;", ",,,", "a"):
        for ranges in (words(text), phrases(text)):
            assert "".join(text[a:b] for a, b in ranges) == text
