"""The ledger: for every source span, what became of it, at which stage, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import Note, Segment, Span
from ctxlab.core.strategy import Outcome
from ctxlab.core.task import Task


class Fate(StrEnum):
    """What became of a source span. Each has a letter, for compact storage.

    Examples
    --------
    >>> Fate.DROPPED.letter, Fate("trimmed")
    ('d', <Fate.TRIMMED: 'trimmed'>)
    """

    KEPT = "kept"
    TRIMMED = "trimmed"
    REWRITTEN = "rewritten"
    DROPPED = "dropped"

    @property
    def letter(self) -> str:
        """The first letter.

        Examples
        --------
        >>> Fate.KEPT.letter
        'k'
        """
        return self.value[0]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of one segment of the input; tokens are those of its text.

    `stage` and `reason` are empty for what was kept.

    Examples
    --------
    >>> LedgerEntry("message:m1", 0, 9, Fate.DROPPED, "KeepLast()", 3, 0, "too old").fate.value
    'dropped'
    """

    source: str
    start: int
    end: int
    fate: Fate
    stage: str
    tokens_before: int
    tokens_after: int
    reason: str
    score: float | None = None
    rank: int | None = None


class Traces:
    """Where the text of each source stands in a context.

    Examples
    --------
    >>> whole = Segment.of("message:m1", "one two")
    >>> Traces(Context((whole.cut(0, 3),))).fate(whole).value
    'trimmed'
    """

    def __init__(self, context: Context) -> None:
        self._same = set(map(id, context.segments))
        self._verbatim: defaultdict[str, list[Segment]] = defaultdict(list)
        self._rewritten: defaultdict[str, list[tuple[Span, Segment]]] = defaultdict(list)
        for segment in context:
            if segment.verbatim:
                self._verbatim[segment.source].append(segment)
                continue
            for span in segment.spans:
                self._rewritten[span.source].append((span, segment))

    @classmethod
    def of(cls, context: Context) -> Traces:
        """Return the traces of a context, found once.

        Examples
        --------
        >>> context = Context()
        >>> Traces.of(context) is Traces.of(context)
        True
        """
        return context.memo(_TracesOf(), lambda: cls(context))

    def pieces(self, segment: Segment) -> list[Segment]:
        """Return what stands verbatim of `segment`, in order, cut to its span.

        Examples
        --------
        >>> whole = Segment.of("a", "one two")
        >>> [piece.text for piece in Traces(Context((whole,))).pieces(whole.cut(0, 3))]
        ['one']
        """
        if id(segment) in self._same:
            return [segment]
        span, found = segment.spans[0], []
        if not segment.verbatim:
            return []
        for piece in self._verbatim.get(span.source, ()):
            at = piece.spans[0]
            start, end = max(at.start, span.start), min(at.end, span.end)
            if start < end or (at == span):
                found.append(piece.cut(start - at.start, end - at.start))
        return found

    def rewritten(self, segment: Segment) -> list[Segment]:
        """Return what was written from the text of `segment`.

        Examples
        --------
        >>> whole = Segment.of("a", "one two")
        >>> [s.text for s in Traces(Context((whole.rewritten("1 2"),))).rewritten(whole)]
        ['1 2']
        """
        return [
            written
            for span in segment.spans
            for at, written in self._rewritten.get(span.source, ())
            if max(at.start, span.start) < min(at.end, span.end) or at == span
        ]

    def fate(self, segment: Segment) -> Fate:
        """Return what became of `segment`.

        Examples
        --------
        >>> Traces(Context()).fate(Segment.of("a", "x")) is Fate.DROPPED
        True
        """
        if id(segment) in self._same:
            return Fate.KEPT
        written = self.rewritten(segment)
        if not segment.verbatim:
            same = any(w.text == segment.text and w.spans == segment.spans for w in written)
            return Fate.KEPT if same else Fate.REWRITTEN if written else Fate.DROPPED
        pieces = self.pieces(segment)
        if pieces and sum(len(piece.text) for piece in pieces) >= len(segment.text):
            return Fate.KEPT
        if pieces:
            return Fate.TRIMMED
        return Fate.REWRITTEN if written else Fate.DROPPED


@dataclass(frozen=True)
class _TracesOf(Remembered[Traces]):
    """The traces of a context."""


def ledger(context: Context, outcomes: Sequence[Outcome], task: Task) -> list[LedgerEntry]:
    """Return one entry for every segment of `context`, in order.

    Parameters
    ----------
    context : Context
        What went in.
    outcomes : sequence of Outcome
        Every stage of the run, as `ctxlab.core.strategy.run` yields them.
    task : Task
        Counts the tokens.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> from ctxlab.core.strategy import run
    >>> context = Context((Segment.of("a", "old"), Segment.of("b", "new")))
    >>> task = Task(budget=8)
    >>> [entry.reason for entry in ledger(context, list(run(KeepLast(), context, task)), task)]
    ['older than the newest messages that fit', '']
    """
    return [entry_of(segment, context, outcomes, task) for segment in context]


def entry_of(
    segment: Segment, context: Context, outcomes: Sequence[Outcome], task: Task
) -> LedgerEntry:
    """Return what became of one segment of `context`.

    Examples
    --------
    >>> segment = Segment.of("a", "x")
    >>> entry_of(segment, Context((segment,)), [], Task(budget=1)).fate is Fate.KEPT
    True
    """
    after = Traces.of(outcomes[-1].context if outcomes else context)
    fate = after.fate(segment)
    start, end = segment.spans[0].start, segment.spans[-1].end
    before = task.tokens(segment)
    if fate is Fate.KEPT:
        return LedgerEntry(segment.source, start, end, fate, "", before, before, "")
    left = sum(task.tokens(piece) for piece in after.pieces(segment))
    left += sum(task.tokens(w) for w in after.rewritten(segment) if w.source == segment.source)
    stage, note = _cause(segment, context, outcomes, fate)
    return LedgerEntry(
        segment.source, start, end, fate, stage, before, left, note.reason, note.score, note.rank
    )


def fates(context: Context, result: Context) -> str:
    """Return one letter a segment of `context`: kept, trimmed, rewritten or dropped.

    Examples
    --------
    >>> fates(Context((Segment.of("a", "x"), Segment.of("b", "y"))), Context())
    'dd'
    """
    traces = Traces.of(result)
    return "".join(traces.fate(segment).letter for segment in context)


def _cause(
    segment: Segment, context: Context, outcomes: Sequence[Outcome], fate: Fate
) -> tuple[str, Note]:
    """Find the stage that gave `segment` its fate, and the reason it left."""
    before = context
    for outcome in outcomes:
        traces = Traces.of(outcome.context)
        if traces.fate(segment) is fate:
            return str(outcome.stage), _reason(segment, before, outcome.context, traces)
        before = outcome.context
    return "", Note("")


def _reason(segment: Segment, before: Context, after: Context, traces: Traces) -> Note:
    written = [w.note for w in traces.rewritten(segment) if w.note]
    if written:
        return Note(written[0])
    notes = (after.why(lost) for lost in _lost(segment, before, traces) if after.why)
    return next((note for note in notes if note), Note("left out"))


def _lost(segment: Segment, before: Context, traces: Traces) -> Iterable[Segment]:
    for piece in before.from_source(segment.source):
        if traces.fate(piece) is not Fate.KEPT:
            yield piece
