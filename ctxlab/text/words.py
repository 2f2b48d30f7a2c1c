"""Words of texts as index terms: lower case, stop words out, English Snowball stems."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+")
_STOP_WORDS = (
    "a about above after again against all am an and any are aren as at be because been before "
    "being below between both but by can could couldn did didn do does doesn doing don down "
    "during each few for from further had hadn has hasn have haven having he her here hers "
    "herself him himself his how i if in into is isn it its itself just ll me more most mustn "
    "my myself no nor not now of off on once only or other our ours ourselves out over own re s "
    "same shan she should shouldn so some such t than that the their theirs them themselves "
    "then there these they this those through to too under until up ve very was wasn we were "
    "weren what when where which while who whom why will with won would wouldn you your yours "
    "yourself yourselves d m o y "
)
_STOP = frozenset(_STOP_WORDS.split())
_stems: dict[str, str] = {}


def terms(text: str) -> list[str]:
    """Return the index terms of `text`, in order, repeats included.

    Source: Porter, "Snowball: a language for stemming algorithms", 2001.

    Examples
    --------
    >>> terms("The stalls were selling, and we sold 40 crates")
    ['stall', 'sell', 'sold', '40', 'crate']
    """
    words = _WORD.findall(text.lower())
    stems = _stems
    unknown = {word for word in words if word not in stems}
    if unknown:
        _learn(unknown)
    return [stem for word in words if (stem := stems[word])]


def _learn(words: Iterable[str]) -> None:
    from snowballstemmer import stemmer

    new = list(words)
    kept = [word for word in new if word not in _STOP]
    _stems.update(dict.fromkeys(new, ""))
    _stems.update(zip(kept, stemmer("english").stemWords(kept), strict=True))
