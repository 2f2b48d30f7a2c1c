"""The report: one HTML file that needs nothing else, to read, to share, to keep."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ctxlab.display.charts import availability_curve, pareto
from ctxlab.display.html import interval, p_text, percent

if TYPE_CHECKING:
    from ctxlab.bench.leaderboard import Row
    from ctxlab.bench.results import LostProbe

_LISTED = 2000
_SNIPPET = 280
_DEFINITIONS = {
    "all evidence": "share of the questions whose evidence is all still there (or any of it, for "
    "questions that one piece answers)",
    "evidence tokens": "share of the evidence's tokens that stand word for word",
    "answer": "share of the questions whose answer, as text, still stands somewhere; it is often "
    "there by chance",
    "interval": "95 % bootstrap interval over whole conversations; none with fewer than two",
    "rate": "tokens after over tokens before",
    "skill": "where a strategy stands between random dropping (0) and the gold-evidence oracle (1)",
    "p": "paired permutation test against the baseline, flipping whole conversations, "
    "Holm-adjusted within a budget",
    "ms": "mean time of one compression",
}


@dataclass(frozen=True)
class ReportData:
    """What a report shows.

    Parameters
    ----------
    title : str
        What was compared.
    rows : sequence of Row
        The leaderboard.
    verdicts : sequence of (str, str)
        Budget and sentence: the best against the runner-up.
    lost : sequence of LostProbe
        Probes whose evidence was lost.
    reproduce : mapping of str to str
        Command, versions, encoding and data: how to run it again.
    measure : str
        What the ranking goes by.

    Examples
    --------
    >>> ReportData("A comparison", [], [], []).measure
    'all_evidence'
    """

    title: str
    rows: Sequence[Row]
    verdicts: Sequence[tuple[str, str]]
    lost: Sequence[LostProbe]
    reproduce: Mapping[str, str] = field(default_factory=dict)
    measure: str = "all_evidence"


def write_report(path: str | Path, **parts: Any) -> Path:  # noqa: ANN401 - of ReportData
    """Write the report; a file of that name is replaced at the end, in one step.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(f"{folder}/r.html", title="Empty", rows=[], verdicts=[], lost=[]).name
    'r.html'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_text(build_report(ReportData(**parts)), encoding="utf-8", errors="replace")
    beside.replace(target)
    return target


def build_report(data: ReportData) -> str:
    """Return the report as one HTML text that asks for nothing outside itself.

    Examples
    --------
    >>> "https://" in build_report(ReportData("Empty", [], [], [])).split("<main>")[1][:2000]
    False
    """
    import vl_convert

    rows = [asdict(row) for row in data.rows]
    measured = _measured(data)
    charts = {
        "curve": availability_curve(rows, data.measure).to_dict() if measured else None,
        "pareto": pareto(rows, data.measure).to_dict() if measured else None,
    }
    folder = Path(__file__).parent
    template = Template((folder / "report.html").read_text(encoding="utf-8"))
    listed = _spread(data.lost)
    return template.substitute(
        title=escape(data.title),
        style=(folder / "report.css").read_text(encoding="utf-8"),
        headline=escape(_headline(data)),
        evidence="" if measured else "hidden",
        verdicts=_verdicts(data.verdicts),
        table=_table(rows, data.measure),
        lost=json_for_html([_lost(probe) for probe in listed]),
        unlisted=_unlisted(len(data.lost) - len(listed)),
        definitions=_pairs(_DEFINITIONS),
        reproduce=_pairs(data.reproduce),
        charts=json_for_html(charts),
        vega=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace(
            "</script", "<\\/script"
        ),
        script=(folder / "report.js").read_text(encoding="utf-8"),
    )


def json_for_html(value: object) -> str:
    r"""Return JSON that can stand within a script element, whatever it holds.

    Examples
    --------
    >>> json_for_html("</script>")
    '"\\u003c/script>"'
    """
    return json.dumps(value).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _measured(data: ReportData) -> bool:
    """Whether there was anything to look for: a chat without questions has only its size."""
    return any(getattr(row, data.measure) is not None for row in data.rows)


def _headline(data: ReportData) -> str:
    if data.rows and not _measured(data):
        return "These conversations have no questions: only sizes and times were measured."
    if not data.verdicts:
        return "There are no two strategies to compare at one budget."
    budget, sentence = data.verdicts[0]
    return f"At a budget of {budget}, {sentence}"


def _verdicts(verdicts: Iterable[tuple[str, str]]) -> str:
    items = (f"<li><b>{escape(b)}</b> {escape(s)}</li>" for b, s in list(verdicts)[1:])
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


def _table(rows: Sequence[Mapping[str, Any]], measure: str) -> str:
    names = ("strategy", "budget", "rate", "all evidence", "interval", "evidence tokens", "answer",
             "skill", "p", "ms", "failed")  # fmt: skip
    head = "".join(f"<th><button>{name}</button></th>" for name in names)
    groups = (
        ("Do not see the question", lambda r: not r["control"] and not r["query_aware"]),
        ("See the question: retrieval", lambda r: not r["control"] and r["query_aware"]),
        ("Controls: floor and ceiling", lambda r: r["control"]),
    )
    parts = []
    for title, belongs in groups:
        members = [row for row in rows if belongs(row)]
        if members:
            body = "".join(_row(row, measure) for row in members)
            parts.append(
                f"<h3>{title}</h3><div class='wide'><table><thead><tr>{head}</tr></thead>"
                f"<tbody>{body}</tbody></table></div>"
            )
    return "".join(parts)


def _row(row: Mapping[str, Any], measure: str) -> str:
    marks = [
        text
        for on, text in (
            (row["baseline"], "baseline"),
            (row["budget_error"] > 0.005, "over budget"),
        )
        if on
    ]
    name = f"<code>{escape(row['strategy'])}</code>" + "".join(
        f" <span class='mark'>{mark}</span>" for mark in marks
    )
    cells: list[tuple[object, str]] = [
        (row["strategy"], name),
        (row["tokens"], escape(row["budget"])),
        (row["rate"], percent(row["rate"])),
        (row["all_evidence"], _bar(row["all_evidence"])),
        (row["all_evidence_low"], interval(row["all_evidence_low"], row["all_evidence_high"])),
        (row["evidence_tokens"], percent(row["evidence_tokens"])),
        (row["answer"], percent(row["answer"])),
        (row["skill"], "–" if row["skill"] is None else f"{row['skill']:.2f}"),
        (row["p_value"], p_text(row["p_value"])),
        (row["latency_ms"], f"{row['latency_ms']:.1f}"),
        (row["failed"], str(row["failed"])),
    ]
    inner = "".join(
        f"<td data-v='{escape(str('' if key is None else key))}'>{text}</td>" for key, text in cells
    )
    return f"<tr>{inner}</tr>"


def _bar(share: float | None) -> str:
    width = round(100 * (share or 0.0), 1)
    return f"<span class='bar' style='--w:{width}%'>{percent(share)}</span>"
