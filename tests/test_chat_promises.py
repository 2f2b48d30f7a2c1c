"""What compress promises: shares after pins, systems in place, the later result, whole thinking."""

from __future__ import annotations

import asyncio
import json

import pytest
from typer.testing import CliRunner

import ctxlab
from ctxlab.chats.adapters import adapter_of
from ctxlab.chats.conversation import conversation
from ctxlab.chats.images import encoded_size, image_tokens
from ctxlab.cli import app
from ctxlab.core.context import Context
from ctxlab.core.task import Task
from ctxlab.datasets import messages_from_openai, sniff
from ctxlab.errors import DataError, PinnedOverBudgetError, UnknownNameError

USE = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}
THOUGHT = "step " * 500


def user(text):
    return {"role": "user", "content": text}


@pytest.mark.parametrize("strategy", ["KeepLast()", "BM25()", "HeadTail()", "Salience()"])
@pytest.mark.parametrize("share", ["1%", "25%", "90%"])
def test_a_share_of_the_first_turn_gives_the_chat_back(strategy, share):
    """What must stay is pinned before the share is taken of the rest."""
    chat = [user("Where are the pears, and how many crates of them are there?")]
    assert ctxlab.compress(chat, budget=share, strategy=strategy) == chat


@pytest.mark.parametrize(
    "key", ["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "annotations",
            "extra_content", "additional_kwargs"],
)  # fmt: skip
def test_what_stands_beside_the_content_counts(key):
    """It passes no budget in silence, and comes back with its message where there is room."""
    said = {"role": "assistant", "content": "Done.", key: [{"text": THOUGHT}]}
    chat = [user("Plan."), said, user("And now?")]
    assert ctxlab.compress(chat, budget=100) == [chat[0], chat[2]] or \
        ctxlab.compress(chat, budget=100) == [chat[2]]  # fmt: skip
    assert ctxlab.compress(chat, budget=2000) == chat
    assert Task(budget=1).size(Context.of(messages_from_openai(chat))) > 500


def test_extra_content_of_a_call_counts():
    """Gemini's signatures stand there."""
    call = {**USE, "extra_content": {"google": {"thought_signature": THOUGHT}}}
    chat = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    assert Task(budget=1).size(Context.of(messages_from_openai(chat))) > 500


def reminders():
    chat = [{"role": "system", "content": "Be brief."}]
    for at in range(20):
        chat += [user(f"Remark {at}."), {"role": "system", "content": f"Reminder number {at}."}]
    return [*chat, user("Well?")]


@pytest.mark.parametrize(
    ("system", "left"),
    [("latest", ["Be brief.", "Reminder number 19."]), ("compress", ["Be brief."])],
)
def test_old_reminders_may_go(system, left):
    """The prompt that heads the chat stays in any case."""
    found = ctxlab.compress(reminders(), budget=40, system=system, strategy="ShortestFirst()")
    texts = [one["content"] for one in found if one["role"] == "system"]
    assert set(left) <= set(texts)
    assert len(texts) < 20


def test_all_system_messages_stay_in_their_places_by_default():
    """A reminder in the middle of the chat is read where it was said."""
    chat = reminders()
    with pytest.raises(PinnedOverBudgetError):
        ctxlab.compress(chat, budget=40)
    found = ctxlab.compress(chat, budget=260)
    assert [one for one in chat if one in found] == found
    assert sum(one["role"] == "system" for one in found) == 21


def test_of_two_results_the_later_stands_and_the_ledger_says_so():
    """The earlier one is reported, not sent."""
    chat = [
        user("Stock?"),
        {"role": "assistant", "content": None, "tool_calls": [USE]},
        {"role": "tool", "tool_call_id": "c1", "content": "pending"},
        {"role": "tool", "tool_call_id": "c1", "content": "412 crates"},
        user("So?"),
    ]
    found = ctxlab.compress(chat, budget=1000, explain=True)
    assert found.messages == [chat[0], chat[1], chat[3], chat[4]]
    [gone] = [entry for entry in found.ledger if entry.fate.value == "dropped"]
    assert (gone.source, gone.reason) == ("messages[2]", "a later result stands for the same call")
    assert [m.content for m in messages_from_openai(chat) if m.role == "tool"] == [
        "pending", "412 crates",
    ]  # fmt: skip


def test_thinking_goes_whole_where_turns_merge_or_a_sibling_is_edited():
    """The first turn keeps it, unedited; a turn that follows it or was cut loses it."""
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s"}

    def said(text):
        return {"role": "assistant", "content": [thinking, {"type": "text", "text": text}]}

    chat = [user("One"), said("First."), user("A very long aside. " * 40), said("Second."),
            user("Two")]  # fmt: skip
    found = ctxlab.compress(chat, budget=70, strategy="ShortestFirst()")
    kinds = [[b["type"] for b in m["content"]] for m in found if m["role"] == "assistant"]
    assert kinds == [["thinking", "text", "text"]]
    long = [user("One"), said("It is here. " + "And there is more to say of it. " * 40),
            user("Two?")]  # fmt: skip
    found = ctxlab.compress(long, budget=60, strategy="Sentences() >> KeepLast()")
    assert "thinking" not in str(found)


def test_a_last_message_that_is_too_long_is_named_with_what_shortens_it():
    """The remedy in the error works."""
    chat = [user("Hi"), user("One sentence of a long document. " * 90)]
    with pytest.raises(PinnedOverBudgetError, match=r"messages\[1\].*Sentences\(\) >> HeadTail"):
        ctxlab.compress(chat, budget=60)
    assert ctxlab.compress(chat, budget=60, strategy="Sentences() >> HeadTail()")
    results = [
        {"role": "assistant", "content": None, "tool_calls": [USE]},
        {"role": "tool", "tool_call_id": "c1", "content": "a line of a log\n" * 200},
    ]
    with pytest.raises(PinnedOverBudgetError, match=r"messages\[1\].*TruncateToolOutputs"):
        ctxlab.compress(results, budget=90)
    assert ctxlab.compress(results, budget=90, strategy="TruncateToolOutputs(limit=40)")


def test_definitions_and_a_reserve_count_against_the_budget():
    """Given apart or in the body, they leave less room for messages."""
    tools = [{"type": "function", "function": {"name": "f", "description": "word " * 100}}]
    chat = [user(f"Remark number {at} on the market.") for at in range(40)]
    plain = ctxlab.compress(chat, budget=300)
    assert len(ctxlab.compress(chat, budget=300, tools=tools)) < len(plain)
    assert len(ctxlab.compress(chat, budget=300, reserve=100)) < len(plain)
    body = {"model": "m", "messages": chat, "tools": tools, "temperature": 0}
    found = ctxlab.compress(body, budget=300)
    assert len(found["messages"]) < len(plain)
    assert {**found, "messages": chat} == body


def test_the_shell_and_asyncio_give_the_same(tmp_path):
    """JSON in, JSON out; the ledger where it is asked for; stdin as a file."""
    chat = [user(f"Remark number {at} on the market.") for at in range(9)]
    expected = ctxlab.compress(chat, budget=40)
    assert asyncio.run(ctxlab.acompress(chat, budget=40)) == expected
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(chat))
    run = CliRunner().invoke(app, ["compress", str(path), "--budget", "40"])
    assert json.loads(run.stdout) == expected
    run = CliRunner().invoke(
        app, ["compress", "-", "--budget", "40", "--ledger"], input=json.dumps(chat)
    )
    found = json.loads(run.stdout)
    assert found["messages"] == expected
    assert len(found["ledger"]) == 9


def test_a_model_is_found_behind_its_provider():
    """Routers and gateways put names in front."""
    for name in ("openai/gpt-4o", "azure/gpt-4o", "ft:gpt-4o:acme::7"):
        assert ctxlab.TokenCounter(name).encoding == "o200k_base"


@pytest.mark.parametrize(
    ("size", "how", "tokens"),
    [
        ((1024, 1024), ("openai", "gpt-4o"), 765),
        ((1024, 1024), ("openai", "gpt-5"), 630),
        ((1024, 1024), ("openai", "gpt-4o-mini"), 25_501),
        ((1024, 1024), ("openai", "gpt-6-sol"), 1229),
        ((1800, 2400), ("openai", "gpt-5-mini"), 2353),
        ((1280, 720), ("openai", "gpt-6"), 1104),
        ((4000, 3000), ("openai", "gpt-6", "high"), 2942),
        ((4000, 3000), ("openai", "gpt-6", "original"), 14_100),
        ((1000, 1000), ("anthropic",), 1296),
        ((1280, 720), ("anthropic",), 1196),
        ((1932, 1932), ("anthropic", "claude-opus-5"), 4761),
        ((300, 300), ("gemini",), 258),
        ((800, 600), ("gemini",), 516),
    ],
)
def test_images_cost_what_the_formulas_say(size, how, tokens):
    """Values of the providers' pages."""
    assert image_tokens(size, *how) == tokens


def test_an_image_that_is_no_image_has_no_size():
    """Cut off, empty or not base64: unknown, and no error."""
    for data in ("", "AA==", "data:image/png;base64,iVBORw0KGgo=", "/9j/4AAQ", "%%%"):
        assert encoded_size(data) is None


READS = {
    "a system key beside OpenAI's calls": (
        {"system": "Be exact.", "messages": [
            user("Stock?"), {"role": "assistant", "content": "", "tool_calls": [USE]},
            {"role": "tool", "tool_call_id": "c1", "content": "4"}]},
        "openai", ["system", "user", "assistant", "tool"]),
    "a call without an id": (
        [user("Hi"), {"role": "assistant", "content": "", "tool_calls": [
            {"function": {"name": "f", "arguments": {"a": 1}}}]},
         {"role": "tool", "content": "r", "tool_name": "f"}],
        "openai", ["user", "assistant", "tool"]),
    "thinking blocks in an OpenAI chat": (
        [user("Hi"), {"role": "assistant", "tool_calls": [USE], "content": [
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "text", "text": "a"}]},
         {"role": "tool", "tool_call_id": "c1", "content": "R"}],
        "openai", ["user", "assistant", "tool"]),
    "numbers for ids and times": (
        [{"id": 1, "created_at": 1_900_000_000, **user("Hi")}, {"id": 1, **user("Again")}],
        "openai", ["user", "user"]),
    "other names of roles": (
        [{"role": "human", "content": "Hi"}, {"role": "model", "content": "Hello"},
         {"role": "ipython", "content": "3"}],
        "openai", ["user", "assistant", "tool"]),
    "a custom call": (
        [{"role": "assistant", "content": None, "tool_calls": [
            {"id": "d", "type": "custom", "custom": {"name": "g", "input": "x"}}]},
         {"role": "tool", "tool_call_id": "d", "content": "R"}],
        "openai", ["assistant", "tool"]),
    "an assistant that says nothing": (
        [user("Hi"), {"role": "assistant"}, user("Well?")], "openai",
        ["user", "assistant", "user"]),
    "an MCP call and its result in one turn": (
        {"system": "s", "messages": [user("q"), {"role": "assistant", "content": [
            {"type": "mcp_tool_use", "id": "m", "name": "f", "server_name": "s", "input": {}},
            {"type": "mcp_tool_result", "tool_use_id": "m", "content": [
                {"type": "text", "text": "412 crates"}]},
            {"type": "text", "text": "412"}]}]},
        "anthropic", ["system", "user", "assistant"]),
    "a document of text": (
        [{"role": "user", "content": [{"type": "document", "source": {
            "type": "text", "media_type": "text/plain", "data": "The harvest. " * 99}}]}],
        "anthropic", ["user"]),
    "Responses items that begin with a tool": (
        [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
         {"type": "function_call_output", "call_id": "c", "output": "R"},
         {"role": "user", "content": "Hi"}],
        "responses", ["assistant", "tool", "user"]),
    "a UI message of version 4": (
        [{"id": "1", "role": "assistant", "content": "Noon.", "toolInvocations": [
            {"state": "result", "toolCallId": "t", "toolName": "clock", "args": {},
             "result": "12:00"}]}],
        "ai-sdk-ui", ["assistant", "tool"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", READS)
def test_odd_but_real_chats_are_read_whole(kind):
    """In the right format, with every message; ids are made where they are missing or twice."""
    raw, name, roles = READS[kind]
    assert sniff(raw).name == adapter_of(raw).name == name
    messages = conversation(adapter_of(raw).read(raw))
    assert [message.role for message in messages] == roles
    assert len({message.id for message in messages}) == len(messages)
    [case] = sniff(raw).read(raw, "x")
    assert case.messages == messages
    for word in ("412 crates", "The harvest.", "hm", "Be exact."):
        if word in json.dumps(raw):
            assert word in str(messages)


def test_an_unknown_api_offers_the_nearest():
    """And a body that holds no messages names the field."""
    with pytest.raises(UnknownNameError, match="did you mean 'anthropic'"):
        ctxlab.compress([user("Hi")], budget=9, api="antropic")
    with pytest.raises(DataError, match="messages"):
        ctxlab.compress({"model": "m"}, budget=9)
