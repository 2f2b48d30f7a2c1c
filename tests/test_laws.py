"""The laws of strategies; a new one is tested by being exported."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import settings

from ctxlab import strategies
from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Note, Segment, ToolCall
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Select, Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.errors import BudgetError, PinnedOverBudgetError
from ctxlab.strategies import (
    BM25,
    Budgeted,
    Escalate,
    HeadTail,
    KeepLast,
    Knapsack,
    MaskObservations,
    Pin,
    RandomDrop,
    Sentences,
    Tiers,
)
from ctxlab.testing import LawError, check_laws, word_tools

VARIANTS = [
    BM25(neighbours=2, smoothing=1.5),
    HeadTail(head=0.0),
    HeadTail(head=1.0, marker=""),
    MaskObservations(keep=0, batch=2),
    MaskObservations(keep=1) >> KeepLast(),
    BM25() >> HeadTail() >> KeepLast(),
    Escalate(steps=(MaskObservations(keep=1), Sentences() >> BM25(), KeepLast())),
    Budgeted(strategy=MaskObservations(keep=0), then=Knapsack(), share=0.3),
    Pin(first=1, last=1, strategy=Budgeted(strategy=Tiers())),
    Knapsack(method="exact", short_term_floor=0.4, long_term_ceiling=0.3),
]


@pytest.mark.parametrize("name", sorted(STRATEGIES.classes()))
def test_every_registered_strategy_keeps_the_laws(name):
    """Spans, verbatim text, determinism, budget, groups, pins and order, by hypothesis."""
    check_laws(STRATEGIES.classes()[name](), examples=settings().max_examples)


@pytest.mark.parametrize("strategy", VARIANTS, ids=str)
def test_other_parameters_keep_the_laws(strategy):
    """Not only defaults are lawful."""
    check_laws(strategy, examples=settings().max_examples)


def test_the_registry_is_the_export_list():
    """Whatever is exported can be named, and nothing else but pipelines can."""
    assert set(STRATEGIES.classes()) == {*strategies.__all__, "Pipeline"}
    assert set(strategies.CORE) <= set(strategies.__all__)


@pytest.mark.parametrize("cls", STRATEGIES.classes().values(), ids=lambda cls: cls.__name__)
def test_every_strategy_is_documented(cls):
    """Summary, source, example, and a description for every parameter."""
    assert "Examples" in (cls.__doc__ or "")
    if cls.__name__ != "Pipeline":
        assert cls().traits.source
        assert all(field.description for field in cls.model_fields.values())


class Greedy(Strategy):
    """Ignores the budget though it claims to honour it."""

    TRAITS = Traits(family="planted", source="planted")

    def compress(self, context, task):
        return context


class Forgetful(Strategy):
    """Drops what is pinned."""

    def compress(self, context, task):
        return context.keep(s for s in context if not s.pinned)


class Splitting(Strategy):
    """Keeps a call without its results."""

    def compress(self, context, task):
        return context.keep(s for s in context if s.role != "tool")


class Inventing(Strategy):
    """Passes off its own words as verbatim."""

    def compress(self, context, task):
        return context.keep(
            Segment("invented", s.spans, role=s.role, group=s.group) for s in context if s.text
        )


class Fickle(Strategy):
    """Gives another result each time."""

    def compress(self, context, task):
        Fickle.calls = getattr(Fickle, "calls", 0) + 1
        return context.keep(context.segments if Fickle.calls % 2 else ())


class Shuffling(Strategy):
    """Turns the order round."""

    def compress(self, context, task):
        return context.keep(reversed(context.segments))


@pytest.mark.parametrize("planted", [Greedy, Forgetful, Splitting, Inventing, Fickle, Shuffling])
def test_the_laws_catch_a_planted_defect(planted):
    """A law that cannot be broken is no law."""
    with pytest.raises(LawError):
        check_laws(planted(), examples=200)


def test_a_class_of_ones_own_works_unregistered():
    """One line tests it; it composes, prints with its module, pickles, and has a spec."""
    check_laws(OwnRanking(), examples=40)
    both = OwnRanking(weight=2.0) >> KeepLast()
    assert pickle.loads(pickle.dumps(both)) == both
    assert str(both) == f"{__name__}:OwnRanking(weight=2.0) >> KeepLast()"


class OwnRanking(Select):
    """Keeps the longest."""

    weight: float = 1.0

    def score(self, context, task):
        return [self.weight * len(segment.text) for segment in context]


def chat(*texts: str, **fields) -> Context:
    return Context.of(Message(f"m{i}", "user", text, **fields) for i, text in enumerate(texts))


def test_keep_last_stops_at_the_first_that_does_not_fit():
    """An older short message is not fetched from behind a long one."""
    context = chat("old", "a very long message indeed", "new one")
    task = Task(budget=1 + 2 + 2 + 3, tools=word_tools())
    assert [s.source for s in KeepLast().compress(context, task)] == ["message:m2"]


def test_select_skips_what_does_not_fit_and_keeps_the_order():
    """The next best is tried, and the result stands in the original order."""
    context = chat("one", "a b c d e f g h", "two words")
    task = Task(budget=1 + (2 + 1) + (2 + 2), tools=word_tools())
    kept = OwnRanking().compress(context, task)
    assert [s.source for s in kept] == ["message:m0", "message:m2"]


def test_a_budget_below_the_pins_names_both_numbers():
    """Pinned text that is too large is an error that can be acted on."""
    context = Context.of(
        [Message("m0", "system", "one two three four"), Message("m1", "user", "x")]
    )
    with pytest.raises(PinnedOverBudgetError, match=r"take 7 tokens and the budget is 5"):
        KeepLast().compress(context, Task(budget=5, tools=word_tools()))


@pytest.mark.parametrize("budget", [0, -1])
def test_a_budget_of_nothing_is_refused(budget):
    """Zero tokens are no task."""
    with pytest.raises(BudgetError, match="at least 1"):
        Task(budget=budget)


def test_a_budget_larger_than_the_conversation_keeps_everything():
    """Nothing is dropped where everything fits."""
    context = chat("one", "two")
    task = Task(budget=10_000)
    for name in strategies.CORE:
        assert STRATEGIES.classes()[name]().compress(context, task) == context


def test_a_call_and_its_results_stay_together():
    """The result of a call never stands without the call."""
    call = ToolCall("c1", "clock", "{}")
    context = Context.of(
        [
            Message("m0", "assistant", "let me look", tool_calls=(call,)),
            Message("m1", "tool", "12:00", tool_call_id="c1"),
            Message("m2", "user", "thanks a lot for that"),
        ]
    )
    task = Task(budget=1 + 2 + 5 + 2 + 1, tools=word_tools())
    assert [m["role"] for m in KeepLast().compress(context, task).messages()] == ["user"]


def test_random_drop_depends_on_its_seed_alone():
    """The same seed gives the same draw, another seed another."""
    context = chat(*(f"message {i}" for i in range(40)))
    draws = {
        RandomDrop().compress(context, Task(budget=60, tools=word_tools(), seed=seed)).text
        for seed in (1, 1, 2, 3)
    }
    assert len(draws) == 3


def test_a_select_says_why_with_score_rank_and_cutoff():
    """What a ranking left out knows its place."""
    context = chat("fish stall", "bread", "fish fish fish")
    task = Task(budget=1 + 2 + 3, tools=word_tools(), query="fish")
    result = BM25().compress(context, task)
    note = result.why(context[1])
    assert isinstance(note, Note)
    assert note.rank == 3
    assert note.score == 0
    assert "lowest kept" in note.reason
