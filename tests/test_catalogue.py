"""The catalogue: complete, measured, and the same in the package, the docs and the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctxlab.cli import app
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.datasets import load, source
from ctxlab.datasets.fetching import MIRROR
from ctxlab.strategies import KeepLast
from ctxlab.strategies.catalogue import (
    Figure,
    catalogue,
    command,
    markdown,
    measurements,
    published,
    row_of,
)

ROOT = Path(__file__).parent.parent


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


def test_figures_are_shares_with_intervals_of_sets_that_are_declared():
    """Whoever has none is shown all the same, with a dash."""
    for entry in catalogue():
        assert set(entry.measured) <= set(measurements()), entry.name
        for figure in entry.measured.values():
            assert 0 <= figure.low <= figure.share <= figure.high <= 1
    [identity] = [entry for entry in catalogue() if entry.name == "Identity"]
    assert markdown([identity]).splitlines()[-1].endswith("| – | – | – |")


def test_every_figure_says_what_it_is_of():
    """A split that anyone can fetch, an encoding, seeds; and a command that is there."""
    for found in measurements().values():
        assert not source(found.dataset).bundled
        assert found.dataset.endswith(":dev")
        assert found.encoding == "o200k_base"
        assert found.seeds
        for words in (found.dataset, found.budget, found.encoding, f"{found.questions} questions"):
            assert words in str(found)
    [script] = [word for word in command().split() if word.endswith(".py")]
    assert (ROOT / script).is_file()


def test_the_measured_sets_are_the_splits(data_dir, monkeypatch):
    """Conversations and questions are as many as the split has of those categories."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    for found in measurements().values():
        cases = load(found.dataset)
        counted = [
            probe
            for case in cases
            for probe in case.probes
            if probe.evidence and (not found.categories or probe.category in found.categories)
        ]
        assert (len(cases), len(counted)) == (found.conversations, found.questions)


def test_the_measured_order_is_what_the_field_knows():
    """The ceiling is above all, and retrieval above what does not see the question (LoCoMo)."""
    shares = {e.name: e.measured["LoCoMo"].share for e in catalogue() if e.measured}
    assert shares["Oracle"] == max(shares.values())
    assert shares["BM25"] > shares["Salience"] > shares["KeepLast"]


def test_the_docs_show_what_was_measured():
    """The table between its marks is the one that `measure_catalogue.py --table` writes."""
    text = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    block = text.partition("<!-- catalogue -->\n")[2].partition("\n<!-- /catalogue -->")[0]
    assert block == markdown(published())
    assert {entry.name for entry in published()} <= {entry.name for entry in catalogue()}


def test_a_new_strategy_needs_no_other_file(monkeypatch):
    """Its row is there without a figure; the docs show it once it is measured."""
    before = markdown(published())
    monkeypatch.setattr(STRATEGIES, "_added", dict(STRATEGIES._added))
    STRATEGIES.add(Own)
    [row] = [line for line in markdown(catalogue()).splitlines() if line.startswith("| `Own`")]
    assert row.endswith("| none | – | – | – |")
    assert markdown(published()) == before
    listing = CliRunner().invoke(app, ["strategies"])
    assert listing.exit_code == 0
    assert "Own" in listing.stdout


def test_the_terminal_shows_it_in_three_ways():
    """A table, Markdown, JSON; and one strategy with its parameters."""
    run = CliRunner().invoke
    assert "KeepValues" in run(app, ["strategies"]).stdout
    assert run(app, ["strategies", "--markdown"]).stdout.strip() == markdown(catalogue())
    found = json.loads(run(app, ["strategies", "--json"]).stdout)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["BM25"]["query_aware"] is True
    assert set(rows["BM25"]["measured"]) == set(found["sets"])
    assert found["sets"]["LoCoMo"]["dataset"] == "locomo:dev"
    assert found["command"] == command()
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
    lines = markdown([row_of(Own), row_of(KeepLast)]).splitlines()
    assert len({line.count("|") for line in lines}) == 1


class Needy(Own):
    share: float
    keep: int = 3


def test_an_own_strategy_without_words_or_defaults_has_an_entry():
    """What somebody else's class lacks is left empty, and breaks no listing."""
    Needy.__doc__ = None
    entry = row_of(Needy)
    assert entry.summary == ""
    assert entry.traits == Own.TRAITS
    assert [(parameter.name, parameter.default) for parameter in entry.parameters] == [
        ("share", ""),
        ("keep", "3"),
    ]
