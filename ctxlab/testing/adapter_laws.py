"""The laws of adapters: what is read is written back, and what is left is a chat."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab.chats.adapter import Adapter
from ctxlab.chats.conversation import conversation
from ctxlab.chats.opening import fitted
from ctxlab.chats.pairing import linked, pairs
from ctxlab.chats.pieces import Kept, Link, Piece, left
from ctxlab.chats.selection import Plan
from ctxlab.core.context import Context
from ctxlab.core.task import Task
from ctxlab.testing.broken import LawError
from ctxlab.testing.fakes import word_tools


def check_adapter(adapter: Adapter, *chats: Any, examples: int = 40) -> None:  # noqa: ANN401 - JSON
    """Check the laws of adapters on chats, with any of their groups left out.

    - What is read is not changed, and all of it written back is what was read.
    - Whatever groups are left out, what is written can be read; in it every call has its result,
      and every result its call; and it holds all texts that are left, each once.
    - The lab's messages cost what `compress` counts.

    Parameters
    ----------
    adapter : Adapter
        Yours, or one of `ctxlab.chats.adapters`.
    chats : JSON values, or a framework's objects
        Valid chats of its API.
    examples : int
        Sets of groups to leave out of each.

    Raises
    ------
    LawError
        With the law that is broken.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> check_adapter(OPENAI, [{"role": "user", "content": "Hi"}])
    """
    for raw in chats:
        check_adapter_on(adapter, raw)
        _check_any_without(adapter, raw, examples)


def _check_any_without(adapter: Adapter, raw: Any, examples: int) -> None:  # noqa: ANN401 - JSON
    groups = len(Context.of(_messages(linked(adapter.read(raw)))).groups)

    @settings(max_examples=examples, deadline=None)
    @given(st.sets(st.integers(0, max(0, groups - 1))))
    def law(gone: set[int]) -> None:
        check_without(adapter, raw, gone)

    law()


def check_adapter_on(adapter: Adapter, raw: Any) -> None:  # noqa: ANN401 - JSON
    """Check that all is written back as it was, and counts the same everywhere.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> check_adapter_on(OPENAI, [{"role": "user", "content": "Hi"}])
    """
    before = copy.deepcopy(raw)
    pieces = adapter.read(raw)
    written = adapter.write(raw, [Kept.whole(piece) for piece in pieces])
    _hold(raw == before, "reading and writing leave what was given unchanged")
    _hold(_same(written, raw), "all that is read is written back")
    tools = word_tools()
    lab = Task(budget=1, tools=tools).size(Context.of(conversation(pieces)))
    links = linked(pieces)
    if len(links) == len(pieces) and all(len(k.calls) == len(k.piece.calls) for k in links):
        sent = Task(budget=1, tools=tools).size(Context.of(_messages(links)))
        _hold(lab == sent, "the lab and compress count the same")


def check_without(adapter: Adapter, raw: Any, gone: set[int]) -> None:  # noqa: ANN401 - JSON
    """Check what is written when some groups are left out, by their positions; pins stay.

    Examples
    --------
    >>> from ctxlab.chats.openai import OPENAI
    >>> chat = [{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}]
    >>> check_without(OPENAI, chat, {0})
    """
    links = linked(adapter.read(raw))
    context = Context.of(_messages(links))
    gone = gone - context.pinned_groups
    stay = [group for group in range(len(context.groups)) if group not in gone]
    kept = left(links, context.keep_groups(stay))
    written = adapter.write(raw, kept)
    found = adapter.read(written)
    answered = pairs(found)
    calls = [(at, n) for at, piece in enumerate(found) for n in range(len(piece.calls))]
    results = [at for at, piece in enumerate(found) if piece.role == "tool"]
    _hold(sorted(answered) == results, "every result has its call")
    _hold(sorted(answered.values()) == calls, "every call has its result")
    expected = Counter(t for one in kept for t in one.texts if t.strip())
    _hold(_texts(found) == expected, "every text that is left stands there once")
    whole = fitted(Plan.of("KeepLast()", budget=10**6, tools=word_tools()), adapter, found)
    _hold(adapter.opens(whole.kept), "a chat begins as its API wants it")


def _messages(links: Sequence[Link]) -> list[Any]:
    return [link.message(number) for number, link in enumerate(links)]


def _texts(pieces: Sequence[Piece]) -> Counter[str]:
    return Counter(text for piece in pieces for text in piece.texts if text.strip())


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(one == other) or json.dumps(one, default=str) == json.dumps(other, default=str)


def _hold(law: bool, words: str) -> None:
    if not law:
        raise LawError(f"the law does not hold: {words}")
