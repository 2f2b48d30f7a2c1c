"""Compression of plain message lists: OpenAI or Anthropic in, the same out, always a valid chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ctxlab.chats.anthropic import (
    is_anthropic_chat,
    openai_to_anthropic,
    read_anthropic_chat,
    write_anthropic_chat,
)
from ctxlab.chats.openai import read_openai, write_openai
from ctxlab.chats.pieces import Piece
from ctxlab.chats.selection import Plan
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.strategy import Strategy
from ctxlab.core.tools import Encoder, Tools
from ctxlab.errors import DataError, PinnedOverBudgetError

Chat = list[dict[str, Any]]
Api = Literal["openai", "anthropic"]

_OPENING = "(earlier messages left out)"


def compress(
    messages: Sequence[dict[str, Any]],
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    strategy: Strategy | Recipe | str | None = None,
    api: Api | None = None,
    tools: Tools | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
) -> Chat:
    """Compress a list of chat messages to a budget.

    A message that stays as it was is the very dict that was given, with all of its keys; one
    that a strategy shortened is a copy with another text; nothing that was given is changed.
    What comes back is a chat that the API takes:

    - System and developer messages stay and stand first.
    - A call never stands without its result, nor a result without its call: what comes in
      alone is left out, and a result stands right behind its call.
    - For Anthropic, roles alternate (neighbours of one role are merged), the first message is a
      user's (a line that says so stands in for what was left out), and no block is empty.
    - The newest user message stays, and, where the chat ends in results of tools, so do these
      and their calls. A strategy may shorten them.

    Images, sounds and files stay or go with their message, and count 1,600 tokens each (85 an
    image in OpenAI's low detail); other parts that are not text, such as thinking, count the
    tokens of their JSON. See `ctxlab.chats.media`.

    Parameters
    ----------
    messages : sequence of dict
        OpenAI chat messages, or Anthropic messages with content blocks; an Anthropic system
        prompt is sent apart and does not belong here.
    budget : Budget, int or str, optional
        Tokens, or a share of what is not pinned; a recipe has its own.
    query : str
        What will be asked; by default the text of the newest user message, for strategies that
        see it.
    strategy : Strategy, Recipe or str, optional
        `PassageBM25` when not given: it holds on every kind of conversation that was tried.
    api : {"openai", "anthropic"}, optional
        Whose messages they are. When not given, they are Anthropic's where a block is one that
        only Anthropic knows, such as ``tool_use``; plain texts count as OpenAI's.
    tools : Tools, optional
        How to count, encode and ask.
    encoder : Encoder or str, optional
        Turns texts into vectors, in place of that of the tools: any callable, or as
        `ctxlab.models.load_encoder` reads it.
    seed : int, optional
        Seeds whatever is random; 0 where neither it nor a recipe is given.

    Raises
    ------
    DataError
        When a message is malformed, with its field.
    PinnedOverBudgetError
        When what has to stay alone exceeds the budget.

    Examples
    --------
    >>> chat = [{"role": "system", "content": "Be brief."}]
    >>> chat += [{"role": "user", "content": f"Remark number {i} on the market."} for i in range(9)]
    >>> [message["content"] for message in compress(chat, budget=30)]
    ['Be brief.', 'Remark number 8 on the market.']
    """
    plan = Plan.of(strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed)
    given = [_checked(message, f"messages[{at}]") for at, message in enumerate(messages)]
    if (api or ("anthropic" if is_anthropic_chat(given) else "openai")) == "openai":
        return write_openai(given, plan.fit(read_openai(given, plan.tools.count)))
    pieces = read_anthropic_chat(given, plan.tools.count)
    chat = write_anthropic_chat(given, plan.fit(pieces))
    return chat if _opens(chat) else _opened(plan, given, pieces)


def _checked(message: dict[str, Any], place: str) -> dict[str, Any]:
    """Return a message, unless it is a client's object, or holds some: these have no keys."""
    content = message.get("content") if isinstance(message, dict) else None
    parts = enumerate(content) if isinstance(content, list) else ()
    found = [(place, message), *((f"{place}.content[{at}]", part) for at, part in parts)]
    for where, one in found:
        if hasattr(one, "model_dump"):
            problem = f"is a {type(one).__name__}; pass plain dicts, as .model_dump() gives them"
            raise DataError(problem, field=where)
    return message


def _opened(plan: Plan, given: Chat, pieces: Sequence[Piece]) -> Chat:
    """Compress to a chat that begins with a user's line, where it would with the assistant."""
    line = Piece(-1, "user", (_OPENING,))
    try:
        chat = write_anthropic_chat(given, plan.fit(pieces, reserve=plan.cost(line)))
    except PinnedOverBudgetError:
        # There is no room for the line: begin with the user's message, which always stays.
        chat = write_anthropic_chat(given, plan.fit(pieces))
        said = [_without_results(message) for message in chat]
        users = (at for at, m in enumerate(said) if m["role"] == "user" and m["content"])
        start = next(users, len(chat))
        return [*said[start : start + 1], *chat[start + 1 :]]
    return chat if _opens(chat) else [{"role": "user", "content": _OPENING}, *chat]


def _opens(chat: Chat) -> bool:
    return not chat or chat[0]["role"] == "user"


def _without_results(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without the results of calls that went."""
    if isinstance(message["content"], str):
        return message
    rest = [block for block in message["content"] if block["type"] != "tool_result"]
    return message if rest == message["content"] else {**message, "content": rest}


def to_openai(context: Context) -> Chat:
    """Return a context as OpenAI chat messages, system prompts first.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> said = Message("m1", "user", "Hi"), Message("m2", "system", "Be brief.")
    >>> to_openai(Context.of(said))
    [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hi'}]
    """
    chat = context.messages()
    return [m for m in chat if m["role"] == "system"] + [m for m in chat if m["role"] != "system"]


def to_anthropic(context: Context) -> Chat:
    """Return a context as Anthropic messages: roles alternate, and the first is a user's.

    System messages are left out, since Anthropic takes them apart. Where the context begins
    with the assistant, what comes before the first user message is left out, too.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> said = [Message("m1", "user", "One"), Message("m2", "user", "Two")]
    >>> to_anthropic(Context.of(said))
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'One'},
                                  {'type': 'text', 'text': 'Two'}]}]
    """
    return openai_to_anthropic(context.messages())
