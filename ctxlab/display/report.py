"""The report: one HTML file that needs nothing else, to read, to share, to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from ctxlab.bench.board_rows import BoardRow
from ctxlab.bench.leaderboard import Leaderboard
from ctxlab.bench.losses import LostProbe
from ctxlab.core.unforeseen import write_whole
from ctxlab.display.board_columns import BoardColumn, columns, groups, marks
from ctxlab.display.charts import availability_curve, pareto
from ctxlab.errors import ViewError

_LISTED = 2000
_SNIPPET = 280


@dataclass(frozen=True)
class ReportData:
    """What a report shows.

    Parameters
    ----------
    title : str
        What was compared.
    board : Leaderboard
        All rows, by the metric that ranks and against the baseline.
    lost : sequence of LostProbe
        Probes whose evidence was lost.
    manifest : mapping
        Command, versions, encoding and digests: how to run it again.

    Examples
    --------
    >>> from ctxlab.testing import sample_results
    >>> ReportData("A comparison", sample_results().leaderboard()).title
    'A comparison'
    """

    title: str
    board: Leaderboard
    lost: Sequence[LostProbe] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)


def write_report(
    path: str | Path,
    title: str,
    board: Leaderboard,
    lost: Sequence[LostProbe],
    manifest: Mapping[str, Any],
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
    >>> board = sample_results().leaderboard()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(f"{folder}/report.html", "Sample", board, [], {}).name
    'report.html'
    """
    target = Path(path)
    write_whole(target, build_report(ReportData(title, board, lost, manifest)), ViewError)
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

    board = data.board
    measured = any(row.shown.mean is not None for row in board.rows())
    charts = {
        "curve": availability_curve(board).to_dict() if measured else None,
        "pareto": pareto(board).to_dict() if measured else None,
    }
    folder = Path(__file__).parent
    template = Template((folder / "report.html").read_text(encoding="utf-8"))
    listed = _spread(data.lost)
    shown = columns(board)
    return template.substitute(
        title=escape(data.title),
        style=(folder / "report.css").read_text(encoding="utf-8"),
        headline=escape(_headline(board, measured)),
        metric=escape(board.measured.metrics[board.metric].title.capitalize()),
        evidence="" if measured else "hidden",
        verdicts=_verdicts(board),
        table=_table(board.rows(), shown),
        lost=json_for_html([_lost(probe) for probe in listed]),
        unlisted=_unlisted(len(data.lost) - len(listed)),
        definitions=_pairs({c.title: c.meaning for c in shown}),
        reproduce=_pairs(_facts(data.manifest)),
        manifest=json_for_html(data.manifest),
        rows=json_for_html([row.as_dict() for row in board.rows()]),
        charts=json_for_html(charts),
        vega=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace(
            "</script", "<\\/script"
        ),
        script=(folder / "report.js").read_text(encoding="utf-8"),
    )


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


def _headline(board: Leaderboard, measured: bool) -> str:
    if not measured:
        return "These conversations have no questions: only sizes and times were measured."
    verdicts = board.verdicts()
    if not verdicts:
        return "There are no two strategies to compare at one budget."
    return verdicts[0][1].sentence


def _verdicts(board: Leaderboard) -> str:
    items = (f"<li>{escape(comparison.sentence)}</li>" for _, comparison in board.verdicts()[1:])
    listed = "".join(items)
    if not listed:
        return ""
    return f"<details class='more'><summary>All verdicts</summary><ul>{listed}</ul></details>"


def _pairs(pairs: Mapping[str, str]) -> str:
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs.items())


def _spread(lost: Sequence[LostProbe]) -> list[LostProbe]:
    """Return as many as the file bears, the same number for every strategy and budget."""
    cells: dict[tuple[str, str], list[LostProbe]] = {}
    for probe in lost:
        cells.setdefault((probe.strategy, probe.budget), []).append(probe)
    each = _LISTED // max(1, len(cells))
    return [probe for members in cells.values() for probe in members[:: -(-len(members) // each)]]


def _unlisted(count: int) -> str:
    return f"{count:,} more are in the store; ask it with ctxlab show." if count > 0 else ""


def _lost(probe: LostProbe) -> dict[str, Any]:
    return {
        "case": probe.case,
        "strategy": probe.strategy,
        "budget": probe.budget,
        "question": probe.question,
        "answer": probe.answer,
        "category": probe.category,
        "evidence": [
            [e.id, e.text if len(e.text) <= _SNIPPET else e.text[:_SNIPPET] + " …", e.reason]
            for e in probe.evidence
        ],
    }


def _table(rows: Sequence[BoardRow], shown: Sequence[BoardColumn]) -> str:
    names = ["strategy", "budget", *(column.title for column in shown)]
    head = "".join(f"<th><button>{escape(name)}</button></th>" for name in names)
    return "".join(
        f"<h3>{escape(title.capitalize())}</h3><div class='wide'><table>"
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(_row(row, shown) for row in members)}</tbody></table></div>"
        for title, members in groups(rows)
    )


def _row(row: BoardRow, shown: Sequence[BoardColumn]) -> str:
    name = f"<code>{escape(row.strategy)}</code>" + "".join(
        f" <span class='mark'>{escape(mark)}</span>" for mark in marks(row)
    )
    cells: list[tuple[object, str]] = [
        (row.strategy, name),
        (row.tokens, escape(row.budget)),
        *((column.key(row), _cell(row, column)) for column in shown),
    ]
    inner = "".join(
        f"<td data-v='{escape(str('' if key is None else key))}'>{text}</td>" for key, text in cells
    )
    return f"<tr>{inner}</tr>"


def _cell(row: BoardRow, column: BoardColumn) -> str:
    text, share = escape(column.text(row)), column.key(row)
    if not column.strong or share is None or not 0 <= share <= 1:
        return text
    return f"<span class='bar' style='--w:{round(100 * share, 1)}%'>{text}</span>"
