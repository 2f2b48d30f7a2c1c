"""Texts as they are compared: one form for what is said the same in several ways.

``1,240`` is ``1240`` and ``1.240,00``; ``12 March 2026`` is ``2026-03-12`` and ``12. März 2026``;
``€40`` is ``40 euros``; case, Unicode forms, punctuation and white space say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = (
    ("january", "jan", "januar", "jänner"),
    ("february", "feb", "februar"),
    ("march", "mar", "märz", "mrz"),
    ("april", "apr"),
    ("may", "mai"),
    ("june", "jun", "juni"),
    ("july", "jul", "juli"),
    ("august", "aug"),
    ("september", "sep", "sept"),
    ("october", "oct", "oktober", "okt"),
    ("november", "nov"),
    ("december", "dec", "dezember", "dez"),
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
"""Number of a month by its English or German name, whole or short, in lower case."""

_SHORT_NAMES = "jan feb mar mrz apr jun jul aug sep sept oct okt nov dec dez"
_SHORT = frozenset(_SHORT_NAMES.split())
"""Short names, which are months beside a day or a year only."""
_UNITS = {
    "€": "€", "eur": "€", "euro": "€", "euros": "€", "$": "$", "usd": "$", "dollar": "$",
    "dollars": "$", "£": "£", "gbp": "£", "¥": "¥", "jpy": "¥", "yen": "¥",
    "%": "%", "percent": "%", "prozent": "%",
}  # fmt: skip

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1[5-9]|20|21)\d\d"
DATE = rf"""(?ix:(?<![a-z0-9_.,/-])(?:
    (?P<y1>{_YEAR})-(?P<m1>0[1-9]|1[0-2])-(?P<d1>0[1-9]|[12]\d|3[01])(?=T\d\d:|\b)
  | (?P<d2>{_DAY})(?:st|nd|rd|th|\.)?\s(?:of\s)?(?P<m2>{_MONTH})\b(?:\.?,?\s(?P<y2>{_YEAR})\b)?
  | (?P<m3>{_MONTH})\b\.?\s(?P<d3>{_DAY})(?:st|nd|rd|th)?\b(?![:.,]?\d)(?:,?\s(?P<y3>{_YEAR})\b)?
  | (?P<m4>{_MONTH})\b\.?,?\s(?P<y4>{_YEAR})\b
  | (?P<d5>{_DAY})\.\s?(?P<m5>0?[1-9]|1[0-2])\.\s?(?P<y5>{_YEAR})\b
  | (?P<a6>0?[1-9]|[12]\d|3[01])/(?P<b6>0?[1-9]|[12]\d|3[01])/(?P<y6>{_YEAR})\b
))"""
"""A day, or a month of a year: ISO 8601, English, German, and in numbers."""

# Thai, Lao, Burmese, Khmer, Japanese and Chinese part no words by spaces.
_SINGLE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
LETTER = rf"[^\W{_SINGLE}]"
"""A letter or digit of a script that parts words by spaces."""

# No-break and thin spaces, and apostrophes, part thousands as commas and dots do.
_GROUP = "[.,'’\u00a0\u202f\u2009]"
DIGITS = rf"(?:\d{{1,3}}(?:{_GROUP}\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
"""A number with separators, without its sign."""
NUMBER = rf"{DIGITS}(?!{LETTER}|[.,]\d|['’]\d{{3}})"
"""One at whose end no further digit or letter stands."""

_WORD = rf"[{_SINGLE}]|{LETTER}+(?:\+\+|\#(?!\w))?"
_TOKEN = re.compile(
    rf"(?P<date>{DATE})"
    r"|(?P<time>(?:(?<=\d)T|(?<![\w:]))(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?![\d:]))"
    rf"|(?P<amount>(?P<unit>[€$£¥])\s?(?P<worth>{NUMBER}))"
    # In a list of numbers, as in JSON, a comma parts two of them.
    rf"|(?P<number>(?:(?<!{LETTER})(?<![.)\]])[-−])?"
    rf"(?:(?<=[\[,])\d+(?:\.\d+)?(?!\w|\.\d)|(?<=[\[,][-−])\d+(?:\.\d+)?(?!\w|\.\d)"
    rf"|(?<!{LETTER})(?<![.\[,])(?<![\[,][-−]){NUMBER}))"
    rf"|(?P<word>{_WORD}|[€$£¥%])",
)
_PLAIN = re.compile(rf"{_WORD}|[€$£¥%]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or part of a date, as it is compared, and where it stands.

    Examples
    --------
    >>> tokens("Pay €1,240")[1]
    Token(normal='1240', start=4, end=10)
    """

    normal: str
    start: int
    end: int


def normalised_number(text: str) -> str | None:
    """Return a number in one form, or None where `text` is none.

    Of two kinds of separators the last one is the decimal sign. One kind that parts groups of
    three digits parts thousands; a single dot is read as a decimal sign, as in English.

    Examples
    --------
    >>> [normalised_number(text) for text in ("1,240", "1.240,00", "1240.0", "-9.50", "B4")]
    ['1240', '1240', '1240', '-9.5', None]
    """
    match = re.fullmatch(rf"([-−]?)({NUMBER})", text.strip())
    if not match:
        return None
    sign, digits = match[1] and "-", re.sub("['’\u00a0\u202f\u2009]", "", match[2])
    dots, commas = digits.count("."), digits.count(",")
    mark = ""
    if dots and commas:
        mark = max(".,", key=digits.rfind)
    elif dots + commas == 1:
        head, _, tail = digits.replace(",", ".").partition(".")
        thousands = commas and len(tail) == 3 and len(head) <= 3 and not head.startswith("0")
        mark = "" if thousands else ("." if dots else ",")
    whole, _, fraction = digits.rpartition(mark) if mark else (digits, "", "")
    whole, fraction = whole.replace(".", "").replace(",", ""), fraction.rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def tokens(text: str) -> list[Token]:
    """Return the words, numbers, dates and amounts of `text` in their one form, in order.

    A date is up to three tokens, its day, month and year; an amount is a number and its unit.
    Of scripts written without spaces each character is a token.

    Examples
    --------
    >>> [token.normal for token in tokens("On March 12th, 2026 we paid $1,240.00.")]
    ['on', 'day:12', 'month:3', '2026', 'we', 'paid', '1240', '$']
    """
    return list(_tokens(text))


def normalised(text: str) -> str:
    """Return `text` as its tokens, with a space before and after each.

    Examples
    --------
    >>> normalised("12 March 2026") in normalised("It opens on 2026-03-12.")
    True
    """
    if not any(map(str.isdigit, text)):
        # Without digits there are no numbers and no dates: words are found ten times faster.
        words = _PLAIN.findall(text.lower() if text.isascii() else text)
        found = [_word(part) for word in words for part in _folded(word).split()]
    else:
        found = [token.normal for token in _tokens(text)]
    return f" {' '.join(found)} " if found else ""


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold()


def _word(word: str) -> str:
    if word in MONTHS and word not in _SHORT:
        return f"month:{MONTHS[word]}"
    return _UNITS.get(word, word)


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        match match.lastgroup:
            case "word":
                for word in _folded(match[0]).split():
                    yield Token(_word(word), start, end)
            case "number":
                yield Token(normalised_number(match[0]) or match[0], start, end)
            case "time":
                hour, _, rest = match["clock"].partition(":")
                yield Token(f"{int(hour)}:{rest}", start, end)
            case "amount":
                yield Token(normalised_number(match["worth"]) or match["worth"], start, end)
                yield Token(match["unit"], start, end)
            case _:
                yield from (Token(part, start, end) for part in _date(match))


def _date(match: re.Match[str]) -> Iterator[str]:
    """Yield a date's day, month and year, as far as they are said."""
    named = match.groupdict().items()
    found = {name[0]: value for name, value in named if value and name[1:].isdigit()}
    if "a" in found:
        # With slashes the month comes first, as in the United States, unless it cannot.
        first, second = int(found["a"]), int(found["b"])
        month, day = (first, second) if first <= 12 else (second, first)
        found |= {"m": str(month), "d": str(day)}
    if "d" in found:
        yield f"day:{int(found['d'])}"
    yield f"month:{MONTHS.get(found['m'].lower()) or int(found['m'])}"
    if "y" in found:
        yield found["y"]
