"""Grids: every trial stored, failures as rows, nothing computed twice, dead workers survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pytest

from ctxlab.bench.grid import Grid
from ctxlab.bench.results import Results
from ctxlab.bench.trials import Cell, run_cells
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Select, Strategy
from ctxlab.datasets import load
from ctxlab.datasets.fetching import MIRROR
from ctxlab.errors import BudgetError, CtxlabError, SpecError, StoreError, UnknownNameError
from ctxlab.store import Store
from ctxlab.strategies import BM25, KeepLast
from ctxlab.testing import sample_case

THREADS = ThreadPoolExecutor(1)


class Failing(Strategy):
    """Fails on every context."""

    def compress(self, context, task):
        raise RuntimeError("no luck")


class Suicidal(Strategy):
    """Takes its worker along."""

    def compress(self, context, task):
        if len(context) > 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return context


class Peeking(Select):
    """Would win if gold evidence reached it."""

    def score(self, context, task):
        return [float(segment.source in task.evidence) for segment in context]


def test_a_second_run_of_the_same_grid_computes_nothing(tmp_path, monkeypatch):
    """Trials are keyed by what they depend on, and taken from the store."""
    grid = Grid(["BM25()", "KeepLast()"], ["30%", 80], [sample_case()])
    with Store(tmp_path / "lab.duckdb") as store:
        first = grid.run(store, executor=THREADS)
    monkeypatch.setattr("ctxlab.bench.workers.run_cells", lambda *_: pytest.fail("computed again"))
    with Store(tmp_path / "lab.duckdb") as store:
        second = grid.run(store, executor=THREADS)
        assert store.counts()["trials"] == grid.size == 4
    assert first.rows() == second.rows()


def test_what_is_missing_is_computed_and_nothing_else(tmp_path):
    """A wider grid runs only its new trials."""
    seen: list[Cell] = []

    def note(cells: list[Cell], limits):
        seen.extend(cells)
        return run_cells(cells, limits)

    with Store(tmp_path / "lab.duckdb") as store, pytest.MonkeyPatch.context() as patch:
        Grid(["BM25()"], ["30%"], [sample_case()]).run(store, executor=THREADS)
        patch.setattr("ctxlab.bench.workers.run_cells", note)
        Grid(["BM25()", "KeepLast()"], ["30%", "50%"], [sample_case()]).run(store, executor=THREADS)
    asked = {(str(cell.strategy), tuple(str(cut.budget) for cut in cell.cuts)) for cell in seen}
    assert asked == {("BM25()", ("50%",)), ("KeepLast()", ("30%", "50%"))}


def test_a_changed_conversation_is_another_trial():
    """The key follows messages, probes, budget, seed, encoding and parameters."""
    case = sample_case()
    grown = replace(case, messages=(*case.messages, Message("m99", "user", "more")))
    fewer = replace(case, probes=case.probes[:1])
    asked = [
        (KeepLast(), case, 0, "o200k_base"),
        (KeepLast(), grown, 0, "o200k_base"),
        (KeepLast(), fewer, 0, "o200k_base"),
        (KeepLast(), case, 1, "o200k_base"),
        (KeepLast(), case, 0, "cl100k_base"),
        (BM25(), case, 0, "o200k_base"),
        (BM25(b=0.5), case, 0, "o200k_base"),
    ]
    keys = [
        cut.key
        for strategy, conversation, seed, encoding in asked
        for cell in Grid(strategy, [9, 8], conversation, seeds=seed, encoding=encoding)._cells
        for cut in cell.cuts
    ]
    assert len(set(keys)) == len(keys) == 14


def test_a_class_written_in_a_notebook_reaches_the_workers(tmp_path):
    """Its source is known to the parent alone; its trials are found under the same key."""
    script = (
        "from ctxlab.bench.grid import Grid; from ctxlab.core.strategy import Select\n"
        "from ctxlab.testing import sample_case\n"
        "class Mine(Select):\n"
        "    def score(self, context, task): return [len(s.text) for s in context]\n"
        "results = Grid([Mine(), 'KeepLast()'], ['30%'], [sample_case()]).run()\n"
        "print([(row.strategy, row.probes, row.failed) for row in results.rows()])\n"
    )
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True)
    assert "('__main__:Mine()', 3, 0)" in done.stdout, done.stderr


def test_a_failed_trial_is_a_row_and_the_grid_goes_on():
    """The error stands in the store and in the results; others are measured."""
    results = Grid([Failing(), KeepLast()], ["30%"], [sample_case()]).run(executor=THREADS)
    rows = {row.strategy: row for row in results.rows()}
    failed = rows[str(Failing())]
    assert (failed.failed, failed.probes, failed.all_evidence) == (1, 0, None)
    assert rows["KeepLast()"].probes == 3
    assert results.failures() == [(str(Failing()), "market", "RuntimeError: no luck")]


def test_a_failed_trial_is_tried_again_next_time(tmp_path):
    """Failures are not taken for results."""
    with Store(tmp_path / "lab.duckdb") as store:
        for _ in range(2):
            results = Grid([Failing()], ["30%"], [sample_case()]).run(store, executor=THREADS)
            assert len(results.failures()) == 1
        assert store.counts()["trials"] == 1


@pytest.mark.slow
def test_a_worker_that_dies_costs_only_its_own_trials():
    """On loky, what was in flight runs again, and only the culprit fails."""
    small = Case("small", "sample", sample_case().messages[:3])
    grid = Grid([KeepLast(), Suicidal(), BM25()], ["30%"], [sample_case(), small])
    results = grid.run()
    assert results.trials.height == 6
    errors = {(s, c): e for s, c, e in results.failures()}
    assert list(errors) == [(str(Suicidal()), "market")]
    assert "worker process died" in errors[str(Suicidal()), "market"]


def test_an_executor_of_ones_own_that_breaks_leaves_rows():
    """Every trial has a row, done or failed; nothing hangs."""
    grid = Grid([KeepLast(), Suicidal(), BM25()], ["30%"], [sample_case()])
    with ProcessPoolExecutor(1) as executor:
        results = grid.run(executor=executor)
    assert results.trials.height == 3
    assert str(Suicidal()) in {strategy for strategy, _, _ in results.failures()}


def test_gold_evidence_reaches_the_oracle_alone():
    """A strategy that looks for evidence finds none unless it declares to be a ceiling."""
    results = Grid([Peeking(), "Oracle()"], ["25%"], [sample_case()]).run(executor=THREADS)
    rows = {row.strategy: row for row in results.rows()}
    assert rows["Oracle()"].all_evidence == 1.0
    assert rows[str(Peeking())].all_evidence < 1.0


def test_only_seeded_strategies_run_with_every_seed():
    """Five seeds cost five trials of the random floor and one of the others."""
    grid = Grid(["RandomDrop()", "KeepLast()"], ["30%"], [sample_case()], seeds=range(5))
    assert grid.size == 6
    results = grid.run(executor=THREADS)
    assert {row.strategy: row.probes for row in results.rows()} == {
        "RandomDrop()": 3,
        "KeepLast()": 3,
    }


def test_one_conversation_gives_no_interval_and_says_so():
    """Fewer than two clusters: nothing is made up."""
    results = Grid(["BM25()", "KeepLast()"], ["30%"], [sample_case()]).run(executor=THREADS)
    assert all(row.all_evidence_low is None for row in results.rows())
    assert "no interval" in results.compare("BM25()", "KeepLast()").sentence


def test_budgets_below_the_pins_fail_as_rows():
    """An absolute budget under the pinned part is the trial's error, with both numbers."""
    messages = (Message("s", "system", "rule " * 50), *sample_case().messages)
    case = replace(sample_case(), messages=messages)
    results = Grid(["KeepLast()"], [20, "30%"], [case]).run(executor=THREADS)
    [(_, _, error)] = results.failures()
    assert "PinnedOverBudgetError" in error
    assert {row.budget: row.failed for row in results.rows()} == {"20": 1, "30%": 0}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([], ["10%"], [sample_case()]), CtxlabError),
        ((["KeepLast()"], [], [sample_case()]), CtxlabError),
        ((["KeepLast()"], ["10%"], []), CtxlabError),
        ((["KeepFirst()"], ["10%"], [sample_case()]), UnknownNameError),
        ((["BM25(x=1)"], ["10%"], [sample_case()]), SpecError),
        ((["KeepLast()"], ["0"], [sample_case()]), BudgetError),
    ],
)
def test_a_grid_that_cannot_run_is_refused_at_once(arguments, error):
    """Mistakes are found before anything is computed."""
    with pytest.raises(error):
        Grid(*arguments)


def test_results_are_read_again_from_the_store(tmp_path):
    """A stored experiment gives the same leaderboard and the same losses."""
    with Store(tmp_path / "lab.duckdb") as store:
        store.add_cases([sample_case()])
        first = Grid(["BM25()", "KeepLast()"], ["30%"], [sample_case()]).run(
            store, executor=THREADS
        )
        lost = list(first.lost())
    with pytest.raises(StoreError, match="is closed; open it again"):
        list(first.lost())
    with Store(tmp_path / "lab.duckdb") as store:
        experiment = store.query("SELECT id FROM experiments")["id"][0]
        again = Results.of(store, experiment)
        assert again.rows() == first.rows()
        assert list(again.lost()) == lost
        assert all(lost.evidence and lost.evidence[0].reason for lost in again.lost())


def test_a_misspelt_strategy_or_budget_offers_the_nearest():
    """Asking for what was not run says what was."""
    results = Grid(["BM25()", "KeepLast()"], ["30%"], [sample_case()]).run(executor=THREADS)
    with pytest.raises(UnknownNameError, match="30%"):
        results.compare("BM25()", "KeepLast()", budget="35%")
    with pytest.raises(UnknownNameError, match="BM25"):
        results.compare("MMR()", "KeepLast()")
    with pytest.raises(UnknownNameError, match="did you mean 'AnswerKept'"):
        results.rows(metric="AnswerKepd")


@pytest.mark.slow
def test_the_baselines_on_locomo_are_reproduced(data_dir, monkeypatch):
    """BM25, the window, the random floor and the oracle lie where they were measured."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    cases = load("locomo:dev")
    strategies = ["BM25()", "BM25(neighbours=2)", "KeepLast()", "RandomDrop()", "Oracle()"]
    budgets = ["5%", "10%", "25%", "50%"]
    frame = Grid(strategies, budgets, cases).run().frame()
    shares = {
        name: frame.filter(pl.col("strategy") == name)["all_evidence"].to_list()
        for name in strategies
    }
    expected = {
        # At 5 % it was 62 before photos' captions were words of their turns, measured here then.
        "BM25()": (65, 70, 78, 88),
        "KeepLast()": (3.5, 7.9, 23.0, 44.1),
        "RandomDrop()": (3.9, 7.6, 18.3, 41.3),
    }
    for name, figures in expected.items():
        for share, figure in zip(shares[name], figures, strict=True):
            assert abs(100 * share - figure) <= 3, (name, shares[name])
    assert min(shares["Oracle()"]) >= 0.99
    assert all(b > a for a, b in zip(shares["BM25()"], shares["BM25(neighbours=2)"], strict=True))
    assert frame["probes"].unique().to_list() == [622]
