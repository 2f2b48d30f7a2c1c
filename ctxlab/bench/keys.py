"""Keys: what a trial, a metric and a conversation are known by in the store."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

from ctxlab.core.cases import Case
from ctxlab.core.metric import FunctionMetric, Metric
from ctxlab.core.strategy import Strategy


@cache
def ctxlab_version() -> str:
    """Return the version of ctxlab, read once.

    Examples
    --------
    >>> ctxlab_version()[0].isdigit()
    True
    """
    return version("ctxlab")


def trial_keys(
    strategy: Strategy, case: Case, budgets: list[str], seed: int, encoding: str, encoder: str = ""
) -> list[str]:
    """Return the key of a trial at each budget: a digest of everything its result depends on.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> one, other = trial_keys(KeepLast(), Case("c", "d", ()), ["9", "8"], 0, "o200k_base")
    >>> one == other
    False
    """
    common = {
        "strategy": strategy.spec(),
        "code": code_digest(strategy),
        "case": case_digest(case),
        "encoding": encoding,
        "seed": seed,
        "version": ctxlab_version(),
        "encoder": encoder,
    }
    base = hashlib.sha256(json.dumps(common, sort_keys=True).encode())
    keys = []
    for budget in budgets:
        key = base.copy()
        key.update(budget.encode())
        keys.append(key.hexdigest())
    return keys


def metric_key(metric: Metric) -> str:
    """Return the key of a metric: a digest of its spec and its code.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence
    >>> metric_key(AllEvidence()) == metric_key(AllEvidence())
    True
    """
    source = metric.function if isinstance(metric, FunctionMetric) else type(metric)
    text = f"{metric}\0{_source(source)}\0{ctxlab_version()}"
    return hashlib.sha256(text.encode()).hexdigest()


def case_digest(case: Case) -> str:
    """Return a digest of everything in a case that a trial can see.

    Examples
    --------
    >>> case_digest(Case("c", "d", ())) == case_digest(Case("c", "d", ()))
    True
    """
    content = {
        "id": (case.dataset, case.id),
        "messages": [asdict(message) for message in case.messages],
        "probes": [asdict(probe) for probe in case.probes],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def code_digest(strategy: Strategy) -> str:
    """Return a digest of the source of strategies from outside ctxlab; empty for our own.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> code_digest(KeepLast())
    ''
    """
    foreign = [type(part) for part in _parts(strategy) if not _ours(type(part))]
    sources = [_source(cls) for cls in dict.fromkeys(foreign)]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest() if sources else ""


def _parts(value: object) -> Iterator[Strategy]:
    if isinstance(value, Strategy):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)


def _ours(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "ctxlab"


def _source(thing: object) -> str:
    try:
        return inspect.getsource(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return repr(thing)
