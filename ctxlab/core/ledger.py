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
    """What became of one segment of the input, in tokens as they are billed.

    A message's overhead (framing, role, name, tool calls) counts with its first segment, so that
    the entries of a run add up to what the chat is billed, the priming of the reply aside.
    `stage` and `reason` are empty for what was kept; its score and rank stand where it was ranked.

    Examples
    --------
    >>> LedgerEntry("message:m1", 0, 9, Fate.DROPPED, "KeepLast()", 7, 0, "too old").fate.value
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
    after = outcomes[-1].context if outcomes else context
    traces = Traces.of(after)
    entries = []
    counts = zip(context, billed(context, task), carried(context, after, task), strict=True)
    for segment, tokens, left in counts:
        fate = traces.fate(segment)
        stage, note = cause_of(segment, context, outcomes)
        spans = segment.source, segment.spans[0].start, segment.spans[-1].end
        entries.append(
            LedgerEntry(*spans, fate, stage, tokens, left, note.reason, note.score, note.rank)
        )
    return entries


def billed(context: Context, task: Task) -> list[int]:
    """Return the tokens of every segment, the overhead of a message with its first.

    Examples
    --------
    >>> whole = Segment.of("message:m1", "one two")
    >>> billed(Context((whole.cut(0, 3), whole.cut(3, 7))), Task(budget=9))
    [5, 1]
    """
    costs = task.costs(context)
    tokens = list(costs.texts)
    for start in context.turn_starts:
        tokens[start] += costs.overheads[start]
    return tokens


def carried(before: Context, after: Context, task: Task) -> list[int]:
    """Return for every segment of `before` the tokens that stand for it in `after`.

    Examples
    --------
    >>> first, second = Segment.of("a", "Hi"), Segment.of("b", "Hello")
    >>> carried(Context((first, second)), Context((second,)), Task(budget=9))
    [0, 5]
    """
    tokens = [0] * len(before)
    for at, cost in zip(origins(before, after), billed(after, task), strict=True):
        if at is not None:
            tokens[at] += cost
    return tokens


def origins(before: Context, after: Context) -> list[int | None]:
    """Return for every segment of `after` the position in `before` of what it stands for.

    What was written from several sources stands for the first of them, and a marker of a gap for
    the first that it replaces; what has no source there stands for none.

    Examples
    --------
    >>> whole = Segment.of("a", "one two")
    >>> origins(Context((Segment.of("b", "x"), whole)), Context((whole.cut(4, 7),)))
    [1]
    """
    same = {id(segment): at for at, segment in enumerate(before)}
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for at, segment in enumerate(before):
        places[segment.source].append((segment.spans[0].start, at))
    found: list[int | None] = []
    for segment in after:
        known = same.get(id(segment))
        if known is None:
            start = segment.spans[0].start
            earlier = [place for place in places.get(segment.source, ()) if place[0] <= start]
            known = max(earlier)[1] if earlier else None
        found.append(known)
    return found


def fates(context: Context, result: Context) -> str:
    """Return one letter a segment of `context`: kept, trimmed, rewritten or dropped.

    Examples
    --------
    >>> fates(Context((Segment.of("a", "x"), Segment.of("b", "y"))), Context())
    'dd'
    """
    traces = Traces.of(result)
    return "".join(traces.fate(segment).letter for segment in context)


def cause_of(segment: Segment, context: Context, outcomes: Sequence[Outcome]) -> tuple[str, Note]:
    """Return the stage that gave `segment` its fate, and why; what was kept has its rank alone.

    Examples
    --------
    >>> segment = Segment.of("a", "x")
    >>> cause_of(segment, Context((segment,)), [])
    ('', Note(reason='', score=None, rank=None))
    """
    fate = Traces.of(outcomes[-1].context if outcomes else context).fate(segment)
    if fate is Fate.KEPT:
        return "", _standing(segment, outcomes)
    before = context
    for outcome in outcomes:
        traces = Traces.of(outcome.context)
        if traces.fate(segment) is fate:
            return str(outcome.stage), _reason(segment, before, outcome.context, traces)
        before = outcome.context
    return "", Note("")


def _standing(segment: Segment, outcomes: Sequence[Outcome]) -> Note:
    """Return score and rank of what stayed, by the last stage that ranked it as it was."""
    for outcome in reversed(outcomes):
        ranked, pieces = outcome.context.standing, outcome.context.from_source(segment.source)
        if ranked and any(piece is segment for piece in pieces):
            return ranked(segment) or Note("")
    return Note("")


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
