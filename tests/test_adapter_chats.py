"""Chats of every API as people have them: the same count on every road, and nothing lost."""

from __future__ import annotations

import json

import pytest

import ctxlab
from ctxlab.chats.adapters import adapter_named, adapter_names, adapter_of
from ctxlab.chats.pieces import Kept
from ctxlab.core.task import Task
from ctxlab.datasets import FORMATS
from ctxlab.errors import PinnedOverBudgetError, UnknownNameError

PNG = "data:image/png;base64,iVBORw0KGgo="
LOOK = "Where are the pears? " * 8


def openai_chat():
    """Return a chat with developer, parts, parallel and custom calls, audio and reasoning."""
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "hall", "arguments": '{"n": 1}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "shell", "input": "ls stalls"}},
    ]
    return {
        "model": "gpt-4o",
        "tools": [{"type": "function", "function": {"name": "hall", "parameters": {}}}],
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": LOOK},
                    {"type": "image_url", "image_url": {"url": PNG}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "stall 12"},
            {"role": "tool", "tool_call_id": "c2", "content": "12 13 14"},
            {"role": "assistant", "content": "Stall 12.", "reasoning_content": "two look-ups"},
            {"role": "system", "content": "The hall closes at six."},
            {"role": "user", "content": "Say it loud."},
            {"role": "assistant", "content": None, "audio": {"id": "audio_7"}},
            {"role": "assistant", "content": None, "refusal": "I do not shout."},
            {"role": "assistant", "function_call": {"name": "old", "arguments": ""}},
            {"role": "function", "name": "old", "content": "63"},
            {"role": "user", "content": "Thank you."},
        ],
    }  # fmt: skip


def anthropic_chat():
    """Return a chat with thinking, parallel uses, a document, a server tool and citations."""
    thinking = {"type": "thinking", "thinking": "two halls", "signature": "sig-1"}
    uses = [
        {"type": "tool_use", "id": i, "name": "hall", "input": {"n": n}}
        for n, i in enumerate(["u1", "u2"])
    ]
    results = [
        {
            "type": "tool_result",
            "tool_use_id": "u1",
            "content": [{"type": "text", "text": "pears"}],
        },
        {"type": "tool_result", "tool_use_id": "u2", "is_error": True, "content": "closed"},
    ]
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": LOOK},
    }
    search = [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "pears"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "In season.", "citations": [{"cited_text": "pears"}]},
    ]
    return {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [document, {"type": "text", "text": LOOK}]},
            {"role": "assistant", "content": [thinking, *uses]},
            {"role": "user", "content": [*results, {"type": "text", "text": "Which?"}]},
            {"role": "assistant", "content": search},
            {"role": "user", "content": "Thank you."},
        ],
    }  # fmt: skip


def responses_items():
    """Return items with reasoning before two parallel calls, a hosted tool and an approval."""
    return [
        {"role": "user", "content": [{"type": "input_text", "text": LOOK}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "a", "name": "hall", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "b", "name": "shell", "input": "ls"},
        {"type": "function_call_output", "call_id": "a", "output": "stall 12"},
        {
            "type": "custom_tool_call_output",
            "call_id": "b",
            "output": [{"type": "input_text", "text": "12 13"}],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "p"}},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Stall 12.", "annotations": []}],
        },
        {"type": "mcp_approval_request", "id": "ap_1", "name": "pay", "arguments": "{}"},
        {"type": "mcp_approval_response", "approval_request_id": "ap_1", "approve": True},
        {"role": "user", "content": "Thank you."},
    ]


CHATS = {
    "openai": [openai_chat(), openai_chat()["messages"]],
    "anthropic": [anthropic_chat(), anthropic_chat()["messages"]],
    "responses": [responses_items(), {"model": "gpt-5", "input": "Hi"}],
}
EXAMPLES = {name: [*CHATS.get(name, []), FORMATS[name].example] for name in adapter_names()}
WITH_TOOL = {**EXAMPLES, **{name: CHATS[name] for name in ("openai", "anthropic")}}


@pytest.mark.parametrize("name", adapter_names())
def test_the_lab_and_production_count_a_chat_alike(name, tmp_path):
    """A chat read from a file costs what compress counts: it fits its size, and no less."""
    for number, chat in enumerate(WITH_TOOL[name]):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(chat))
        [case] = ctxlab.read(path)
        size = Task(budget=1).size(case.context())
        assert ctxlab.compress(chat, budget=size, strategy="KeepLast()", api=name) == chat
        try:
            left, needed = ctxlab.compress(chat, budget=size - 1, api=name), 0
        except PinnedOverBudgetError as error:
            left, needed = None, error.pinned
        assert left != chat
        assert needed in (0, size)


@pytest.mark.parametrize("name", adapter_names())
def test_a_share_of_an_early_chat_is_of_what_may_go(name):
    """A chat of one question comes back whole under any share: nothing of it may go."""
    chat = EXAMPLES[name][0]
    pieces = adapter_named(name).read(chat)
    question = next(p for p in pieces if p.role == "user")
    only = adapter_named(name).write(chat, [Kept.whole(question)])
    for share in ("1%", "25%", "90%"):
        assert ctxlab.compress(only, budget=share, api=name) == only


def test_reasoning_goes_with_the_calls_that_it_led_to():
    """Of a run of items, all stay or all go; a hosted tool stands alone."""
    items = responses_items()
    found = ctxlab.compress(items, budget=60)
    kinds = [item.get("type") for item in found]
    assert ("reasoning" in kinds) == ("function_call" in kinds)
    assert found[-1] is items[-1]


def test_the_newest_compaction_of_responses_stays():
    """It stands for all before it, whatever the strategy thinks of it."""
    compaction = {"type": "compaction", "encrypted_content": "gAAAA"}
    said = [{"role": "user", "content": f"Stall {n} sells pears."} for n in range(20)]
    found = ctxlab.compress([compaction, *said], budget=60, api="responses")
    assert found[0] is compaction


def test_the_later_of_two_results_stands():
    """A tool that was asked again under the same id answers once."""
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    chat = [
        {"role": "user", "content": "How late is it?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "timeout"},
        {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
    ]
    assert ctxlab.compress(chat, budget=1000) == [chat[0], chat[1], chat[3]]


def test_thinking_goes_whole_where_its_turn_was_edited():
    """An edited turn has no thinking of an unedited one; one that stayed has it, first."""
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    long = "The hall is old. The key is behind gate 4. It rains. " * 6
    chat = [
        {"role": "user", "content": "Where is the key?"},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": long}]},
        {"role": "user", "content": "Which gate is the key behind?"},
    ]
    found = ctxlab.compress(chat, budget=60, strategy="Sentences() >> BM25()", api="anthropic")
    said = [message for message in found if message["role"] == "assistant"]
    assert said
    assert [b["type"] for b in said[0]["content"]] == ["text"]


def test_payload_beside_the_content_is_inside_the_budget():
    """What a provider takes back beside the content is counted, and goes with its message."""
    for key, value in {
        "reasoning_content": LOOK * 9,
        "reasoning_details": [{"type": "reasoning.text", "text": LOOK * 9}],
        "thinking_blocks": [{"type": "thinking", "thinking": LOOK * 9}],
        "annotations": [{"type": "url_citation", "title": LOOK * 9}],
    }.items():
        said = {"role": "assistant", "content": "Done.", key: value}
        chat = [{"role": "user", "content": "Plan"}, said, {"role": "user", "content": "Go on"}]
        assert said not in ctxlab.compress(chat, budget=100)
        assert ctxlab.compress(chat, budget=1000) == chat


@pytest.mark.parametrize(
    ("chat", "roles"),
    [
        ([{"role": "human", "content": "Hi"}, {"role": "ai", "content": "Yes"}], "user assistant"),
        ([{"role": "user", "content": "Hi"}, {"role": "model", "content": "Y"}], "user assistant"),
        (
            [
                {"role": "user", "content": "1+2"},
                {"role": "assistant", "content": "print(1+2)"},
                {"role": "ipython", "content": "3"},
            ],
            "user assistant tool",
        ),
        ([{"role": "user", "content": ["Hi", "there"]}], "user"),
        ([{"id": 7, "role": "user", "content": "Hi", "created_at": 1700000000}], "user"),
        ([{"id": "x", "role": "user", "content": c} for c in "ab"], "user user"),
        (
            [
                {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
                {"role": "tool", "content": "r"},
            ],
            "assistant tool",
        ),
    ],
)  # fmt: skip
def test_what_an_api_would_take_is_read(chat, roles, tmp_path):
    """Other names of roles, ids that are numbers or stand twice or are missing."""
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(chat))
    [case] = ctxlab.read(path)
    assert " ".join(m.role for m in case.messages) == roles
    assert len({m.id for m in case.messages}) == len(case.messages)


def test_one_block_does_not_mislead():
    """Blocks of another API inside OpenAI's messages: the message's calls say whose it is."""
    thinking = {"type": "thinking", "thinking": "hm", "signature": "x"}
    use = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    chat = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [thinking, use], "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "R"},
    ]
    assert adapter_of(chat).name == "openai"
    piece = adapter_of(chat).read(chat)[1]
    assert len(piece.calls) == 1
    assert [beside.kind for beside in piece.payload] == ["thinking"]


def test_an_unknown_api_offers_the_nearest():
    """A slip of the pen in api= is named, with what was meant."""
    with pytest.raises(UnknownNameError, match="anthropic"):
        ctxlab.compress([], budget=9, api="antropic")
