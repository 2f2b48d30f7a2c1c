"""Keys of trials and metrics: another one wherever a number may be another."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from functools import cache

from ctxlab.core.cases import Case
from ctxlab.core.digests import CodeDigest, code_digest
from ctxlab.core.metric import Metric
from ctxlab.core.own_code import library_version, own_digest

# What every trial runs, whatever the strategy.
_RUNNING = (
    "ctxlab.bench.compressions",
    "ctxlab.core.budgets",
    "ctxlab.core.cases",
    "ctxlab.core.run",
)
_LIBRARIES = (
    "numpy", "scipy", "pydantic", "snowballstemmer", "tiktoken", "gigatoken", "tokenizers",
    "onnxruntime", "model2vec", "sentence-transformers", "torch", "transformers",
)  # fmt: skip
"""Libraries that can change a number."""


def trial_key(
    *,
    spec: Mapping[str, object],
    code: CodeDigest,
    case: Case,
    budget: str,
    seed: int,
    encoding: str,
    encoder: str = "",
) -> str:
    """Return the key of a trial: another one wherever the result may be another.

    Parameters
    ----------
    spec : mapping
        The strategy, as `NamedValue.spec` writes it.
    code : CodeDigest
        Of the strategy. Where it is not certain, the key is not to be looked up.
    case : Case
        The conversation and its probes.
    budget : str
        As written: ``"10%"``.
    seed : int
        Of the task.
    encoding : str
        Whose tokens are counted.
    encoder : str
        The encoder's name and, where its code is its user's, the digest of that.

    Examples
    --------
    >>> from ctxlab.strategies import KeepLast
    >>> keep, case = KeepLast(), Case("c", "d", ())
    >>> code = code_digest(keep)
    >>> keys = [
    ...     trial_key(spec=keep.spec(), code=code, case=case, budget=budget, seed=0,
    ...               encoding="o200k_base")
    ...     for budget in ("5%", "10%", "10%")
    ... ]
    >>> keys[0] == keys[1], keys[1] == keys[2]
    (False, True)
    """
    parts = {
        "budget": budget,
        "case": case.digest,
        "code": code.text,
        "encoder": encoder,
        "encoding": encoding,
        "seed": seed,
        "spec": spec,
        "running": _running(),
    }
    return _sha(parts)


def metric_key(metric: Metric, code: CodeDigest | None = None) -> str:
    """Return the key of a metric: another one wherever its number may be another.

    Parameters
    ----------
    metric : Metric
        What measures.
    code : CodeDigest, optional
        Its digest, where it was taken before.

    Examples
    --------
    >>> from ctxlab.metrics.availability import AllEvidence, AnswerKept
    >>> metric_key(AllEvidence()) == metric_key(AnswerKept())
    False
    """
    found = code or code_digest(metric)
    return _sha({"code": found.text, "metric": metric.name, "running": _running()})


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result was computed with: ctxlab's, Python's, libraries'.

    Examples
    --------
    >>> {"ctxlab", "numpy", "python", "tiktoken"} <= versions().keys()
    True
    """
    libraries = {name: library_version(name) for name in ("ctxlab", *_LIBRARIES)}
    found = {"python": platform.python_version(), "platform": platform.platform(), **libraries}
    return {name: value for name, value in sorted(found.items()) if value}


@cache
def _running() -> str:
    # What a word and what lower case is, is in Python's tables, which change with its versions.
    return f"{own_digest(*_RUNNING)} Python {sys.version_info.major}.{sys.version_info.minor}"


def _sha(parts: Mapping[str, object]) -> str:
    # What JSON cannot say, such as a function, the digest of the code holds.
    text = json.dumps(parts, sort_keys=True, default=lambda value: type(value).__qualname__)
    return hashlib.sha256(text.encode()).hexdigest()
