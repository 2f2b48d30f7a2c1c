"""Measures of one compressed context: metrics by name, one file per family.

The modules of this package are the registry: `ctxlab.metrics.NumbersKept` is found by its name.
"""

from __future__ import annotations

from typing import Any

from ctxlab.core.specs import METRICS
from ctxlab.metrics.availability import Availability as Availability
from ctxlab.metrics.availability import availability as availability
from ctxlab.metrics.compression import budget_error as budget_error
from ctxlab.metrics.compression import rate as rate
from ctxlab.metrics.compression import ratio as ratio
from ctxlab.metrics.compression import saving as saving
from ctxlab.metrics.compression import throughput as throughput

_FUNCTIONS = (
    "Availability",
    "availability",
    "budget_error",
    "rate",
    "ratio",
    "saving",
    "throughput",
)

DEFAULT = ("AllEvidence", "EvidenceTokens", "AnswerKept")
"""What is measured when nothing is chosen."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class of whatever metric is named
    if name == "__all__":
        return [*_FUNCTIONS, *METRICS.names()]
    if name.startswith("_") or name not in METRICS:
        raise AttributeError(f"module 'ctxlab.metrics' has no attribute {name!r}")
    return METRICS.find(name)


def __dir__() -> list[str]:
    return [*_FUNCTIONS, *METRICS.names()]
