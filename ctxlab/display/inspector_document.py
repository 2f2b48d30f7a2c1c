"""What an inspector is sent: one JSON document, small enough for a notebook and a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain, groupby
from typing import Any

from ctxlab.bench.inspecting import Frame, Inspection
from ctxlab.core.ledger import Fate, LedgerEntry, origins
from ctxlab.core.segments import Segment
from ctxlab.display.story import Told

_KINDS = {"same": "s", "out": "o", "in": "i"}
_FATES = {fate.letter: fate for fate in Fate}
_DIFFS = 20_000
"""Segments whose difference is told, at most; the others show what is sent."""


def inspector_document(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as plain data.

    The document has ``title, messages, strategies, budgets, probes``, ``texts`` (what stands for
    a changed segment, as pairs of kind and text), ``reasons``, ``rankings`` (position, rank and
    score of each), and ``frames``: for a strategy, a budget and a probe's position (or -1) the
    fates in runs, the tokens in all, by position the texts, tokens and reasons, and the ranking.

    Examples
    --------
    >>> from ctxlab.bench.inspecting import inspect
    >>> from ctxlab.testing import sample_case
    >>> document = inspector_document(inspect(sample_case(), ["KeepLast()"], ["40%"]))
    >>> document["frames"]["0,0,-1"]["fates"]
    '8d4k'
    """
    tables = _Tables()
    names, places = list(inspection.strategies), {p.id: i for i, p in enumerate(inspection.probes)}
    frames = {
        f"{names.index(strategy)},{inspection.budgets.index(budget)},"
        f"{places.get(asked, -1) if asked else -1}": tables.frame(frame)
        for (strategy, budget, asked), frame in inspection.frames.items()
    }
    at = {segment.source: place for place, segment in enumerate(inspection.context)}
    return {
        "title": f"{inspection.case.dataset} · {inspection.case.id}",
        "messages": [
            _message(segment, tokens)
            for segment, tokens in zip(inspection.context, inspection.tokens, strict=True)
        ],
        "strategies": [[name, aware] for name, aware in inspection.strategies.items()],
        "budgets": list(inspection.budgets),
        "probes": [
            {
                "id": probe.id,
                "question": probe.question,
                "answer": probe.answer,
                "category": probe.category,
                "any": probe.evidence_mode == "any",
                "evidence": [at[f"message:{e}"] for e in probe.evidence if f"message:{e}" in at],
            }
            for probe in inspection.probes
        ],
        "texts": tables.texts,
        "reasons": list(tables.reasons),
        "rankings": [list(chain.from_iterable(ranking)) for ranking in tables.rankings],
        "frames": frames,
    }


def inspector_json(inspection: Inspection) -> str:
    """Return the document as JSON text of ASCII alone.

    Examples
    --------
    >>> from ctxlab.bench.inspecting import inspect
    >>> from ctxlab.testing import sample_case
    >>> inspector_json(inspect(sample_case(), ["KeepLast()"], ["40%"]))[:9]
    '{"title":'
    """
    return json.dumps(inspector_document(inspection), separators=(",", ":"))


def packed(letters: str) -> str:
    """Return letters with their counts, as runs of them are short to write.

    Examples
    --------
    >>> packed("kkkdk")
    '3k1d1k'
    """
    return "".join(f"{len(list(run))}{letter}" for letter, run in groupby(letters))


def _message(segment: Segment, tokens: int) -> dict[str, Any]:
    told = {
        "id": segment.source.removeprefix("message:"),
        "role": segment.role,
        "name": segment.name or "",
        "text": segment.text,
        "tokens": tokens,
        "tier": segment.tier.value,
        "calls": [[call.name, call.arguments] for call in segment.tool_calls],
        "pinned": segment.pinned,
    }
    return {name: value for name, value in told.items() if value not in ("", [], False)}


class _Tables:
    """Texts, reasons and rankings, each once, by number."""

    def __init__(self) -> None:
        self.texts: list[list[list[str]]] = []
        self.reasons: dict[str, int] = {}
        self.rankings: dict[tuple[tuple[int, int, float], ...], int] = {}
        self._known: dict[tuple[int, str], int] = {}

    def frame(self, frame: Frame) -> dict[str, Any]:
        """Return a frame, its texts, reasons and ranking as numbers."""
        texts, tokens = {}, {}
        for at, parts in self._changed(frame):
            texts[at], tokens[at] = parts, frame.tokens[at]
        # Where all that was ranked has its rank, the rank says all that a reason says.
        kept = Fate.KEPT.letter
        complete = any(frame.fates[at] == kept for at in frame.ranks)
        told = {
            "fates": packed(frame.fates),
            "size": frame.size,
            "texts": texts,
            "tokens": tokens,
            "ranking": self._ranking(frame.ranks),
            "why": {
                at: self.reasons.setdefault(reason, len(self.reasons))
                for at, reason in frame.reasons.items()
                if not (complete and at in frame.ranks)
            },
        }
        return {name: value for name, value in told.items() if value not in ({}, None)}

    def _ranking(self, ranks: Mapping[int, tuple[int, float]]) -> int | None:
        if not ranks:
            return None
        told = tuple((at, rank, float(f"{score:.4g}")) for at, (rank, score) in ranks.items())
        return self.rankings.setdefault(told, len(self.rankings))

    def _changed(self, frame: Frame) -> list[tuple[int, int]]:
        pieces: dict[int, list[Segment]] = {}
        for piece, at in zip(frame.after, origins(frame.before, frame.after), strict=True):
            if at is not None and frame.fates[at] != Fate.KEPT.letter:
                pieces.setdefault(at, []).append(piece)
        return [(at, self._text(frame, at, found)) for at, found in pieces.items()]

    def _text(self, frame: Frame, at: int, pieces: list[Segment]) -> int:
        sent = "".join(piece.text for piece in pieces)
        key = at, sent
        if key not in self._known:
            segment = frame.before[at]
            span = segment.spans[0]
            entry = LedgerEntry(
                span.source, span.start, span.end, _FATES[frame.fates[at]], "", 0, 0, ""
            )
            if len(self.texts) < _DIFFS:
                parts = [
                    [_KINDS[p.kind], p.text] for p in Told(segment, entry, tuple(pieces)).parts
                ]
            else:
                parts = [["s", sent]]
            self._known[key] = len(self.texts)
            self.texts.append(parts)
        return self._known[key]
