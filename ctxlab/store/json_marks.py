"""JSON as DuckDB can hold it: NaN, infinities and halves of surrogate pairs behind a mark.

Python's JSON carries all of these, DuckDB's refuses them. They are stored as texts that begin as
`storable` marks them, and come back as they were.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from ctxlab.store.storable import MARK, storable

_SUSPECT = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]|[\ud800-\udfff]|\\u0000json:|NaN|Infinity")
_MARKED = "\\u0000json:"


def storable_json(text: str) -> str:
    r"""Return JSON that DuckDB takes.

    Examples
    --------
    >>> storable_json('{"score": NaN, "text": "plain"}')
    '{"score": "\\u0000json:NaN", "text": "plain"}'
    """
    if not _SUSPECT.search(text):
        return text
    return json.dumps(_mapped(json.loads(text), _marked), allow_nan=False)


def stored_json(text: str) -> str:
    r"""Return the JSON that `storable_json` was given, by its content.

    Examples
    --------
    >>> stored_json(storable_json('{"score": NaN, "half": "\\ud83d"}'))
    '{"score": NaN, "half": "\\ud83d"}'
    """
    if _MARKED not in text:
        return text
    return json.dumps(_mapped(json.loads(text), _unmarked))


def _marked(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return MARK + json.dumps(value)
    return value


def _unmarked(value: object) -> object:
    if isinstance(value, str) and value.startswith(MARK):
        return json.loads(value[len(MARK) :])
    return value


def _mapped(tree: Any, change: Callable[[object], object]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(tree, dict):
        return {str(change(key)): _mapped(item, change) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_mapped(item, change) for item in tree]
    return change(tree)
