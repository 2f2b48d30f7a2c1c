"""Text brings in no code from outside ctxlab, unless its user says so."""

import json
import sys

import pytest
from typer.testing import CliRunner

from ctxlab import Grid, KeepLast, Recipe, Store, parse
from ctxlab.bench.reproducing import reproduce
from ctxlab.cli import app
from ctxlab.core.specs import from_spec, metric_from_spec, parse_metric
from ctxlab.errors import SpecError
from ctxlab.testing import sample_case

OWN = """
from pathlib import Path
from ctxlab import Select
Path(__file__).with_name("imported").touch()
class Mine(Select):
    def score(self, context, task):
        return [float(len(one.text)) for one in context]
def commas(run, probe):
    return 1.0
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Put a module of one's own on the path, which notes that it was imported."""
    (tmp_path / "edgy").mkdir()
    (tmp_path / "edgy" / "__init__.py").write_text("")
    (tmp_path / "edgy" / "best.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("edgy", "edgy.best"):
        sys.modules.pop(name, None)


def refused(call, *given, module="edgy.best"):
    """Check that a call imports nothing, and that its error names the module and the remedy."""
    with pytest.raises(SpecError, match=f"module '{module}'.*--allow-import.*allow_import=True"):
        call(*given)
    assert "edgy" not in sys.modules


@pytest.mark.parametrize(
    "text",
    ["edgy.best:Mine()", "edgy.best.Mine()", "edgy.best:Mine", "KeepLast() >> edgy.best:Mine()",
     "Pin(strategy=edgy.best:Mine())"],
)  # fmt: skip
def test_a_text_imports_only_where_it_may(shop, text):
    """Not even the package around a module is imported to look for it."""
    refused(parse, text)
    assert "edgy.best:Mine()" in str(parse(text, allow_import=True))
    assert parse(text) == parse(text, allow_import=True)  # By now it is loaded.


def test_easter_eggs_stay_in_their_nest():
    """A module of Python's own is foreign, too."""
    assert "this" not in sys.modules
    for text in ("this.X()", "this:X()", "this.that.X()"):
        with pytest.raises(SpecError, match="allow_import=True"):
            parse(text)
    with pytest.raises(SpecError, match="the module 'this'"):
        parse("this.X()")
    assert "this" not in sys.modules


def test_specs_and_metrics_are_texts_as_well(shop):
    """At any depth of a spec, and for a function that measures."""
    refused(from_spec, {"Pin": {"strategy": {"edgy.best:Mine": {}}}})
    refused(parse_metric, "edgy.best:commas")
    refused(metric_from_spec, {"edgy.best:commas": {}})
    assert parse_metric("edgy.best:commas", allow_import=True).name


@pytest.mark.parametrize("ending", ["json", "toml", "py"])
def test_a_recipe_file_imports_only_where_it_may(shop, ending):
    """In every form; what it says stays readable once it is allowed."""
    whole = Recipe(strategy=KeepLast(), budget="40%").save(f"own.{ending}").read_text()
    text = whole.replace('"KeepLast": {}', '"edgy.best:Mine": {}')
    text = text.replace("KeepLast()", "edgy.best:Mine()")
    (shop / f"own.{ending}").write_text(text)
    refused(Recipe.load, f"own.{ending}")
    loaded = Recipe.load(f"own.{ending}", allow_import=True, changed=True)
    assert str(loaded.strategy) == "edgy.best:Mine()"


def test_code_of_ones_own_imports_what_it_names(shop):
    """A grid that is written in Python may; its stored experiment may only when told."""
    with Store("own.duckdb") as store:
        grid = Grid(["edgy.best:Mine()"], ["40%"], [sample_case()], metrics=["edgy.best:commas"])
        grid.run(store)
        for name in ("edgy", "edgy.best"):
            del sys.modules[name]
        refused(reproduce, store, "experiment")
        assert reproduce(store, "experiment", allow_import=True).same


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "agent-run", "--strategy", "edgy.best:Mine()", "--budget", "10%"],
        ["compare", "agent-run", "--strategy", "KeepLast", "--metric", "edgy.best:commas",
         "--budget", "10%"],
        ["show", "agent-run", "--strategy", "edgy.best:Mine()"],
        ["compress", "chat.json", "--recipe", "edgy.best:Mine()", "--budget", "8k"],
        ["compress", "chat.json", "--recipe", "own.toml"],
        ["strategies", "edgy.best:Mine"],
        ["metrics", "edgy.best:commas"],
    ],
)  # fmt: skip
def test_commands_import_only_with_the_option(shop, command):
    """The error says which; with the option the command does its work."""
    (shop / "chat.json").write_text(json.dumps([{"role": "user", "content": "Hi"}]))
    (shop / "own.toml").write_text('strategy = "edgy.best:Mine()"\nbudget = "8k"\n')
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, SpecError) or "--allow-import" in done.output
    assert not (shop / "edgy" / "imported").exists()
    done = CliRunner().invoke(app, [*command, "--allow-import"])
    assert done.exit_code == 0, done.output
    assert (shop / "edgy" / "imported").exists()
