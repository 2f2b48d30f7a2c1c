"""Adapters: every API's chat is read whole, and what is left of it is a chat of that API."""

from __future__ import annotations

import copy
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctxlab
from ctxlab.chats.adapters import adapter_named, adapter_names, adapter_of
from ctxlab.chats.conversation import conversation
from ctxlab.chats.pairing import pairs
from ctxlab.core.context import Context
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.datasets import FORMATS, sniff
from ctxlab.errors import PinnedOverBudgetError
from ctxlab.testing import check_adapter, check_adapter_on, check_without

STRATEGIES = [
    "KeepLast()", "HeadTail()", "BM25()", "MaskObservations(keep=1)", "ClearToolUses(keep=0)",
    "CollapseToolUses(keep=0)", "Deduplicate()", "Salience()", "TruncateToolOutputs(limit=8)",
    "Sentences() >> KeepLast()",
]  # fmt: skip
BUDGETS = ["1%", "30%", 40, 90, 100_000]

# --- one conversation, as every API writes it --------------------------------------------------
# A turn is ("user", text), ("say", thought, text) or ("use", thought, text, [(id, result), …]).


def openai(turns):
    chat = [{"role": "system", "content": "Be brief."}]
    for kind, *rest in turns:
        if kind == "user":
            chat.append({"role": "user", "content": rest[0]})
            continue
        said = {"role": "assistant", "content": rest[1], "reasoning_content": rest[0]}
        if kind == "use":
            function = {"name": "look", "arguments": '{"at": 7}'}
            said["tool_calls"] = [
                {"id": i, "type": "function", "function": function} for i, _ in rest[2]
            ]
        chat.append(said)
        for i, result in rest[2] if kind == "use" else ():
            chat.append({"role": "tool", "tool_call_id": i, "content": result})
    return chat


def blocks(turns, thought, text, use, result):
    chat = []
    for kind, *rest in turns:
        if kind == "user":
            chat.append({"role": "user", "content": [text(rest[0])]})
            continue
        said = [thought(rest[0]), text(rest[1])]
        said += [use(i) for i, _ in rest[2]] if kind == "use" else []
        chat.append({"role": "assistant", "content": said})
        if kind == "use":
            chat.append({"role": "user", "content": [result(i, found) for i, found in rest[2]]})
    merged = []
    for one in chat:
        if merged and merged[-1]["role"] == one["role"] == "user":
            merged[-1]["content"] += one["content"]
        elif merged and merged[-1]["role"] == one["role"]:
            merged.append({"role": "user", "content": [text("Go on.")]})
            merged.append(one)
        else:
            merged.append(one)
    return merged


def anthropic(turns):
    chat = blocks(
        turns,
        lambda t: {"type": "thinking", "thinking": t, "signature": "s"},
        lambda t: {"type": "text", "text": t},
        lambda i: {"type": "tool_use", "id": i, "name": "look", "input": {"at": 7}},
        lambda i, t: {"type": "tool_result", "tool_use_id": i, "content": t},
    )
    return {"model": "claude-sonnet-5", "system": "Be brief.", "messages": chat}


def bedrock(turns):
    chat = blocks(
        turns,
        lambda t: {"reasoningContent": {"reasoningText": {"text": t, "signature": "s"}}},
        lambda t: {"text": t},
        lambda i: {"toolUse": {"toolUseId": i, "name": "look", "input": {"at": 7}}},
        lambda i, t: {"toolResult": {"toolUseId": i, "content": [{"text": t}]}},
    )
    return {"system": [{"text": "Be brief."}], "messages": chat}


def gemini(turns):
    contents = []
    for kind, *rest in turns:
        if kind == "user":
            contents.append({"role": "user", "parts": [{"text": rest[0]}]})
            continue
        said = [{"text": rest[0], "thought": True}, {"text": rest[1]}]
        uses = rest[2] if kind == "use" else ()
        said += [{"functionCall": {"id": i, "name": "look", "args": {"at": 7}}} for i, _ in uses]
        contents.append({"role": "model", "parts": said})
        if uses:
            found = [
                {"functionResponse": {"id": i, "name": "look", "response": {"found": t}}}
                for i, t in uses
            ]
            contents.append({"role": "user", "parts": found})
    return {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": contents}


def responses(turns):
    items = []
    for kind, *rest in turns:
        if kind == "user":
            part = {"type": "input_text", "text": rest[0]}
            items.append({"type": "message", "role": "user", "content": [part]})
            continue
        items.append({"type": "reasoning", "id": f"rs_{len(items)}", "summary": [rest[0]]})
        part = {"type": "output_text", "text": rest[1], "annotations": []}
        items.append({"type": "message", "role": "assistant", "content": [part]})
        for i, found in rest[2] if kind == "use" else ():
            call = {"type": "function_call", "call_id": i, "name": "look", "arguments": "{}"}
            items += [call, {"type": "function_call_output", "call_id": i, "output": found}]
    return {"instructions": "Be brief.", "input": items}


def ai_sdk(turns):
    chat = [{"role": "system", "content": "Be brief."}]
    for kind, *rest in turns:
        if kind == "user":
            chat.append({"role": "user", "content": rest[0]})
            continue
        said = [{"type": "reasoning", "text": rest[0]}, {"type": "text", "text": rest[1]}]
        uses = rest[2] if kind == "use" else ()
        named = {"toolName": "look"}
        said += [{"type": "tool-call", "toolCallId": i, **named, "input": {}} for i, _ in uses]
        chat.append({"role": "assistant", "content": said})
        found = [
            {
                "type": "tool-result",
                "toolCallId": i,
                **named,
                "output": {"type": "text", "value": t},
            }
            for i, t in uses
        ]
        chat += [{"role": "tool", "content": found}] if found else []
    return chat


def ai_sdk_ui(turns):
    chat = []
    for kind, *rest in turns:
        if kind == "user":
            parts = [{"type": "text", "text": rest[0]}]
        else:
            parts = [{"type": "step-start"}, {"type": "reasoning", "text": rest[0]}]
            for i, found in rest[2] if kind == "use" else ():
                done = {"state": "output-available", "input": {}, "output": found}
                parts.append({"type": "tool-look", "toolCallId": i, **done})
            parts.append({"type": "text", "text": rest[1]})
        role = "user" if kind == "user" else "assistant"
        chat.append({"id": f"u{len(chat)}", "role": role, "parts": parts})
    return chat


def langchain(turns):
    chat = [{"type": "system", "content": "Be brief.", "id": "s"}]
    for kind, *rest in turns:
        if kind == "user":
            chat.append({"type": "human", "content": rest[0], "id": f"l{len(chat)}"})
            continue
        calls = [
            {"id": i, "name": "look", "args": {"at": 7}, "type": "tool_call"}
            for i, _ in (rest[2] if kind == "use" else ())
        ]
        said = [{"type": "text", "text": rest[1]}]
        said += [
            {"type": "tool_use", "id": call["id"], "name": "look", "input": {}} for call in calls
        ]
        extra = {"reasoning_content": rest[0]}
        chat.append({"type": "ai", "content": said, "tool_calls": calls, "additional_kwargs": extra,
                     "id": f"l{len(chat)}"})  # fmt: skip
        for i, found in rest[2] if kind == "use" else ():
            chat.append(
                {"type": "tool", "content": found, "tool_call_id": i, "id": f"l{len(chat)}"}
            )
    return {"values": {"messages": chat}, "next": []}


def pydantic_ai(turns):
    history, parts = [], [{"part_kind": "system-prompt", "content": "Be brief."}]
    for kind, *rest in turns:
        if kind == "user":
            parts.append({"part_kind": "user-prompt", "content": rest[0]})
            continue
        history += [{"kind": "request", "parts": parts}] if parts else []
        parts = []
        said = [{"part_kind": "thinking", "content": rest[0]}]
        said.append({"part_kind": "text", "content": rest[1]})
        named = {"tool_name": "look"}
        for i, found in rest[2] if kind == "use" else ():
            said.append({"part_kind": "tool-call", **named, "args": "{}", "tool_call_id": i})
            back = {"part_kind": "tool-return", **named, "content": found, "tool_call_id": i}
            parts.append(back)
        history.append({"kind": "response", "parts": said})
    return history + ([{"kind": "request", "parts": parts}] if parts else [])


def llama_index(turns):
    chat = []
    for one in openai(turns):
        text = {"block_type": "text", "text": one["content"]}
        keys = ("tool_calls", "tool_call_id", "reasoning_content")
        extra = {key: one[key] for key in keys if key in one}
        chat.append({"role": one["role"], "additional_kwargs": extra, "blocks": [text]})
    return chat


def assistants(turns):
    listed = []
    for number, (kind, *rest) in enumerate(turns):
        text = {"value": rest[0] if kind == "user" else rest[1], "annotations": []}
        listed.append({"id": f"msg_{number}", "object": "thread.message", "created_at": number,
                       "role": "user" if kind == "user" else "assistant",
                       "content": [{"type": "text", "text": text}]})  # fmt: skip
    return {"object": "list", "data": listed[::-1]}


WRITERS = {
    "openai": openai, "anthropic": anthropic, "bedrock": bedrock, "gemini": gemini,
    "responses": responses, "ai-sdk": ai_sdk, "ai-sdk-ui": ai_sdk_ui, "langchain": langchain,
    "pydantic-ai": pydantic_ai, "llama-index": llama_index, "assistants": assistants,
}  # fmt: skip

WORDS = st.sampled_from(
    ["Where is stall 63?", "It is in the north hall. Ask there.", "error: no lift", "412 crates"]
)


@st.composite
def conversations(draw):
    """Draw turns of a valid conversation: it begins with a user, and calls have results."""
    turns, called = [("user", draw(WORDS))], 0
    for kind in draw(st.lists(st.sampled_from(["user", "say", "use", "use"]), max_size=6)):
        if kind == "user":
            turns.append(("user", draw(WORDS)))
        elif kind == "say":
            turns.append(("say", "Hm.", draw(WORDS)))
        else:
            results = draw(st.lists(WORDS, min_size=1, max_size=3))
            named = [(f"c{called + n}", found) for n, found in enumerate(results)]
            called += len(results)
            turns.append(("use", "Let me look.", draw(WORDS), named))
    return [*turns, ("user", draw(WORDS))]


def test_every_adapter_is_tested():
    """No adapter is forgotten here."""
    assert set(WRITERS) == set(adapter_names())


@pytest.mark.parametrize("name", WRITERS)
def test_the_laws_hold(name):
    """Round trip, no orphan, no text lost, one count: whichever groups are left out."""
    adapter = adapter_named(name)

    @settings(max_examples=25)
    @given(conversations(), st.sets(st.integers(0, 12)))
    def law(turns, gone):
        raw = WRITERS[name](turns)
        check_adapter_on(adapter, raw)
        check_without(adapter, raw, gone)

    law()


@pytest.mark.parametrize("name", WRITERS)
def test_the_example_of_a_format_obeys_the_laws(name):
    """The example is recognised as what it is, by the lab and by compress."""
    raw = FORMATS[name].example
    assert adapter_of(raw).name == sniff(raw).name == name
    check_adapter(adapter_named(name), copy.deepcopy(raw), examples=10)


def strict(name, raw):
    """Check the published rules that a provider enforces on the messages of a chat."""
    adapter = adapter_named(name)
    pieces = [piece for piece in adapter.read(raw) if piece.home >= 0]
    answered = pairs(pieces)
    assert all(at in answered for at, piece in enumerate(pieces) if piece.role == "tool")
    assert len(answered) == sum(len(piece.calls) for piece in pieces)
    said = [piece for piece in pieces if piece.role != "system"]
    if adapter.user_first and said:
        assert said[0].role == "user"
    if name in ("anthropic", "bedrock"):
        chat = raw["messages"]
        assert all(a["role"] != b["role"] for a, b in pairwise(chat))
        for message in chat:
            if isinstance(message["content"], str):
                assert name == "anthropic", "only Anthropic takes a text for blocks"
                continue
            kinds = [
                "thinking" if "reasoningContent" in block or block.get("type") == "thinking"
                else "rest" for block in message["content"]
            ]  # fmt: skip
            assert "rest" in kinds
            assert kinds == sorted(kinds, reverse=True), "thinking stands first"
    if name == "responses":
        kinds = [item.get("type") for item in raw["input"]]
        assert all(
            b in ("message", "function_call") for a, b in pairwise(kinds) if a == "reasoning"
        )


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_compress_gives_is_a_chat_within_the_budget(name, strategy):
    """For every API, strategy and budget, counted anew by the adapter."""
    adapter, tools = adapter_named(name), Tools.of()

    @settings(max_examples=6)
    @given(conversations(), st.sampled_from(BUDGETS))
    def law(turns, budget):
        raw = WRITERS[name](turns)
        before = copy.deepcopy(raw)
        try:
            found = ctxlab.compress(raw, budget=budget, strategy=strategy, api=name)
        except PinnedOverBudgetError:
            assert budget in (40, 90), "a share of the rest always fits"
            return
        assert raw == before
        strict(name, found)
        size = Task(budget=1, tools=tools).size(Context.of(conversation(adapter.read(found))))
        keeps = ctxlab.parse(strategy).traits.honours_budget
        if isinstance(budget, int) and keeps and found:
            assert size <= budget

    law()


def test_one_chat_costs_the_same_on_every_road(tmp_path):
    """With text, a call, an image of known size and thinking: read, Context and compress."""
    image = {"type": "base64", "media_type": "image/gif", "data": "R0lGODlh6APoAwAAACw="}
    use = {"type": "tool_use", "id": "t", "name": "look", "input": {"at": 7}}
    chat = {
        "system": "Be brief.",
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": image}]},
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, use],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": "63 stalls"}],
            },
        ],
    }
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(chat))
    [case] = ctxlab.read(path)
    with ctxlab.Store(":memory:") as store:
        store.add_cases([case])
        [again] = store.cases()
    size = Task(budget=1).size(case.context())
    assert again.messages == case.messages
    assert Task(budget=1).size(again.context()) == size > 1296
    assert ctxlab.compress(chat, budget=size) == chat
    assert ctxlab.compress(chat, budget=10**6, explain=True).tokens_before == size
