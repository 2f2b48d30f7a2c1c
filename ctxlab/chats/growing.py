"""A conversation that grows turn by turn, and is compressed at each: only what is new is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import Any, Literal, TypeGuard, overload

from ctxlab.chats.adapter import Adapter, ChatAdapter
from ctxlab.chats.adapters import adapter_named, adapter_of
from ctxlab.chats.chat_fates import Explained, explained
from ctxlab.chats.compressing import Chat, Definitions, checked, planned
from ctxlab.chats.fields import Fields
from ctxlab.chats.growth import Growth
from ctxlab.chats.opening import opened
from ctxlab.chats.pieces import Piece
from ctxlab.chats.selection import System
from ctxlab.core.budgets import Budget
from ctxlab.core.recipe import Recipe
from ctxlab.core.strategy import Strategy
from ctxlab.core.tools import Encoder, Tools


class Conversation:
    """A chat that grows; `compressed` gives what `ctxlab.compress` gives of the whole list.

    Every message is read, paired with its results and counted once, when it is appended, so
    that a turn costs what is new, and the strategy. Whose messages they are is recognised anew
    as the chat grows; name the `api` and even that is saved. Messages that were appended are not
    to be changed. All methods may be called from several threads; a conversation works for one
    at a time.

    Parameters
    ----------
    messages : iterable of dict
        What the conversation begins with.
    budget, strategy, query, api, tools, encoder, seed, system, reserve
        As in `ctxlab.compress`.

    Raises
    ------
    BudgetError
        When neither a budget nor a recipe is given.
    UnknownNameError
        When there is no such API.

    Examples
    --------
    >>> chat = Conversation(budget=30, strategy="KeepLast()")
    >>> for number in range(9):
    ...     chat.append({"role": "user", "content": f"Remark number {number} on the market."})
    >>> [message["content"] for message in chat.compressed()], len(chat.messages)
    (['Remark number 7 on the market.', 'Remark number 8 on the market.'], 9)
    """

    def __init__(
        self,
        messages: Iterable[dict[str, Any]] = (),
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
    ) -> None:
        self._plan = planned(
            strategy, budget=budget, query=query, tools=tools, encoder=encoder, seed=seed,
            system=system, reserve=reserve,
        )  # fmt: skip
        self._named = None if api is None else adapter_named(api)
        self._adapter = self._named or adapter_of([])
        self._messages: Chat = []
        self._growth = Growth(self._plan)
        self._lock = RLock()
        self.append(messages)

    @property
    def messages(self) -> Chat:
        """All messages, the very dicts that were appended, in a list of its own.

        Examples
        --------
        >>> Conversation(budget=9).messages
        []
        """
        with self._lock:
            return list(self._messages)

    def append(self, messages: Mapping[str, Any] | Iterable[dict[str, Any]]) -> None:
        """Take the next message, or the next messages; all of them, or none where one is faulty.

        Raises
        ------
        DataError
            When a message is malformed, with its place in the conversation.

        Examples
        --------
        >>> chat = Conversation(budget=9)
        >>> chat.append([{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}])
        >>> chat.append({"role": "assistant"})
        >>> len(chat)
        3
        """
        with self._lock:
            first = len(self._messages)
            given = [messages] if isinstance(messages, Mapping) else messages
            new = checked(given, first)
            if not new:
                return
            chat = [*self._messages, *new]
            adapter = self._named or adapter_of(chat)
            if adapter is self._adapter and _apart(adapter):
                growth, pieces = self._growth, _read(adapter, new, first)
            else:
                growth, pieces = Growth(self._plan), adapter.read(chat)
            growth.add(pieces)
            self._adapter, self._growth, self._messages = adapter, growth, chat

    @overload
    def compressed(self, *, explain: Literal[False] = False) -> Chat: ...

    @overload
    def compressed(self, *, explain: Literal[True]) -> Explained: ...

    def compressed(self, *, explain: bool = False) -> Chat | Explained:
        """Return the conversation compressed to its budget, as `ctxlab.compress` would.

        Parameters
        ----------
        explain : bool
            Return an `Explained` instead, with the ledger of what became of each message.

        Raises
        ------
        PinnedOverBudgetError
            When what has to stay alone exceeds the budget; it names the message.

        Examples
        --------
        >>> Conversation([{"role": "user", "content": "Hi"}], budget=9).compressed()
        [{'role': 'user', 'content': 'Hi'}]
        """
        with self._lock:
            found = opened(self._plan, self._adapter, self._growth.fitting)
            written: Chat = self._adapter.write(self._messages, found.kept)
            return explained(written, found) if explain else written

    def __len__(self) -> int:
        return len(self._messages)

    def __repr__(self) -> str:
        return f"Conversation({len(self)} messages, {self._plan.strategy}, {self._plan.budget})"


def _apart(adapter: Adapter) -> TypeGuard[ChatAdapter]:
    """Say whether an adapter reads every message by itself, whatever stands before it."""
    return isinstance(adapter, ChatAdapter) and type(adapter).pieces_of is ChatAdapter.pieces_of


def _read(adapter: ChatAdapter, new: Sequence[Any], first: int) -> list[Piece]:
    """Return the pieces of messages of which the first has a place of its own."""
    key = adapter.keys[0]
    records = ((home, Fields(one, f"{key}[{home}]")) for home, one in enumerate(new, first))
    return [piece for home, fields in records for piece in adapter.pieces(fields, home, "")]
