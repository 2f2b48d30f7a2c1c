"""Every strategy that ships with ctxlab: the modules of this package are the registry.

A name loads when it is first used. A new strategy is one new file here: its public name, its
row in the catalogue and the laws that it must keep follow from it.
"""

from __future__ import annotations

from typing import Any

from ctxlab.core.specs import STRATEGIES

CORE = (
    "Identity",
    "RandomDrop",
    "ShortestFirst",
    "LongestFirst",
    "UserMessages",
    "Oracle",
    "KeepLast",
    "HeadTail",
    "MaskObservations",
    "ClearToolUses",
    "Deduplicate",
    "IDFDensity",
    "Substance",
    "BM25",
    "PassageBM25",
    "LexRank",
    "MMR",
    "Substance",
    "PassageBM25",
)
"""What is compared when nothing is chosen."""
DEFAULT = "Substance"
"""What compresses when no strategy is named, and no question is known."""
QUERY_DEFAULT = "PassageBM25"
"""What compresses when no strategy is named, for a question."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class of whatever strategy is named
    if name == "__all__":
        return STRATEGIES.names()
    if name.startswith("_") or name not in STRATEGIES:
        raise AttributeError(f"module 'ctxlab.strategies' has no attribute {name!r}")
    return STRATEGIES.find(name)


def __dir__() -> list[str]:
    return STRATEGIES.names()
