"""What a run needs stays with it: opened later, run again, compared with another."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pytest

from ctxlab.bench.differences import differences
from ctxlab.bench.grid import Grid
from ctxlab.bench.manifest import digest
from ctxlab.bench.reproducing import reproduce, reproduce_report
from ctxlab.bench.results import Results
from ctxlab.datasets import load
from ctxlab.errors import DataError, NotFoundError
from ctxlab.store import Store
from ctxlab.testing import sample_case

THREADS = ThreadPoolExecutor(1)


def commas(run, probe):
    """Commas that are left."""
    return run.after.text.count(",")


def test_an_experiment_opens_without_files_or_classes(tmp_path):
    """A class and a metric of a script are gone: rows, losses and the report are as they were."""
    script = (
        "from ctxlab import Grid, Select, Store, load\n"
        "class Mine(Select):\n"
        "    def score(self, context, task): return [len(s.text) for s in context]\n"
        "def letters(run): return len(run.after.text)\n"
        "with Store('lab.duckdb') as store:\n"
        "    results = Grid([Mine(), 'KeepLast()'], '40%', 'agent-run', name='mine',\n"
        "                   metrics=['AllEvidence', letters]).run(store)\n"
        "    print([(r.strategy, r.all_evidence, r.mean('letters')) for r in results.rows()])\n"
        "    print(len(list(results.lost())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=script, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows, lost = done.stdout.splitlines()
    with Store(tmp_path / "lab.duckdb") as store:
        again = Results.open(store, "mine")
        assert str([(r.strategy, r.all_evidence, r.mean("letters")) for r in again.rows()]) == rows
        assert str(len(list(again.lost()))) == lost
        assert again.report(tmp_path / "report.html").exists()
        assert store.runs.frame()["name"].to_list() == ["mine"]
        with pytest.raises(NotFoundError, match="ctxlab experiments"):
            Results.open(store, "yours")


def test_an_experiment_is_run_again_from_the_store_alone(tmp_path):
    """Every figure is the same; one that was tampered with is named."""
    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid(["BM25()", "RandomDrop()"], ["30%"], [sample_case()], seeds=(0, 1), name="a")
        grid.run(store)
        done = reproduce(store, "a")
        assert done.same
        assert len(done.figures) == 6
        with store.db.write() as connection:
            connection.execute("UPDATE measurements SET value = 0 WHERE value = 1")
        assert {figure.strategy for figure in reproduce(store, "a").different} >= {"BM25()"}


def test_a_report_is_run_again_from_the_inputs_that_it_names(tmp_path):
    """The manifest travels in the file; a report of cases from Python says what to do."""
    grid = Grid(["BM25()"], ["30%"], load("agent-run"), inputs={"paths": ["agent-run"]})
    path = grid.run(executor=THREADS).report(tmp_path / "report.html")
    assert reproduce_report(path, lambda inputs: load(inputs["paths"][0])).same
    bare = Grid(["BM25()"], ["30%"], [sample_case()]).run(executor=THREADS)
    with pytest.raises(DataError, match="were given in Python"):
        reproduce_report(bare.report(tmp_path / "bare.html"), lambda inputs: [])
    (tmp_path / "other.html").write_text("<p>")
    with pytest.raises(DataError, match="not a report"):
        reproduce_report(tmp_path / "other.html", lambda inputs: [])


def test_the_digest_of_a_run_does_not_depend_on_the_order_of_rows():
    """Strategies in another order are the same trials."""
    orders = [["BM25()", "KeepLast()"], ["KeepLast()", "BM25()"]]
    found = [Grid(o, ["30%"], [sample_case()]).run(executor=THREADS).manifest for o in orders]
    assert found[0]["trials"] == found[1]["trials"]
    assert digest(["a", "b"]) == digest(["b", "a"]) != digest(["a"])


def test_two_experiments_are_compared_figure_by_figure():
    """The same is the same; what got worse says by how much, and whether that is decisive."""
    good = Grid(["KeepLast()"], ["40%"], load("market-surplus")).run(executor=THREADS)
    assert {one.verdict for one in differences(good, good)} == {"same"}
    nothing = good.stored.values.with_columns(value=pl.lit(0.0))
    worse = Results(replace(good.stored, values=nothing))
    found = {one.metric: one for one in differences(good, worse)}
    assert found["AllEvidence"].worse
    assert found["AllEvidence"].after == 0.0 < found["AllEvidence"].before
    assert found["AllEvidence"].verdict == "not decisive", "one conversation decides nothing"


def test_a_function_of_ones_own_is_shown_with_its_interval_everywhere(tmp_path):
    """Leaderboard, JSON, report and chart, each from the one description."""
    cases = [case for name in ("market-surplus", "night-discharge") for case in load(name)]
    results = Grid(["BM25()", "KeepLast()"], ["25%"], cases, metrics=["AllEvidence", commas]).run()
    row = results.rows("commas")[0].as_dict()["metrics"]["commas"]
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["n"] == 232
    page = results.report(tmp_path / "report.html", metric="commas").read_text()
    assert '"title": "commas"' in page
    assert json.loads(page.split('id="rows">')[1].split("</script>")[0])[0]["metric"] == "commas"
    assert "commas" in results._repr_html_()
    assert results.curve("commas").to_dict()["encoding"]["y"]["title"] == "commas"
    assert results.frame()["commas_n"].to_list() == [232, 232]


def test_a_metric_that_fails_costs_no_other():
    """Its error is a row; the others are measured, and it is tried again next time."""

    def broken(run):
        raise RuntimeError("no luck")

    store = Store(":memory:")
    grid = Grid(["KeepLast()"], ["40%"], [sample_case()], metrics=["AllEvidence", broken])
    results = grid.run(store, executor=THREADS)
    assert results.rows()[0].probes == 3
    assert results.failures() == [("KeepLast()", "market", "metric broken: RuntimeError: no luck")]
