"""Pydantic AI: a strategy as a processor of an agent's history.

Probed with pydantic-ai-slim 2.68.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ctxlab.chats.extras import load
from ctxlab.chats.opening import fitted
from ctxlab.chats.pydantic_ai_json import PYDANTIC_AI
from ctxlab.chats.pydantic_ai_messages import HistoryMessage, read_pydantic_ai, write_pydantic_ai
from ctxlab.chats.selection import Plan
from ctxlab.core.budgets import Budget
from ctxlab.core.recipe import Recipe
from ctxlab.core.strategy import Strategy
from ctxlab.core.tools import Encoder, Tools


def history_processor(
    strategy: Strategy | Recipe | str | None = None,
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    tools: Tools | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    user_first: bool = False,
) -> Callable[[list[Any]], list[Any]]:
    """Return a function that compresses a list of Pydantic AI's messages.

    It goes into the capability `ProcessHistory`, which runs it before every request::

        process = history_processor("BM25()", budget="8k")
        agent = Agent(model, capabilities=[ProcessHistory(process)])

    Pydantic AI goes on with what comes back, so that what went is not in the result's messages
    either; keep the history that you passed where you need it whole.

    What stays as it was is the very object that was given; a message that lost parts, or whose
    text was shortened, is a copy with all else as it was: instructions, timestamps, usage, ids.
    System prompts stay, and so do parts that are not conversation, such as changes of
    instructions and searches for tools; so do the newest user prompt and, at the end, the
    returns of tools with their calls. A call without a return, or a return without a call, goes.

    Parameters
    ----------
    strategy : Strategy, Recipe or str, optional
        `PassageBM25` when not given: it holds on every kind of conversation that was tried.
    budget : Budget, int or str, optional
        Tokens, or a share of what is not pinned; a recipe has its own. Instructions and the
        descriptions of tools are sent apart and not counted.
    query : str
        What will be asked; by default the text of the newest user prompt.
    tools : Tools, optional
        How to count, encode and ask.
    encoder : Encoder or str, optional
        Turns texts into vectors, as in `ctxlab.compress`.
    seed : int, optional
        Seeds whatever is random.
    user_first : bool
        Begin with a user's prompt, as Anthropic's API and others want it: where the history would
        begin with a response, one that says that earlier ones were left out stands before it.

    Returns
    -------
    callable
        From ``list[ModelMessage]`` to ``list[ModelMessage]``.

    Raises
    ------
    MissingExtraError
        When pydantic-ai is not installed.

    Examples
    --------
    >>> from pydantic_ai.messages import ModelRequest  # doctest: +SKIP
    >>> process = history_processor("KeepLast()", budget="8k")  # doctest: +SKIP
    >>> len(process([ModelRequest.user_text_prompt("Hi")]))  # doctest: +SKIP
    1
    """
    load("pydantic_ai.messages", "a history processor for Pydantic AI", "pydantic-ai")
    plan = Plan.of(strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed)

    # Pydantic AI looks at the annotation of the parameter, to see whether it wants its context.
    def process(messages: Sequence[Any]) -> list[Any]:
        given: list[HistoryMessage] = list(messages)
        pieces = read_pydantic_ai(given)
        kept = fitted(plan, PYDANTIC_AI, pieces).kept if user_first else plan.fit(pieces)
        return write_pydantic_ai(given, kept)

    return process
