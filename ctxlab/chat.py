"""Compression of plain message lists: OpenAI or Anthropic in, the same out, always a valid chat."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from ctxlab.budget import Budget
from ctxlab.context import Context
from ctxlab.datasets import messages_from_anthropic, messages_from_openai
from ctxlab.datasets.anthropic import is_anthropic
from ctxlab.recipes import parse
from ctxlab.strategies import KeepLast
from ctxlab.strategy import Strategy
from ctxlab.task import Encoder, Task, Tools

Chat = list[dict[str, Any]]
Api = Literal["openai", "anthropic"]


def compress(
    messages: Sequence[dict[str, Any]],
    *,
    budget: Budget | int | str,
    query: str = "",
    strategy: Strategy | str | None = None,
    api: Api | None = None,
    tools: Tools | None = None,
    encoder: Encoder | str | None = None,
    seed: int = 0,
) -> Chat:
    """Compress a list of chat messages to a budget.

    The system prompt stays and stands first. A tool call never stands without its results, nor
    a result without its call. For Anthropic, roles alternate and the first message is a user's.

    Parameters
    ----------
    messages : sequence of dict
        OpenAI chat messages, or Anthropic messages with content blocks; an Anthropic system
        prompt is sent apart and does not belong here.
    budget : Budget, int or str
        Tokens, or a share of what is not pinned.
    query : str
        What will be asked; by default the text of the last user message, for strategies that
        see it.
    strategy : Strategy or str, optional
        `KeepLast` when not given.
    api : {"openai", "anthropic"}, optional
        Whose messages they are; recognised when not given.
    tools : Tools, optional
        How to count, encode and ask.
    encoder : Encoder or str, optional
        Turns texts into vectors, in place of that of the tools: any callable, or as
        `ctxlab.encoders.load_encoder` reads it.
    seed : int
        Seeds whatever is random.

    Raises
    ------
    DataError
        When a message is malformed, with its field.
    PinnedOverBudgetError
        When the system prompt alone exceeds the budget.

    Examples
    --------
    >>> chat = [{"role": "system", "content": "Be brief."}]
    >>> chat += [{"role": "user", "content": f"Remark number {i} on the market."} for i in range(9)]
    >>> [message["content"] for message in compress(chat, budget=30)]
    ['Be brief.', 'Remark number 8 on the market.']
    """
    kind = api or ("anthropic" if is_anthropic(list(messages)) else "openai")
    read = messages_from_anthropic if kind == "anthropic" else messages_from_openai
    found = read(list(messages))
    context = Context.of(found)
    used = (tools or Tools.of()).encoding_with(encoder)
    ruler = Task(budget=1, tools=used)
    tokens = Budget.parse(budget).resolve(ruler.size(context), ruler.pinned(context))
    asked = query or next((m.content for m in reversed(found) if m.role == "user"), "")
    task = Task(budget=max(1, tokens), tools=used, query=asked, seed=seed)
    result = parse(strategy or KeepLast()).compress(context, task)
    return to_anthropic(result) if kind == "anthropic" else to_openai(result)


def to_openai(context: Context) -> Chat:
    """Return a context as OpenAI chat messages, system prompts first.

    Examples
    --------
    >>> from ctxlab.model import Message
    >>> said = Message("m1", "user", "Hi"), Message("m2", "system", "Be brief.")
    >>> to_openai(Context.of(said))
    [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content': 'Hi'}]
    """
    chat = context.messages()
    return [m for m in chat if m["role"] == "system"] + [m for m in chat if m["role"] != "system"]


def to_anthropic(context: Context) -> Chat:
    """Return a context as Anthropic messages: roles alternate, and the first is a user's.

    System messages are left out, since Anthropic takes them apart. Where the compressed chat
    begins with the assistant, what comes before the first user message is left out, too.

    Examples
    --------
    >>> from ctxlab.model import Message
    >>> said = [Message("m1", "user", "One"), Message("m2", "user", "Two")]
    >>> to_anthropic(Context.of(said))
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'One'},
                                  {'type': 'text', 'text': 'Two'}]}]
    """
    merged: Chat = []
    for message in _blocks(context.messages()):
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] += message["content"]
        else:
            merged.append(message)
    while merged and (merged[0]["role"] != "user" or _answers(merged[0])):
        merged.pop(0)
    return merged


def _answers(message: dict[str, Any]) -> bool:
    return any(block["type"] == "tool_result" for block in message["content"])


def _blocks(chat: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for message in chat:
        role, text = message["role"], message["content"]
        if role == "system":
            continue
        if role == "tool":
            result = {
                "type": "tool_result",
                "tool_use_id": message["tool_call_id"],
                "content": text,
            }
            yield {"role": "user", "content": [result]}
            continue
        blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text.strip() else []
        blocks += [
            {
                "type": "tool_use",
                "id": call["id"],
                "name": call["function"]["name"],
                "input": _input(call["function"]["arguments"]),
            }
            for call in message.get("tool_calls", ())
        ]
        if blocks:
            yield {"role": role, "content": blocks}


def _input(arguments: str) -> object:
    try:
        return json.loads(arguments or "{}")
    except json.JSONDecodeError:
        return {"text": arguments}
