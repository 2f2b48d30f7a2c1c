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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctxlab.bench.explaining import Explanation, explain
    from ctxlab.bench.grid import Grid
    from ctxlab.bench.inspecting import inspect
    from ctxlab.bench.results import Results
    from ctxlab.chats.anthropic import messages_from_anthropic
    from ctxlab.chats.compressing import acompress, compress
    from ctxlab.chats.growing import Conversation
    from ctxlab.chats.openai import messages_from_openai
    from ctxlab.chats.spending import spent_by, windows_of
    from ctxlab.chats.workshop_file import load_workshop
    from ctxlab.core.budgets import Budget, TierBudget, TierShare
    from ctxlab.core.cases import Case, Probe
    from ctxlab.core.context import Context
    from ctxlab.core.metric import Metric, MetricTraits
    from ctxlab.core.recipe import Recipe
    from ctxlab.core.segments import (
        About,
        Compaction,
        ContextTier,
        Message,
        Payload,
        Segment,
        Span,
        ToolCall,
    )
    from ctxlab.core.specs import parse
    from ctxlab.core.strategy import Outcome, Pipeline, Select, Strategy, Traits, run
    from ctxlab.core.task import Task
    from ctxlab.core.tokens import ChatFormat, TokenCounter
    from ctxlab.core.tools import Tools
    from ctxlab.datasets import load, read, read_workshop
    from ctxlab.models import load_encoder
    from ctxlab.store import Store
    from ctxlab.testing import check_laws
    from ctxlab.workshop.assembly import assemble, step_chart, step_table
    from ctxlab.workshop.autosave import AutoSaver
    from ctxlab.workshop.handle import Workshop
    from ctxlab.workshop.workshops import Workshops

_MODULES = {
    "bench.explaining": ("Explanation", "explain"),
    "bench.grid": ("Grid",),
    "bench.inspecting": ("inspect",),
    "bench.results": ("Results",),
    "chats.anthropic": ("messages_from_anthropic",),
    "chats.compressing": ("acompress", "compress"),
    "chats.growing": ("Conversation",),
    "chats.openai": ("messages_from_openai",),
    "chats.spending": ("spent_by", "windows_of"),
    "chats.workshop_file": ("load_workshop",),
    "core.budgets": ("Budget", "TierBudget", "TierShare"),
    "core.cases": ("Case", "Probe"),
    "core.context": ("Context",),
    "core.metric": ("Metric", "MetricTraits"),
    "core.recipe": ("Recipe",),
    "core.segments": (
        "About",
        "Compaction",
        "ContextTier",
        "Message",
        "Payload",
        "Segment",
        "Span",
        "ToolCall",
    ),
    "core.specs": ("parse",),
    "core.strategy": ("Outcome", "Pipeline", "Select", "Strategy", "Traits", "run"),
    "core.task": ("Task",),
    "core.tokens": ("ChatFormat", "TokenCounter"),
    "core.tools": ("Tools",),
    "datasets": ("load", "read", "read_workshop"),
    "models": ("load_encoder",),
    "store": ("Store",),
    "testing": ("check_laws",),
    "workshop.assembly": ("assemble", "step_chart", "step_table"),
    "workshop.autosave": ("AutoSaver",),
    "workshop.handle": ("Workshop",),
    "workshop.workshops": ("Workshops",),
}
_HOME = {name: f"ctxlab.{module}" for module, names in _MODULES.items() for name in names}

__all__ = [
    *_HOME,
    "__version__",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever goes by the name
    if name == "__version__":
        from importlib.metadata import version

        return version("ctxlab")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if not name.startswith("_"):
        for registry in _registries():
            if name in registry:
                return registry.find(name)
    raise AttributeError(f"module 'ctxlab' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - an interactive shell
    """Give a notebook the magics of ctxlab: what ``%load_ext ctxlab`` calls.

    Examples
    --------
    >>> from IPython.core.interactiveshell import InteractiveShell
    >>> load_ipython_extension(InteractiveShell.instance())
    """
    import_module("ctxlab.cli.magics").register(shell)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for registry in _registries() for name in registry.names())})


def _registries() -> tuple[Any, Any]:
    specs = import_module("ctxlab.core.specs")
    return specs.STRATEGIES, specs.METRICS
