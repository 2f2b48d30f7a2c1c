"""Strategies as text and as data: `parse` and `from_spec` rebuild what `str` and `spec` write."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, get_args

from pydantic import ValidationError

from ctxlab.core.registry import Registry
from ctxlab.core.strategy import Pipeline, Strategy
from ctxlab.errors import SpecError, UnknownNameError

# "package.module:Class(" as `str` writes it, or a quoted parameter, in which colons stay.
_QUALIFIED = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<module>[\w.]+):(?=[\w.]+\()""",
    re.DOTALL,
)


STRATEGIES: Registry[Strategy] = Registry("strategy", "ctxlab.strategies", Strategy)  # type: ignore[type-abstract]
"""Every strategy there is: ctxlab's, and those of installed packages that name theirs."""
STRATEGIES.add(Pipeline)


def from_spec(spec: Mapping[str, Any]) -> Strategy:
    """Rebuild a strategy from its name and its non-default parameters.

    Raises
    ------
    SpecError
        When the spec has not exactly one name, or a parameter is unknown or out of bounds.
    UnknownNameError
        When it names a strategy that there is not, at any depth.

    Examples
    --------
    >>> from_spec({"BM25": {"neighbours": 2}})
    BM25(neighbours=2)
    """
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise SpecError(f"a spec is one strategy's name with its parameters, not {spec!r}")
    ((name, parameters),) = spec.items()
    cls = STRATEGIES.find(str(name))
    if not isinstance(parameters, Mapping):
        raise SpecError(f"the parameters of {name} are {parameters!r}; expected a table of names")
    nested = {key for key, field in cls.model_fields.items() if _of_strategies(field.annotation)}
    values = {str(key): _revive(value, key in nested) for key, value in parameters.items()}
    return _build(cls, values)


def _of_strategies(annotation: object) -> bool:
    own = isinstance(annotation, type) and issubclass(annotation, Strategy)
    return own or any(map(_of_strategies, get_args(annotation)))


def _revive(value: object, nested: bool) -> object:
    """Turn nested specs into strategies.

    Where the type does not say that a table is a spec, one with a strategy's name alone is.
    """
    if isinstance(value, Mapping):
        names = list(value)
        alone = len(names) == 1 and (names[0] in STRATEGIES or ":" in str(names[0]))
        if nested or alone:
            return from_spec(value)
        return {key: _revive(item, nested) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_revive(item, nested) for item in value)
    return value


def parse(text: str | Strategy) -> Strategy:
    """Read a strategy as it is written in Python: ``BM25(neighbours=2) >> KeepLast()``.

    Only names of strategies, literal parameters and ``>>`` are understood; nothing is run.
    A class outside ctxlab is written ``package.module.MyStrategy()``, or, as `str` writes it,
    ``package.module:MyStrategy()``.

    Raises
    ------
    SpecError
        When the text is not such an expression, with the place.
    UnknownNameError
        When it names a strategy that there is not.

    Examples
    --------
    >>> parse("BM25(neighbours=2) >> KeepLast()")
    BM25(neighbours=2) >> KeepLast()
    """
    if isinstance(text, Strategy):
        return text
    try:
        tree = ast.parse(_QUALIFIED.sub(_dotted, text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        offset = getattr(error, "offset", None)
        place = f" at character {offset}" if offset else ""
        raise SpecError(
            f"strategy {text!r} is not understood{place}; "
            "write it as in Python: 'BM25(neighbours=2) >> KeepLast()'"
        ) from error
    strategy = _expression(tree, text)
    if not isinstance(strategy, Strategy):
        raise SpecError(f"{text!r} is a {type(strategy).__name__}, not a strategy")
    return strategy


def _dotted(match: re.Match[str]) -> str:
    return match["quoted"] or f"{match['module']}."


def _expression(node: ast.expr, text: str) -> object:
    match node:
        case ast.BinOp(left=left, op=ast.RShift(), right=right):
            first, second = _expression(left, text), _expression(right, text)
            if isinstance(first, Strategy) and isinstance(second, Strategy):
                return first >> second
        case ast.Call(func=name, args=[], keywords=keywords) if _distinct(keywords):
            values = {str(k.arg): _expression(k.value, text) for k in keywords}
            return _build(_class(name, text), values)
        case ast.Name():
            return _build(_class(node, text), {})
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_expression(item, text) for item in items)
        case _:
            try:
                return ast.literal_eval(node)
            except (ValueError, TypeError):
                pass
    part = ast.get_source_segment(text.strip(), node) or text
    raise SpecError(
        f"{part!r} in strategy {text!r} is not understood; "
        "parameters are named literals, as in 'BM25(neighbours=2)'"
    )


def _distinct(keywords: list[ast.keyword]) -> bool:
    """Say whether parameters are named, each once."""
    names = [keyword.arg for keyword in keywords]
    return None not in names and len(set(names)) == len(names)


def _class(node: ast.expr, text: str) -> type[Strategy]:
    if isinstance(node, ast.Name):
        return STRATEGIES.find(node.id)
    path = ast.unparse(node)
    parts = path.split(".")
    if not all(map(str.isidentifier, parts)):
        raise SpecError(f"{path!r} in strategy {text!r} does not name a strategy")
    # A class may stand in another: the module is the longest part that is one.
    for cut in range(len(parts) - 1, 1, -1):
        module = ".".join(parts[:cut])
        if _is_module(module):
            return STRATEGIES.find(f"{module}:{'.'.join(parts[cut:])}")
    return STRATEGIES.find(f"{parts[0]}:{'.'.join(parts[1:])}")


def _is_module(name: str) -> bool:
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _build(cls: Callable[..., Strategy], values: Mapping[str, Any]) -> Strategy:
    try:
        return cls(**values)
    except ValidationError as error:
        faults = "; ".join(_fault(cls, fault) for fault in error.errors())
        name = getattr(cls, "__name__", str(cls))
        raise SpecError(f"{name}: {faults}") from error


def _fault(cls: object, fault: Any) -> str:  # noqa: ANN401
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return str(UnknownNameError("parameter", place, getattr(cls, "model_fields", {})))
    if fault["type"] == "value_error":
        # A validator of a strategy's own names the value itself.
        return str(fault["ctx"]["error"])
    return f"{place}={fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
