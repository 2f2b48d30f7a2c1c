"""Controls and defaults: what to rise above, and what is taken when nothing is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ctxlab.bench.grid import DEFAULT_SEEDS, Grid
from ctxlab.bench.results import Results
from ctxlab.chats.selection import Plan
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Segment
from ctxlab.core.task import Task
from ctxlab.datasets import read
from ctxlab.display.board_columns import columns, marks
from ctxlab.errors import StatisticsError, UnknownNameError
from ctxlab.strategies import (
    IDFDensity,
    KeepLast,
    LongestFirst,
    PassageBM25,
    RandomDrop,
    ShortestFirst,
    Substance,
    UserMessages,
)
from ctxlab.testing import sample_case, sample_results, word_tools


def run(strategies: list, cases: list[Case], budget: str = "40%", **options) -> Results:
    with ThreadPoolExecutor(1) as one:
        return Grid(strategies, [budget], cases, **options).run(executor=one)


def conversation(name: str, count: int = 12) -> Case:
    """Return a conversation whose evidence is its first message, the longest of them."""
    said = [Message("m0", "user", f"{name}: the key lies under the blue stone behind the old gate")]
    said += [Message(f"m{i}", "assistant", f"{name} remark {i}") for i in range(1, count)]
    return Case(name, "made", tuple(said), (Probe("p", "Where is it?", "stone", ("m0",)),))


def kept(strategy, context: Context, **task) -> list[int]:
    found = strategy.compress(context, Task(tools=word_tools(), **task))
    return [context.segments.index(segment) for segment in found]


def test_random_drops_other_places_in_another_conversation():
    """One draw for all of them would let one unlucky place decide a whole table."""
    texts = [[f"word {n} of {name}" for n in range(12)] for name in ("the first", "the second")]
    first, second = (Context(tuple(Segment.of(f"s{i}", t) for i, t in enumerate(c))) for c in texts)
    assert kept(RandomDrop(), first, budget=40) == kept(RandomDrop(), first, budget=40)
    assert kept(RandomDrop(), first, budget=40) != kept(RandomDrop(), second, budget=40)
    assert kept(RandomDrop(), first, budget=40) != kept(RandomDrop(), first, budget=40, seed=1)


def test_controls_are_what_they_are_called():
    """The longest, the shortest, and what users wrote, the newest of it first."""
    said = [("user", "a b c d"), ("assistant", "a b c d e f"), ("user", "a"), ("assistant", "a b")]
    context = Context(tuple(Segment.of(f"s{i}", t, role=r) for i, (r, t) in enumerate(said)))
    task = Task(budget=9, tools=word_tools())
    assert LongestFirst().ranking(context, task) == [1, 0, 3, 2]
    assert ShortestFirst().ranking(context, task) == [2, 3, 0, 1]
    assert UserMessages().ranking(context, task) == [2, 0, 3, 1]


def test_what_is_random_runs_with_several_seeds_and_their_spread_is_shown_apart():
    """Five where none are chosen; the interval stays over conversations."""
    results = run(["KeepLast()", "RandomDrop()"], [sample_case()])
    trials = results.trials.group_by("strategy").len()
    assert dict(trials.iter_rows()) == {"KeepLast()": 1, "RandomDrop()": len(DEFAULT_SEEDS)}
    board = results.leaderboard()
    by_name = {row.strategy: row for row in board.rows()}
    draws = [
        run(["RandomDrop()"], [sample_case()], seeds=seed).rows()[0].all_evidence
        for seed in DEFAULT_SEEDS
    ]
    mean = sum(draws) / len(draws)
    deviation = (sum((x - mean) ** 2 for x in draws) / (len(draws) - 1)) ** 0.5
    assert by_name["RandomDrop()"].shown.seed_deviation == pytest.approx(deviation)
    assert by_name["RandomDrop()"].all_evidence == pytest.approx(mean)
    assert by_name["KeepLast()"].shown.seed_deviation is None
    assert "± by seed" in [column.title for column in columns(board)]
    assert "± by seed" not in [c.title for c in columns(sample_results().leaderboard())]


def test_below_random_is_said():
    """A strategy that keeps less than a control, decisively, is marked with its name."""
    cases = [conversation(f"talk {n}") for n in range(20)]
    rows = run(["KeepLast()", "BM25()", "LongestFirst()"], cases, "50%").rows()
    found = {row.strategy: row for row in rows}
    assert found["KeepLast()"].below == ("LongestFirst()",)
    assert "below LongestFirst()" in marks(found["KeepLast()"])
    assert found["LongestFirst()"].below == ()


def test_every_conversation_can_count_once():
    """A long conversation with many questions weighs as much as one with a single one."""
    short = replace(sample_case(), id="short", probes=sample_case().probes[:1])
    results = run(["BM25()", "KeepLast()"], [sample_case(), short])
    values = {
        weights: {r.strategy: r.all_evidence for r in results.leaderboard(weights=weights).rows()}
        for weights in ("question", "conversation")
    }
    assert values["question"]["BM25()"] == pytest.approx(3 / 4)
    assert values["conversation"]["BM25()"] == pytest.approx((2 / 3 + 1) / 2)
    compared = results.leaderboard(weights="conversation").compare("BM25()", "KeepLast()", "40%")
    assert compared.mean_a == pytest.approx(5 / 6)


@pytest.mark.parametrize("by", ["category", "age", "position", "conversation", "dataset"])
def test_results_are_told_apart(by):
    """Each group with its own number of questions, which add up to all of them."""
    found = sample_results().by(by).filter(strategy="BM25()")
    assert found["n"].sum() == 3
    assert (found["value"] * found["n"]).sum() == pytest.approx(2)


def test_an_unknown_grouping_offers_the_nearest():
    """The message names what there is."""
    with pytest.raises(UnknownNameError, match="category"):
        sample_results().by("categories")


def test_power_is_reckoned_for_the_difference_that_is_asked():
    """A larger one takes fewer conversations; none at all cannot be looked for."""
    cases = [conversation(f"talk {n}", 8 + n % 5) for n in range(8)]
    results = run(["KeepLast()", "BM25()", "RandomDrop()"], cases, "50%")
    [small], [large] = results.power(0.05), results.power(0.3)
    assert small.needed > large.needed > 2
    assert small.conversations == 8
    assert small.detectable == large.detectable > 0
    with pytest.raises(StatisticsError, match="not above 0"):
        results.power(0.0)


def test_the_transfer_table_chooses_on_the_others_and_measures_on_the_one_left_out():
    """What is best on two sets is what is tried on the third, beside its best control."""
    last = sample_case().messages[-1].id
    newest = (Probe("p", "When do they meet?", "Thursday", (last,)),)
    cases = [replace(sample_case(), dataset=name, probes=newest) for name in ("a", "b")]
    cases.append(conversation("odd"))
    results = run(["KeepLast()", "HeadTail()", "LongestFirst()"], cases, "30%")
    table = results.held_out().filter(chosen_on="the others", dataset="made")
    [row] = table.iter_rows(named=True)
    assert (row["strategy"], row["value"]) == ("KeepLast()", 0.0)
    assert (row["control"], row["control_value"]) == ("LongestFirst()", 1.0)
    assert row["above_controls"] is False
    assert results.held_out().height == 3 * 3
    with pytest.raises(StatisticsError, match="one dataset"):
        sample_results().held_out()


def test_the_default_strategy_is_the_one_that_holds():
    """It finds what the question is about, and says so in the plan."""
    assert Plan.of(budget="8k").strategy == PassageBM25()


def test_numbers_weigh_beside_chinese_talk(data_dir):
    """A bigram is half a word: IDF density of the service desk lies above a random draw again."""
    cases = list(read(data_dir / "crosswoz_zh.dev.jsonl.gz"))[:12]
    found = {
        row.strategy: row.all_evidence
        for row in run([IDFDensity(), Substance(), RandomDrop(), KeepLast()], cases, "25%").rows()
    }
    assert found["IDFDensity()"] > found["RandomDrop()"]
    assert found["Substance()"] > 1.5 * found["RandomDrop()"]
