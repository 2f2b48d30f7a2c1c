"""Sentences: where a text may be cut so that the pieces read on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

# A sentence ends after its last mark, with the quotes and brackets that close on it; in scripts
# written without spaces the mark alone ends it. A line break always ends one.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』”’）]*|\n")
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
    a line break, and at ``. ! ? …`` before white space unless the mark ends an abbreviation or
    an initial, or the next word begins in lower case (after Unicode Standard Annex 29, rules
    SB6 to SB11).

    Examples
    --------
    >>> text = 'Dr. Okoro paid 4.50 euros. "Why?" she asked. No answer'
    >>> [text[start:end] for start, end in sentence_ranges(text)]
    ['Dr. Okoro paid 4.50 euros. ', '"Why?" she asked. ', 'No answer']
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
        if not broken and match[0][0] in ".!?…":
            if text[at : at + 1].islower():
                continue
            before = text[max(start, match.start() - 12) : match.end()]
            if _ABBREVIATION.search(before):
                continue
            if text[at : at + 1].isdigit() and _NUMBERED.search(before):
                continue
        yield at
        start = at
