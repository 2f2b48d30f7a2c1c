"""Keys know their code: an edit that can change a figure computes it again, nothing else does."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ctxlab as package
from ctxlab.bench.grid import Grid
from ctxlab.core.digests import code_digest
from ctxlab.core.metric import as_metric
from ctxlab.core.specs import METRICS, STRATEGIES
from ctxlab.store import Store
from ctxlab.testing import sample_case

MINE = """
from helper import weighted
from parent import Base

BONUS = 1.0

class Mine(Base):
    w: float = 1.0

    def score(self, context, task):
        return [weighted(self.w, BONUS * self.raw(s), s) for s in context]
"""
HELPER = """
def weighted(w, raw, segment):
    return w * raw
"""
PARENT = """
from ctxlab.core.strategy import Select

class Base(Select):
    def raw(self, segment):
        return float(len(segment.text))

    def score(self, context, task):
        return [0.0 for _ in context]
"""
RUN = """
import json, sys
from ctxlab import Grid, Store, parse
from ctxlab.testing import sample_case
from ctxlab.bench import workers
ran = []
real = workers.run_cells
def noted(cells, limits):
    ran.extend(cells)
    return real(cells, limits)
workers.run_cells = noted
from concurrent.futures import ThreadPoolExecutor
with Store("lab.duckdb") as store, ThreadPoolExecutor(1) as threads:
    strategy = parse(sys.argv[1], allow_import=True)
    results = Grid([strategy], ["40%"], [sample_case()]).run(store, executor=threads)
    print(json.dumps([len(ran), results.rows()[0].evidence_tokens]))
"""


def run(folder: Path, strategy: str = "mine:Mine()", **environment: str):
    """Run the sample under a strategy in a process of its own; return cells run, and a figure."""
    own = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, strategy],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **own, **environment},
    )
    assert done.returncode == 0, done.stderr
    ran, figure = json.loads(done.stdout)
    return ran, figure


@pytest.fixture
def folder(tmp_path):
    for name, text in (("mine", MINE), ("helper", HELPER), ("parent", PARENT)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("mine", "w: float = 1.0", "w: float = -1.0"),
        ("mine", "BONUS = 1.0", "BONUS = -1.0"),
        ("helper", "return w * raw", "return -w * raw"),
        ("parent", "float(len(segment.text))", "-float(len(segment.text))"),
    ],
    ids=["default", "constant", "helper", "parent"],
)
@pytest.mark.slow
def test_an_edit_of_foreign_code_gives_a_fresh_figure(folder, name, old, new):
    """A default, a module's constant, a helper function, a parent class: each in its own file."""
    assert run(folder)[0] == 1
    first = run(folder)
    assert first[0] == 0, "an unchanged rerun computes nothing"
    file = folder / f"{name}.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    ran, figure = run(folder)
    assert ran == 1
    assert figure != first[1]


def test_a_comment_or_another_hash_seed_computes_nothing(folder):
    """What the code does is the same, and so is its key, in any process."""
    assert run(folder, PYTHONHASHSEED="1")[0] == 1
    file = folder / "helper.py"
    file.write_text('"""Helps."""\n' + file.read_text().replace("return", "# scaled\n    return"))
    assert run(folder, PYTHONHASHSEED="2")[0] == 0


def test_an_edit_of_our_own_strategy_gives_a_fresh_figure(tmp_path):
    """BM25 with its sign turned ranks the other way round; KeepLast is not computed again."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(package.__file__).parent, tmp_path / "ctxlab", ignore=ignored)
    where = {"PYTHONPATH": str(tmp_path)}
    assert run(tmp_path, "BM25()", **where)[0] == run(tmp_path, "KeepLast()", **where)[0] == 1
    ran, before = run(tmp_path, "BM25()", **where)
    assert ran == 0
    file = tmp_path / "ctxlab/strategies/lexical.py"
    source = file.read_text()
    file.write_text(source.replace("return okapi(", "return -okapi("))
    assert file.read_text() != source
    ran, after = run(tmp_path, "BM25()", **where)
    assert ran == 1
    assert after != before
    assert run(tmp_path, "KeepLast()", **where)[0] == 0


def test_a_class_in_a_cell_is_keyed_by_what_it_does():
    """Defined twice under one name with another default: another key; defined again: the same."""

    def cell(default: float):
        space = {"__name__": "__main__"}
        exec(
            "from ctxlab import Select\n"
            "class Cell(Select):\n"
            f"    w: float = {default}\n"
            "    def score(self, context, task):\n"
            "        return [self.w * len(s.text) for s in context]\n",
            space,
        )
        return space["Cell"]()

    assert code_digest(cell(1.0)) == code_digest(cell(1.0))
    assert code_digest(cell(1.0)) != code_digest(cell(-1.0))


def test_closures_partials_and_nested_functions_count():
    """Whatever a function holds or builds is part of what it does."""

    def made(k):
        def metric(run):
            return sum(i * k for i in range(3))

        return metric

    def other(run, k=1):
        return [lambda: k][0]()

    def same(run, k=1):
        return [lambda: -k][0]()

    digests = {
        code_digest(as_metric(f)).text
        for f in (made(1), made(2), other, same, functools.partial(other, k=2).func)
    }
    assert len(digests) == 4
    assert code_digest(as_metric(made(1))) == code_digest(as_metric(made(1)))


def test_what_cannot_be_digested_says_so():
    """A warning names what is in the way."""
    lock = threading.Lock()

    def metric(run):
        return float(lock.locked())

    with pytest.warns(UserWarning, match="never answered from the store: .*lock"):
        Grid("KeepLast", "40%", sample_case(), metrics=metric)


@pytest.mark.parametrize("registry", [STRATEGIES, METRICS], ids=["strategies", "metrics"])
def test_everything_that_ships_can_be_digested(registry):
    """Nothing of ours is computed twice for want of a key, and no two have the same."""
    found = [code_digest(cls()) for cls in registry.classes().values()]
    assert all(digest.certain for digest in found)


def test_a_new_metric_is_measured_without_compressing_again(tmp_path, monkeypatch):
    """On the context that was kept; and an unchanged grid measures nothing."""

    def words(run, probe):
        return len(run.after.text.split())

    grid = {"budgets": ["40%"], "cases": [sample_case()]}
    strategies = [
        "BM25()",
        "KeepLast()",
        "StripBoilerplate() >> KeepLast()",
        "Sentences() >> BM25()",
    ]
    with Store(tmp_path / "lab.duckdb") as store:
        Grid(strategies, **grid).run(store)
        fresh = Grid(strategies, **grid, metrics=[words]).run()
        monkeypatch.setattr("ctxlab.core.run.run", lambda *_: pytest.fail("compressed again"))
        with ThreadPoolExecutor(1) as threads:
            later = Grid(strategies, **grid, metrics=[words]).run(store, executor=threads)
    figures = {row.strategy: row.mean("words") for row in fresh.rows()}
    assert {row.strategy: row.mean("words") for row in later.rows()} == figures
    assert all(figures.values())
