"""The recipes of CONTRIBUTING.md, walked as they stand there."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

import ctxlab
from ctxlab.core.strategy import Strategy
from ctxlab.datasets import FORMATS
from ctxlab.export import Target, chosen_schemas
from ctxlab.testing import check_metric_laws, sample_case

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """Return a function that makes a module of the code under a heading."""

    def module(heading: str):
        part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
        [code] = re.findall(r"```python\n(.*?)```", part, re.S)
        name = "recipe_" + heading.split()[-1]
        path = tmp_path / f"{name}.py"
        path.write_text(code)
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, made)
        spec.loader.exec_module(made)
        return made

    return module


def test_a_strategy_obeys_the_laws_and_explains_itself(recipe):
    """Its messages with questions stay, and what went has a rank."""
    questions = recipe("A strategy").Questions()
    assert isinstance(questions, Strategy)
    ctxlab.check_laws(questions, examples=20)
    shown = ctxlab.explain(questions, sample_case(), "40%")
    assert "Who has the key?" in shown.context.text
    assert all(entry.rank for entry in shown.entries)


def test_a_metric_obeys_the_laws_and_ranks(recipe):
    """It stands in a leaderboard by its title."""
    metric = recipe("A metric").QuestionsKept()
    check_metric_laws(metric, examples=20)
    results = ctxlab.Grid(["KeepLast()"], ["40%"], sample_case(), metrics=[metric]).run()
    assert "questions kept" in str(results.leaderboard("QuestionsKept"))


def test_an_adapter_reads_its_example_from_a_file(recipe, tmp_path, monkeypatch):
    """Once registered, a file of it is recognised."""
    made = recipe("An adapter").FORMAT
    monkeypatch.setitem(FORMATS._added, made.name, made)
    path = tmp_path / "minutes.json"
    path.write_text(json.dumps(made.example))
    [case] = ctxlab.read(path)
    assert (case.id, case.messages[0].content) == ("monday", "63 stalls")


def test_an_export_target_writes_the_schemas(recipe):
    """It gives the same bytes for the same schemas."""
    target: Target = recipe("An export target")
    schemas = chosen_schemas(None, ["persona"], None)
    assert target.files(schemas) == target.files(schemas)
    assert json.loads(target.files(schemas)["steps.json"]) == {"persona": 1}
