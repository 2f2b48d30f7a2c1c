"""Which language texts are written in, by their script and their function words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ctxlab.text.folding import folded
from ctxlab.text.languages import LATIN, language

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
_LATIN_WORD = re.compile(r"[^\W\d_]{2,}")  # one letter is a sign as often as a word
_PERSIAN = re.compile("[پچژگکی]")
_ARABIC = re.compile("[يكةىأإؤ]")

_TEXTS, _CHARACTERS = 100, 200
"""How many texts are looked at, evenly spread, and how much of each."""
_LEAST_SHARE, _LEAST_WORDS, _LEAST_LEAD = 0.12, 3, 1.25
"""Stop words of a language that a text shows before it is taken for anything but English: their
share, their number, and how many for each English one."""


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
    hits = {code: _hits(words, code) for code in LATIN}
    best = max(LATIN, key=hits.__getitem__)
    least = max(_LEAST_WORDS, _LEAST_SHARE * total, _LEAST_LEAD * hits["en"])
    return best if hits[best] >= least else "en"


def _hits(words: Counter[str], code: str) -> int:
    return sum(words[word] for word in language(code).stop_words & words.keys())


def _by_script(sample: str) -> str:
    """Return the language of the script that most letters are of; empty for Latin."""
    counts = {script: len(letters.findall(sample)) for script, letters in _LETTERS.items()}
    kana, han = counts.pop("kana"), counts.pop("han")
    # A character of these says about as much as two letters.
    counts |= {"east": 2 * (han + kana), "hangul": 2 * counts["hangul"]}
    script = max(counts, key=counts.__getitem__)
    if counts[script] <= len(_ASCII_LETTER.findall(sample)):
        return ""
    if script == "east":
        return "ja" if kana * 10 > han + kana else "zh"
    if script == "arabic":
        return "fa" if len(_PERSIAN.findall(sample)) > len(_ARABIC.findall(sample)) else "ar"
    return _BY_SCRIPT[script]
