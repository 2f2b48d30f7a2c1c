"""LangChain and LangGraph: a strategy where messages are trimmed, and their trimmer as a strategy.

Probed with langchain-core 1.8 and langgraph 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

from pydantic import Field

from ctxlab.chats.extras import load
from ctxlab.chats.langchain_json import LANGCHAIN, LangChainJSON
from ctxlab.chats.langchain_messages import LangChainMessage, read_langchain, write_langchain
from ctxlab.chats.opening import fitted
from ctxlab.chats.selection import Plan
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.segments import Note, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.core.tools import Encoder, Tools

_LEFT_OUT = Note("left out by LangChain's trim_messages")


def trimmer(
    strategy: Strategy | Recipe | str | None = None,
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    tools: Tools | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    user_first: bool = False,
) -> Any:  # noqa: ANN401
    """Return a runnable that compresses a list of LangChain messages, as `trim_messages` would.

    It goes where messages are: before a model (``trimmer(…) | model``), in a node of a graph,
    or in the middleware of an agent::

        @wrap_model_call
        def compressed(request, handler):
            return handler(request.override(messages=trim.invoke(request.messages)))

    What stays as it was is the very object that was given; what was shortened is a copy with
    the same id. System messages stay; so do the newest human message and, at the end, the
    results of tools with their calls. A call without a result, or a result without a call, goes.

    Parameters
    ----------
    strategy : Strategy, Recipe or str, optional
        `PassageBM25` when not given: it holds on every kind of conversation that was tried.
    budget : Budget, int or str, optional
        Tokens, or a share of what is not pinned; a recipe has its own.
    query : str
        What will be asked; by default the text of the newest human message.
    tools : Tools, optional
        How to count, encode and ask.
    encoder : Encoder or str, optional
        Turns texts into vectors, as in `ctxlab.compress`.
    seed : int, optional
        Seeds whatever is random.
    user_first : bool
        Begin with a human message, as Anthropic's API and others want it: where the chat would
        begin with the model's, one that says that earlier ones were left out stands before it.

    Returns
    -------
    langchain_core.runnables.Runnable
        From messages, or a prompt's value, to ``list[BaseMessage]``.

    Raises
    ------
    MissingExtraError
        When langchain-core is not installed.

    Examples
    --------
    >>> from langchain_core.messages import HumanMessage  # doctest: +SKIP
    >>> trimmer("KeepLast()", budget="8k").invoke([HumanMessage("Hi")])  # doctest: +SKIP
    [HumanMessage(content='Hi', additional_kwargs={}, response_metadata={})]
    """
    runnables = load("langchain_core.runnables", "trimming for LangChain", "langchain")
    plan = Plan.of(strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed)
    found = load("langchain_core.messages", "trimming for LangChain", "langchain")
    return runnables.RunnableLambda(_trim(plan, found, user_first=user_first), name="ctxlab")


def pre_model_hook(
    strategy: Strategy | Recipe | str | None = None,
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    tools: Tools | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    user_first: bool = False,
    key: str = "llm_input_messages",
) -> Callable[[Any], dict[str, Any]]:
    """Return a node that compresses the ``messages`` of a graph's state.

    By default the state keeps all messages, and the model is sent what fits: the update is
    ``{"llm_input_messages": […]}``, which LangGraph's `create_react_agent` hands to the model.
    With ``key="messages"`` the state itself is cut down: the update begins with a
    ``RemoveMessage`` of all, so that the reducer `add_messages` replaces what it has.

    Parameters
    ----------
    strategy, budget, query, tools, encoder, seed, user_first
        As in `trimmer`.
    key : str
        The field of the state to write.

    Examples
    --------
    >>> from langgraph.prebuilt import create_react_agent  # doctest: +SKIP
    >>> hook = pre_model_hook("BM25()", budget="8k")  # doctest: +SKIP
    >>> create_react_agent(model, tools, pre_model_hook=hook)  # doctest: +SKIP
    """
    found = load("langchain_core.messages", "a node for LangGraph", "langchain")
    plan = Plan.of(strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed)
    trim = _trim(plan, found, user_first=user_first)

    def compress_messages(state: Any) -> dict[str, Any]:  # noqa: ANN401
        given = state["messages"] if isinstance(state, Mapping) else state.messages
        kept = trim(given)
        # The reducer's own mark: everything before it goes.
        cleared = [found.RemoveMessage(id="__remove_all__")] if key == "messages" else []
        return {key: [*cleared, *kept]}

    return compress_messages


class _UserFirst(LangChainJSON):
    user_first = True


def _trim(
    plan: Plan, found: ModuleType, *, user_first: bool
) -> Callable[[object], list[LangChainMessage]]:
    adapter = _UserFirst() if user_first else LANGCHAIN

    def trim(messages: object) -> list[LangChainMessage]:
        # Messages stay the objects that they are; a prompt's value gives its own.
        given: list[LangChainMessage] = found.convert_to_messages(messages)
        return write_langchain(given, fitted(plan, adapter, read_langchain(given)).kept)

    return trim


class TrimMessages(Strategy):
    """LangChain's `trim_messages`, as it is, counting with ctxlab's counter.

    Named ``ctxlab.chats.langchain:TrimMessages()``, since it needs a package (extra
    ``langchain``). The parameters are the peer's; by default they are what its documentation
    shows for a chat.

    It is taken as it is, and breaks three of ctxlab's promises: it drops what is pinned, other
    than a system message that stands first; it keeps that one even where it alone exceeds the
    budget; and with ``start_on=()`` or ``strategy="first"`` it parts calls from their results.

    Examples
    --------
    >>> str(TrimMessages(allow_partial=True))
    'ctxlab.chats.langchain:TrimMessages(allow_partial=True)'
    """

    TRAITS = Traits(
        family="window",
        source="LangChain, trim_messages",
        honours_budget=False,
        cost="n log n",
    )

    strategy: Literal["last", "first"] = Field("last", description="which end is kept")
    start_on: tuple[str, ...] = Field(
        ("human",), description="types the kept messages may begin with; only from the last"
    )
    end_on: tuple[str, ...] = Field((), description="types the kept messages may end with")
    include_system: bool = Field(
        True, description="keep a system message that stands first; only from the last"
    )
    allow_partial: bool = Field(False, description="cut the message at the edge by lines")

    def spec(self) -> dict[str, Any]:
        """Return the name, with the module that has it, and the non-default parameters.

        Examples
        --------
        >>> TrimMessages().spec()
        {'ctxlab.chats.langchain:TrimMessages': {}}
        """
        ((name, parameters),) = super().spec().items()
        return {f"{__name__}:{name}": parameters}

    def __str__(self) -> str:
        return f"{__name__}:{super().__str__()}"

    __repr__ = __str__

    def compress(self, context: Context, task: Task) -> Context:
        """Hand the messages to LangChain, and take over what it keeps."""
        found = load("langchain_core.messages", "TrimMessages", "langchain")
        turns = list(context.turns())
        overheads = task.costs(context).overheads
        framing = {
            str(number): overheads[start] for number, start in enumerate(context.turn_starts)
        }

        def count(messages: list[Any]) -> int:
            return sum(task.tools.count(m.content) + framing[m.id] for m in messages)

        last = self.strategy == "last"
        kept = found.trim_messages(
            [_message(found, number, turn) for number, turn in enumerate(turns)],
            max_tokens=max(0, task.budget - task.tools.reply),
            token_counter=count,
            strategy=self.strategy,
            allow_partial=self.allow_partial,
            start_on=self.start_on if last and self.start_on else None,
            end_on=self.end_on or None,
            include_system=last and self.include_system,
        )
        segments = [s for m in kept for s in _cut(turns[int(m.id)], m.content, from_end=last)]
        return context.keep(segments, lambda _: _LEFT_OUT)


def _message(found: ModuleType, number: int, turn: Sequence[Segment]) -> object:
    first, text = turn[0], "".join(segment.text for segment in turn)
    fields = {"id": str(number), "name": first.name}
    if first.role == "assistant":
        # Arguments are not sent anywhere, and need not be read.
        calls = [{"name": call.name, "args": {}, "id": call.id} for call in first.tool_calls]
        return found.AIMessage(text, tool_calls=calls, **fields)
    if first.role == "tool":
        return found.ToolMessage(text, tool_call_id=first.tool_call_id or "", **fields)
    return (found.SystemMessage if first.role == "system" else found.HumanMessage)(text, **fields)


def _cut(turn: Sequence[Segment], text: str, *, from_end: bool) -> Iterator[Segment]:
    """Yield what `text`, an end or a beginning of the turn's text, takes of its segments."""
    total = sum(len(segment.text) for segment in turn)
    if len(text) == total:
        yield from turn
        return
    low = total - len(text) if from_end else 0
    high, at = low + len(text), 0
    for segment in turn:
        start, end = max(low - at, 0), min(high - at, len(segment.text))
        if start < end:
            yield segment.cut(start, end)
        at += len(segment.text)
