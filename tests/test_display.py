"""What people look at: escaped, sanitizer-safe, the same every time, and drawn in a browser."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ctxlab.bench.grid import DEFAULT_METRICS, Grid
from ctxlab.core.budgets import TierUse
from ctxlab.core.cases import Case, Probe
from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, LedgerEntry
from ctxlab.core.metric import FunctionMetric, MetricTraits
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Select
from ctxlab.display.chart_rendering import bundle
from ctxlab.display.charts import availability_curve, frontier, pareto
from ctxlab.display.conversation_views import context_html, ledger_html
from ctxlab.display.leaderboards import leaderboard_html
from ctxlab.display.report import ReportData, build_report, json_for_html, lost_tables, report_data
from ctxlab.display.tier_faces import tiers_html
from ctxlab.testing import sample_case, sample_results

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"'"


@pytest.fixture(scope="module")
def board():
    return sample_results().leaderboard()


class Tags(HTMLParser):
    """Names of elements and of their attributes."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


class Named(Select):
    """Has a parameter that is shown, whatever it says."""

    label: str = ""

    def score(self, context, task):
        return [1.0 for _ in context]


def hostile_results():
    """Return results whose strategy, metric, messages and questions carry hostile text."""
    hostile = FunctionMetric(
        function=lambda run: 1.0, shown=MetricTraits(title=HOSTILE, unit="share")
    )
    messages = [Message(f"m{i}", "user", f"{i} {HOSTILE}", name=HOSTILE) for i in range(8)]
    probes = [Probe(f"p{i}", f"{i} {HOSTILE}", HOSTILE, (f"m{i}",), HOSTILE) for i in range(8)]
    case = Case(HOSTILE, HOSTILE, tuple(messages), tuple(probes))
    strategies = [Named(label=HOSTILE), "KeepLast()", "BM25()"]
    grid = Grid(strategies, ["40%", "70%"], [case], metrics=[*DEFAULT_METRICS, hostile])
    with ThreadPoolExecutor(1) as threads:
        return grid.run(executor=threads)


def hostile_report() -> ReportData:
    data = report_data(hostile_results(), HOSTILE)
    return replace(data, manifest={**data.manifest, "command": HOSTILE})


def test_a_notebook_repr_needs_no_script_style_or_class():
    """Whatever a sanitizer strips is not there, and data is escaped."""
    context = Context.of([Message("m1", "user", HOSTILE, name=HOSTILE)])
    entry = LedgerEntry("message:m1", 0, 9, Fate.DROPPED, HOSTILE, 9, 0, HOSTILE)
    pages = [
        leaderboard_html(hostile_results().leaderboard()),
        hostile_results()._repr_html_(),
        context_html(context),
        ledger_html(context, Context(), [entry]),
        tiers_html([TierUse(HOSTILE, 9, 5)]),
        sample_results()._repr_html_(),
    ]
    for page in pages:
        tags = " ".join(re.findall(r"<[^>]*>", page))
        assert not re.search(r"<(script|style|img|link)|class=|\bonerror=(?![^']*')", tags)


def test_charts_are_the_same_bytes_every_time(board):
    """A notebook that is run again shows no difference."""
    for chart in (availability_curve, pareto):
        first, again = (bundle(chart(board).to_dict()) for _ in range(2))
        assert first == again
        assert first["application/vnd.vega.v5+json"]["$schema"].endswith("/v5.json")


def test_the_frontier_is_what_nothing_beats():
    """More tokens must buy more."""
    points = [(5, 0.5), (5, 0.4), (9, 0.5), (12, 0.7), (20, 0.6)]
    best = frontier([{"tokens": t, "value": m} for t, m in points])
    assert [(row["tokens"], row["value"]) for row in best] == [(5, 0.5), (12, 0.7)]


def test_json_cannot_leave_its_script_element():
    """The closing tag is escaped, and the text is the same after reading."""
    import json

    text = json_for_html({"a": HOSTILE})
    assert "</script" not in text
    assert json.loads(text) == {"a": HOSTILE}


def test_the_report_asks_for_nothing_outside_itself():
    """No source, link or import leaves the file, and hostile data stays text."""
    page = build_report(hostile_report())
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    tags = Tags()
    tags.feed(outside)
    assert not {"src", "href", "onerror", "srcset", "action"} & tags.attributes
    assert not {"img", "link", "iframe", "object", "base"} & tags.names
    assert "@import" not in outside
    assert "default-src 'none'" in page


def test_a_report_without_questions_shows_sizes_alone(board):
    """No empty charts and no empty list of losses: the headline says why."""
    case = replace(sample_case(), probes=())
    with ThreadPoolExecutor(1) as threads:
        results = Grid(["KeepLast()"], ["40%"], [case]).run(executor=threads)
    page = build_report(report_data(results, "Chats"))
    assert "These conversations have no questions" in page
    assert page.count(" hidden>") == 5
    assert '<script type="application/json" id="chart-data">{}</script>' in page
    assert build_report(report_data(sample_results(), "Cases")).count(" hidden>") == 1


def test_the_report_begins_with_what_to_take(board):
    """The first lines are the best strategy against the baseline, and what is not decisive."""
    page = build_report(report_data(sample_results(), "Cases"))
    answer = page.split("class='headline'")[1].split("</div>")[0]
    assert "BM25()" in answer
    assert "leads KeepLast()" in answer
    assert "not decisive" in answer


def test_the_report_holds_all_that_was_lost():
    """Every lost question is there, whatever their number; words are told once."""
    results = sample_results()
    tables = lost_tables(results.lost())
    assert len(tables["rows"]) == len(list(results.lost())) > 4
    assert len(tables["messages"]) == len({tuple(m) for m in tables["messages"]})


@pytest.fixture(scope="module")
def page(browser_path, tmp_path_factory):
    """Open a report of hostile data in a browser that may not reach any network."""
    from playwright.sync_api import sync_playwright

    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(build_report(hostile_report()), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        tab.faults, tab.asked = [], []
        tab.on("pageerror", lambda error: tab.faults.append(str(error)))
        tab.on("console", lambda m: tab.faults.append(m.text) if m.type == "error" else None)
        tab.on("dialog", lambda dialog: tab.faults.append(dialog.message) or dialog.dismiss())
        tab.route(
            "**/*",
            lambda route: (
                route.continue_()
                if route.request.url.startswith("file:")
                else (tab.asked.append(route.request.url), route.abort())
            ),
        )
        tab.goto(path.as_uri())
        tab.wait_for_selector("#pareto svg")
        yield tab
        browser.close()


def test_the_report_draws_its_charts_offline_without_an_error(page):
    """Both charts are drawn, nothing was asked for, nothing injected ran."""
    assert page.query_selector("#curve svg")
    assert page.faults == []
    assert [url for url in page.asked if not url.startswith("data:")] == []


def test_the_report_sorts_and_filters(page):
    """A heading sorts its table; the search narrows what was lost."""
    table = page.locator("table").last
    table.locator("th button").nth(2).click()
    shares = [
        float(x)
        for x in table.locator("td:nth-child(3)").evaluate_all(
            "cells => cells.map(cell => cell.dataset.v)"
        )
    ]
    assert shares == sorted(shares, reverse=True)
    everything = page.locator("#lost .lost").count()
    assert everything > 4
    page.fill("#by-text", "words that are nowhere")
    assert page.locator("#lost .lost").count() == 0
    assert "0 shown of 0 found" in page.inner_text("#lost-count")
    page.fill("#by-text", "alert 7")
    assert 0 < page.locator("#lost .lost").count() < everything
    assert "<img src=x" in page.locator("#lost .went").first.inner_text()


def test_the_report_looks_into_a_conversation(page):
    """The inspector is in the file: a question jumps to its evidence, keys move the budget."""
    box = page.locator(".ctx-inspector")
    assert box.locator(".heads > div").count() == 4
    box.locator(".probes button").nth(3).click()
    assert "gold" in box.locator(".row.on").get_attribute("class")
    box.focus()
    page.keyboard.press("[")
    assert box.locator(".bar output").first.inner_text() == "40%"
    page.keyboard.press("]")
    assert box.locator(".bar output").first.inner_text() == "70%"
    assert page.faults == []


def test_nothing_in_the_report_runs_over_its_edge(page):
    """At 400 pixels, too, only tables and charts scroll, each in its own box."""
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.set_viewport_size({"width": 1200, "height": 800})
