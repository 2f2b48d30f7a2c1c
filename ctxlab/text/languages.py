"""Languages: whose stop words go, by whose rules words are stemmed and numbers written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, get_args

from ctxlab.errors import UnknownNameError
from ctxlab.text.folding import folded
from ctxlab.text.stop_words import STOP_WORDS

LanguageName = Literal[
    "auto", "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr",
    "pl", "cs", "id", "ru", "el", "ar", "fa", "hi", "he", "ko", "ja", "zh", "th", "lo", "km", "my",
]  # fmt: skip
"""What a ranking's `language` may be: an ISO 639-1 code, or ``auto`` to recognise it."""

LANGUAGES = get_args(LanguageName)[1:]
"""The codes alone."""

_STEMMERS = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian",
    "pt": "portuguese", "nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian",
    "fi": "finnish", "hu": "hungarian", "ro": "romanian", "tr": "turkish", "ru": "russian",
    "pl": "polish", "cs": "czech", "id": "indonesian",
    "el": "greek", "ar": "arabic", "fa": "persian", "hi": "hindi",
}  # fmt: skip
LATIN = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "hu", "ro", "tr", "pl", "cs",
    "id",
)  # fmt: skip
"""Those written in Latin letters."""

_COMMA_GROUPS = frozenset(("en", "he", "hi", "ja", "ko", "zh", "th", "lo", "km", "my", "fa", "ar"))
_DOT_GROUPS = frozenset(("de", "es", "it", "pt", "nl", "da", "tr", "ro", "el", "id"))


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
        return self.code in LATIN

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
