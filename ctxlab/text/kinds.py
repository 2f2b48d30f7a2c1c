"""Kinds of values in a text: what a compression may not lose, found by rules.

The rules prefer to miss a value over taking a common word for one. A value may be of two kinds:
an amount holds a number, a name in snake case is an identifier and a code symbol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ctxlab.text.normalised import DATE, DIGITS, LETTER, NUMBER
from ctxlab.text.proper_names import name_ranges

Kind = Literal[
    "number", "name", "date", "amount", "path", "URL", "identifier", "quote", "symbol"
]  # fmt: skip
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text: its kind, its text, and the range of its characters.

    Examples
    --------
    >>> values("Pay €40.", "amount")
    [Found(kind='amount', text='€40', start=4, end=7)]
    """

    kind: Kind
    text: str
    start: int
    end: int


_URL = re.compile(
    r"\b(?:https?|ftp|wss?|file)://[^\s<>\"'`|\\^{}«»“”]+|\bwww\.[\w-]+\.[^\s<>\"'`]+"
)
_EXTENSIONS = (
    "py|ipynb|js|jsx|ts|tsx|mjs|json|jsonl|md|rst|txt|csv|tsv|pdf|html?|css|java|go|rs|c|h|cc|cpp|"
    "rb|php|ya?ml|toml|sql|sh|bat|ps1|png|jpe?g|gif|svg|log|xml|ini|cfg|conf|env|lock|docx?|xlsx?|"
    "pptx?|zip|gz|tar|db|parquet|duckdb|exe|dll|so"
)
_NAME = r"[\w.@+%~-]"
_PATH = re.compile(
    rf"""(?x)(?<![\w/\\.:@~-])(?:
      (?:[A-Za-z]:\\|\\\\)(?:[\w.@+-]+(?:[ ][\w.@+-]+(?=\\))*\\)*[\w.@+-]*[\w]
    | (?:~|\.{{1,2}})?/(?:{_NAME}+/)*{_NAME}*[\w]/?(?![\w/])
    | (?:{_NAME}+/)+{_NAME}*\.(?:{_EXTENSIONS})\b
    | [A-Za-z_.]{_NAME}*/(?:{_NAME}+/)+
    | [\w-][\w.-]*\.(?:{_EXTENSIONS})\b(?!\()
    )"""
)
_DATE = re.compile(DATE)
_SIGN = (
    r"(?:[€$£¥₹]|(?:US|A|C|HK|NZ)\$|(?:EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK)\b)"
)
_UNIT = rf"(?:{_SIGN}|(?:euros?|dollars?|pounds|cents?|yen|francs?|Franken|rupees?|yuan)\b|元|円)"
_SCALE = r"(?:\s?(?:k|K|m|M|bn|million|billion|Millionen|Milliarden|Mio\.|Mrd\.)(?!\w))?"
_WORTH = rf"{DIGITS}(?!\d)"
_AMOUNT = re.compile(
    rf"(?<!{LETTER})(?<![.,-])-?(?:{_SIGN}\s?-?{_WORTH}{_SCALE}|{_WORTH}{_SCALE}\s?{_UNIT})",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?:(?<=\dT)|(?<![\w:]))\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?(?![\w:])"
)
_NUMBER = re.compile(
    rf"(?<!{LETTER})(?<![.,#-])(?:[-−+](?=\d))?{NUMBER}(?:\s?(?:%|percent\b|Prozent\b))?"
)
_LISTED = re.compile(r"(?<=[\[,])-?\d+(?:\.\d+)?(?!\w|\.\d)|(?<=\d)[-–](\d+(?:[.,]\d+)?)(?![\w-])")
_IDENTIFIER = re.compile(
    r"""(?x)
      \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b
    | (?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b
    | (?<![\w.-])[A-Za-z]{1,10}-\d[\dA-Za-z]*(?:-[\dA-Za-z]+)*\b
    | (?<![\w.-])[A-Z]+\d*(?:-[A-Z0-9]+)*-\d[\dA-Z]*\b
    | \#\d+\b
    | \b0x[0-9a-fA-F]+\b
    | \b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b
    | \b(?=\w*\d)(?=\w*[A-Z])[A-Z0-9]{5,}\b
    | \b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b
    | (?<![\w\\])[a-z]+\d*(?:[A-Z][a-z0-9]+)+\b
    """
)
# Ordinary words are written like an identifier: COVID-19, mid-2020, pre-2000.
_NO_IDENTIFIER = re.compile(
    r"(?i)(?:covid|mid|pre|post|late|early|top|age|under|over|sub|non|vitamin|part|"
    r"chapter|page|day|week|level|step|room|gate)-\d+(?:-\w+)*|(?:19|20)\d\ds?"
)
_QUOTE = re.compile(
    r"""(?x)
      “([^“”\n]{1,200})”
    | „([^„“”\n]{1,200})[“”]
    | «[ \u00a0\u202f]?([^«»\n]{1,200}?)[ \u00a0\u202f]?»
    | »([^«»\n]{1,200})«
    | 「([^「」\n]{1,200})」
    | (?<![\w\\])"([^"\n]{1,200})"(?![\w"]|\s*:)
    | (?<!\w)‘([^‘’\n]{1,200})’(?!\w)
    """
)
"""What stands in quotation marks; a key of an object does not count as quoted."""
_SYMBOL = re.compile(
    r"""(?x)
      `([^`\n]{1,100})`
    | (?<![\w.])((?:[A-Za-z_]\w*(?:\.|::))*[A-Za-z_]\w*(?=\((?!e?[sn]\))[^()\n]{0,60}\)))
    | (?<![\w.@/-])([a-z_]\w*(?:\.[A-Za-z_]\w*)+(?=[\s,;:)]|\.\s|\.?$))(?!\.\w)
    | \b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b
    | \b([A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)\b
    | (?<![\w\\])([a-z]+\d*(?:[A-Z][a-z0-9]+)+)\b
    """
)
_NO_SYMBOL = re.compile(
    r"(?i)(?:[a-z]\.[a-z]|(?:[\w-]+\.)+(?:com|org|net|io|edu|gov|info|de|at|ch|fr|uk|eu))"
)
"""Short forms and hosts, which look like dotted names."""


def values(text: str, kind: Kind, speakers: Sequence[str] = ()) -> list[Found]:
    """Return the values of one kind in `text`, in order.

    Parameters
    ----------
    text : str
        Any text: prose, a log, code, JSON.
    kind : str
        Numbers (with local separators, and percent), names, dates (ISO, English, German,
        numeric), amounts of money, paths, URLs, identifiers (codes with digits, UUIDs, hashes,
        addresses, names in snake and camel case), quotes, or symbols of code.
    speakers : sequence of str
        Names that are known, as of who speaks: found wherever they stand.

    Examples
    --------
    >>> text = "Mira sent ORD-1042 (1,240 kg) to ops@hall.example on 12 March."
    >>> [one.text for kind in ("number", "date", "identifier") for one in values(text, kind)]
    ['1,240', '12 March', 'ORD-1042', 'ops@hall.example']
    """
    return [Found(kind, text[a:b], a, b) for a, b in _FINDERS[kind](text, speakers)]


def _urls(text: str, _: Sequence[str]) -> Iterator[Range]:
    for match in _URL.finditer(text):
        found = match[0].rstrip(".,;:!?'*_")
        # A bracket belongs to an address only when it opens in it.
        while found[-1:] in (")", "]") and found.count(found[-1]) > found.count(
            "(["[found[-1] == "]"]
        ):
            found = found[:-1].rstrip(".,;:!?")
        yield match.start(), match.start() + len(found)


def _paths(text: str, _: Sequence[str]) -> Iterator[Range]:
    if not any(sign in text for sign in "/\\."):
        return
    taken = list(_urls(text, ()))
    yield from _outside(taken, (m.span() for m in _PATH.finditer(text)))


def _dates(text: str, _: Sequence[str]) -> Iterator[Range]:
    return (m.span() for m in _DATE.finditer(text))


def _amounts(text: str, _: Sequence[str]) -> Iterator[Range]:
    return (m.span() for m in _AMOUNT.finditer(text))


def _numbers(text: str, _: Sequence[str]) -> Iterator[Range]:
    if not any(map(str.isdigit, text)):
        return
    taken = [r for find in (_urls, _paths, _dates, _identifiers) for r in find(text, ())]
    taken += [m.span() for m in _TIME.finditer(text)]
    amounts = list(_amounts(text, ()))
    found = [m.span() for m in _NUMBER.finditer(text)]
    found += [m.span(1) if m[1] else m.span() for m in _LISTED.finditer(text)]
    for start, end in amounts:
        inner = re.search(_WORTH, text[start:end])
        if inner:
            found.append((start + inner.start(), start + inner.end()))
    seen = -1
    for start, end in sorted(set(_outside(taken, found)), key=lambda r: (r[0], -r[1])):
        if start >= seen:
            yield start, end
            seen = end


def _identifiers(text: str, _: Sequence[str]) -> Iterator[Range]:
    taken = [*_urls(text, ()), *_paths(text, ()), *_dates(text, ())]
    found = (m for m in _IDENTIFIER.finditer(text) if not _NO_IDENTIFIER.fullmatch(m[0]))
    yield from _outside(taken, (m.span() for m in found))


def _quotes(text: str, _: Sequence[str]) -> Iterator[Range]:
    for match in _QUOTE.finditer(text):
        yield match.span(match.lastindex or 0)


def _symbols(text: str, _: Sequence[str]) -> Iterator[Range]:
    taken = [*_urls(text, ()), *_paths(text, ())]
    found = (m for m in _SYMBOL.finditer(text) if not _NO_SYMBOL.fullmatch(m[0].strip("`")))
    yield from _outside(taken, (m.span(m.lastindex or 0) for m in found))


def _outside(taken: Sequence[Range], found: Iterator[Range] | Sequence[Range]) -> Iterator[Range]:
    """Yield the ranges that touch none of those that are taken; both in order of their starts."""
    held = sorted(taken)
    at = 0
    for start, end in sorted(found):
        while at < len(held) and held[at][1] <= start:
            at += 1
        if at == len(held) or end <= held[at][0]:
            yield start, end


_FINDERS: dict[str, Callable[[str, Sequence[str]], Iterator[Range]]] = {
    "number": _numbers,
    "name": name_ranges,
    "date": _dates,
    "amount": _amounts,
    "path": _paths,
    "URL": _urls,
    "identifier": _identifiers,
    "quote": _quotes,
    "symbol": _symbols,
}
