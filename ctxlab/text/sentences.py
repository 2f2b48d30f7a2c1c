"""Sentences: where a text may be cut so that the pieces read on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

# A sentence ends after its last mark, with the quotes and brackets that close on it; in scripts
# written without spaces, or whose full stop is nothing else, the mark alone ends it. A line break
# always ends one. The marks have Unicode's property Sentence_Terminal.
_SPACED = (
    ".!?…‼⁇⁈⁉"
    "\u037e\u0589"  # Greek question mark, Armenian full stop
    "\u061d-\u061f\u06d4"  # Arabic end of text, triple dot and question mark, Urdu full stop
)
_ALONE = (
    "。！？｡"
    "\u0964\u0965"  # danda and double danda, of most scripts of India
    "\u104b\u0f0e\u17d4\u17d5"  # Myanmar, Tibetan, Khmer
    "\u1362\u1367\u1368"  # Ethiopic
)
_END = re.compile(
    rf"[{_SPACED}]+[\"'”’»›)\]]*(?=\s)|[{_ALONE}]+[」』”’）】》〉]*|\n"
    # In Greek letters, a question ends with what is a semicolon elsewhere.
    r"|(?<=[\u0370-\u03ff\u1f00-\u1fff]);[\"'”’»)\]]*(?=\s)"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'“])(?:[A-Za-z]|[A-Za-z](?:\.[A-Za-z])+|"
    r"mr|mrs|ms|dr|prof|st|sr|jr|vs|etc|cf|al|approx|ca|dept|inc|ltd|co|"
    r"jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|bzw|usw)\.$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b(?:no|nr|vol|fig|eq|pp?)\.$", re.IGNORECASE)
"""Abbreviations before a number, and words elsewhere."""


def sentence_ranges(text: str) -> list[tuple[int, int]]:
    """Return the half-open ranges of characters of the sentences of `text`.

    The ranges tile the text: white space belongs to the sentence before it. A sentence ends at
    a line break, and at the marks of its script: at those like ``. ! ? ؟ ۔`` before white space
    alone, and not where the mark ends an abbreviation or an initial, or the next word begins in
    lower case; at those like ``。 । ။ ።`` always (after Unicode Standard Annex 29, rules SB6 to
    SB11). Thai and Lao have no such marks.

    Examples
    --------
    >>> text = 'Dr. Okoro paid 4.50 euros. "Why?" she asked. No answer'
    >>> [text[start:end] for start, end in sentence_ranges(text)]
    ['Dr. Okoro paid 4.50 euros. ', '"Why?" she asked. ', 'No answer']
    >>> sentence_ranges("雨だった。帰った。"), sentence_ranges("वह आया। हम गए।")
    ([(0, 5), (5, 9)], [(0, 8), (8, 14)])
    """
    cuts = [0, *_cuts(text)]
    if cuts[-1] != len(text):
        cuts.append(len(text))
    return list(pairwise(cuts))


def _cuts(text: str) -> Iterator[int]:
    start = 0
    for match in _END.finditer(text):
        at = match.end()
        while at < len(text) and text[at].isspace():
            at += 1
        if at <= start or not text[start:at].strip():
            continue
        broken = "\n" in text[match.start() : at]
        if not broken and match[0][0] not in _ALONE:
            if text[at : at + 1].islower():
                continue
            before = text[max(start, match.start() - 12) : match.end()]
            if _ABBREVIATION.search(before):
                continue
            if text[at : at + 1].isdigit() and _NUMBERED.search(before):
                continue
        yield at
        start = at
