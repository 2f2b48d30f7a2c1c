"""Units below the message: words, phrases and sentences, with what a model says of them."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ctxlab.core.context import Context, Remembered
from ctxlab.core.packing import Ranking, group_scores, pack
from ctxlab.core.segments import Note, Segment, Span
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.core.tools import TokenScore

Range = tuple[int, int]

_WORD = re.compile(r"\S+\s*|^\s+")
_SIGNS = r",;:()\[\]\n—–"
_PHRASE = re.compile(rf"[^{_SIGNS}]+[{_SIGNS}]*\s*|[{_SIGNS}]+\s*")


@dataclass(frozen=True)
class _UnitsBy(Remembered[Context]):
    """A context in the units of a strategy."""

    strategy: UnitPruning


class UnitPruning(Strategy):
    """Keeps the units of messages that score highest: the base of pruning below the message.

    Units are verbatim cuts, so that the ledger traces every one. Pinned messages, and tool
    calls with their results, stay or go whole: what a program parses cannot be pruned by word.

    Examples
    --------
    >>> class Long(UnitPruning):
    ...     '''Keeps long words.'''
    ...     def ranges(self, text):
    ...         return words(text)
    ...     def unit_scores(self, context, units, task):
    ...         return [len(unit.text) for unit in units]
    >>> from ctxlab.core.tools import Tools
    >>> context = Context((Segment.of("m1", "a market of many stalls"),))
    >>> task = Task(budget=2, tools=Tools(count=lambda text: len(text.split())))
    >>> Long().compress(context, task).text
    'market stalls'
    """

    @abstractmethod
    def ranges(self, text: str) -> Iterable[Range]:
        """Return the ranges of the units of a message; they tile it."""

    @abstractmethod
    def unit_scores(self, context: Context, units: Context, task: Task) -> Sequence[float]:
        """Return one number a unit; the highest are kept."""

    def order(self, scores: Sequence[float]) -> list[int]:
        """Return the positions of groups in the order in which they are tried.

        Examples
        --------
        >>> from ctxlab.strategies import LLMLingua2
        >>> LLMLingua2().order([0.1, 0.9])
        [1, 0]
        """
        return sorted(range(len(scores)), key=lambda group: -scores[group])

    def compress(self, context: Context, task: Task) -> Context:
        """Keep the units that score highest and fit."""
        if task.fits(context):
            return context
        units = context.memo(_UnitsBy(self), lambda: self._units(context))
        scores = group_scores(units, self.unit_scores(context, units, task))
        order = self.order(scores)
        packed = pack(units, task, order)
        left = units.keep_groups(packed.kept)
        joined = Context(tuple(_joined(left)))
        # Joined texts all but always take fewer tokens; the promise holds where they do not.
        chosen = joined if task.fits(joined) else left
        ranking = Ranking(units, order, scores, packed.kept, packed.refused)
        return context.keep(chosen.segments, _Reasons(ranking).why)

    def _units(self, context: Context) -> Context:
        return Context(tuple(unit for segment in context for unit in self._cut(segment)))

    def _cut(self, segment: Segment) -> Iterable[Segment]:
        if segment.pinned or segment.group is not None or not segment.verbatim:
            return (segment,)
        found = list(self.ranges(segment.text))
        return [segment.cut(a, b) for a, b in found] if len(found) > 1 else (segment,)


class TokenScores:
    """What a model says of the pieces of one message, to be asked for any part of it.

    Parameters
    ----------
    pieces : sequence of TokenScore
        Ascending; their ranges count characters of the message's source.

    Examples
    --------
    >>> pieces = TokenScores([TokenScore(0, 2, 1.0), TokenScore(2, 4, 3.0), TokenScore(4, 9, 8.0)])
    >>> pieces.mean(Segment.of("m1", "abcd")), pieces.mean(Segment.of("m1", "abcdefgh").cut(5, 6))
    (2.0, 8.0)
    """

    def __init__(self, pieces: Sequence[TokenScore]) -> None:
        self._starts = np.array([piece.start for piece in pieces], np.int64)
        self._sums = np.concatenate(([0.0], np.cumsum([piece.value for piece in pieces])))

    def mean(self, unit: Segment) -> float:
        """Return the mean over the pieces that begin in a unit, or of the one it lies in.

        Examples
        --------
        >>> TokenScores([]).mean(Segment.of("m1", "x"))
        0.0
        """
        span = unit.spans[0]
        first, last = np.searchsorted(self._starts, (span.start, span.end))
        if first == last:
            first, last = max(0, first - 1), max(0, first - 1) + 1
        if last >= len(self._sums):
            return 0.0
        return float((self._sums[last] - self._sums[first]) / (last - first))


def of_message(pieces: Sequence[TokenScore], message: Segment) -> TokenScores:
    """Return what a model says of a message's text, by the characters of its source.

    Examples
    --------
    >>> cut = Segment.of("m1", "one two").cut(4, 7)
    >>> of_message([TokenScore(0, 3, 1.5)], cut).mean(cut)
    1.5
    """
    shift = message.spans[0].start
    return TokenScores([TokenScore(p.start + shift, p.end + shift, p.value) for p in pieces])


def words(text: str) -> list[Range]:
    """Return the ranges of words with the white space after them; they tile the text.

    Examples
    --------
    >>> words("two stalls")
    [(0, 4), (4, 10)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def phrases(text: str) -> list[Range]:
    """Return the ranges between punctuation; they tile the text.

    Examples
    --------
    >>> phrases("fish, bread (and tea)")
    [(0, 6), (6, 13), (13, 21)]
    """
    return [match.span() for match in _PHRASE.finditer(text)]


def _joined(units: Context) -> Iterator[Segment]:
    """Yield the units, those that follow each other in a source as one."""
    run: list[Segment] = []
    for unit in units:
        if run and not _follows(run[-1], unit):
            yield _whole(run)
            run = []
        run.append(unit)
    if run:
        yield _whole(run)


def _follows(first: Segment, second: Segment) -> bool:
    cut = first.verbatim and second.verbatim and first.group is None and not first.pinned
    a, b = first.spans[0], second.spans[0]
    return cut and a.source == b.source and a.end == b.start and first.role == second.role


def _whole(run: Sequence[Segment]) -> Segment:
    if len(run) == 1:
        return run[0]
    span = Span(run[0].source, run[0].spans[0].start, run[-1].spans[0].end)
    return replace(run[0], text="".join(unit.text for unit in run), spans=(span,))


class _Reasons:
    """Says of a message that lost units how the best of them stood."""

    def __init__(self, ranking: Ranking) -> None:
        self._units, self._ranking = ranking.context, ranking
        self._tried = set(ranking.order)

    def why(self, lost: Segment) -> Note:
        """Return the reason of the best ranked unit that went."""
        units, ranking = self._units, self._ranking
        gone = [u for u in units.from_source(lost.source) if units.group_of(u) not in ranking.kept]
        ranked = [unit for unit in gone if units.group_of(unit) in self._tried]
        if not ranked:
            return Note("below the percentile")
        best = max(ranked, key=lambda unit: ranking.scores[units.group_of(unit)])
        note = ranking.why(best)
        return Note(f"the best part that went: {note.reason}", note.score, note.rank)
