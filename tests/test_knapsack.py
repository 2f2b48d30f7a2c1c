"""The knapsack: the best sum of values within the budget, and within limits by tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from time import perf_counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ctxlab.bench.explaining import explain
from ctxlab.core.context import Context
from ctxlab.core.segments import ContextTier, Message, Segment
from ctxlab.core.specs import STRATEGIES, from_spec, parse
from ctxlab.core.strategy import Select, Traits
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.errors import BudgetError, PinnedOverBudgetError, SpecError
from ctxlab.strategies import BM25, KeepLast, Knapsack, Oracle, RandomDrop, Salience, ShortestFirst
from ctxlab.strategies import knapsack as module
from ctxlab.testing import check_laws, word_tools

CHARACTERS = Tools(count=len)
TIERS = list(ContextTier)
SIDES = [f"{tier}_{{}}" for tier in ("short_term", "long_term", "persistent")]


class Worth(Select):
    """Reads a segment's value from its name."""

    TRAITS = Traits(family="planted", source="planted")

    def score(self, context, task):
        """Return what the names say."""
        return [float(segment.name) for segment in context]


def items(*triples: tuple[float, int, int], pinned: Sequence[int] = ()) -> Context:
    """Return a context of segments with a value, a cost in characters and a tier each."""
    return Context(
        tuple(
            Segment.of(f"s{i}", "x" * cost, tier=TIERS[tier], name=str(value), pinned=i in pinned)
            for i, (value, cost, tier) in enumerate(triples)
        )
    )


def worth(context: Context) -> float:
    """Return the total value."""
    return sum(float(segment.name) for segment in context)


def taken(context: Context, kept: Context) -> set[int]:
    """Return the positions of what was kept."""
    present = {segment.source for segment in kept}
    return {i for i, segment in enumerate(context) if segment.source in present}


def subsets(n: int) -> Iterator[tuple[int, ...]]:
    """Yield every set of positions below n."""
    for size in range(n + 1):
        yield from combinations(range(n), size)


def spent(context: Context, chosen: Sequence[int] | set[int]) -> list[int]:
    """Return the characters of the chosen in each tier."""
    return [sum(len(context[i].text) for i in chosen if context[i].tier == t) for t in TIERS]


TRIPLES = st.lists(
    st.tuples(st.integers(-2, 9).map(float), st.integers(1, 9), st.integers(0, 2)),
    min_size=1,
    max_size=8,
)
FLOORS = st.tuples(*[st.sampled_from([0.0, 0.1, 0.3])] * 3)
CEILINGS = st.tuples(*[st.sampled_from([0.3, 0.5, 1.0])] * 3)
PINS = st.sets(st.integers(0, 7), max_size=2)


@given(TRIPLES, PINS, st.integers(1, 40))
def test_exact_is_the_best_of_all_sets_and_greedy_at_least_half(triples, pins, budget):
    """Brute force over every subset with the pins finds nothing better."""
    context = items(*triples, pinned=sorted(pins))
    pins = {i for i in pins if i < len(triples)}
    assume(sum(triples[i][1] for i in pins) <= budget)
    task = Task(budget=budget, tools=CHARACTERS)

    def gain(chosen) -> float:
        return sum(max(0.0, triples[i][0]) for i in set(chosen) - pins)

    best = max(
        gain(chosen)
        for chosen in subsets(len(triples))
        if sum(triples[i][1] for i in {*chosen, *pins}) <= budget
    )
    exact = taken(context, Knapsack(value=Worth(), method="exact").compress(context, task))
    greedy = taken(context, Knapsack(value=Worth()).compress(context, task))
    assert gain(exact) == pytest.approx(best)
    assert best / 2 <= gain(greedy) <= best + 1e-9
    assert pins <= exact & greedy


@given(TRIPLES, st.integers(5, 40), FLOORS, CEILINGS)
def test_exact_within_floors_and_ceilings(triples, budget, floors, ceilings):
    """No ceiling is passed, and no set that leaves every floor its room is worth more."""
    context = items(*triples)
    task = Task(budget=budget, tools=CHARACTERS)
    assume(not task.fits(context))
    whole = spent(context, range(len(triples)))
    reserved = [min(int(f * budget), w) for f, w in zip(floors, whole, strict=True)]

    def below(chosen) -> bool:
        limits = zip(spent(context, chosen), ceilings, strict=True)
        return all(used <= int(ceiling * budget) for used, ceiling in limits)

    def lawful(chosen) -> bool:
        return below(chosen) and sum(map(max, spent(context, chosen), reserved)) <= budget

    def gain(chosen) -> float:
        return sum(max(0.0, triples[i][0]) for i in chosen)

    best = max(gain(chosen) for chosen in subsets(len(triples)) if lawful(chosen))
    limits = dict(zip([side.format("floor") for side in SIDES], floors, strict=True))
    limits |= zip([side.format("ceiling") for side in SIDES], ceilings, strict=True)
    for method in ("exact", "greedy"):
        strategy = Knapsack(value=Worth(), method=method, **limits)
        chosen = taken(context, strategy.compress(context, task))
        used = spent(context, chosen)
        assert below(chosen)
        assert sum(used) <= budget
        if method == "exact":
            assert gain(chosen) >= best - 1e-9
        if not lawful(chosen):
            # Others have a part of a floor: no group that it had room for was left out.
            for tier, (had, kept) in enumerate(zip(used, reserved, strict=True)):
                left = [c for i, (_, c, t) in enumerate(triples) if t == tier and i not in chosen]
                assert all(had + cost > kept for cost in left)


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_a_floor_keeps_room_for_the_poor_tier(method):
    """Without the floor, the dearer tier takes all; with it, the other gets its part."""
    context = items((9.0, 10, 0), (9.0, 10, 0), (1.0, 10, 2))
    task = Task(budget=20, tools=CHARACTERS)
    without = Knapsack(value=Worth(), method=method).compress(context, task)
    within = Knapsack(value=Worth(), method=method, persistent_floor=0.5).compress(context, task)
    assert taken(context, without) == {0, 1}
    assert taken(context, within) == {0, 2}


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_two_floors_hold_together(method):
    """What a third tier takes may not come from both floors at once."""
    context = items((9.0, 15, 0), (1.0, 5, 1), (1.0, 5, 2))
    strategy = Knapsack(value=Worth(), method=method, long_term_floor=0.25, persistent_floor=0.25)
    assert taken(context, strategy.compress(context, Task(budget=20, tools=CHARACTERS))) == {1, 2}


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_a_floor_that_cannot_be_used_goes_to_the_others(method):
    """One artifact that is too large does not leave half of the budget empty."""
    context = items(*[(9.0, 5, 0)] * 4, (1.0, 30, 2))
    strategy = Knapsack(value=Worth(), method=method, persistent_floor=0.5)
    task = Task(budget=20, tools=CHARACTERS)
    assert taken(context, strategy.compress(context, task)) == {0, 1, 2, 3}


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_a_floor_fills_with_what_is_worth_nothing(method):
    """A floor is spent in its tier as far as that has anything, valuable or not."""
    context = items((9.0, 10, 0), (9.0, 10, 0), (0.0, 10, 2))
    strategy = Knapsack(value=Worth(), method=method, persistent_floor=0.5)
    assert taken(context, strategy.compress(context, Task(budget=20, tools=CHARACTERS))) == {0, 2}


@pytest.mark.parametrize("method", ["greedy", "exact"])
def test_floors_shrink_where_pins_leave_too_little(method):
    """Pins of one tier may take what floors of another would reserve; the rest is still used."""
    context = items((1.0, 60, 0), (5.0, 10, 0), (5.0, 10, 2), (5.0, 60, 2), pinned=[0])
    strategy = Knapsack(value=Worth(), method=method, persistent_floor=0.5)
    kept = strategy.compress(context, Task(budget=100, tools=CHARACTERS))
    assert taken(context, kept) == {0, 1, 2}


def test_pins_count_towards_their_tiers_limits():
    """A ceiling holds with the pins of its tier in it, and a floor that they fill is filled."""
    context = items((1.0, 10, 0), (5.0, 10, 0), (4.0, 10, 2), (3.0, 10, 2), pinned=[0])
    task = Task(budget=30, tools=CHARACTERS)
    capped = Knapsack(value=Worth(), short_term_ceiling=0.4).compress(context, task)
    filled = Knapsack(value=Worth(), short_term_floor=0.3).compress(context, task)
    assert taken(context, capped) == {0, 2, 3}
    assert taken(context, filled) == {0, 1, 2}


def test_a_valuable_pin_does_not_hide_the_best_single_group():
    """Greedy stays above half of what the unpinned groups can be worth."""
    context = items((99.0, 1, 0), (2.0, 1, 0), (10.0, 10, 0), pinned=[0])
    kept = Knapsack(value=Worth()).compress(context, Task(budget=11, tools=CHARACTERS))
    assert taken(context, kept) == {0, 2}


def test_the_best_single_group_is_one_that_its_ceiling_allows():
    """A group above its tier's ceiling does not stand in for the best that may be taken."""
    context = items((50.0, 18, 2), (2.0, 1, 0), (10.0, 10, 0))
    strategy = Knapsack(value=Worth(), persistent_ceiling=0.5)
    kept = strategy.compress(context, Task(budget=20, tools=CHARACTERS))
    assert taken(context, kept) == {1, 2}
    tight = strategy.compress(context, Task(budget=10, tools=CHARACTERS))
    assert taken(context, tight) == {2}


CUT = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
)


@given(CUT, st.integers(1, 25))
def test_messages_that_are_cut_share_their_overhead(messages, budget):
    """Pieces of one message pay its overhead once; exact is never worth less than greedy."""
    segments = []
    for number, pieces in enumerate(messages):
        whole = Segment.of(f"m{number}", "".join("w " * words for _, words in pieces))
        at = 0
        for value, words in pieces:
            segments.append(replace(whole.cut(at, at + 2 * words), name=str(value)))
            at += 2 * words
    context, task = Context(tuple(segments)), Task(budget=budget, tools=word_tools())
    exact = Knapsack(value=Worth(), method="exact").compress(context, task)
    greedy = Knapsack(value=Worth()).compress(context, task)
    assert task.fits(exact)
    assert task.fits(greedy)
    assert worth(exact) >= worth(greedy)


@pytest.mark.parametrize("method", ["greedy", "exact"])
@pytest.mark.parametrize("value", [ShortestFirst(), RandomDrop(), BM25()], ids=str)
def test_scores_without_worth_still_fill_the_budget(method, value):
    """Negative scores and zeros are no reason to leave the budget unused, or to fail."""
    context = items(*[(1.0, 10, tier) for tier in (0, 1, 2, 0)])
    kept = Knapsack(value=value, method=method).compress(context, Task(budget=25, tools=CHARACTERS))
    assert len(kept) == 2


def test_a_group_is_one_item():
    """A call and its results go in together, at the value of the best of them, or not at all."""
    texts = [("c", 6, "1", "g"), ("r", 6, "8", "g"), ("u", 6, "5", None), ("v", 6, "5", None)]
    context = Context(
        tuple(Segment.of(n, n * cost, name=value, group=g) for n, cost, value, g in texts)
    )
    task = Task(budget=12, tools=CHARACTERS)
    for method in ("greedy", "exact"):
        assert Knapsack(value=Worth(), method=method).compress(context, task).text == "uuuuuuvvvvvv"


@pytest.mark.parametrize("method", ["greedy", "exact"])
@pytest.mark.parametrize("budget", [1, 2, 3, 7, 8])
def test_a_budget_below_the_price_of_a_chat_keeps_nothing(method, budget):
    """The tokens that prime a reply may exceed the budget: that is no crash."""
    context = Context.of([Message("m1", "user", "hello there, you"), Message("m2", "user", "x")])
    task = Task(budget=budget)
    kept = Knapsack(method=method, short_term_floor=0.5).compress(context, task)
    assert task.fits(kept)


def test_pins_above_the_budget_are_an_error():
    """As everywhere, both numbers are named."""
    context = items((1.0, 9, 0), (1.0, 9, 0), pinned=[0])
    with pytest.raises(PinnedOverBudgetError, match="take 9 tokens and the budget is 5"):
        Knapsack(value=Worth()).compress(context, Task(budget=5, tools=CHARACTERS))


def test_a_table_that_is_too_large_says_so(monkeypatch):
    """The error names the size, the limit and the way out."""
    monkeypatch.setattr(module, "MAX_CELLS", 10)
    context = items((1.0, 5, 0), (1.0, 5, 0), (1.0, 5, 0))
    with pytest.raises(BudgetError, match=r"3 groups at 9 tokens.*10 cells.*method='greedy'"):
        Knapsack(value=Worth(), method="exact").compress(context, Task(budget=9, tools=CHARACTERS))


def test_too_many_ways_to_part_the_budget_say_so(monkeypatch):
    """Limits in every tier multiply the work: beyond the limit there is an error, no long wait."""
    monkeypatch.setattr(module, "MAX_SPLITS", 3)
    context = items(*[(1.0, 5, tier) for tier in (0, 1, 2, 0, 1, 2)])
    limits = {side.format("floor"): 0.1 for side in SIDES}
    task = Task(budget=20, tools=CHARACTERS)
    with pytest.raises(BudgetError, match=r"ways to part.*more than 3.*method='greedy'"):
        Knapsack(value=Worth(), method="exact", **limits).compress(context, task)


def test_exact_is_quick_where_few_groups_meet_a_large_budget():
    """Only sums that can be reached are parted between tiers, not every number of tokens."""
    context = items(*[(i % 7 + 1.0, 9_000 + i, i % 3) for i in range(30)])
    limits = {side.format("floor"): 0.1 for side in SIDES}
    task = Task(budget=150_000, tools=CHARACTERS)
    task.size(context)
    start = perf_counter()
    kept = Knapsack(value=Worth(), method="exact", **limits).compress(context, task)
    assert perf_counter() - start < 10
    assert task.fits(kept)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"short_term_floor": 0.8, "long_term_floor": 0.8}, r"add up to 1\.6"),
        ({"long_term_floor": 0.5, "long_term_ceiling": 0.4}, r"long-term floor 0\.5 .*0\.4"),
    ],
)
def test_impossible_limits_are_refused_when_they_are_written(limits, words):
    """What cannot be reserved is an error at once, not when a context turns out too large."""
    with pytest.raises(SpecError, match=words):
        Knapsack(**limits)
    with pytest.raises(SpecError, match=words):
        from_spec({"Knapsack": limits})


def test_floors_that_are_the_whole_in_decimals_are_allowed():
    """Thirds and tenths that add up to 1.0000000000000002 are no more than the whole."""
    assert 0.33 + 0.56 + 0.11 > 1
    Knapsack(short_term_floor=0.33, long_term_floor=0.56, persistent_floor=0.11)


def test_what_is_left_out_knows_worth_and_price():
    """The reason names value, tokens, density and the lowest that was kept."""
    context = items((8.0, 4, 0), (1.0, 8, 0))
    told = explain(Knapsack(value=Worth()), context, 4, tools=CHARACTERS)
    assert told.entries[1].reason == "value 1 for 8 tokens, 0.125 a token; the lowest kept has 2"
    assert told.entries[1].score == 1.0


def test_what_a_ceiling_left_out_says_so():
    """A group worth more a token than others were is not left out without a reason."""
    context = items((1.0, 10, 0), (9.0, 10, 2), (8.0, 10, 2))
    strategy = Knapsack(value=Worth(), persistent_ceiling=0.5)
    result = strategy.compress(context, Task(budget=20, tools=CHARACTERS))
    reason = result.why(context[2]).reason
    assert reason.endswith("the lowest kept has 0.1; the persistent ceiling is reached")


def test_where_nothing_fits_the_reason_says_so():
    """Without anything kept there is no lowest."""
    context = items((1.0, 9, 0))
    result = Knapsack(value=Worth()).compress(context, Task(budget=5, tools=CHARACTERS))
    assert result.why(context[0]).reason.endswith("nothing fits")


def test_words_as_tokens():
    """Any counter will do, with overhead a message too."""
    lines = ["Fix the billing job, please.", "a long log of no interest " * 9, "Thanks."]
    context = Context.of(Message(f"m{i}", "user", line) for i, line in enumerate(lines))
    task = Task(budget=12, tools=word_tools(), query="billing job")
    for method in ("greedy", "exact"):
        kept = Knapsack(method=method).compress(context, task)
        assert task.fits(kept)
        assert "billing" in kept.text


def test_only_a_ranking_has_values():
    """A strategy that scores nothing is refused, in words."""
    with pytest.raises(SpecError, match="value"):
        parse("Knapsack(value=KeepLast())")
    with pytest.raises(SpecError):
        Knapsack(value=KeepLast())


def test_traits_are_those_of_the_values():
    """Query, seed, gold and needs come from within; family, source and promise are its own."""
    assert Knapsack().traits.query_aware
    assert not Knapsack(value=Salience()).traits.query_aware
    assert Knapsack(value=RandomDrop()).traits.seeded
    assert Knapsack(value=Oracle()).traits.gold
    assert Knapsack(method="exact").traits.cost == "n times the budget"
    assert all(Knapsack(value=cls()).traits.honours_budget for cls in RANKINGS)


RANKINGS = [cls for cls in STRATEGIES.classes().values() if issubclass(cls, Select)]


@pytest.mark.parametrize("cls", RANKINGS, ids=lambda cls: cls.__name__)
def test_every_ranking_can_be_the_values(cls):
    """With any scores whatever, the laws hold."""
    check_laws(Knapsack(value=cls()), examples=15)
    check_laws(Knapsack(value=cls(), method="exact"), examples=15)
