"""The report: one HTML file that needs nothing else, to read, to share, to keep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.choosing import Choice, Choices
from ctxlab.bench.inspecting import Inspection
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.losses import LostProbe
from ctxlab.bench.results_views import ResultsViews
from ctxlab.core.strategy import Strategy
from ctxlab.core.unforeseen import write_whole
from ctxlab.display.board_columns import BoardColumn, columns, groups, marks
from ctxlab.display.chart_rendering import LabChart
from ctxlab.display.inspector_document import inspector_document
from ctxlab.display.inspector_static import CSS, ESM
from ctxlab.display.leaderboards import lead_color
from ctxlab.errors import ViewError

_FOLDER = Path(__file__).parent
_SNIPPET = 600
"""Characters of a lost message that the report holds."""
_INSPECTED = 24
"""Questions of a conversation that the report's inspector has: those that tell strategies apart."""


@dataclass(frozen=True)
class ReportData:
    """What a report shows.

    Parameters
    ----------
    title : str
        What was compared.
    board : Leaderboard
        All rows, by the metric that ranks and against the baseline.
    choices : Choices
        The answers; None where nothing was asked.
    charts : mapping of str to LabChart
        By the place where each is drawn.
    lost : sequence of LostProbe
        Probes whose evidence was lost.
    inspections : sequence of Inspection
        Conversations to look into.
    manifest : mapping
        Command, versions, encoding and digests: how to run it again.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> report_data(sample_results(), "A comparison").title
    'A comparison'
    """

    title: str
    board: Leaderboard
    choices: Choices | None = None
    charts: Mapping[str, LabChart] = field(default_factory=dict)
    lost: Sequence[LostProbe] = ()
    inspections: Sequence[Inspection] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)


def report_data(
    results: ResultsViews,
    title: str,
    *,
    metric: str | None = None,
    baseline: str | Strategy | None = None,
    inspect: Sequence[str] | None = None,
) -> ReportData:
    """Return what the report of an experiment shows.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> sorted(report_data(sample_results(), "Sample").charts)
    ['age', 'category', 'curve', 'forest', 'pareto']
    """
    board = results.leaderboard(metric, baseline)
    if all(row.shown.mean is None for row in board.rows()) or not any(
        case.probes for case in results.cases.values()
    ):
        return ReportData(title, board, manifest=results.manifest)
    charts = {
        "curve": results.curve(metric, baseline),
        "pareto": results.pareto(metric),
        "forest": results.forest(baseline, metric),
        "category": results.heatmap("category", metric),
        "age": results.by_age(metric),
    }
    ids = [next(c.id for c in results.cases.values() if c.probes)] if inspect is None else inspect
    return ReportData(
        title,
        board,
        results.choose(baseline, metric),
        {name: chart for name, chart in charts.items() if chart.frame.height},
        list(results.lost()),
        [_telling(results.inspect(name)) for name in ids],
        results.manifest,
    )


def _telling(inspection: Inspection) -> Inspection:
    """Return an inspection of those questions that tell its strategies apart, then others."""
    places = {segment.source: at for at, segment in enumerate(inspection.context)}

    def outcomes(probe: Any) -> int:  # noqa: ANN401 - a probe
        evidence = [places[f"message:{e}"] for e in probe.evidence]
        found = set()
        for (_, _, asked), frame in inspection.frames.items():
            if asked in (None, probe.id):
                found.add("".join(frame.fates[at] for at in evidence if at < len(frame.fates)))
        return len(found)

    probes = sorted(inspection.probes, key=lambda probe: -outcomes(probe))[:_INSPECTED]
    kept = {None, *(probe.id for probe in probes)}
    frames = {key: frame for key, frame in inspection.frames.items() if key[2] in kept}
    return replace(inspection, probes=probes, frames=frames)


def write_report(
    results: ResultsViews,
    path: str | Path,
    *,
    title: str,
    **chosen: Any,  # noqa: ANN401
) -> Path:
    """Write the report; a file of that name is replaced at the end, in one step.

    Raises
    ------
    ViewError
        When it cannot be written there.

    Examples
    --------
    >>> import tempfile
    >>> from ctxlab.testing import sample_results
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(sample_results(), f"{folder}/report.html", title="Sample").name
    'report.html'
    """
    target = Path(path)
    write_whole(target, build_report(report_data(results, title, **chosen)), ViewError)
    return target


def build_report(data: ReportData) -> str:
    """Return the report as one HTML text that asks for nothing outside itself.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> page = build_report(ReportData("Sample", sample_results().leaderboard()))
    >>> "https://" in page.split("<main>")[1][:2000]
    False
    """
    import vl_convert

    board, measured = data.board, bool(data.charts)
    template = Template((_FOLDER / "report.html").read_text(encoding="utf-8"))
    shown = columns(board)
    documents = [inspector_document(inspection) for inspection in data.inspections]
    return template.substitute(
        title=escape(data.title),
        style=(_FOLDER / "report.css").read_text(encoding="utf-8") + CSS,
        answer=_answer(data),
        metric=escape(board.measured.metrics[board.metric].title.capitalize()),
        evidence="" if measured else "hidden",
        inspected="" if documents else "hidden",
        verdicts=_verdicts(board) if measured else "",
        table=_table(board, shown),
        lost=json_for_html(lost_tables(data.lost)),
        definitions=_pairs({c.title: c.meaning for c in shown}),
        reproduce=_pairs(_facts(data.manifest)),
        manifest=json_for_html(data.manifest),
        rows=json_for_html([row.as_dict() for row in board.rows()]),
        charts=json_for_html({name: chart.to_dict() for name, chart in data.charts.items()}),
        documents=json_for_html(documents),
        vega=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace(
            "</script", "<\\/script"
        ),
        script=(_FOLDER / "report.js").read_text(encoding="utf-8"),
        inspector=ESM.replace("export default { render };", "drawInspectors(render);"),
    )


def _answer(data: ReportData) -> str:
    if not data.charts:
        return (
            "<p class='headline'>These conversations have no questions: "
            "only sizes and times were measured.</p>"
        )
    if data.choices is None:
        return ""
    if not data.choices.choices:
        return f"<p class='headline'>{escape(data.choices.sentences[0])}</p>"
    return "".join(map(_headline, data.choices))


def _headline(choice: Choice) -> str:
    sees = "Where the question is known" if choice.row.query_aware else "Without the question"
    first, *rest = choice.sentences
    return (
        f"<div class='headline'><b>{sees}: <code>{escape(choice.strategy)}</code> at "
        f"{escape(choice.budget)}, {escape(choice.against.verdict)}</b>"
        f"<p>{escape(first)}</p><p class='note'>{escape(' '.join(rest))}</p></div>"
    )


def lost_tables(lost: Iterable[LostProbe]) -> dict[str, Any]:
    """Return every lost probe, with its words told once: tables of words, and rows of numbers.

    A row is the number of the probe, the strategy and the budget, then pairs of the numbers of a
    message and a reason.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> tables = lost_tables(sample_results().lost("KeepLast()"))
    >>> tables["rows"][0], tables["reasons"]
    ([0, 0, 0, 0, 0], ['older than the newest messages that fit'])
    """
    tables: dict[str, dict[Any, int]] = {
        name: {} for name in ("probes", "strategies", "budgets", "messages", "reasons")
    }

    def number(table: str, value: Any) -> int:  # noqa: ANN401 - whatever is told
        return tables[table].setdefault(value, len(tables[table]))

    rows = []
    for one in lost:
        row = [
            number("probes", (one.case, one.question, one.answer, one.category)),
            number("strategies", one.strategy),
            number("budgets", one.budget),
        ]
        for gone in one.evidence:
            cut = gone.text if len(gone.text) <= _SNIPPET else gone.text[:_SNIPPET] + " …"
            row += [number("messages", (gone.id, cut)), number("reasons", gone.reason)]
        rows.append(row)
    return {**{name: list(table) for name, table in tables.items()}, "rows": rows}


def _facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the manifest as words: what is listed, joined."""
    return {
        key: ", ".join(f"{k} {v}" for k, v in value.items())
        if isinstance(value, Mapping)
        else ", ".join(map(str, value))
        if isinstance(value, list)
        else str(value)
        for key, value in manifest.items()
        if value and key not in ("spec", "inputs")
    }


def json_for_html(value: object) -> str:
    r"""Return JSON that can stand within a script element, whatever it holds.

    Examples
    --------
    >>> json_for_html("</script>")
    '"\\u003c/script>"'
    """
    return json.dumps(value).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _verdicts(board: Leaderboard) -> str:
    items = (f"<li>{escape(comparison.sentence)}</li>" for _, comparison in board.verdicts())
    listed = "".join(items)
    if not listed:
        return ""
    return f"<details class='more'><summary>All verdicts</summary><ul>{listed}</ul></details>"


def _pairs(pairs: Mapping[str, str]) -> str:
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs.items())


def _table(board: Leaderboard, shown: Sequence[BoardColumn]) -> str:
    names = ["strategy", "budget", *(column.title for column in shown)]
    head = "".join(f"<th><button>{escape(name)}</button></th>" for name in names)
    budgets = list(dict.fromkeys(row.budget for row in board.rows()))
    return "".join(
        f"<h3>{escape(title.capitalize())}</h3><div class='wide'><table>"
        f"<thead><tr>{head}</tr></thead><tbody>"
        f"{''.join(_row(row, shown, board, budgets) for row in members)}</tbody></table></div>"
        for title, members in groups(board.rows())
    )


def _row(
    row: BoardRow, shown: Sequence[BoardColumn], board: Leaderboard, budgets: Sequence[str]
) -> str:
    name = f"<code>{escape(row.strategy)}</code>" + "".join(
        f" <span class='mark'>{escape(mark)}</span>" for mark in marks(row)
    )
    cells: list[tuple[object, str]] = [
        (row.strategy, name),
        (budgets.index(row.budget), escape(row.budget)),
        *((column.key(row), _cell(row, column, board)) for column in shown),
    ]
    inner = "".join(
        f"<td data-v='{escape(str('' if key is None else key))}'>{text}</td>" for key, text in cells
    )
    return f"<tr>{inner}</tr>"


def _cell(row: BoardRow, column: BoardColumn, board: Leaderboard) -> str:
    text, share = escape(column.text(row)), column.key(row)
    if column.title == "lead":
        color = lead_color(row.shown, board.measured.metrics[board.metric])
        return f"<span style='color:{color}'>{text}</span>"
    if not column.strong or share is None or not 0 <= share <= 1:
        return text
    return f"<span class='bar' style='--w:{round(100 * share, 1)}%'>{text}</span>"
