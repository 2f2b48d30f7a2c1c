"""Languages: which one a text is written in, and what its words are reduced to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, get_args

from ctxlab.errors import UnknownNameError
from ctxlab.text.folding import folded
from ctxlab.text.stop_words import STOP_WORDS

LanguageName = Literal[
    "auto", "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr",
    "ru", "el", "ar", "fa", "hi", "he", "ko", "ja", "zh", "th", "lo", "km", "my",
]  # fmt: skip
"""What a ranking's `language` may be: an ISO 639-1 code, or ``auto`` to recognise it."""

LANGUAGES = get_args(LanguageName)[1:]
"""The codes alone."""

_STEMMERS = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian",
    "pt": "portuguese", "nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian",
    "fi": "finnish", "hu": "hungarian", "ro": "romanian", "tr": "turkish", "ru": "russian",
    "el": "greek", "ar": "arabic", "fa": "persian", "hi": "hindi",
}  # fmt: skip
_LATIN = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr")
_COMMA_GROUPS = frozenset(("en", "he", "hi", "ja", "ko", "zh", "th", "lo", "km", "my", "fa", "ar"))
_DOT_GROUPS = frozenset(("de", "es", "it", "pt", "nl", "da", "tr", "ro", "el"))


@dataclass(frozen=True)
class Language:
    """A language as the index of words needs it.

    Parameters
    ----------
    code : str
        Of ISO 639-1.

    Examples
    --------
    >>> german = language("de")
    >>> german.stems(["stände", "wir", "gate"])
    ['stand', '', 'gat']
    """

    code: str

    @cached_property
    def stop_words(self) -> frozenset[str]:
        """The words that are no terms, folded."""
        words = folded(STOP_WORDS.get(self.code, ""), self.code).split()
        return frozenset(words) if self.latin else frozenset(words) | language("en").stop_words

    @property
    def latin(self) -> bool:
        """Whether it is written in Latin letters; elsewhere Latin words are taken for English."""
        return self.code in _LATIN

    @property
    def grouping(self) -> str:
        """The sign that parts thousands where one sign alone could also be a decimal sign."""
        return "," if self.code in _COMMA_GROUPS else "." if self.code in _DOT_GROUPS else ""

    def stems(self, words: Sequence[str]) -> list[str]:
        """Return the Snowball stem of each folded word, empty for a stop word.

        Source: Porter, "Snowball: a language for stemming algorithms", 2001.

        Examples
        --------
        >>> language("ru").stems(["рынка", "gates"])
        ['рынк', 'gate']
        """
        if self.latin:
            return self._own_stems(words)
        english = dict.fromkeys(word for word in words if word.isascii())
        known = dict(zip(english, language("en").stems(list(english)), strict=True))
        own = [word for word in words if word not in known]
        known |= dict(zip(own, self._own_stems(own), strict=True))
        return [known[word] for word in words]

    def _own_stems(self, words: Sequence[str]) -> list[str]:
        kept = [word for word in words if word not in self.stop_words]
        algorithm = _STEMMERS.get(self.code)
        if algorithm:
            from snowballstemmer import stemmer

            stems = dict(zip(kept, stemmer(algorithm).stemWords(kept), strict=True))
        else:
            stems = dict(zip(kept, kept, strict=True))
        return [stems.get(word, "") for word in words]


@cache
def language(code: str) -> Language:
    """Return the language of an ISO 639-1 code.

    Raises
    ------
    UnknownNameError
        When nothing is known of it.

    Examples
    --------
    >>> language("de").grouping
    '.'
    """
    if code not in LANGUAGES:
        raise UnknownNameError("language", code, LANGUAGES)
    return Language(code)


_SCRIPTS = {
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
    "kana": "\u3041-\u309f\u30a1-\u30ff\uff66-\uff9f",
    "hangul": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "cyrillic": "\u0400-\u052f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "arabic": "\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff",
    "hebrew": "\u05d0-\u05ea",
    "devanagari": "\u0900-\u0963",
    "thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "lao": "\u0e81-\u0ecd",
    "khmer": "\u1780-\u17d3",
    "myanmar": "\u1000-\u103f",
}
_BY_SCRIPT = {
    "hangul": "ko", "cyrillic": "ru", "greek": "el", "hebrew": "he", "devanagari": "hi",
    "thai": "th", "lao": "lo", "khmer": "km", "myanmar": "my",
}  # fmt: skip
_LETTERS = {script: re.compile(f"[{characters}]") for script, characters in _SCRIPTS.items()}
_ASCII_LETTER = re.compile("[A-Za-z]")
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_PERSIAN = re.compile("[پچژگکی]")
_ARABIC = re.compile("[يكةىأإؤ]")

_TEXTS, _CHARACTERS = 100, 200
"""How many texts are looked at, evenly spread, and how much of each."""
_LEAST_SHARE, _LEAST_WORDS = 0.12, 3
"""Stop words of a language that a text shows before it is taken for anything but English."""


def recognised(texts: Sequence[str]) -> str:
    """Return the code of the language that most of `texts` is written in.

    By the script where that says it, else by the function words. A text that is unclear, such
    as code or names alone, counts as English. The same texts always give the same answer.

    Examples
    --------
    >>> recognised(["Wo ist der Schlüssel?", "Er liegt bei mir."]), recognised(["鍵はどこですか"])
    ('de', 'ja')
    """
    step = max(1, -(-len(texts) // _TEXTS))
    sample = " ".join(text[:_CHARACTERS] for text in texts[::step])
    if not sample.isascii():
        found = _by_script(sample)
        if found:
            return found
    words = Counter(_LATIN_WORD.findall(folded(sample, "en")))
    total = sum(words.values())
    hits = {code: _hits(words, code) for code in _LATIN}
    best = max(_LATIN, key=hits.__getitem__)
    clear = hits[best] >= max(_LEAST_WORDS, _LEAST_SHARE * total)
    return best if clear else "en"


def _hits(words: Counter[str], code: str) -> int:
    return sum(words[word] for word in language(code).stop_words & words.keys())


def _by_script(sample: str) -> str:
    """Return the language of the script that most letters are of; empty for Latin."""
    counts = {script: len(letters.findall(sample)) for script, letters in _LETTERS.items()}
    # A Han character says about as much as two Latin letters, a syllable of Hangul too.
    for script in ("han", "kana", "hangul"):
        counts[script] *= 2
    east = counts.pop("han") + counts["kana"]
    kana = counts.pop("kana")
    counts["east"] = east
    script = max(counts, key=counts.__getitem__)
    latin = len(_ASCII_LETTER.findall(sample))
    if not counts[script] or counts[script] < latin:
        return ""
    if script == "east":
        return "ja" if kana * 10 > east else "zh"
    if script == "arabic":
        return "fa" if len(_PERSIAN.findall(sample)) > len(_ARABIC.findall(sample)) else "ar"
    return _BY_SCRIPT[script]
