"""Names of strategies and metrics: found in modules, ours first, and nobody's fault hurts all."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from inspect import isabstract
from pkgutil import walk_packages
from textwrap import dedent

import pytest

import ctxlab
from ctxlab.core.metric import Metric
from ctxlab.core.registry import Registry
from ctxlab.core.specs import METRICS, STRATEGIES
from ctxlab.core.strategy import Pipeline, Select, Strategy
from ctxlab.errors import SpecError, UnknownNameError
from ctxlab.strategies.windows import KeepLast

BASES = {"Strategy", "Select", "Ordered", "Smoothed", "UnitPruning", "Metric"}
"""Classes that strategies and metrics are built on: abstract, and therefore not listed."""
ELSEWHERE = {"FunctionMetric"}
"""Concrete classes that have no name of their own to be asked for by."""

THEIRS = """
    from ctxlab.core.metric import Metric, MetricTraits
    from ctxlab.core.strategy import Select, Strategy, Traits
    from ctxlab.strategies.windows import KeepLast

    class Longest(Select):
        '''Keeps the longest.'''
        TRAITS = Traits(family="ranking", source="folklore")
        def score(self, context, task):
            return [float(len(segment.text)) for segment in context]

    class KeepLast(KeepLast):
        '''Has a name of ctxlab's.'''

    class Unfinished(Strategy):
        '''Is abstract.'''

    class _Private(KeepLast):
        '''Is private.'''

    class Letters(Metric):
        '''Letters that are left.'''
        TRAITS = MetricTraits(title="letters", unit="count")
        def measure(self, run, probe):
            return float(len(run.after.text))
"""


def defined(base):
    """Yield the subclasses of a base in ctxlab's registries, at any depth."""
    for cls in base.__subclasses__():
        if cls.__module__.startswith(("ctxlab.core.", "ctxlab.strategies.", "ctxlab.metrics.")):
            yield cls
        yield from defined(cls)


@pytest.mark.parametrize(
    ("registry", "base"), [(STRATEGIES, Strategy), (METRICS, Metric)], ids=["strategy", "metric"]
)
def test_no_class_is_forgotten(registry, base):
    """Whatever is defined in ctxlab is listed, once, unless it is private or a known base."""
    for module in walk_packages(ctxlab.__path__, "ctxlab."):
        if module.name.startswith((registry.group, "ctxlab.core")):
            import_module(module.name)
    known = ("_", *ELSEWHERE)
    found = {cls for cls in defined(base) if not cls.__name__.startswith(known)}
    assert {cls.__name__ for cls in found if isabstract(cls)} <= BASES
    public = {cls for cls in found if not isabstract(cls)}
    ours = {c for c in registry.classes().values() if c.__module__.startswith("ctxlab.")}
    assert public == ours


def test_a_class_of_another_room_goes_by_its_module():
    """What is in no registry is written so that it is found again."""
    from ctxlab.chats.langchain import TrimMessages

    assert str(TrimMessages()) == "ctxlab.chats.langchain:TrimMessages()"
    assert STRATEGIES.find("ctxlab.chats.langchain:TrimMessages") is TrimMessages


def test_one_strategy_loads_one_module():
    """Asking for a name imports the module that it stands in, and what that rests on."""
    code = "import ctxlab, sys; ctxlab.KeepLast; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("ctxlab.strategies.")}
    assert loaded == {"ctxlab.strategies.windows"}
    assert {"numpy", "polars", "duckdb", "scipy"}.isdisjoint(done.stdout.split())


def test_the_package_lists_its_strategies_alone():
    """What TAB offers, and `*` imports, are the names of strategies."""
    from ctxlab import strategies

    assert dir(strategies) == strategies.__all__ == STRATEGIES.names()
    assert set(dir(ctxlab)) >= {*STRATEGIES.names(), *METRICS.names(), "Grid", "parse"}
    with pytest.raises(AttributeError, match="KeepFirst"):
        _ = ctxlab.KeepFirst


def test_a_package_of_others_adds_a_strategy_and_a_metric(site):
    """Installed, they go by their names in code, text, listing and laws."""
    site.install("theirs", {"__init__": "", "own": THEIRS}, strategies="theirs", metrics="theirs")
    found, errors = site.python("""
        import json
        from typer.testing import CliRunner
        from ctxlab import KeepLast, Letters, Longest, parse
        from ctxlab.cli import app
        from ctxlab.core.specs import METRICS, STRATEGIES, parse_metric
        from ctxlab.testing import check_laws, sample_run
        check_laws(Longest(), examples=20)
        print(json.dumps({
            "strategy": str(parse("Longest() >> KeepLast()")),
            "again": parse(str(Longest())) == Longest(),
            "metric": parse_metric("letters").measure(sample_run(), None) > 0,
            "ours": KeepLast.__module__,
            "listed": "Longest" in CliRunner().invoke(app, ["strategies"]).stdout,
            "left out": sorted({"Unfinished", "_Private"} & {*STRATEGIES.names()}),
            "of a kind": ["Letters" in STRATEGIES, "Longest" in METRICS],
            "problems": list(STRATEGIES.problems()),
        }))
    """)
    assert found == {
        "strategy": "theirs.own:Longest() >> KeepLast()",
        "again": True,
        "metric": True,
        "ours": "ctxlab.strategies.windows",
        "listed": True,
        "left out": [],
        "of a kind": [False, False],
        "problems": [],
    }
    assert not errors


def test_an_entry_point_may_name_one_class(site):
    """The others of its module are not listed, and it goes by its own name."""
    site.install("theirs", {"__init__": THEIRS}, strategies="theirs:Longest")
    found, _ = site.python("""
        import json
        from ctxlab.core.specs import STRATEGIES
        theirs = [c for c in STRATEGIES.classes().values() if c.__module__ == "theirs"]
        print(json.dumps([cls.__name__ for cls in theirs]))
    """)
    assert found == ["Longest"]


def test_a_second_name_counts_where_an_entry_point_says_so(site):
    """It finds the class, which is written by its own name and found again."""
    source = dedent(THEIRS) + "Newest = Longest\n"
    site.install("one", {"__init__": source}, strategies="one")
    site.install("two", {"__init__": source}, strategies="two:Newest")
    found, _ = site.python("""
        import json
        from ctxlab.core.specs import STRATEGIES, parse
        newest, names = parse("Newest()"), STRATEGIES.names()
        print(json.dumps([str(newest), parse(str(newest)) == newest, names.count("Newest")]))
    """)
    assert found == ["two:Longest()", True, 1]


@pytest.mark.parametrize(
    ("modules", "value", "words"),
    [
        ({"__init__": "", "own": "import nowhere\n" + dedent(THEIRS)}, "theirs", "No module named"),
        ({"__init__": "1 / 0\n" + dedent(THEIRS)}, "theirs", "ZeroDivisionError"),
        ({"__init__": "1 / 0\n", "own": THEIRS}, "theirs", "ZeroDivisionError"),
        ({"__init__": "import nowhere"}, "theirs:Longest", "No module named"),
    ],
    ids=["a module", "a package of one file", "a package", "a class"],
)
def test_a_broken_package_is_reported_and_hurts_no_other(modules, value, words, site):
    """All else works; its error is logged once, is kept, and comes when its name is asked for."""
    site.install("theirs", modules, strategies=value)
    found, errors = site.python("""
        import json
        from typer.testing import CliRunner
        from ctxlab import KeepLast, parse
        from ctxlab.cli import app
        from ctxlab.core.specs import STRATEGIES
        from ctxlab.errors import SpecError
        parse("KeepLast()")
        listing = CliRunner().invoke(app, ["strategies"])
        names = STRATEGIES.names()
        try:
            parse("Longest()")
        except SpecError as error:
            said = str(error)
        print(json.dumps({
            "names": "KeepLast" in names and "Longest" not in names,
            "said": said, "problems": [*STRATEGIES.problems().values()],
            "listing": listing.stderr, "code": listing.exit_code,
        }))
    """)
    assert found["names"]
    assert found["code"] == 0
    for text in (found["said"], " ".join(found["problems"]), found["listing"]):
        assert "'theirs'" in text
        assert words in text
    assert "mend or uninstall" in found["said"]
    assert found["listing"].count("is left out") == len(found["problems"])
    assert not errors


def test_an_entry_point_that_leads_nowhere_is_reported(site):
    """Whose modules cannot be found has no names; the listing says so."""
    site.install("theirs", {"__init__": ""}, strategies="elsewhere.strategies")
    found, errors = site.python("""
        import json
        from ctxlab.core.specs import STRATEGIES
        print(json.dumps([*STRATEGIES.problems().values()]))
    """)
    assert "elsewhere.strategies of the package 'theirs'" in found[0]
    assert "No module named 'elsewhere'" in errors


def test_two_packages_with_one_name_are_told_apart_by_their_modules(site):
    """The name alone is refused with both places; each is found where it stands."""
    for name in ("one", "two"):
        site.install(name, {"__init__": THEIRS}, strategies=name)
    found, errors = site.python("""
        import json
        from ctxlab.core.specs import STRATEGIES, parse
        from ctxlab.errors import SpecError
        try:
            parse("Longest()")
        except SpecError as error:
            said = str(error)
        print(json.dumps([said, "Longest" in STRATEGIES.names(), str(parse("two:Longest()"))]))
    """)
    assert found[1:] == [False, "two:Longest()"]
    for words in ("one:Longest", "two:Longest", "the same name", "write module:Class"):
        assert words in found[0]
    assert "'one'" in errors


@pytest.mark.parametrize("added", [Select, KeepLast, int, type("_Own", (KeepLast,), {})])
def test_what_cannot_be_added_is_refused(added):
    """An abstract class, a name of ctxlab's, no strategy at all, and a private name."""
    with pytest.raises(SpecError, match=added.__name__):
        STRATEGIES.add(added)


def test_a_class_of_a_notebook_goes_by_its_name_once_added():
    """Defined and added again, the newer one counts."""
    registry = Registry("strategy", "ctxlab.strategies", Strategy)
    with pytest.raises(UnknownNameError, match="Newest"):
        registry.find("Newest")
    for _ in range(2):
        newest = registry.add(type("Newest", (KeepLast,), {"__module__": __name__}))
        assert registry["Newest"] is newest
    assert "Newest" in registry.names()
    assert registry.add(Pipeline) is Pipeline


def test_the_command_finds_a_class_in_the_folder_that_one_works_in(tmp_path):
    """As an installed command, whose own folder is the one that Python looks in by itself."""
    (tmp_path / "mine.py").write_text(dedent(THEIRS))
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from ctxlab.cli import main; main()", "strategies",
         "mine:Longest", "--allow-import"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Longest: Keeps the longest.")
