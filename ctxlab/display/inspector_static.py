"""The inspector where it is not live: its parts for the report, and static HTML for a notebook."""

from __future__ import annotations

from pathlib import Path

from ctxlab.bench.inspecting import Frame, Inspection
from ctxlab.core.ledger import Fate
from ctxlab.display.conversation_views import context_html
from ctxlab.display.escaping import named, safe, short
from ctxlab.display.look import FATES, QUIET, fold, table

_FOLDER = Path(__file__).parent
ESM = (_FOLDER / "inspector.js").read_text(encoding="utf-8")
"""The module that draws it, without imports: the widget and the report both run it."""
CSS = (_FOLDER / "inspector.css").read_text(encoding="utf-8")
"""Its style, by JupyterLab's variables and the report's."""
_PROBES = 60


def inspection_html(inspection: Inspection, budget: str) -> str:
    """Return an inspection as static HTML: the strategies side by side at one budget.

    Examples
    --------
    >>> from ctxlab.bench.inspecting import inspect
    >>> from ctxlab.testing import sample_case
    >>> "lost" in inspection_html(inspect(sample_case(), ["KeepLast()"], ["30%"]), "30%")
    True
    """
    first = inspection.probes[0].id if inspection.probes else None
    rows = []
    for name, aware in inspection.strategies.items():
        frame = inspection.frames.get((name, budget, first if aware else None))
        counts = [] if frame is None else [frame.fates.count(fate.letter) for fate in Fate]
        cells = [
            f"<span style='color:{FATES[fate]}'>{count:,} {fate.value}</span>"
            for fate, count in zip(Fate, counts, strict=False)
            if count
        ]
        rows.append([named(name), f"{frame.size:,}" if frame else "–", ", ".join(cells)])
    head = f"<b>{safe(short(repr(inspection), 160))}</b> <span style='{QUIET}'>at {safe(budget)}"
    head += "; run the cell again for the live inspector</span>"
    told = table(["strategy", "tokens", "segments"], rows)
    if inspection.probes:
        told += fold("what became of the evidence", _probes(inspection, budget))
    return f"<div>{head}{told}{fold('the conversation', context_html(inspection.context))}</div>"


def _probes(inspection: Inspection, budget: str) -> str:
    places = {segment.source: at for at, segment in enumerate(inspection.context)}
    rows = []
    for probe in inspection.probes[:_PROBES]:
        evidence = [places[f"message:{e}"] for e in probe.evidence if f"message:{e}" in places]
        cells = []
        for name, aware in inspection.strategies.items():
            frame = inspection.frames.get((name, budget, probe.id if aware else None))
            cells.append("–" if frame is None else _fate(frame, evidence))
        rows.append([safe(short(probe.question, 120)), *cells])
    return table(["question", *(named(name, 40) for name in inspection.strategies)], rows)


def _fate(frame: Frame, evidence: list[int]) -> str:
    letters = {frame.fates[at] for at in evidence if at < len(frame.fates)}
    if letters <= {Fate.KEPT.letter}:
        return f"<span style='color:{FATES[Fate.KEPT]}'>found</span>"
    if Fate.DROPPED.letter in letters:
        return f"<span style='color:{FATES[Fate.DROPPED]}'>lost</span>"
    return f"<span style='color:{FATES[Fate.REWRITTEN]}'>changed</span>"
