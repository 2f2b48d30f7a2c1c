"""A growing conversation: what `compress` gives of the whole list, at the price of what is new."""

from __future__ import annotations

import gc
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import ctxlab
from ctxlab.chats.growth import Growth
from ctxlab.errors import CtxlabError, DataError, UnknownNameError

WORDS = ["stall", "fish", "pears", "crates", "market", "open", "six", "price", "hall", "when"]


def said(rng, most=25):
    return " ".join(rng.choices(WORDS, k=rng.randrange(1, most)))


def openai_chat(rng, turns):
    """Make a chat that moves links: open calls, late, doubled and orphaned results."""
    chat, ids = [], []
    for at in range(turns):
        kind = rng.choice(["user", "user", "assistant", "call", "result", "result", "system"])
        if kind == "call":
            names = [f"c{rng.randrange(5)}" for _ in range(rng.randrange(1, 3))]
            calls = [{"id": one, "type": "function", "function": {"name": "stock",
                      "arguments": "{}"}} for one in dict.fromkeys(names)]  # fmt: skip
            ids += names
            chat.append({"role": "assistant", "content": rng.choice([None, said(rng)]),
                         "tool_calls": calls})  # fmt: skip
        elif kind == "result":
            name = rng.choice([*ids[-3:], "orphan"])
            chat.append({"role": "tool", "tool_call_id": name, "content": f"{at} {said(rng)}"})
        else:
            chat.append({"role": kind, "content": f"{at} {said(rng)}"})
    return chat


def anthropic_chat(rng, turns):
    chat = []
    for at in range(turns):
        if rng.random() < 0.3:
            use = {"type": "tool_use", "id": f"t{at}", "name": "stock", "input": {"n": at}}
            blocks = [{"type": "text", "text": said(rng)}, use]
            result = {"type": "tool_result", "tool_use_id": f"t{at}", "content": said(rng)}
            chat += [{"role": "assistant", "content": blocks},
                     {"role": "user", "content": [result]}]  # fmt: skip
        else:
            chat.append({"role": rng.choice(["user", "assistant"]), "content": said(rng)})
    return chat


def outcome(call):
    try:
        return call()
    except CtxlabError as error:
        return type(error), str(error)


STRATEGIES = ["KeepLast()", "PassageBM25()", "Sentences() >> HeadTail()",
              "TruncateToolOutputs(limit=5) >> KeepLast()", "RandomDrop()"]  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("make", [openai_chat, anthropic_chat])
@pytest.mark.parametrize("named", [True, False])
def test_every_turn_gives_what_compress_gives_of_the_whole_list(strategy, make, named):
    """In random chats, at random budgets, appended one by one or several at once."""
    compared = 0
    for seed in range(12):
        rng = random.Random(seed)
        chat = make(rng, 24)
        how = {
            "budget": rng.choice([60, 150, "30%", "80%"]),
            "strategy": strategy,
            "system": rng.choice(["pin", "latest", "compress"]),
            "api": make.__name__.partition("_")[0] if named else None,
        }
        growing, at = ctxlab.Conversation(**how), 0
        while at < len(chat):
            step = rng.randrange(1, 4)
            new = chat[at : at + step]
            growing.append(new[0] if len(new) == 1 else new)
            at += step
            wanted = outcome(lambda at=at, how=how, chat=chat: ctxlab.compress(chat[:at], **how))
            assert outcome(growing.compressed) == wanted
            compared += isinstance(wanted, list)
        assert growing.messages == chat
    assert compared > 50


@pytest.mark.parametrize("api", ["responses", "assistants", "gemini", "langchain", "bedrock"])
def test_other_adapters_give_the_same(api):
    """Those that read a message by what stands before it read the whole list."""
    part = {"gemini": lambda text: {"parts": [{"text": text}]},
            "bedrock": lambda text: {"content": [{"text": text}]}}  # fmt: skip
    shape = part.get(api, lambda text: {"content": text})
    other = {"gemini": "model", "langchain": "ai"}.get(api, "assistant")
    key = "type" if api == "langchain" else "role"
    user = "human" if api == "langchain" else "user"
    chat = [{key: (user, other)[at % 2], **shape(f"Remark {at}.")} for at in range(15)]
    growing = ctxlab.Conversation(budget=60, strategy="KeepLast()", api=api)
    for at, message in enumerate(chat, 1):
        growing.append(message)
        wanted = ctxlab.compress(chat[:at], budget=60, strategy="KeepLast()", api=api)
        assert growing.compressed() == wanted
    assert 0 < len(wanted) < len(chat)


def test_the_ledger_is_that_of_compress():
    """Explained alike, what no API takes included."""
    chat = openai_chat(random.Random(3), 30)
    growing = ctxlab.Conversation(budget=200, strategy="KeepLast()")
    for message in chat:
        growing.append(message)
    wanted = ctxlab.compress(chat, budget=200, strategy="KeepLast()", explain=True)
    assert growing.compressed(explain=True) == wanted


def test_definitions_of_tools_take_of_the_budget():
    """As in compress."""
    chat = [{"role": "user", "content": f"Remark {at}."} for at in range(9)]
    how = {"budget": 60, "strategy": "KeepLast()", "tools": [{"name": "clock", "about": "time"}]}
    found = ctxlab.Conversation(chat, **how).compressed()
    assert found == ctxlab.compress(chat, **how) != ctxlab.compress(chat, **{**how, "tools": None})


def test_a_message_is_counted_once(monkeypatch):
    """Turn 200 links and counts one message, not two hundred."""
    linked = []
    link = Growth._link

    def watched(self, first):
        linked.append(len(self.pieces) - first)
        link(self, first)

    monkeypatch.setattr(Growth, "_link", watched)
    growing = ctxlab.Conversation(budget=60, strategy="KeepLast()", api="openai")
    for at in range(200):
        growing.append({"role": "user", "content": f"Remark {at}."})
        growing.compressed()
    assert linked == [1] * 200


def test_a_faulty_message_leaves_the_conversation_as_it_was():
    """All that is appended at once stays out, and the error names the place."""
    growing = ctxlab.Conversation([{"role": "user", "content": "Hi"}], budget=60)
    with pytest.raises(DataError, match=r"messages\[2\]"):
        growing.append([{"role": "user", "content": "Good."}, {"role": "user", "content": 7}])
    assert growing.messages == growing.compressed() == [{"role": "user", "content": "Hi"}]
    with pytest.raises(UnknownNameError):
        ctxlab.Conversation(budget=60, api="opnai")


def test_ten_thousand_calls_take_no_more_memory():
    """Nothing is remembered of a call but what the messages cost."""
    growing = ctxlab.Conversation(budget=30, strategy="KeepLast()", api="openai")
    growing.append([{"role": "user", "content": f"Remark {at}."} for at in range(5)])
    gc.collect()
    for _ in range(100):
        growing.compressed()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(10_000):
        growing.compressed()
    gc.collect()
    assert sys.getallocatedblocks() - before < 1_000


def test_sixteen_threads_append_and_compress():
    """No message is lost or stands twice, and what comes out at the end is what compress gives."""
    growing = ctxlab.Conversation(budget=80, strategy="KeepLast()", api="openai")

    def work(thread):
        for at in range(25):
            growing.append({"role": "user", "content": f"Remark {thread}.{at}"})
            assert growing.compressed()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    texts = [message["content"] for message in growing.messages]
    assert sorted(texts) == sorted(f"Remark {t}.{at}" for t in range(16) for at in range(25))
    assert growing.compressed() == ctxlab.compress(
        growing.messages, budget=80, strategy="KeepLast()", api="openai"
    )
