"""Tool traffic: old tool results are the cheapest thing to forget, and can be fetched again."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task


class MaskObservations(Strategy):
    r"""Puts a short placeholder in the place of all but the newest tool results.

    Source: Lindenbauer et al., "The Complexity Trap: Simple Observation Masking Is as Efficient
    as LLM Summarization for Agent Context Management", 2025.

    Examples
    --------
    >>> from ctxlab.strategies import MaskObservations
    >>> old = Segment.of("message:m1", "first line\nsecond line\nthird line of it", role="tool")
    >>> MaskObservations(keep=0).compress(Context((old,)), Task(budget=99)).text
    '(3 lines omitted)'
    """

    TRAITS = Traits(family="tool traffic", source="Lindenbauer et al. 2025", honours_budget=False)

    keep: int = Field(10, ge=0, description="newest tool results that stay")
    batch: int = Field(
        1, ge=1, description="mask in batches of this many, so that the prefix stays cached"
    )
    placeholder: str = Field("({lines} lines omitted)", description="what stands there instead")

    def compress(self, context: Context, task: Task) -> Context:
        """Mask the older tool results, where the placeholder is shorter."""
        found = results(context)
        surplus = max(0, len(found) - self.keep)
        old = found[: surplus - surplus % self.batch]
        return _replace(context, task, old, self.placeholder, f"older than the last {self.keep}")


class ClearToolUses(Strategy):
    """Clears the oldest tool results once the context is too large, until it fits.

    The parameters are those that model providers document for clearing tool uses: `trigger`,
    `keep`, `clear_at_least`, `exclude_tools`, `placeholder` (Anthropic, "Context editing", 2025).

    Examples
    --------
    >>> old = Segment.of("message:m1", "word " * 50, role="tool")
    >>> ClearToolUses(keep=0).compress(Context((old,)), Task(budget=20)).text
    '(cleared)'
    """

    TRAITS = Traits(
        family="tool traffic", source="Anthropic 2025, context editing", honours_budget=False
    )

    trigger: int | None = Field(
        None, ge=1, description="tokens above which clearing starts; the budget when not given"
    )
    keep: int = Field(3, ge=0, description="newest tool results that are never cleared")
    clear_at_least: int = Field(
        0, ge=0, description="tokens to win at least; less is not worth breaking the cache for"
    )
    exclude_tools: tuple[str, ...] = Field((), description="tools whose results stay")
    placeholder: str = Field("(cleared)", description="what stands there instead")

    def compress(self, context: Context, task: Task) -> Context:
        """Clear from the oldest on; nothing when too little would be won."""
        trigger = self.trigger or task.budget
        size = task.size(context)
        if size <= trigger:
            return context
        tools = tool_names(context)
        candidates = [
            s for s in results(context) if tools.get(s.tool_call_id) not in self.exclude_tools
        ]
        cost = task.tools.count(self.placeholder)
        chosen: list[Segment] = []
        won = 0
        for segment in candidates[: max(0, len(candidates) - self.keep)]:
            if size - won <= trigger and won >= self.clear_at_least:
                break
            chosen.append(segment)
            won += max(0, task.tokens(segment) - cost)
        if won < self.clear_at_least:
            return context
        return _replace(context, task, chosen, self.placeholder, f"older than the last {self.keep}")


def tool_names(context: Context) -> dict[str | None, str]:
    """Return the tool that every call id of `context` called.

    Examples
    --------
    >>> tool_names(Context())
    {}
    """
    return {call.id: call.name for segment in context for call in segment.tool_calls}


def results(context: Context) -> list[Segment]:
    """Return the tool results of `context` that are not pinned, oldest first.

    Examples
    --------
    >>> results(Context((Segment.of("a", "12:00", role="tool"),)))[0].text
    '12:00'
    """
    return [segment for segment in context if segment.role == "tool" and not segment.pinned]


def _replace(
    context: Context, task: Task, old: Sequence[Segment], placeholder: str, reason: str
) -> Context:
    chosen = set(map(id, old))

    def shorter(segment: Segment) -> Segment:
        if id(segment) not in chosen:
            return segment
        lines = str(segment.text.count("\n") + 1)
        text = placeholder.replace("{lines}", lines)
        if task.tools.count(text) >= task.tokens(segment):
            return segment
        return segment.rewritten(text, f"{reason} tool results", placeholder=True)

    return context.keep(map(shorter, context))
