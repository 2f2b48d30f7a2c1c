"""Compression of message lists: any API's in, the same out, always a chat that it takes."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, overload

from ctxlab.chats.adapter import Adapter
from ctxlab.chats.adapters import adapter_of
from ctxlab.chats.anthropic import openai_to_anthropic
from ctxlab.chats.chat_fates import Explained, explained
from ctxlab.chats.media import json_payload, payload_tokens
from ctxlab.chats.opening import fitted
from ctxlab.chats.selection import Plan, System
from ctxlab.core.budgets import Budget
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.strategy import Strategy
from ctxlab.core.tools import Encoder, Tools
from ctxlab.errors import DataError

Chat = list[dict[str, Any]]
Definitions = Sequence[Mapping[str, Any]]


@overload
def compress(
    messages: Sequence[dict[str, Any]],
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    strategy: Strategy | Recipe | str | None = None,
    api: str | None = None,
    tools: Tools | Definitions | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    system: System = "pin",
    reserve: int = 0,
    explain: Literal[False] = False,
) -> Chat: ...


@overload
def compress(
    messages: Mapping[str, Any],
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    strategy: Strategy | Recipe | str | None = None,
    api: str | None = None,
    tools: Tools | Definitions | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    system: System = "pin",
    reserve: int = 0,
    explain: Literal[False] = False,
) -> dict[str, Any]: ...


@overload
def compress(
    messages: Sequence[dict[str, Any]] | Mapping[str, Any],
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    strategy: Strategy | Recipe | str | None = None,
    api: str | None = None,
    tools: Tools | Definitions | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    system: System = "pin",
    reserve: int = 0,
    explain: Literal[True],
) -> Explained: ...


def compress(
    messages: Sequence[dict[str, Any]] | Mapping[str, Any],
    *,
    budget: Budget | int | str | None = None,
    query: str = "",
    strategy: Strategy | Recipe | str | None = None,
    api: str | None = None,
    tools: Tools | Definitions | None = None,
    encoder: Encoder | str | None = None,
    seed: int | None = None,
    system: System = "pin",
    reserve: int = 0,
    explain: bool = False,
) -> Chat | dict[str, Any] | Explained:
    """Compress a list of chat messages, or the body of a request, to a budget.

    A message that stays as it was is the very dict that was given, with all of its keys; one
    that a strategy shortened is a copy with another text; nothing that was given is changed.
    What comes back is a chat that the API takes:

    - System and developer messages keep their places; `system` says which may go.
    - A call never stands without its result, nor a result without its call: what comes in
      alone is left out, a result stands right behind its call, and of two results for one call
      the later stays.
    - For APIs that want it so, roles alternate (neighbours of one role are merged), the first
      message is a user's (a line that says so stands in for what was left out), and no block is
      empty. Thinking stays first in its turn and as it was, or goes whole.
    - The newest user message stays, and, where the chat ends in results of tools, so do these
      and their calls. A strategy may shorten them. They are pinned before a share is taken of
      the rest.

    Everything that is billed counts: images by the formula of their provider (1,600 tokens where
    the size is not known), thinking and what stands beside the content by its text, and, in a
    body, the system prompt, the definitions of tools and the schema of the answer.

    Parameters
    ----------
    messages : sequence of dict, or dict
        Messages of any API or framework that `ctxlab.chats.adapters` knows, or a body that
        holds them.
    budget : Budget, int or str, optional
        Tokens, or a share of what is not pinned; a recipe has its own.
    query : str
        What will be asked; by default the text of the newest user message, for strategies that
        see it.
    strategy : Strategy, Recipe or str, optional
        `PassageBM25` when not given: it holds on every kind of conversation that was tried.
    api : str, optional
        Whose messages they are, such as ``"openai"`` or ``"anthropic"``; recognised where it is
        not given, and plain texts count as OpenAI's.
    tools : Tools, or sequence of dict, optional
        How to count, encode and ask; or the definitions of the model's tools, which are sent
        along and count against the budget.
    encoder : Encoder or str, optional
        Turns texts into vectors, in place of that of the tools: any callable, or as
        `ctxlab.models.load_encoder` reads it.
    seed : int, optional
        Seeds whatever is random; 0 where neither it nor a recipe is given.
    system : {"pin", "latest", "compress"}
        Which system messages have to stay, besides those that the chat begins with: all, the
        newest, or none.
    reserve : int
        Tokens of the budget to leave free, as for what is sent besides.
    explain : bool
        Return an `Explained` instead: the messages, and the ledger of what became of each.

    Raises
    ------
    DataError
        When a message is malformed, with its field.
    PinnedOverBudgetError
        When what has to stay alone exceeds the budget; it names the message.

    Examples
    --------
    >>> chat = [{"role": "system", "content": "Be brief."}]
    >>> chat += [{"role": "user", "content": f"Remark number {i} on the market."} for i in range(9)]
    >>> [message["content"] for message in compress(chat, budget=30)]
    ['Be brief.', 'Remark number 8 on the market.']
    """
    plan = planned(
        strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed,
        system=system, reserve=reserve,
    )  # fmt: skip
    given = checked(messages)
    adapter = adapter_of(given, api)
    found: Chat | dict[str, Any] | Explained = compressed(plan, adapter, given, explain=explain)
    return found


async def acompress(messages: Any, **how: Any) -> Any:  # noqa: ANN401 - as `compress`
    """Compress as `compress` does, in a thread, so that an event loop goes on meanwhile.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(acompress([{"role": "user", "content": "Hi"}], budget=99))
    [{'role': 'user', 'content': 'Hi'}]
    """
    call: Callable[[], Any] = partial(compress, messages, **how)
    return await to_thread(call)


def compressed(plan: Plan, adapter: Adapter, given: Any, *, explain: bool = False) -> Any:  # noqa: ANN401
    """Compress what an adapter reads by a plan, and write it back.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> compressed(Plan.of("KeepLast()", budget=9), OPENAI, [{"role": "user", "content": "Hi"}])
    [{'role': 'user', 'content': 'Hi'}]
    """
    found = fitted(plan, adapter, adapter.read(given))
    written = adapter.write(given, found.kept)
    return explained(written, found) if explain else written


def planned(
    strategy: Strategy | Recipe | str | None = None,
    *,
    tools: Tools | Definitions | None = None,
    reserve: int = 0,
    **how: Any,  # noqa: ANN401 - as `Plan.of`
) -> Plan:
    """Return the plan of what `compress` is asked for; definitions of tools take of its budget.

    Examples
    --------
    >>> planned("KeepLast()", budget=99, tools=[{"name": "clock"}]).reserve > 0
    True
    """
    counting, sent = (tools, None) if tools is None or isinstance(tools, Tools) else (None, tools)
    plan = Plan.of(strategy, tools=counting, reserve=reserve, **how)
    if not sent:
        return plan
    taken = payload_tokens((json_payload("tools", sent),), plan.tools.count)
    return replace(plan, reserve=plan.reserve + taken)


def checked(messages: Any, first: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Return messages, or the body of a request, as plain JSON; `first` is the place of the first.

    Raises
    ------
    DataError
        When it is no such thing, or a message is a client's object.

    Examples
    --------
    >>> checked(({"role": "user", "content": "Hi"},))
    [{'role': 'user', 'content': 'Hi'}]
    """
    if isinstance(messages, Mapping):
        return dict(messages)
    if not isinstance(messages, Iterable):
        kind = type(messages).__name__
        raise DataError(f"is a {kind}; pass a list of messages", field="messages")
    return [_checked(message, f"messages[{at}]") for at, message in enumerate(messages, first)]


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
