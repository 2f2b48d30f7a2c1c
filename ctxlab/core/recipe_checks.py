"""Whether a recipe that was written down still means what it meant."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import Any

from ctxlab.core.named import qualified_name
from ctxlab.core.segments import Value
from ctxlab.core.strategy import Strategy
from ctxlab.errors import SpecError


def complete(strategy: Strategy) -> dict[str, Any]:
    """Return every parameter, defaults included, of a strategy and of those within it.

    Examples
    --------
    >>> from ctxlab.strategies import BM25
    >>> complete(BM25())["BM25"]["neighbours"]
    0
    """
    return {qualified_name(type(strategy)): _whole(strategy)}


def _whole(value: Any) -> Any:  # noqa: ANN401 - a parameter
    if isinstance(value, Value):
        found = {name: getattr(value, name) for name in type(value).model_fields}
        return {
            name: complete(one) if isinstance(one, Strategy) else _whole(one)
            for name, one in found.items()
        }
    if isinstance(value, tuple | list):
        return [complete(one) if isinstance(one, Strategy) else _whole(one) for one in value]
    if isinstance(value, frozenset | set):
        return sorted(map(_whole, value), key=str)
    if isinstance(value, dict):
        return {str(key): _whole(one) for key, one in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def refuse_newer(written: str) -> None:
    """Refuse a recipe that a newer ctxlab wrote.

    Raises
    ------
    SpecError
        With both versions.

    Examples
    --------
    >>> refuse_newer("99.0")
    Traceback (most recent call last):
    ctxlab.errors.SpecError: the recipe was written by ctxlab 99.0, and this is ...
    """
    own = version("ctxlab")
    numbers = [tuple(map(int, re.findall(r"\d+", text)[:3])) for text in (written, own)]
    if re.fullmatch(r"\d+(\.\d+)*\S*", written) and numbers[0] > numbers[1]:
        raise SpecError(
            f"the recipe was written by ctxlab {written}, and this is {own}; upgrade ctxlab, or "
            "load the recipe with changed=True"
        )


def refuse_changed(written: object, strategy: Strategy) -> None:
    """Refuse a recipe whose parameters are not what its strategy has by now.

    Raises
    ------
    SpecError
        With both.

    Examples
    --------
    >>> from ctxlab.strategies import BM25
    >>> refuse_changed(complete(BM25()), BM25())
    """
    if isinstance(written, str):
        written = json.loads(written)
    if written is None:
        return
    now = json.loads(json.dumps(complete(strategy)))
    if written != now:
        raise SpecError(
            f"the recipe was written with the parameters {json.dumps(written)}, and what its "
            f"strategy names is {json.dumps(now)} by now; write the parameters into the strategy, "
            "or load the recipe with changed=True"
        )
