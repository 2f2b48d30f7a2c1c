"""Alignment of a rewritten text to its source: what of it was carried over, and from where."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ctxlab.text.normalised import Token, tokens
from ctxlab.text.sentences import sentence_ranges

Range = tuple[int, int]

MAX_PLACES = 64
"""Places in a source at which a run of words is looked for: the first ones. It bounds the time."""

# Braces, brackets and quotes part the values of data as ends of sentences part prose.
_PART = re.compile(r"[{}\[\]\"]|[^{}\[\]\"]+")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A run of words of a rewriting that stands in its source, both as ranges of characters.

    Examples
    --------
    >>> fragments("We sold 40 loaves.", "There were 40 loaves")
    [Fragment(start=11, end=20, source_start=8, source_end=17, words=2)]
    """

    start: int
    end: int
    source_start: int
    source_end: int
    words: int


def fragments(source: str, written: str) -> list[Fragment]:
    """Return the runs of words of `written` that stand in `source`, in the order of `written`.

    From the left, the longest run that stands in the source is taken, and the search goes on
    behind it: the extractive fragments of Grusky, Naaman & Artzi, "Newsroom", NAACL 2018.
    Words are compared as `ctxlab.text.normalised` writes them. The time is linear: a run is
    looked for at no more than `MAX_PLACES` places.

    Examples
    --------
    >>> [f.words for f in fragments("a b c d e", "d e, x, a b c")]
    [2, 3]
    """
    return [_fragment(*run) for run in _runs(tokens(source), tokens(written))]


def carried_ranges(source: str, written: str) -> list[Range]:
    """Return the ranges of `written` that were carried over from `source`.

    A part of a rewriting (a sentence; in data, a value) was carried over when at least half of
    its words stand in fragments, and at least two of them or all; of such a part, those words
    were. So a placeholder that happens to share a word with what it stands for was not.

    Examples
    --------
    >>> written = "Mira counts 14 fish stalls. (1 line omitted)"
    >>> found = carried_ranges("Mira: 14 of the stalls sell fish, 1 sells tea", written)
    >>> [written[start:end] for start, end in found]
    ['Mira', '14 fish stalls']
    """
    words = tokens(written)
    taken = bytearray(len(words))
    for first, count, *_ in _positions(tokens(source), words):
        taken[first : first + count] = b"\1" * count
    found: list[Range] = []
    for start, end in _parts(written, words):
        shared, words_here = sum(taken[start:end]), end - start
        if 2 * shared < words_here or shared < min(2, words_here):
            continue
        for i in range(start, end):
            if taken[i]:
                joined = i > start and taken[i - 1] and found
                at = found.pop()[0] if joined else words[i].start
                found.append((at, words[i].end))
    return found


def lcs_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence of two sequences of words.

    Bit-parallel, a bit for each word of `first`: n·m/64 machine operations and n + m memory
    (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).

    Examples
    --------
    >>> lcs_length("the stalls sell fish".split(), "stalls that sell the fish".split())
    3
    """
    ahead = _common(first, second)
    first, second = first[ahead:], second[ahead:]
    behind = _common(first[::-1], second[::-1])
    first, second = first[: len(first) - behind], second[: len(second) - behind]
    places: defaultdict[str, int] = defaultdict(int)
    for i, word in enumerate(first):
        places[word] |= 1 << i
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        match = row & places.get(word, 0)
        if match:
            row = ((row + match) | (row - match)) & full
    return ahead + behind + len(first) - row.bit_count()


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many words both begin with; leaving them out changes no subsequence."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


def _positions(source: Sequence[Token], written: Sequence[Token]) -> Iterator[tuple[int, int, int]]:
    """Yield the first position, the length, and the position in the source, of every run."""
    words = [token.normal for token in source]
    singles: dict[str, int] = {}
    pairs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i, word in enumerate(words):
        singles.setdefault(word, i)
        if i + 1 < len(words):
            places = pairs[word, words[i + 1]]
            if len(places) < MAX_PLACES:
                places.append(i)
    mine = [token.normal for token in written]
    at = 0
    while at < len(mine):
        pair = (mine[at], mine[at + 1]) if at + 1 < len(mine) else None
        places = pairs.get(pair, []) if pair else []
        length, place = max(((_agreeing(words, i, mine, at), -i) for i in places), default=(0, 0))
        if not length and mine[at] in singles:
            length, place = 1, -singles[mine[at]]
        if length:
            yield at, length, -place
        at += max(length, 1)


def _agreeing(words: Sequence[str], i: int, mine: Sequence[str], at: int) -> int:
    length = 2
    limit = min(len(words) - i, len(mine) - at)
    while length < limit and words[i + length] == mine[at + length]:
        length += 1
    return length


def _runs(
    source: Sequence[Token], written: Sequence[Token]
) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    for at, length, place in _positions(source, written):
        yield written[at : at + length], source[place : place + length]


def _fragment(written: Sequence[Token], source: Sequence[Token]) -> Fragment:
    return Fragment(
        written[0].start, written[-1].end, source[0].start, source[-1].end, len(written)
    )


def _parts(text: str, words: Sequence[Token]) -> Iterator[Range]:
    """Yield the first and last positions of the words of every part of a text."""
    first = 0
    for end in _part_ends(text):
        last = first
        while last < len(words) and words[last].start < end:
            last += 1
        if first < last:
            yield first, last
        first = last


def _part_ends(text: str) -> Iterator[int]:
    for start, end in sentence_ranges(text):
        yield from (start + match.end() for match in _PART.finditer(text[start:end]))
