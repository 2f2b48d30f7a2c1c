"""What is left of a context's texts and may be credited: verbatim, restored, or carried over.

What a strategy wrote itself is never credited: of a rewriting only those words count that it
carried over from its sources, and of a placeholder none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context, Remembered
from ctxlab.core.ledger import Traces
from ctxlab.core.segments import Segment
from ctxlab.core.task import Task
from ctxlab.errors import DataError
from ctxlab.text.alignment import Range, carried_ranges, fragments
from ctxlab.text.normalised import normalised


@dataclass(frozen=True)
class _NormalisedTexts(Remembered[Any]):
    """Finds the normalised texts of a context."""


@dataclass(frozen=True)
class _CreditKey(Remembered["Credit"]):
    """Finds the credit of a result for the context that it was made of.

    The credit holds on to that context, so that its identity stays its own.
    """

    before: int


@dataclass(frozen=True)
class _Holders(Remembered[Any]):
    """Finds the segments that hold a text."""

    needle: str


class Credit:
    """Says what of the texts of one context stands in another that was compressed from it.

    Parameters
    ----------
    before, after : Context
        What went in, and what came out.

    Examples
    --------
    >>> whole = Segment.of("message:m1", "Mira counted 63 stalls.")
    >>> before = Context((whole,))
    >>> Credit(before, Context((whole.rewritten("She found 63 stalls."),))).left(whole)
    ['63 stalls']
    >>> gap = whole.rewritten("(63 lines omitted)", placeholder=True)
    >>> Credit(before, Context((gap,))).left(whole)
    []
    """

    def __init__(self, before: Context, after: Context) -> None:
        self.before, self.after = before, after
        self._traces = Traces.of(after)
        self._given = before.memo(_NormalisedTexts(), lambda: _texts(before))
        self._normal: dict[str, str | None] = {}
        self._carried: dict[int, list[str]] = {}

    @classmethod
    def of(cls, before: Context, after: Context) -> Credit:
        """Return the credit of two contexts, found once.

        Examples
        --------
        >>> context = Context()
        >>> Credit.of(context, context) is Credit.of(context, context)
        True
        """
        return after.memo(_CreditKey(id(before)), lambda: cls(before, after))

    def normal(self, text: str) -> str:
        """Return `text` normalised, found once for each text.

        Examples
        --------
        >>> Credit(Context(), Context()).normal("1,240 Loaves")
        ' 1240 loaves '
        """
        # What went in stays for the next run, what was written goes with this one.
        known = self._given if text in self._given else self._normal
        found = known.get(text)
        if found is None:
            found = known[text] = normalised(text)
        return found

    def evidence(self, probe: Probe) -> list[tuple[Segment, ...]]:
        """Return the segments of every message of a probe's evidence; each message counts once.

        Examples
        --------
        >>> before = Context((Segment.of("message:m1", "14 stalls"),))
        >>> len(Credit(before, before).evidence(Probe("p", "?", "14", ("m1", "m1"))))
        1
        """
        ids = dict.fromkeys(probe.evidence)
        return [self.before.from_source(f"message:{message}") for message in ids]

    def holders(self, needle: str, among: Iterable[Segment] | None = None) -> list[Segment]:
        """Return the segments of the context before that hold a normalised text.

        Parameters
        ----------
        needle : str
            As `normal` writes it.
        among : iterable of Segment, optional
            Where to look; everywhere by default.

        Examples
        --------
        >>> before = Context((Segment.of("message:m1", "€1,240"), Segment.of("message:m2", "no")))
        >>> [s.source for s in Credit(before, before).holders(" 1240 ")]
        ['message:m1']
        """
        if among is None:
            everywhere = self.before.segments
            return self.before.memo(_Holders(needle), lambda: self.holders(needle, everywhere))
        return [s for s in among if any(needle in self.normal(text) for text in said(s))]

    def keeps(self, segment: Segment, needle: str) -> bool:
        """Say whether what is left of `segment` holds a normalised text.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "There are 314 stalls. It rained.")
        >>> Credit(Context((whole,)), Context((whole.cut(22, 32),))).keeps(whole, " 314 ")
        False
        """
        return any(needle in self.normal(text) for text in self.left(segment))

    def left(self, segment: Segment) -> list[str]:
        """Return the texts that are left of a segment of the context before.

        Those are its verbatim pieces, what its rewritings carried over, and the arguments of
        its calls where the message that makes them still stands.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "one two three")
        >>> Credit(Context((whole,)), Context((whole.cut(4, 7),))).left(whole)
        ['two']
        """
        pieces = self._traces.pieces(segment)
        written = self.rewritings(segment)
        texts = _joined(pieces)
        texts += [text for one in written for text in self.carried(one)]
        standing = {call for one in (*pieces, *written) for call in one.tool_calls}
        texts += [call.arguments for call in segment.tool_calls if call in standing]
        return texts

    def rewritings(self, segment: Segment) -> list[Segment]:
        """Return what was written from `segment`, each rewriting once.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "one two")
        >>> Credit(Context((whole,)), Context((whole,))).rewritings(whole)
        []
        """
        found = self._traces.rewritten(segment)
        return list({id(one): one for one in found if one is not segment}.values())

    def carried(self, written: Segment) -> list[str]:
        """Return the parts of a rewriting that were carried over from its sources.

        An invertible one is restored first.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "YES")
        >>> lower = whole.rewritten("yes", inverse=str.upper)
        >>> Credit(Context((whole,)), Context((lower,))).carried(lower)
        ['YES']
        """
        if id(written) not in self._carried:
            self._carried[id(written)] = self._carried_over(written)
        return self._carried[id(written)]

    def _carried_over(self, written: Segment) -> list[str]:
        if written.placeholder:
            return []
        text, source = restored(written), self.source(written)
        if self.normal(text) and self.normal(text) in self.normal(source):
            return [text]
        return [text[start:end] for start, end in carried_ranges(source, text)]

    def source(self, written: Segment) -> str:
        """Return the text that a rewriting was made of: that of its spans, and of their calls.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "one two")
        >>> Credit(Context((whole,)), Context()).source(whole.rewritten("1 2"))
        'one two'
        """
        return "\n".join(text for one in self._origins(written) for text in said(one))

    def _origins(self, written: Segment) -> Iterator[Segment]:
        for span in written.spans:
            for one in self.before.from_source(span.source):
                at = one.spans[0]
                start, end = max(at.start, span.start), min(at.end, span.end)
                if start < end or at == span:
                    yield one.cut(start - at.start, end - at.start) if one.verbatim else one

    def whole(self, segment: Segment) -> bool:
        """Say whether all of a segment is left: verbatim, or word by word in a rewriting.

        Examples
        --------
        >>> whole = Segment.of("message:m1", '{"kg": 12}')
        >>> Credit(Context((whole,)), Context((whole.rewritten('{"kg":12}'),))).whole(whole)
        True
        """
        pieces = self._traces.pieces(segment)
        if pieces and (pieces[0] is segment or _covered(segment, pieces)):
            return True
        words = self.normal(segment.text)
        carried = (text for one in self.rewritings(segment) for text in self.carried(one))
        return bool(words) and any(words in self.normal(text) for text in carried)

    def tokens_left(self, segment: Segment, task: Task) -> int:
        """Return how many tokens of a segment's text are left.

        Of a rewriting, runs of at least two words count that were carried over from it, and
        single values: words with a digit.

        Examples
        --------
        >>> whole = Segment.of("message:m1", "There are 314 stalls in all.")
        >>> credit = Credit(Context((whole,)), Context((whole.rewritten("314 stalls"),)))
        >>> credit.tokens_left(whole, Task(budget=9))
        2
        """
        total = task.tokens(segment)
        if self.whole(segment):
            return total
        ranges = [_within(segment, piece) for piece in self._traces.pieces(segment)]
        carried = [text for one in self.rewritings(segment) for text in self.carried(one)]
        for run in fragments(segment.text, "\n".join(carried)) if carried else ():
            found = segment.text[run.source_start : run.source_end]
            if run.words > 1 or any(map(str.isdigit, found)):
                ranges.append((run.source_start, run.source_end))
        parts = (segment.text[start:end] for start, end in _merged(ranges))
        return min(total, sum(map(task.tools.count, parts)))


def said(segment: Segment) -> tuple[str, ...]:
    """Return all that a model reads of a segment: its text, and what its calls pass.

    Examples
    --------
    >>> said(Segment.of("message:m1", "Hello"))
    ('Hello',)
    """
    return (segment.text, *(call.arguments for call in segment.tool_calls))


def restored(segment: Segment) -> str:
    """Return a segment's text through its inverse, or as it stands where that does not apply.

    Examples
    --------
    >>> from ctxlab.text import json_layout_reader
    >>> restored(Segment.of("m", "[1]").rewritten("[1", inverse=json_layout_reader.restored))
    '[1'
    """
    try:
        return segment.restored
    except DataError:
        # Somebody changed the text after it was written.
        return segment.text


def _texts(context: Context) -> dict[str, str | None]:
    return {text: None for segment in context for text in said(segment)}


def _within(segment: Segment, piece: Segment) -> Range:
    start = segment.spans[0].start
    return piece.spans[0].start - start, piece.spans[0].end - start


def _joined(pieces: Sequence[Segment]) -> list[str]:
    """Return the texts of pieces, those that follow each other in their source as one."""
    texts: list[str] = []
    for i, piece in enumerate(pieces):
        follows = i > 0 and pieces[i - 1].spans[0].end == piece.spans[0].start
        texts.append(texts.pop() + piece.text if follows else piece.text)
    return texts


def _covered(segment: Segment, pieces: Sequence[Segment]) -> bool:
    ranges = _merged([_within(segment, piece) for piece in pieces])
    return sum(end - start for start, end in ranges) >= len(segment.text)


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
