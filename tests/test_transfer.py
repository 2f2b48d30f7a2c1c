"""The transfer view: what was chosen on other data, tried on the data that was left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ctxlab.bench.grid import Grid
from ctxlab.core.context import Context
from ctxlab.core.segments import Segment
from ctxlab.core.task import Task
from ctxlab.datasets import read
from ctxlab.errors import StatisticsError
from ctxlab.store import Store
from ctxlab.strategies import LongestFirst, PassageBM25, RandomDrop, Substance, UserMessages
from ctxlab.testing import sample_case

STRATEGIES = ["KeepLast()", "IDFDensity()", "BM25()", "RandomDrop()", "ShortestFirst()"]


@pytest.fixture(scope="module")
def two_sets():
    """Run an experiment on one conversation under two names, once without its first question."""
    case = sample_case()
    late = replace(case, dataset="late", probes=case.probes[1:])
    with Store(":memory:") as store:
        yield Grid(STRATEGIES, ["30%", "60%"], [case, late]).run(store)


def test_every_data_set_is_left_out_once_at_every_budget_and_kind(two_sets):
    """Two sets, two budgets, with and without the question."""
    frame = two_sets.leave_one_out()
    assert frame.height == 8
    assert set(frame["dataset"]) == {"late", sample_case().dataset}
    assert frame.filter(frame["query_aware"])["chosen"].unique().to_list() == ["BM25()"]


def test_a_choice_is_made_on_the_other_sets_and_judged_here(two_sets):
    """Recomputed from the outcomes: the best mean elsewhere, its mean here, the best control."""
    board = two_sets.leaderboard()
    probes = two_sets.measured.probes["dataset"].to_numpy()
    for row in two_sets.leave_one_out().filter(~two_sets.transfer()["query_aware"]).to_dicts():

        def mean(name, there, budget=row["budget"]):
            cell = board.measured.cell(name, budget)
            return float(board.measured.of("AllEvidence")[cell][there].mean())

        elsewhere = {n: mean(n, probes != row["dataset"]) for n in ("KeepLast()", "IDFDensity()")}
        assert elsewhere[row["chosen"]] == max(elsewhere.values())
        here = probes == row["dataset"]
        assert row["value"] == pytest.approx(mean(row["chosen"], here))
        floor = max(mean(n, here) for n in ("RandomDrop()", "ShortestFirst()"))
        assert row["control_value"] == pytest.approx(floor)
        assert row["holds"] == (row["value"] >= floor)


def test_one_data_set_is_not_enough(store_of_one):
    """There is nothing else to choose on, and the error says what to do."""
    with pytest.raises(StatisticsError, match="files of a second"):
        store_of_one.leave_one_out()


@pytest.fixture
def store_of_one():
    """Run an experiment on one data set."""
    with Store(":memory:") as store:
        yield Grid(["KeepLast()"], ["30%"], [sample_case()]).run(store)


def context_of(*texts, role="user"):
    return Context(tuple(Segment.of(f"message:m{at}", t, role=role) for at, t in enumerate(texts)))


def test_one_seed_draws_differently_in_every_conversation():
    """So that over many conversations a seed is many draws; the same one draws the same."""
    task = Task(budget=1)
    one, other = context_of(*"abcdef"), context_of(*"ghijkl")
    assert RandomDrop().score(one, task) != RandomDrop().score(other, task)
    assert RandomDrop().score(one, task) == RandomDrop().score(context_of(*"abcdef"), task)
    assert RandomDrop().score(one, task) != RandomDrop().score(one, replace(task, seed=1))


def test_the_longest_go_first_and_the_user_alone_stays():
    """Two controls: for measures that count tokens, and for what is said by others."""
    said = (
        Segment.of("message:a", "one two three", role="assistant"),
        Segment.of("message:b", "four", role="user"),
        Segment.of("message:c", "five six", role="user"),
    )
    assert LongestFirst().compress(Context(said), Task(budget=10)).text == "one two three"
    kept = UserMessages().compress(Context(said), Task(budget=14))
    assert [segment.source for segment in kept] == ["message:b", "message:c"]
    assert kept.why(said[0]).reason == "not a message of the user"


@pytest.mark.parametrize(
    ("files", "aware", "floor"),
    [
        ("beam_100k.dev.jsonl.gz", False, 0.72),
        ("crosswoz_zh.dev.jsonl.gz", False, 0.19),
        ("friendsqa.dev.jsonl.gz", False, 0.13),
        ("beam_100k.dev.jsonl.gz", True, 0.72),
        ("taubench_retail.dev.jsonl.gz", True, 0.07),
    ],
)
def test_the_defaults_hold_where_the_learned_weights_failed(data_dir, files, aware, floor):
    """At 10 %, the same parameters everywhere: above what the best control reaches there."""
    cases = list(read(data_dir / files))
    strategy = PassageBM25() if aware else Substance()
    with Store(":memory:") as store:
        results = Grid([strategy], ["10%"], cases, metrics="AllEvidence").run(store)
        [row] = results.rows()
        assert row.metrics["AllEvidence"].mean > floor
