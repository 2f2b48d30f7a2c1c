"""ctxlab: a laboratory for LLM context compression.

Names load when they are first used, so that ``import ctxlab`` costs next to nothing.

Examples
--------
>>> import ctxlab
>>> messages = [ctxlab.Message("m1", "user", "There are 63 stalls in the hall.")]
>>> context = ctxlab.Context.of(messages)
>>> ctxlab.KeepLast().compress(context, ctxlab.Task(budget=100)).text
'There are 63 stalls in the hall.'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxlab.budget import Budget, TierBudget, TierShare
    from ctxlab.chat import compress
    from ctxlab.datasets import load, messages_from_anthropic, messages_from_openai, read
    from ctxlab.encoders import load_encoder
    from ctxlab.experiments import Grid
    from ctxlab.explanation import Explanation, explain
    from ctxlab.model import Case, Context, ContextTier, Message, Probe, Segment, Span, ToolCall
    from ctxlab.recipe import Recipe
    from ctxlab.results import Results
    from ctxlab.specs import parse
    from ctxlab.store import Store
    from ctxlab.strategies import (
        BM25,
        MMR,
        TFIDF,
        Budgeted,
        ClearToolUses,
        CollapseToolUses,
        CompactJSON,
        Deduplicate,
        DependencyMap,
        EmbeddingTopK,
        Escalate,
        Fusion,
        HeadTail,
        Identity,
        IDFDensity,
        KeepLast,
        KeepValues,
        Knapsack,
        LexRank,
        LLMLingua2,
        LongLLMLingua,
        MaskObservations,
        Oracle,
        Pin,
        PruneFields,
        RandomDrop,
        Salience,
        SampleRows,
        SelectiveContext,
        SemanticDeduplicate,
        Sentences,
        ShortestFirst,
        StripBoilerplate,
        Surprisal,
        TextRank,
        Tiers,
        TruncateToolOutputs,
    )
    from ctxlab.strategy import Outcome, Pipeline, Select, Strategy, Traits, run
    from ctxlab.task import Task, Tools
    from ctxlab.tokens import ChatFormat, TokenCounter

_MODULES = {
    "budget": ("Budget", "TierBudget", "TierShare"),
    "chat": ("compress",),
    "datasets": ("load", "messages_from_anthropic", "messages_from_openai", "read"),
    "encoders": ("load_encoder",),
    "experiments": ("Grid",),
    "explanation": ("Explanation", "explain"),
    "model": (
        "Case", "Context", "ContextTier", "Message", "Probe", "Segment", "Span", "ToolCall",
    ),
    "recipe": ("Recipe",),
    "results": ("Results",),
    "specs": ("parse",),
    "store": ("Store",),
    "strategies": (
        "BM25", "MMR", "TFIDF", "Budgeted", "ClearToolUses", "CollapseToolUses", "CompactJSON",
        "Deduplicate", "DependencyMap", "EmbeddingTopK", "Escalate", "Fusion", "HeadTail",
        "IDFDensity", "Identity", "KeepLast", "KeepValues", "Knapsack", "LLMLingua2", "LexRank",
        "LongLLMLingua", "MaskObservations", "Oracle", "Pin", "PruneFields", "RandomDrop",
        "Salience", "SampleRows", "SelectiveContext", "SemanticDeduplicate", "Sentences",
        "ShortestFirst", "StripBoilerplate", "Surprisal", "TextRank", "Tiers",
        "TruncateToolOutputs",
    ),
    "strategy": ("Outcome", "Pipeline", "Select", "Strategy", "Traits", "run"),
    "task": ("Task", "Tools"),
    "tokens": ("ChatFormat", "TokenCounter"),
}  # fmt: skip
_HOME = {name: f"ctxlab.{module}" for module, names in _MODULES.items() for name in names}

__all__ = [
    *_HOME,
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("ctxlab")
    if name not in _HOME:
        raise AttributeError(f"module 'ctxlab' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
