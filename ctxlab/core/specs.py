"""Strategies as text and as data: `parse` and `from_spec` rebuild what `str` and `spec` write."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar, get_args

from ctxlab.core.foreign_imports import is_own, refuse_import
from ctxlab.core.metric import Metric, as_metric
from ctxlab.core.named import NamedValue
from ctxlab.core.registry import Registry
from ctxlab.core.strategy import Pipeline, Strategy
from ctxlab.errors import SpecError

T = TypeVar("T", bound=NamedValue)
# "package.module:Class(" as `str` writes it, or a quoted parameter, in which colons stay.
_PLACE = re.compile(r"[\w.]+:[\w.]+")
"""A class by its module, without parameters."""
_QUALIFIED = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<module>[\w.]+):(?=[\w.]+\()""",
    re.DOTALL,
)


STRATEGIES: Registry[Strategy] = Registry("strategy", "ctxlab.strategies", Strategy)  # type: ignore[type-abstract]
"""Every strategy there is: ctxlab's, and those of installed packages that name theirs."""
STRATEGIES.add(Pipeline)


METRICS: Registry[Metric] = Registry("metric", "ctxlab.metrics", Metric)  # type: ignore[type-abstract]
"""Every metric there is, likewise."""


def from_spec(spec: Mapping[str, Any], *, allow_import: bool = False) -> Strategy:
    """Rebuild a strategy from its name and its non-default parameters.

    Parameters
    ----------
    spec : mapping
        One name, with a table of its parameters.
    allow_import : bool
        Import what it names from outside ctxlab; else that has to be loaded, or declared by an
        installed package.

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
    return _from_spec(spec, STRATEGIES, allow_import)


def metric_from_spec(spec: Mapping[str, Any], *, allow_import: bool = False) -> Metric:
    """Rebuild a metric from its name and its non-default parameters; as `from_spec`.

    Raises
    ------
    SpecError, UnknownNameError
        As for `from_spec`.

    Examples
    --------
    >>> metric_from_spec({"AllEvidence": {}})
    AllEvidence()
    """
    if len(spec) == 1 and (found := _function(str(next(iter(spec))), allow_import)):
        return found
    return _from_spec(spec, METRICS, allow_import)


def _from_spec(spec: Mapping[str, Any], registry: Registry[T], allow_import: bool) -> T:
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise SpecError(f"a spec is one {registry.kind}'s name with its parameters, not {spec!r}")
    ((name, parameters),) = spec.items()
    cls = registry.find(str(name), allow_import=allow_import)
    if not isinstance(parameters, Mapping):
        raise SpecError(f"the parameters of {name} are {parameters!r}; expected a table of names")
    nested = {key for key, field in cls.model_fields.items() if _of_strategies(field.annotation)}
    try:
        values = {
            str(key): _revive(value, key in nested, allow_import)
            for key, value in parameters.items()
        }
        return cls(**values)
    except RecursionError as error:
        raise SpecError(f"the spec of {name} is nested too deeply; flatten it") from error


def _of_strategies(annotation: object) -> bool:
    own = isinstance(annotation, type) and issubclass(annotation, Strategy)
    return own or any(map(_of_strategies, get_args(annotation)))


def _revive(value: object, nested: bool, allow_import: bool) -> object:
    """Turn nested specs into strategies.

    Where the type does not say that a table is a spec, one with a strategy's name alone is.
    """
    if isinstance(value, Mapping):
        names = list(value)
        alone = len(names) == 1 and (names[0] in STRATEGIES or ":" in str(names[0]))
        if nested or alone:
            return from_spec(value, allow_import=allow_import)
        return {key: _revive(item, nested, allow_import) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_revive(item, nested, allow_import) for item in value)
    return value


def parse(text: str | Strategy | type[Strategy], *, allow_import: bool = False) -> Strategy:
    """Read a strategy as it is written in Python: ``BM25(neighbours=2) >> KeepLast()``.

    Only names of strategies, literal parameters and ``>>`` are understood; nothing is run.
    A class is made with its defaults. One from outside ctxlab is written
    ``package.module.MyStrategy()`` or, as `str` writes it, ``package.module:MyStrategy()``.

    Parameters
    ----------
    text : str, Strategy or class
        A strategy, or what makes one.
    allow_import : bool
        Import what it names from outside ctxlab; else that has to be loaded, or declared by an
        installed package.

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
    if isinstance(text, type) and issubclass(text, Strategy):
        return text()
    return text if isinstance(text, Strategy) else _parse(text, STRATEGIES, allow_import)


def parse_metric(text: str | Metric, *, allow_import: bool = False) -> Metric:
    """Read a metric as it is written in Python: ``RecallAt(k=5)``, or its name alone.

    Names are found whatever their case and underscores: ``all_evidence`` is `AllEvidence`.
    A function is named as ``package.module:function``; what is imported goes as for `parse`.

    Raises
    ------
    SpecError, UnknownNameError
        As for `parse`.

    Examples
    --------
    >>> parse_metric("all_evidence"), parse_metric("AnswerKept()")
    (AllEvidence(), AnswerKept())
    """
    if isinstance(text, Metric):
        return text
    if found := _function(text, allow_import):
        return found
    known = {name.lower(): name for name in METRICS.names()} | {"answer": "AnswerKept"}
    return _parse(known.get(text.strip().replace("_", "").lower(), text), METRICS, allow_import)


def _function(place: str, allow_import: bool) -> Metric | None:
    """Return the metric of a plain function that is named by its module; None for anything else."""
    module, _, name = place.partition(":")
    if not name.isidentifier():
        return None
    refuse_import(place, "metric", allow_import=allow_import, installed=METRICS.installed)
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"metric {place!r} cannot be imported: {error}") from error
    return as_metric(found) if callable(found) else None


def _parse(text: str, registry: Registry[T], allow_import: bool) -> T:
    kind = registry.kind
    text = f"{text.strip()}()" if _PLACE.fullmatch(text.strip()) else text
    try:
        tree = ast.parse(_QUALIFIED.sub(_dotted, text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        offset = getattr(error, "offset", None)
        place = f" at character {offset}" if offset else ""
        raise SpecError(
            f"{kind} {text!r} is not understood{place}; write it as in Python: {_WRITTEN[kind]}"
        ) from error
    found = _Expression(text, registry, allow_import).read(tree)
    if not isinstance(found, registry.base):
        raise SpecError(f"{text!r} is a {type(found).__name__}, not a {kind}")
    return found


_WRITTEN = {"strategy": "'BM25(neighbours=2) >> KeepLast()'", "metric": "'RecallAt(k=5)'"}


def _dotted(match: re.Match[str]) -> str:
    return match["quoted"] or f"{match['module']}."


class _Expression:
    """Reads the expression that a strategy or a metric is written as; nothing in it is run."""

    def __init__(self, text: str, registry: Registry[Any], allow_import: bool) -> None:
        self._text, self._registry, self._allow_import = text, registry, allow_import

    def read(self, node: ast.expr) -> object:
        match node:
            case ast.BinOp(left=left, op=ast.RShift(), right=right):
                first, second = self.read(left), self.read(right)
                if isinstance(first, Strategy) and isinstance(second, Strategy):
                    return first >> second
            case ast.Call(func=name, args=[], keywords=keywords) if _distinct(keywords):
                values = {str(k.arg): self.read(k.value) for k in keywords}
                return self._class(name)(**values)
            case ast.Name():
                return self._class(node)()
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return tuple(map(self.read, items))
            case _:
                try:
                    return ast.literal_eval(node)
                except (ValueError, TypeError):
                    pass
        part = ast.get_source_segment(self._text.strip(), node) or self._text
        kind = self._registry.kind
        raise SpecError(
            f"{part!r} in {kind} {self._text!r} is not understood; "
            f"parameters are named literals, as in {_WRITTEN[kind]}"
        )

    def _class(self, node: ast.expr) -> type[Any]:
        if isinstance(node, ast.Name):
            return self._registry.find(node.id)
        path = ast.unparse(node)
        parts = path.split(".")
        if not all(map(str.isidentifier, parts)):
            kind = self._registry.kind
            raise SpecError(f"{path!r} in {kind} {self._text!r} does not name a {kind}")
        # A class may stand in another: the module is the longest part that is one.
        places = [(".".join(parts[:cut]), ".".join(parts[cut:])) for cut in range(1, len(parts))]
        for module, name in reversed(places):
            if self._is_module(module) or f"{module}:{name}" in self._registry.installed:
                break
        else:
            module, name = places[0 if self._allow_import else -1]
        return self._registry.find(f"{module}:{name}", allow_import=self._allow_import)

    def _is_module(self, name: str) -> bool:
        if name in sys.modules:
            return True
        if not (self._allow_import or is_own(name)):
            return False  # To look for a module imports the packages that it is in.
        try:
            return find_spec(name) is not None
        except (ImportError, ValueError):
            return False


def _distinct(keywords: list[ast.keyword]) -> bool:
    """Say whether parameters are named, each once."""
    names = [keyword.arg for keyword in keywords]
    return None not in names and len(set(names)) == len(names)
