"""The catalogue: complete, measured, and the same in the package, the README and the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctxlab.cli import app
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.strategies import KeepLast
from ctxlab.strategies.catalogue import Figure, catalogue, entry_of, markdown, measurements

README = Path(__file__).parent.parent / "README.md"


def test_every_strategy_is_in_the_catalogue_with_what_it_is():
    """All that ship, each once, with family, source, cost and documented parameters."""
    entries = {entry.name: entry for entry in catalogue()}
    assert set(entries) == set(STRATEGIES.classes()) - {"Pipeline"}
    for entry in entries.values():
        assert entry.summary.endswith(".")
        assert entry.traits.family
        assert entry.traits.source
        assert entry.traits.cost
        assert all(parameter.meaning for parameter in entry.parameters)
    assert len(entries) >= 30


def test_a_figure_is_a_share_within_its_interval():
    """On the sets that are named; a strategy without one has a dash and breaks nothing."""
    measured = [entry for entry in catalogue() if entry.measured]
    assert len(measured) >= 30
    for entry in measured:
        assert set(entry.measured) <= set(measurements()), entry.name
        for figure in entry.measured.values():
            assert 0 <= figure.low <= figure.share <= figure.high <= 1
    assert "| – |" in markdown([entry_of(Own)])


def test_the_measured_order_is_what_the_field_knows():
    """The ceiling is above all, and retrieval above what does not see the question (LoCoMo)."""
    shares = {e.name: e.measured["LoCoMo"].share for e in catalogue() if e.measured}
    assert shares["Oracle"] == max(shares.values())
    assert shares["BM25"] > shares["Salience"] > shares["KeepLast"]


def test_the_readme_shows_the_catalogue_as_it_is():
    """Every row of its table is one that the package prints; a new strategy's may come later."""
    text = README.read_text(encoding="utf-8").split("<!-- catalogue -->")[1]
    shown = text.split("<!-- /catalogue -->")[0].strip().splitlines()
    assert len(shown) > 30
    assert set(shown) <= set(markdown(catalogue()).splitlines())


def test_the_terminal_shows_it_in_three_ways():
    """A table, Markdown, JSON; and one strategy with its parameters."""
    run = CliRunner().invoke
    assert "KeepValues" in run(app, ["strategies"]).stdout
    assert run(app, ["strategies", "--markdown"]).stdout.strip() == markdown(catalogue())
    found = json.loads(run(app, ["strategies", "--json"]).stdout)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["BM25"]["query_aware"] is True
    assert set(rows["BM25"]["measured"]) == set(found["sets"])
    one = run(app, ["strategies", "MaskObservations"]).stdout
    assert "placeholder" in one
    assert "Lindenbauer" in one


@pytest.mark.parametrize(
    ("figure", "text"),
    [(Figure(0.5, 0.25, 1.0), "50.0 [25.0, 100.0]"), (Figure(0.5, None, None), "50.0")],
)
def test_figures_are_shown_in_percent(figure, text):
    """One decimal, with the interval where there is one."""
    assert str(figure) == text


class Own(Strategy):
    """Somebody's own | strategy."""

    TRAITS = Traits(family="a|b", source="none")

    def compress(self, context, task):
        """Return the context as it is."""
        return context


def test_an_own_strategy_has_an_entry_and_cannot_break_the_table():
    """A class that is not registered can be shown; a bar in a text does not split a cell."""
    lines = markdown([entry_of(Own), entry_of(KeepLast)]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
