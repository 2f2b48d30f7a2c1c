"""What became of every segment, as it is told: its parts, and the text that the model gets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ctxlab.core.context import Context
from ctxlab.core.ledger import Fate, LedgerEntry, origins
from ctxlab.core.segments import Segment
from ctxlab.text.word_diff import Change, word_diff

_RUN = 3


@dataclass(frozen=True)
class Told:
    """One segment of the input, with what stands for it afterwards.

    Parameters
    ----------
    segment : Segment
        What went in.
    entry : LedgerEntry
        Its fate, tokens, stage, reason, score and rank.
    after : tuple of Segment
        What the model gets in its place, in order: pieces of it, and what was written.

    Examples
    --------
    >>> whole = Segment.of("message:m1", "one two")
    >>> entry = LedgerEntry("message:m1", 0, 7, Fate.TRIMMED, "Cut()", 6, 5, "too long")
    >>> [(part.kind, part.text) for part in Told(whole, entry, (whole.cut(4, 7),)).parts]
    [('out', 'one '), ('same', 'two')]
    """

    segment: Segment
    entry: LedgerEntry
    after: tuple[Segment, ...] = ()

    @property
    def sent(self) -> str:
        """The text that the model gets in its place.

        Examples
        --------
        >>> entry = LedgerEntry("a", 0, 1, Fate.DROPPED, "Cut()", 5, 0, "too long")
        >>> Told(Segment.of("a", "x"), entry).sent
        ''
        """
        return "".join(piece.text for piece in self.after)

    @property
    def parts(self) -> list[Change]:
        """The text with what went and what is new, word by word where it was rewritten.

        Examples
        --------
        >>> entry = LedgerEntry("a", 0, 1, Fate.DROPPED, "Cut()", 5, 0, "too long")
        >>> Told(Segment.of("a", "x"), entry).parts
        [Change(kind='out', text='x')]
        """
        if self.entry.fate is Fate.KEPT:
            return [Change("same", self.segment.text)]
        return [part for part in self._parts() if part.text]

    def _parts(self) -> Iterator[Change]:
        text, start, at = self.segment.text, self.segment.spans[0].start, 0
        for piece in self.after:
            own = [span for span in piece.spans if span.source == self.segment.source]
            first, last = own[0].start - start, own[-1].end - start
            if not self.segment.verbatim:
                first, last = 0, len(text)
            first, last = max(at, min(first, len(text))), min(last, len(text))
            yield Change("out", text[at:first])
            at = max(first, last)
            if piece.verbatim:
                yield Change("same", piece.text)
            elif piece.placeholder:
                yield Change("out", text[first:at])
                yield Change("in", piece.text)
            else:
                yield from word_diff(text[first:at], piece.text)
        yield Change("out", text[at:])

    @property
    def sources(self) -> list[str]:
        """The other sources that what was written here was written from.

        Examples
        --------
        >>> entry = LedgerEntry("a", 0, 1, Fate.KEPT, "", 5, 5, "")
        >>> Told(Segment.of("a", "x"), entry).sources
        []
        """
        spans = (span.source for piece in self.after for span in piece.spans)
        return [name for name in dict.fromkeys(spans) if name != self.segment.source]


def told(before: Context, after: Context, entries: Sequence[LedgerEntry]) -> list[Told]:
    """Return what became of every segment of `before`, in order.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> run = sample_run()
    >>> [line.entry.fate.value for line in told(run.before, run.after, run.ledger)][-2:]
    ['kept', 'kept']
    """
    pieces: defaultdict[int, list[Segment]] = defaultdict(list)
    for piece, at in zip(after, origins(before, after), strict=True):
        if at is not None:
            pieces[at].append(piece)
    return [
        Told(segment, entry, tuple(pieces[at]))
        for at, (segment, entry) in enumerate(zip(before, entries, strict=True))
    ]


def runs(lines: Sequence[Told], *, changed: bool = False) -> Iterator[list[Told]]:
    """Yield the lines, those that follow each other and went as one run.

    Fewer than three stand alone. With `changed`, what stayed as it was makes runs, too.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> run = sample_run()
    >>> [len(each) for each in runs(told(run.before, run.after, run.ledger))]
    [7, 1, 1, 1, 1, 1]
    """

    def kind(line: Told) -> Fate | None:
        fate = line.entry.fate
        quiet = fate is Fate.DROPPED and not line.after
        return fate if quiet or (changed and fate is Fate.KEPT) else None

    run: list[Told] = []
    for line in lines:
        if run and (kind(line) is None or kind(line) is not kind(run[-1])):
            yield from _closed(run)
            run = []
        run.append(line)
    yield from _closed(run)


def _closed(run: list[Told]) -> Iterator[list[Told]]:
    if len(run) >= _RUN:
        yield run
    else:
        yield from ([line] for line in run)
