"""Every strategy that ships with ctxlab: the export list is the registry."""

from __future__ import annotations

from ctxlab.strategies.composition import Budgeted, DependencyMap, Escalate, Pin
from ctxlab.strategies.controls import Identity, Oracle, RandomDrop, ShortestFirst
from ctxlab.strategies.diversity import MMR
from ctxlab.strategies.duplicates import Deduplicate
from ctxlab.strategies.embedding import EmbeddingTopK, Fusion
from ctxlab.strategies.graph import LexRank, TextRank
from ctxlab.strategies.json_compact import CompactJSON
from ctxlab.strategies.json_fields import PruneFields
from ctxlab.strategies.json_rows import SampleRows
from ctxlab.strategies.knapsack import Knapsack
from ctxlab.strategies.lexical import BM25, TFIDF, IDFDensity, Surprisal
from ctxlab.strategies.salience import Salience
from ctxlab.strategies.semantic_duplicates import SemanticDeduplicate
from ctxlab.strategies.text import Sentences, StripBoilerplate
from ctxlab.strategies.tiers import Tiers
from ctxlab.strategies.token_pruning import LLMLingua2, LongLLMLingua, SelectiveContext
from ctxlab.strategies.tool_outputs import CollapseToolUses, KeepValues, TruncateToolOutputs
from ctxlab.strategies.tool_traffic import ClearToolUses, MaskObservations
from ctxlab.strategies.windows import HeadTail, KeepLast

CORE = (
    "Identity",
    "RandomDrop",
    "ShortestFirst",
    "Oracle",
    "KeepLast",
    "HeadTail",
    "MaskObservations",
    "ClearToolUses",
    "Deduplicate",
    "IDFDensity",
    "BM25",
    "LexRank",
    "MMR",
)
"""What is compared when nothing is chosen."""

__all__ = [
    "BM25",
    "MMR",
    "TFIDF",
    "Budgeted",
    "ClearToolUses",
    "CollapseToolUses",
    "CompactJSON",
    "Deduplicate",
    "DependencyMap",
    "EmbeddingTopK",
    "Escalate",
    "Fusion",
    "HeadTail",
    "IDFDensity",
    "Identity",
    "KeepLast",
    "KeepValues",
    "Knapsack",
    "LLMLingua2",
    "LexRank",
    "LongLLMLingua",
    "MaskObservations",
    "Oracle",
    "Pin",
    "PruneFields",
    "RandomDrop",
    "Salience",
    "SampleRows",
    "SelectiveContext",
    "SemanticDeduplicate",
    "Sentences",
    "ShortestFirst",
    "StripBoilerplate",
    "Surprisal",
    "TextRank",
    "Tiers",
    "TruncateToolOutputs",
]
