"""A metric gives the same figure whenever it is added, and one that fails is seen."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ctxlab.bench.grid import Grid
from ctxlab.cli import app
from ctxlab.core.digests import code_digest
from ctxlab.core.metric import as_metric
from ctxlab.core.specs import parse
from ctxlab.errors import FailedTrialsWarning, SpecError
from ctxlab.store import Store
from ctxlab.strategies import KeepLast
from ctxlab.testing import check_laws, sample_case

PIPELINES = ["MaskObservations(keep=1) >> Sentences() >> BM25()", "CompactJSON() >> IDFDensity()"]


def stages(run, probe):
    """How many stages a run had."""
    return len(run.stages)


def ledger_stages(run, probe):
    """How many stages the ledger names."""
    return len({entry.stage for entry in run.ledger})


def infinite(run):
    """No finite number."""
    return float("inf")


def worded(run):
    """No number at all."""
    return "many"


def AllEvidence(run, probe):  # noqa: N802 - the name of a shipped metric
    """Something else under its name."""
    return 0.5


@pytest.mark.parametrize("metric", [stages, ledger_stages])
def test_a_metric_that_is_added_later_gives_what_it_gives_at_once(metric):
    """Once it was measured on a single stage, rebuilt from the store."""
    case = sample_case()
    with Store(":memory:") as store, Store(":memory:") as fresh:
        Grid(PIPELINES, ["60%"], [case]).run(store)
        later = Grid(PIPELINES, ["60%"], [case], metrics=["AllEvidence", metric]).run(store)
        once = Grid(PIPELINES, ["60%"], [case], metrics=["AllEvidence", metric]).run(fresh)
        found, expected = later.frame()[metric.__name__], once.frame()[metric.__name__]
        assert found.to_list() == expected.to_list()
        assert max(found) > 1


def test_two_metrics_of_one_name_are_refused():
    """The second would have taken the first one's column."""
    with pytest.raises(SpecError, match=r"two metrics are called 'AllEvidence'.*rename one"):
        Grid(["KeepLast()"], ["60%"], [sample_case()], metrics=["AllEvidence", AllEvidence])


@pytest.mark.parametrize(
    ("metric", "words"), [(infinite, "it gave inf; give a finite number"), (worded, "ValueError")]
)
def test_a_metric_that_fails_costs_no_other_and_is_said(metric, words):
    """The others are shown, a warning names it, and `failures` lists it."""
    grid = Grid(["KeepLast()"], ["60%"], [sample_case()], metrics=["AllEvidence", metric])
    with Store(":memory:") as store:
        with pytest.warns(FailedTrialsWarning, match=f"metric {metric.__name__}"):
            results = grid.run(store)
        assert results.rows()[0].metrics["AllEvidence"].mean is not None
        assert words in results.failures()[0][2]


@pytest.mark.parametrize("function", [lambda run, probe, more: 1.0, lambda: 1.0])
def test_a_function_that_cannot_be_called_as_a_metric_is_refused_at_once(function):
    """Not after the whole grid has run."""
    with pytest.raises(SpecError, match=r"write f\(run\) or f\(run, probe\)"):
        as_metric(function)


def test_code_that_reads_what_has_no_description_has_no_digest(tmp_path):
    """Files, environment and modules by a text: their change would go unseen."""

    def weighted(run):
        return float(open(tmp_path / "weight").read())  # noqa: PTH123

    digest = code_digest(as_metric(weighted))
    assert not digest.certain
    assert "it calls open" in digest.reason


def test_a_class_by_its_module_needs_no_parentheses():
    """In Python, in the command, and with them where a name is asked for."""
    assert parse("ctxlab.strategies.windows:KeepLast") == KeepLast()
    assert CliRunner().invoke(app, ["strategies", "KeepLast()"]).output.startswith("KeepLast: ")


def test_a_function_is_described_as_a_metric():
    """By the words of its docstring."""
    done = CliRunner().invoke(app, ["metrics", f"{stages.__module__}:stages"])
    assert "stages: How many stages a run had." in done.output


def test_the_laws_take_a_class_and_the_store_lists_its_experiments():
    """A class is made with its defaults."""
    check_laws(KeepLast, examples=3)
    with Store(":memory:") as store:
        Grid(["KeepLast()"], ["60%"], [sample_case()], name="first").run(store)
        assert store.experiments()["name"].to_list() == ["first"]
