"""Keys: what a trial and a metric are known by in the store."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from uuid import uuid4

from ctxlab.core.cases import Case
from ctxlab.core.digests import code_digest
from ctxlab.core.metric import Metric
from ctxlab.core.named import NamedValue
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
    strategy: Strategy,
    case: Case,
    budgets: Sequence[str],
    seed: int,
    encoding: str,
    encoder: str = "",
    code: str | None = None,
) -> list[str]:
    """Return the key of a trial at each budget: a digest of everything its result depends on.

    Parameters
    ----------
    strategy, case, budgets, seed, encoding, encoder
        What is run: the spec, the conversation, and how tokens and vectors are made.
    code : str, optional
        What `code_key` gives for the strategy, where it is known already.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> one, other = trial_keys(KeepLast(), Case("c", "d", ()), ["9", "8"], 0, "o200k_base")
    >>> one == other
    False
    """
    common = (code or code_key(strategy), case.digest, encoding, seed, encoder)
    base = hashlib.sha256(json.dumps(common).encode())
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
    return code_key(metric)


def code_key(value: NamedValue) -> str:
    """Return a digest of a value's spec and of all code that can change what it does.

    Where the code cannot be digested, the key is new every time, so that nothing is answered
    from the store, and a warning says why.

    Examples
    --------
    >>> from ctxlab.strategies.lexical import BM25
    >>> code_key(BM25()) == code_key(BM25(b=0.5))
    False
    """
    found = code_digest(value)
    parts = [json.dumps(value.spec(), sort_keys=True, default=str), found.text]
    if found.uncertain:
        warnings.warn(
            f"{value} is computed anew each time and never answered from the store: "
            f"{found.uncertain}; define what it uses in a module to have it kept",
            stacklevel=2,
        )
        parts.append(uuid4().hex)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
