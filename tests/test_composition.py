"""Composition: escalation, hard limits, pins, dependency maps, and strategies of one's own."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from dataclasses import replace

import pytest
from loky import ProcessPoolExecutor

from ctxlab.bench.explaining import explain
from ctxlab.bench.grid import Grid
from ctxlab.core.budgets import TierBudget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.segments import ContextTier, Message, Segment
from ctxlab.core.specs import from_spec, parse
from ctxlab.core.strategy import Pipeline, Strategy
from ctxlab.core.task import Task
from ctxlab.datasets import bundled_dir, load_workshop
from ctxlab.errors import PinnedOverBudgetError, SpecError, UnknownNameError
from ctxlab.store import Store
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
    Sentences,
    Tiers,
)
from ctxlab.testing import check_laws, sample_case, word_tools
from ctxlab.workshop import DESIGN_THINKING
from ctxlab.workshop.assembly import assemble
from ctxlab.workshop.workshops import Workshops


class Copying(Strategy):
    """Gives back a copy of every segment."""

    def compress(self, context, task):
        """Return the same again."""
        return context.keep(replace(segment) for segment in context)


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


def test_escalate_ends_with_the_last_result_where_nothing_fits():
    """Without a last step that holds the budget, the smallest that was reached stands."""
    context = Context.of(CHAT)
    strategy = Escalate(steps=(MaskObservations(keep=1), MaskObservations(keep=0)))
    result = strategy.compress(context, Task(budget=5))
    assert result == MaskObservations(keep=0).compress(context, Task(budget=5))
    assert not strategy.traits.honours_budget


def test_escalate_tells_the_reasons_of_the_step_that_was_taken():
    """Steps that were tried in vain leave no trace where each starts from the whole."""
    steps = (BM25() >> MaskObservations(keep=0), KeepLast())
    context = Context.of([*CHAT, Message("m3", "user", LONG, pinned=True)])
    told = explain(Escalate(steps=(Identity(), *steps), cumulative=False), context, 100)
    reasons = {entry.source: entry.reason for entry in told.entries}
    assert reasons["message:t1"].startswith("BM25(): there is no question to match")


def test_escalate_needs_a_step():
    """Nothing to try is refused."""
    with pytest.raises(SpecError, match="at least 1"):
        Escalate(steps=())


def test_a_share_leaves_room_for_pins():
    """Pins that fit the budget fit, however small the share that the first is given."""
    pinned = Message("s", "system", "one two three four five six")
    context = Context.of([pinned, Message("m", "user", "hi there")])
    task = Task(budget=10, tools=word_tools())
    kept = Budgeted(strategy=KeepLast(), share=0.1).compress(context, task)
    assert kept.text == pinned.content
    with pytest.raises(PinnedOverBudgetError, match="take 9 tokens and the budget is 8"):
        Budgeted(strategy=KeepLast(), share=0.1).compress(context, task.within(8))


def test_budgeted_promises_what_its_second_part_does():
    """A promise of the first, on another budget, is none."""
    context = Context.of(CHAT)
    loose = Budgeted(strategy=KeepLast(), then=Pipeline(), share=10)
    assert not Task(budget=10).fits(loose.compress(context, Task(budget=10)))
    assert not loose.traits.honours_budget
    assert not Budgeted(strategy=KeepLast(), then=Identity()).traits.honours_budget


@pytest.mark.parametrize("share", [0, -1, float("inf"), float("nan")])
def test_a_share_is_a_positive_number(share):
    """What no budget can be multiplied by is refused when it is written."""
    with pytest.raises(SpecError):
        Budgeted(share=share)


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


def test_pins_by_role():
    """Every message of a role can be pinned, and nothing else is."""
    chat = [*CHAT, Message("m3", "assistant", "Done."), Message("m4", "user", LONG)]
    kept = Pin(roles=("assistant", "system")).compress(Context.of(chat), Task(budget=12))
    assert kept.text == "Done."
    with pytest.raises(SpecError, match="roles"):
        Pin(roles=("clown",))


def test_pins_count_messages_not_their_pieces():
    """Where messages are cut to sentences, the first and the last are pinned whole."""
    texts = ["Fix it. Soon! Please?", "a log " * 40, "Done. It works. Enjoy."]
    context = Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))
    cut = Sentences().compress(context, Task(budget=1))
    assert len(cut) > len(context)
    kept = Pin(first=1, last=1).compress(cut, Task(budget=40))
    assert kept.text == texts[0] + texts[2]
    assert not any(segment.pinned for segment in kept)


def test_pins_come_back_as_they_were_from_a_strategy_that_copies():
    """A copy of a pinned segment does not stay pinned; one that was pinned before does."""
    messages = [Message("s", "system", "Be brief."), *CHAT]
    context = Context.of(messages)
    result = Pin(first=1, strategy=Copying()).compress(context, Task(budget=9))
    assert [segment.pinned for segment in result] == [True, *[False] * 4]
    assert result == context


def test_pins_within_pins():
    """Both sets of pins hold, and both are lifted in the end."""
    context = Context.of(Message(f"m{i}", "user", f"message {i} of ten") for i in range(10))
    both = Pin(first=1, strategy=Pin(matching="message 4"))
    kept = both.compress(context, Task(budget=30))
    assert [s.source for s in kept] == ["message:m0", "message:m4", "message:m9"]
    assert all(segment in context.segments for segment in kept)


def test_a_pin_leaves_the_reasons_of_the_strategy_within():
    """The ledger says why the rest went, as without the pin."""
    told = explain(Pin(first=1), Context.of(CHAT), 30)
    reasons = {entry.source: entry.reason for entry in told.entries}
    assert reasons["message:m1"] == ""
    assert reasons["message:t1"] == "older than the newest messages that fit"


def test_pins_that_do_not_fit_are_an_error():
    """A pin is a promise: too small a budget is said, not silently broken."""
    with pytest.raises(PinnedOverBudgetError):
        Pin(matching="log").compress(Context.of(CHAT), Task(budget=20))


def test_pin_refuses_a_broken_expression():
    """What is no regular expression is refused when it is written."""
    with pytest.raises(SpecError, match="no regular expression"):
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


def test_a_dependency_map_refuses_a_step_that_it_does_not_name():
    """A misspelt step would drop everything: the error offers the nearest name."""
    with pytest.raises(UnknownNameError, match="unknown step 'ideaton'; did you mean 'ideation'"):
        DependencyMap.of(DESIGN_THINKING, "ideaton")
    with pytest.raises(UnknownNameError, match="unknown step"):
        parse("DependencyMap(needs=(('a', ()),), current='b')")
    assert DependencyMap(current="anything").compress(Context(), Task(budget=1)) == Context()


def test_a_step_that_is_only_needed_is_named_as_well():
    """A map may leave out steps that need nothing; those it does not know at all stay."""
    needs = {"persona": ("research",), "names": ("guests",)}
    steps = ("research", "guests", "names", "elsewhere", "persona")
    context = Context(tuple(Segment.of(step, step, step=step) for step in steps))
    kept = DependencyMap(needs=needs).compress(context, Task(budget=1))
    assert [s.step for s in kept] == ["research", "elsewhere", "persona"]
    first = DependencyMap(needs=needs, current="research").compress(context, Task(budget=1))
    assert [s.step for s in first] == ["research", "elsewhere"]


def test_a_group_over_two_steps_stays_whole():
    """A call of one step whose result came in another stays for the step that needs it."""
    segments = (
        Segment.of("c", "call", step="a", group="g"),
        Segment.of("r", "result", step="b", group="g"),
        Segment.of("u", "thanks", step="c"),
    )
    strategy = DependencyMap(needs={"a": (), "b": (), "c": ("b",)})
    assert len(strategy.compress(Context(segments), Task(budget=1))) == 3


@pytest.fixture(scope="module")
def workshop():
    """Return a store and a bundled workshop in it."""
    with Store(":memory:") as store:
        yield store, Workshops(store).add(load_workshop(bundled_dir() / WORKSHOP))


WORKSHOP = "workshops/market-surplus.json"


@pytest.mark.parametrize("step", ["challenge", "persona", "ideation", "validate"])
def test_a_dependency_map_loads_what_assembly_would(workshop, step):
    """Of what all other steps left, the map keeps that which the step is assembled from."""
    store, held = workshop
    budget = TierBudget(2_500)
    assembled = assemble(store, held.id, step, budget)
    prior: dict[str, Segment] = {}
    for other in held.steps:
        before = assemble(store, held.id, other).before
        prior |= {s.source: s for s in before if s.step not in (other, step)}
    place = {tier: at for at, tier in enumerate(reversed(ContextTier))}
    order = sorted(prior.values(), key=lambda s: (place[s.tier], held.steps.index(s.step)))
    everything = Context((*order, *(s for s in assembled.before if s.step == step)))
    assert len(everything) > len(assembled.before)

    loaded = DependencyMap.of(held.protocol, step).compress(everything, assembled.task)
    assert loaded == assembled.before
    recipe = DependencyMap.of(held.protocol, step) >> Tiers()
    assert recipe.compress(everything, assembled.task) == assembled.context


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


OWN = '''
"""Strategies that ctxlab does not know."""

from ctxlab.core.context import Context
from ctxlab.core.strategy import Select, Strategy
from ctxlab.core.task import Task


class Longest(Select):
    """Ranks by length."""

    weight: float = 1.0
    label: str = ""

    def score(self, context: Context, task: Task) -> list[float]:
        return [self.weight * len(segment.text) for segment in context]


class Kinds:
    """Holds a class within."""

    class Even(Strategy):
        """Keeps every second group."""

        def compress(self, context: Context, task: Task) -> Context:
            return context.keep_groups(
                {*range(0, len(context.groups), 2), *context.pinned_groups}
            )
'''


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return a module of strategies that stands in a file of its own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "strategies_of_ones_own.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("strategies_of_ones_own")
    sys.modules.pop("strategies_of_ones_own")


PLACES = {
    "pipeline": lambda own: own.Longest() >> own.Kinds.Even() >> KeepLast(),
    "escalate": lambda own: Escalate(steps=(own.Kinds.Even(), own.Longest(weight=2.0))),
    "budgeted": lambda own: Budgeted(strategy=own.Kinds.Even(), then=own.Longest()),
    "pin": lambda own: Pin(strategy=own.Longest(label='it\'s "x:y(" \\n 😀')),
    "knapsack": lambda own: Knapsack(value=own.Longest(weight=0.5), method="exact"),
    "tiers": lambda own: Tiers(short_term=own.Longest(), long_term=own.Longest() >> KeepLast()),
    "deep": lambda own: Pin(strategy=Escalate(steps=(Budgeted(strategy=own.Kinds.Even()),))),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_strategy_of_ones_own_works_in_every_place(own, place):
    """Not registered, yet rebuilt from spec, text and every recipe; lawful, hashed, pickled."""
    strategy = PLACES[place](own)
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    assert from_spec(json.loads(json.dumps(strategy.spec()))) == strategy
    assert parse(str(strategy)) == strategy
    assert len({strategy, from_spec(strategy.spec())}) == 1
    recipe = Recipe(strategy=strategy, budget="10%")
    for form in ("json", "toml", "python"):
        assert (
            getattr(Recipe, f"from_{form}")(getattr(recipe, f"to_{form}")(), allow_import=True)
            == recipe
        )
    check_laws(strategy, examples=30)


def test_parts_of_ones_own_reach_the_workers(own):
    """A grid on other processes runs them in every place, and fails nowhere."""
    strategies = [build(own) for build in PLACES.values()]
    with ProcessPoolExecutor(1) as executor:
        results = Grid(strategies, ["40%"], [sample_case()]).run(executor=executor)
    assert results.failures() == []
    assert {row.strategy for row in results.rows()} == set(map(str, strategies))


def test_traits_come_from_the_parts():
    """Query awareness, needs and promises are those of what is inside."""
    assert Knapsack().traits.query_aware
    assert not Knapsack(value=Salience()).traits.query_aware
    assert Escalate(steps=(BM25(), KeepLast())).traits.query_aware
    assert Escalate().traits.honours_budget
    assert not Pin(strategy=MaskObservations()).traits.honours_budget
    assert Pin(strategy=RandomDrop()).traits.seeded
