"""Letters in one form: what differs in writing alone is made equal."""

from __future__ import annotations

import re
import unicodedata

# Compatibility forms of these would become letters of the word before them.
_SIGNS = str.maketrans(dict.fromkeys("™℠", " ") | dict.fromkeys("\u00ad\u200d\u0640"))
_VOWEL_SIGNS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
)
_LOCAL_DIGIT = re.compile(r"(?![0-9])\d")
# A circumflex is often left out.
_TURKISH = str.maketrans("IİÂâÎîÛû", "ıiaaiiuu")


def folded(text: str, language: str = "en") -> str:
    """Return `text` in the form in which words are compared.

    Compatibility forms are composed and case is folded (Unicode normalisation form NFKC,
    Unicode Standard Annex 15; full case folding, section 3.13), vowel signs of Arabic and Hebrew
    and invisible joiners go, digits of all scripts become ASCII. Turkish keeps its dotless i.

    Examples
    --------
    >>> folded("ＳＴＲＡẞＥ ٤٢"), folded("IŞIK", "tr")
    ('strasse 42', 'ışık')
    """
    if language == "tr":
        text = unicodedata.normalize("NFC", text).translate(_TURKISH)
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).casefold()
    # Case folding writes a Turkish capital as an i with a dot above.
    text = _VOWEL_SIGNS.sub("", text).replace("i\u0307", "i")
    return _LOCAL_DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0])), text)
