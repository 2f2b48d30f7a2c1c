"""Words of texts as index terms: folded, stop words out, Snowball stems, bigrams without spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from unicodedata import category

from ctxlab.text.folding import folded
from ctxlab.text.languages import language as language_of

_ASCII = {code: chr(code).lower() if re.match(r"\w", chr(code)) else " " for code in range(128)}
"""Lower case, and a space for what parts words: three times as fast as a pattern for words."""
_SPACELESS = (
    "\u3005-\u3007\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"  # Han, Hiragana, Katakana
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf"  # Thai, Lao
    "\u1780-\u17d3\u17d7\u17dc\u17dd\u1000-\u103f\u104c-\u109d\ua9e0-\ua9fe\uaa60-\uaa7f"
)
"""Characters of the scripts that part no words: the last line is Khmer and Myanmar."""
_BIGRAM = re.compile(f"[{_SPACELESS}]{{2}}")
_HANGUL = "\uac00-\ud7a3"

# Where two kinds of signs stand in a number, or one kind twice, it is clear what parts thousands;
# a single comma or dot is read as the language does. In a list, as in JSON, a comma parts numbers.
_PARTED = re.compile(r"\d[.,'’\u00a0\u202f\u2009٬/-]\d")
_PARTED_ASCII = re.compile(r"[0-9][.,'/-][0-9]")
_BEFORE = r"(?<![\d.,\[A-Za-z_])"
_CLEAR = (
    r"\d{1,3}(?:\.\d{3})+(?=,\d{1,2}(?!\d))|\d{1,3}(?:,\d{3})+(?=\.\d)"
    r"|\d{1,3}(?:,\d{3}){2,}(?![\d,])"
    r"|\d{1,3}(?:['’\u00a0\u202f\u2009٬]\d{3})+(?!\d)"
)
_BY_SIGN = {
    "": r"|\d{1,3}(?:\.\d{3}){2,}(?![\d.])",
    ".": r"|\d{1,3}(?:\.\d{3})+(?![\d.])",
    # Where a comma parts thousands, digits between dots are an address or a version.
    ",": r"|\d{1,3},\d{3}(?![\d,])",
}
_INDIAN = r"|\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])"
_NOT_DIGIT = re.compile(r"\D")
_DATE = re.compile(
    r"(?<![0-9a-z_])(?<![0-9][-/.,])(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}"
    r"|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2}))(?![0-9a-su-z_]|[-/.,][0-9])"
)
"""A day in digits, in the order of any country; a time may follow its t."""
_LEADING_ZERO = re.compile(r"(?<![0-9])0(?=[0-9])")


def is_bigram(term: str) -> bool:
    """Say whether a term is two characters of a script that parts no words.

    Examples
    --------
    >>> is_bigram("早市"), is_bigram("at"), is_bigram("七")
    (True, False, False)
    """
    return _BIGRAM.fullmatch(term) is not None


def terms(text: str, language: str = "en") -> list[str]:
    """Return the index terms of `text`, in order, repeats included.

    Parameters
    ----------
    text : str
        Any text.
    language : str
        ISO 639-1 code: whose stop words go, and by whose rules words are stemmed.

    Returns
    -------
    list of str
        Stems by Snowball. A run of characters of a script without spaces (Chinese, Japanese,
        Thai, …) gives its bigrams, a Korean word itself and its bigrams. Thousands are written
        without a sign between them, days of dates in digits without leading zeros.

    Raises
    ------
    UnknownNameError
        When nothing is known of the language.

    Notes
    -----
    Sources: Porter, "Snowball: a language for stemming algorithms", 2001; for bigrams, Kwok,
    "Comparing representations in Chinese information retrieval", SIGIR 1997.

    Examples
    --------
    >>> terms("The stalls were selling, and we sold 1,240 crates")
    ['stall', 'sell', 'sold', '1240', 'crate']
    >>> terms("Die Stände kosten 1.240,50 Euro", "de"), terms("鱼摊在哪里", "zh")
    (['stand', 'kost', '1240', '50', 'euro'], ['鱼摊', '摊在', '在哪', '哪里'])
    """
    found = words(text, language)
    stems = _stems(language)
    unknown = [*{word for word in found if word not in stems}]
    if unknown:
        stems.update(zip(unknown, language_of(language).stems(unknown), strict=True))
    kept = [stem for word in found if (stem := stems[word])]
    return kept if text.isascii() else [part for term in kept for part in _with_syllables(term)]


def stem_of(word: str, language: str = "en") -> str:
    """Return the stem of a word of `words`; empty where it is a stop word.

    Examples
    --------
    >>> stem_of("selling"), stem_of("the")
    ('sell', '')
    """
    stems = _stems(language)
    found = stems.get(word)
    if found is None:
        [found] = language_of(language).stems([word])
        stems[word] = found
    return found


def words(text: str, language: str = "en") -> list[str]:
    """Return the words of `text`, folded, in order: `terms` before stop words and stems.

    Examples
    --------
    >>> words("Gate 4, हिन्दी"), words("닭고기 is ไก่")
    (['gate', '4', 'हिन्दी'], ['닭고기', 'is', 'ไก่'])
    """
    ascii_only = text.isascii()
    if ascii_only and language == "en" and not _PARTED_ASCII.search(text):
        return text.translate(_ASCII).split()
    if (_PARTED_ASCII if ascii_only else _PARTED).search(text):
        text = _thousands(language).sub(lambda digits: _NOT_DIGIT.sub("", digits[0]), text)
        whole = _DATE.sub(lambda day: _LEADING_ZERO.sub("", day[0]), folded(text, language))
    else:
        whole = folded(text, language)
    if whole.isascii():
        return whole.translate(_ASCII).split()
    return list(_unicode_words(whole))


def _unicode_words(text: str) -> Iterator[str]:
    pattern, clusters = _unicode_patterns()
    for run, word in pattern.findall(text):
        if word:
            yield word
        else:
            characters = clusters.findall(run)
            yield from map("".join, pairwise(characters)) if len(characters) > 1 else characters


def _with_syllables(term: str) -> Iterator[str]:
    """Yield a term and, of a Korean one, its bigrams: particles stand at the end of the word."""
    yield term
    if len(term) > 2 and "\uac00" <= term[0] <= "\ud7a3":
        yield from map("".join, pairwise(term))


@lru_cache(maxsize=1)
def _unicode_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds words of any script, and a character together with its marks."""
    # Python's \w holds no vowel signs of Indic scripts, although no word ends before one
    # (Unicode Standard Annex 29, rule WB4). Emoji have marks, too: those belong to no word.
    marks = "".join(
        chr(code)
        for code in (*range(0x300, 0x20D0), *range(0x2C00, 0xFE00))
        if category(chr(code))[0] == "M"
    )
    own = rf"[^\W{_SPACELESS}{_HANGUL}]"
    pattern = re.compile(
        rf"([{_SPACELESS}][{_SPACELESS}{marks}]*)|([{_HANGUL}]+|{own}(?:{own}|[{marks}])*)"
    )
    return pattern, re.compile(f".[{marks}]*", re.DOTALL)


@cache
def _stems(language: str) -> dict[str, str]:
    """Return what is known of a language's words so far: the stem of each, empty for none."""
    return {}


@cache
def _thousands(language: str) -> re.Pattern[str]:
    """Return what finds digits with signs between thousands."""
    own = _BY_SIGN[language_of(language).grouping] + (_INDIAN if language == "hi" else "")
    return re.compile(f"{_BEFORE}(?:{_CLEAR}{own})")
