"""JSON numbers with all their digits: a float holds about 17, JSON and databases hold any."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from secrets import token_hex
from typing import Any

_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


class ExactFloat(float):
    """A float that remembers the digits it was written with.

    Examples
    --------
    >>> number = ExactFloat("0.12345678901234567890")
    >>> float(number), number.text
    (0.12345678901234568, '0.12345678901234567890')
    """

    text: str

    def __new__(cls, text: str) -> ExactFloat:
        """Make the nearest float, with its text."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def exact(text: str) -> float:
    """Return a number as a plain float where that has all digits, and with its text where not.

    Examples
    --------
    >>> exact("0.10"), type(exact("0.1000000000000000000001")).__name__
    (0.1, 'ExactFloat')
    """
    value = float(text)
    if math.isfinite(value) and Decimal(repr(value)) == Decimal(text):
        return value
    return ExactFloat(text)


def loads(text: str) -> Any:  # noqa: ANN401 - JSON
    """Read JSON; no number loses digits.

    Raises
    ------
    ValueError
        When it is not JSON, NaN and Infinity included.

    Examples
    --------
    >>> dumps(loads('{"price": 12.3400000000000000001}'))
    '{"price":12.3400000000000000001}'
    """
    return json.loads(text, parse_float=exact, parse_constant=_refused)


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def dumps(value: object) -> str:
    """Write compact JSON, each number with the digits it was read with.

    Raises
    ------
    TypeError, ValueError, RecursionError
        When it is not JSON.

    Examples
    --------
    >>> dumps({"a": [1, 2.50], "b": "é"})
    '{"a":[1,2.5],"b":"é"}'
    """
    texts: list[str] = []
    mark = token_hex(16)
    text = json.dumps(
        _marked(value, mark, texts), ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    if not texts:
        return text
    return re.sub(f'"{mark}(\\d+)"', lambda found: texts[int(found[1])], text)


def _marked(value: object, mark: str, texts: list[str]) -> object:
    """Put a mark in the place of every number that a float would shorten."""
    if isinstance(value, ExactFloat):
        texts.append(value.text)
        return f"{mark}{len(texts) - 1}"
    if type(value) is dict:
        return {key: _marked(item, mark, texts) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [_marked(item, mark, texts) for item in value]  # type: ignore[attr-defined]
    return value


def compact(text: str) -> str:
    """Return JSON text without white space between its parts; nothing else changes.

    Examples
    --------
    >>> compact('{"a": [1.50, "b c"]}')
    '{"a":[1.50,"b c"]}'
    """
    return _SPACE.sub(r"\1", text)
