"""Composition: knapsacks, escalation, pins, hard limits, dependency maps."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ctxlab.errors import BudgetError, PinnedOverBudgetError
from ctxlab.explanation import explain
from ctxlab.model import Context, ContextTier, Message, Segment
from ctxlab.recipes import from_spec, parse
from ctxlab.strategies import (
    BM25,
    Budgeted,
    DependencyMap,
    Escalate,
    Identity,
    KeepLast,
    Knapsack,
    MaskObservations,
    Pin,
    RandomDrop,
    Salience,
    Tiers,
)
from ctxlab.strategies import knapsack as knapsack_module
from ctxlab.strategy import Select, Traits
from ctxlab.task import Task, Tools
from ctxlab.testing import check_laws, word_tools
from ctxlab.workshop import DESIGN_THINKING

CHARACTERS = Tools(count=len)
TIERS = list(ContextTier)


class Worth(Select):
    """Reads a segment's value from its name."""

    TRAITS = Traits(family="planted", source="planted")

    def score(self, context, task):
        """Return what the names say."""
        return [float(segment.name) for segment in context]


def items(pairs: list[tuple[float, int, int]]) -> Context:
    """Return a context of segments with a value, a cost in characters and a tier each."""
    return Context(
        tuple(
            Segment(chr(97 + i % 26) * cost, (span(i, cost),), tier=TIERS[tier], name=str(value))
            for i, (value, cost, tier) in enumerate(pairs)
        )
    )


def span(i: int, length: int):
    """Return the span of a whole source."""
    return Segment.of(f"s{i}", "x" * length).spans[0]


def worth(context: Context) -> float:
    """Return the total value."""
    return sum(float(segment.name) for segment in context)


ITEMS = st.lists(
    st.tuples(st.integers(0, 9).map(float), st.integers(1, 9), st.integers(0, 2)),
    min_size=1,
    max_size=8,
)


@given(ITEMS, st.integers(1, 30))
def test_exact_is_the_best_of_all_sets_and_greedy_at_least_half(pairs, budget):
    """Brute force over every subset finds nothing better."""
    context = items(pairs)
    task = Task(budget=budget, tools=CHARACTERS)
    best = max(
        sum(pairs[i][0] for i in chosen)
        for size in range(len(pairs) + 1)
        for chosen in combinations(range(len(pairs)), size)
        if sum(pairs[i][1] for i in chosen) <= budget
    )
    exact = Knapsack(value=Worth(), method="exact").compress(context, task)
    greedy = Knapsack(value=Worth()).compress(context, task)
    assert worth(exact) == pytest.approx(best)
    assert best / 2 <= worth(greedy) <= best + 1e-9


@given(
    ITEMS,
    st.integers(5, 30),
    st.tuples(*[st.sampled_from([0.0, 0.2, 0.3])] * 3),
    st.tuples(*[st.sampled_from([0.3, 0.5, 1.0])] * 3),
)
def test_exact_within_floors_and_ceilings(pairs, budget, floors, ceilings):
    """With limits by tier too, brute force finds nothing better, and no limit is broken."""
    context = items(pairs)
    task = Task(budget=budget, tools=CHARACTERS)
    if task.fits(context):
        return
    wanted = [sum(c for _, c, t in pairs if t == tier) for tier in range(3)]
    reserved = [min(int(f * budget), w) for f, w in zip(floors, wanted, strict=True)]

    def lawful(chosen) -> bool:
        spent = [sum(pairs[i][1] for i in chosen if pairs[i][2] == tier) for tier in range(3)]
        return (
            sum(spent) <= budget
            and all(s <= int(c * budget) for s, c in zip(spent, ceilings, strict=True))
            and all(sum(spent) - s <= budget - r for s, r in zip(spent, reserved, strict=True))
        )

    subsets = (
        chosen for size in range(len(pairs) + 1) for chosen in combinations(range(len(pairs)), size)
    )
    best = max(sum(pairs[i][0] for i in chosen) for chosen in subsets if lawful(chosen))
    names = [f"{tier}_{what}" for tier in ("short_term", "long_term", "persistent")
             for what in ("floor", "ceiling")]  # fmt: skip
    limits = dict(zip(names, np.ravel(list(zip(floors, ceilings, strict=True))), strict=True))
    for method in ("exact", "greedy"):
        strategy = Knapsack(value=Worth(), method=method, **limits)
        kept = strategy.compress(context, task)
        chosen = [i for i, s in enumerate(context) if s in kept.segments]
        assert lawful(chosen)
        assert worth(kept) <= best + 1e-9
        if method == "exact":
            assert worth(kept) == pytest.approx(best)


def test_a_floor_keeps_room_for_the_poor_tier():
    """Without the floor, the dearer tier takes all; with it, the other gets its part."""
    context = items([(9.0, 10, 0), (9.0, 10, 0), (1.0, 10, 2)])
    task = Task(budget=20, tools=CHARACTERS)
    without = Knapsack(value=Worth(), method="exact").compress(context, task)
    within = Knapsack(value=Worth(), method="exact", persistent_floor=0.5).compress(context, task)
    assert {s.tier for s in without} == {ContextTier.SHORT_TERM}
    assert {s.tier for s in within} == {ContextTier.SHORT_TERM, ContextTier.PERSISTENT}


def test_a_knapsack_that_cannot_be_tabulated_says_so(monkeypatch):
    """The error names the size, the limit and the way out."""
    monkeypatch.setattr(knapsack_module, "MAX_CELLS", 10)
    context = items([(1.0, 5, 0), (1.0, 5, 0), (1.0, 5, 0)])
    with pytest.raises(BudgetError, match=r"10 cells.*method='greedy'"):
        Knapsack(value=Worth(), method="exact").compress(context, Task(budget=9, tools=CHARACTERS))


def test_floors_above_the_whole_are_refused():
    """What cannot be reserved is an error, not a silent half."""
    strategy = Knapsack(short_term_floor=0.8, long_term_floor=0.8)
    with pytest.raises(BudgetError, match=r"add up to 1\.6"):
        strategy.compress(items([(1.0, 9, 0)]), Task(budget=3, tools=CHARACTERS))


def test_the_knapsack_tells_worth_and_price():
    """The reason names value, tokens, density and the lowest that was kept."""
    context = items([(8.0, 4, 0), (1.0, 8, 0)])
    told = explain(Knapsack(value=Worth()), context, 4, tools=CHARACTERS)
    assert told.entries[1].reason == "value 1 for 8 tokens, 0.125 a token; the lowest kept has 2"


LONG = "a long log of no great interest " * 9
CHAT = [
    Message("m1", "user", "Fix the billing job, please."),
    Message("t1", "tool", LONG),
    Message("t2", "tool", LONG),
    Message("m2", "user", "Thanks."),
]


def test_escalate_stops_as_soon_as_it_fits():
    """Nothing, the cheap step, or the dear one: as little as suffices."""
    context = Context.of(CHAT)
    strategy = Escalate(steps=(MaskObservations(keep=0), KeepLast()))
    full = Task(budget=1).size(context)
    assert strategy.compress(context, Task(budget=full)) is context
    masked = strategy.compress(context, Task(budget=60))
    assert masked.text.count("omitted") == 2
    assert len(masked) == 4
    last = strategy.compress(context, Task(budget=10))
    assert last.text == "Thanks."


def test_escalate_on_the_whole_or_on_what_is_left():
    """Cumulative steps see what the one before left; others see everything."""
    context = Context.of(CHAT)
    steps = (MaskObservations(keep=0), KeepLast())
    task = Task(budget=36)
    assert "omitted" in Escalate(steps=steps).compress(context, task).text
    alone = Escalate(steps=steps, cumulative=False).compress(context, task)
    assert alone == KeepLast().compress(context, task)


def test_escalate_tells_which_step_dropped_what():
    """The ledger's reason names the step within."""
    told = explain(Escalate(steps=(MaskObservations(keep=0), KeepLast())), Context.of(CHAT), 10)
    reasons = {entry.source: entry.reason for entry in told.entries}
    assert reasons["message:m1"] == "KeepLast(): older than the newest messages that fit"


def test_budgeted_holds_what_does_not():
    """A strategy without a promise gets one; where it fits already, nothing is added."""
    context = Context.of(CHAT)
    for budget in (8, 30, 60, 500):
        task = Task(budget=budget)
        result = Budgeted(strategy=MaskObservations(keep=0)).compress(context, task)
        assert task.fits(result)
    assert Budgeted(strategy=Identity()).traits.honours_budget


def test_budgeted_gives_the_first_its_share():
    """With a share, the strategy within aims elsewhere than at the whole budget."""
    context = Context.of(CHAT)
    task = Task(budget=40)
    half = Budgeted(strategy=KeepLast(), share=0.5).compress(context, task)
    assert half == KeepLast().compress(context, task.within(20))
    double = Budgeted(strategy=KeepLast(), then=RandomDrop(), share=50).compress(context, task)
    assert task.fits(double)


def test_pin_keeps_the_first_the_last_the_matching_and_the_named():
    """Each way to pin keeps what it names, and the segments come back as they were."""
    messages = [Message(f"m{i}", "user", f"message {i} of ten") for i in range(10)]
    context = Context.of(messages)
    task = Task(budget=30)
    for pin, expected in [
        (Pin(first=1), "m0"),
        (Pin(matching="message 4"), "m4"),
        (Pin(sources=("message:m5",)), "m5"),
        (Pin(last=2, strategy=RandomDrop()), "m8"),
    ]:
        result = pin.compress(context, task)
        assert f"message:{expected}" in [s.source for s in result]
        assert all(segment in context.segments for segment in result)
        assert task.fits(result)


def test_pins_that_do_not_fit_are_an_error():
    """A pin is a promise: too small a budget is said, not silently broken."""
    with pytest.raises(PinnedOverBudgetError):
        Pin(matching="log").compress(Context.of(CHAT), Task(budget=20))


def test_pin_refuses_a_broken_expression():
    """What is no regular expression is refused when it is written."""
    with pytest.raises(ValidationError, match="no regular expression"):
        Pin(matching="(")


def test_a_dependency_map_loads_only_what_the_step_needs():
    """Steps that the current one does not depend on go, with the reason; the rest stays."""
    steps = [step.id for step in DESIGN_THINKING.steps]
    context = Context(
        (Segment.of("x", "no step"), *(Segment.of(step, step, step=step) for step in steps))
    )
    strategy = DependencyMap.of(DESIGN_THINKING, "persona")
    kept = [s.step for s in strategy.compress(context, Task(budget=1))]
    needed = DESIGN_THINKING.dependencies("persona")
    assert kept == [None, *(s for s in steps if s in {*needed, "persona"})]
    told = explain(strategy, context, 999)
    lost = next(entry for entry in told.entries if entry.fate.value == "dropped")
    assert lost.reason == f"step persona does not need {lost.source}"


def test_a_dependency_map_takes_the_newest_step_for_the_current():
    """Without a name, the newest segment's step is the current one; pins stay anyway."""
    needs = {"a": (), "b": (), "c": ("a",)}
    segments = [Segment.of(step, step, step=step) for step in "abc"]
    segments[1] = replace(segments[1], pinned=True)
    context = Context(tuple(segments))
    assert DependencyMap(needs=needs).compress(context, Task(budget=9)).text == "abc"
    assert DependencyMap(needs=needs, current="b").compress(context, Task(budget=9)).text == "b"


NESTED = [
    Escalate(steps=(MaskObservations(keep=1), BM25(neighbours=1) >> KeepLast())),
    Escalate(steps=(Salience(), KeepLast()), cumulative=False),
    Budgeted(strategy=MaskObservations(keep=0), then=BM25(), share=1.5),
    Pin(first=1, strategy=Tiers()),
    Pin(last=1, matching="fish|stall", strategy=Budgeted(strategy=Identity())),
    Knapsack(value=BM25(smoothing=1.0), persistent_floor=0.2),
    Knapsack(method="exact"),
    DependencyMap(needs={"a": ("b",)}) >> KeepLast(),
    DependencyMap.of(DESIGN_THINKING, "concept"),
]


@pytest.mark.parametrize("strategy", NESTED, ids=str)
def test_nested_strategies_are_values_and_lawful(strategy):
    """They hash, pickle, and come back from spec and text; the laws hold."""
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    assert parse(str(strategy)) == strategy
    assert from_spec(strategy.spec()) == strategy
    assert hash(strategy) == hash(from_spec(strategy.spec()))
    check_laws(strategy, examples=60)


def test_a_strategy_of_ones_own_works_as_a_part():
    """Registered or not: the composite rebuilds it by module and name."""
    strategy = Budgeted(strategy=Worth() >> KeepLast())
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    context = items([(2.0, 5, 0), (1.0, 5, 0)])
    assert strategy.compress(context, Task(budget=5, tools=CHARACTERS)).text == "aaaaa"


def test_traits_come_from_the_parts():
    """Query awareness, needs and promises are those of what is inside."""
    assert Knapsack().traits.query_aware
    assert not Knapsack(value=Salience()).traits.query_aware
    assert Escalate(steps=(BM25(), KeepLast())).traits.query_aware
    assert Escalate().traits.honours_budget
    assert not Pin(strategy=MaskObservations()).traits.honours_budget
    assert Pin(strategy=RandomDrop()).traits.seeded


def test_words_as_tokens():
    """Any counter will do, with overhead a message too."""
    context = Context.of(CHAT)
    task = Task(budget=12, tools=word_tools(), query="billing job")
    for method in ("greedy", "exact"):
        kept = Knapsack(method=method).compress(context, task)
        assert task.fits(kept)
        assert "billing" in kept.text
