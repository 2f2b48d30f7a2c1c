"""Exports, data sets, frameworks' logs and traces: what each of them holds, and nothing twice."""

from __future__ import annotations

import json
import os

import pytest

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.datasets import load, read
from ctxlab.datasets.errata import Erratum, corrected
from ctxlab.errors import DataError


def cases(raw, tmp_path, name=None):
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(raw) + "\n")
    return list(read(path, name))


def document(raw, tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(raw))
    return list(read(path))


def said(case):
    return [(message.role, message.content) for message in case.messages]


def node(parent, role, *parts, kind="text", **fields):
    content = {"content_type": kind, "parts": list(parts)}
    return {"parent": parent, "message": {"author": {"role": role}, "content": content, **fields}}


def test_chatgpt_shows_the_active_branch(tmp_path):
    """Without a current node it is the newest leaf; a circle ends where it began."""
    tree = {
        "a": {"parent": None, "message": None},
        "b": node("a", "user", "How many pears?"),
        "c": node("b", "assistant", "Three."),
        "d": node("b", "assistant", "Four."),
    }
    export = {"conversation_id": "x", "mapping": tree, "current_node": "c"}
    [case] = document([export], tmp_path)
    assert (case.id, said(case)[-1]) == ("x", ("assistant", "Three."))
    del export["current_node"]
    assert said(document([export], tmp_path)[0])[-1] == ("assistant", "Four.")
    export |= {"current_node": "c"}
    tree["a"]["parent"] = "c"
    assert len(said(document([export], tmp_path)[0])) == 2


def test_chatgpt_calls_and_hidden_messages_are_told_apart(tmp_path):
    """A call has a recipient, its result is the next of a tool; what was hidden was sent, too."""
    tree = {
        "a": node(None, "system", "", metadata={"is_visually_hidden_from_conversation": True}),
        "b": node("a", "user", kind="user_editable_context"),
        "c": node("b", "user", "Draw it.", {"content_type": "image_asset_pointer"}),
        "d": node("c", "assistant", kind="code", recipient="python"),
        "e": node("d", "tool"),
        "f": node("e", "assistant", kind="thoughts"),
        "g": node("f", "assistant", "Done."),
    }
    tree["b"]["message"]["content"] = {"content_type": "user_editable_context",
                                       "user_profile": "A grocer."}  # fmt: skip
    tree["d"]["message"]["content"] = {"content_type": "code", "text": "plot()"}
    tree["e"]["message"]["content"] = {"content_type": "execution_output", "text": "ok"}
    tree["f"]["message"]["content"]["thoughts"] = [{"content": "A bar chart."}]
    [case] = document([{"mapping": tree, "current_node": "g"}], tmp_path)
    assert said(case) == [
        ("user", "A grocer."),
        ("user", "Draw it.\n[image_asset_pointer]"),
        ("assistant", ""),
        ("tool", "ok"),
        ("assistant", "A bar chart."),
        ("assistant", "Done."),
    ]
    assert case.messages[2].tool_calls[0].name == "python"
    kinds = [message.about.kind if message.about else "" for message in case.messages]
    assert kinds == ["injected", "", "", "", "thinking", ""]


def test_claude_ai_follows_the_last_branch_and_reads_attachments(tmp_path):
    """An edited question makes a branch; texts of attachments were part of the prompt."""
    root = "00000000-0000-4000-8000-000000000000"

    def turn(key, parent, sender, text, **fields):
        return {"uuid": key, "parent_message_uuid": parent, "sender": sender, "text": text,
                **fields}  # fmt: skip

    use = {"type": "tool_use", "id": "t", "name": "search", "input": {"q": "figs"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"text": "9", "type": "text"}]}
    turns = [
        turn("1", root, "human", "Pears?"),
        turn("2", "1", "assistant", "Three."),
        turn("3", root, "human", "Figs?", attachments=[{"extracted_content": "stock: 9"}]),
        turn("4", "3", "assistant", "", content=[use, result, {"type": "text", "text": "Nine."}]),
    ]
    [case] = document([{"uuid": "u", "chat_messages": turns}], tmp_path)
    assert said(case) == [
        ("user", "stock: 9\nFigs?"), ("assistant", ""), ("tool", "9"), ("assistant", "Nine."),
    ]  # fmt: skip


SHARED = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]


@pytest.mark.parametrize("key", ["conversations", "conversation", "items", "messages"])
def test_sharegpt_goes_by_many_keys(key, tmp_path):
    """And its senders by many names, in any case."""
    [case] = cases({key: [{"from": "Human", "value": "Hi"}, SHARED[1]]}, tmp_path)
    assert said(case) == [("user", "Hi"), ("assistant", "Hello")]


def test_sharegpt_keeps_its_prompt_and_its_tools(tmp_path):
    """Beside the turns; a turn of the system is there instead of the prompt."""
    raw = {"system": "Be brief.", "tools": '[{"name": "clock"}]', "conversations": SHARED}
    [case] = cases(raw, tmp_path)
    assert said(case)[:2] == [("system", "Be brief."), ("system", '[{"name": "clock"}]')]
    assert case.messages[1].about.kind == "tools"
    own = [{"from": "system", "value": "Be exact."}, *SHARED]
    [case] = cases({**raw, "conversations": own, "tools": "[]"}, tmp_path)
    assert said(case)[0] == ("system", "Be exact.")
    assert len(case.messages) == 3


def test_sharegpt_calls_are_answered_in_their_order(tmp_path):
    """A turn may hold several calls, and a call several results."""
    turns = [
        {"from": "human", "value": "Hi"},
        {"from": "function_call", "value": '[{"name": "a"}, {"name": "b"}]'},
        {"from": "observation", "value": "A"},
        {"from": "tool_response", "value": "B"},
        {"from": "tool_response", "value": "more of B"},
        {"from": "gpt", "value": None},
    ]
    [case] = cases({"conversations": turns}, tmp_path)
    calls = {call.id: call.name for message in case.messages for call in message.tool_calls}
    assert [calls[m.tool_call_id] for m in case.messages if m.role == "tool"] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("raw", "ids", "found"),
    [
        ({"prompt": "Hi", "chosen": "A", "rejected": "B"}, ["one-1/chosen", "one-1/rejected"],
         [["Hi", "A"], ["Hi", "B"]]),
        ({"question": "Hi", "system": "S", "chosen": "A", "rejected": "B"}, None,
         [["S", "Hi", "A"], ["S", "Hi", "B"]]),
        ({"conversations": SHARED[:1], "chosen": SHARED[1], "rejected": SHARED[1]}, None,
         [["Hi", "Hello"]] * 2),
        ({"input": {"messages": [{"role": "user", "content": "Hi"}], "tools": [{"name": "f"}]},
          "preferred_output": [{"role": "assistant", "content": "A"}],
          "non_preferred_output": [{"role": "assistant", "content": "B"}]}, None,
         [['[{"name": "f"}]', "Hi", "A"], ['[{"name": "f"}]', "Hi", "B"]]),
        ({"question_id": "q", "conversation_a": [{"role": "user", "content": "Hi"}],
          "conversation_b": [{"role": "user", "content": "Hi"}]},
         ["q/conversation_a", "q/conversation_b"], [["Hi"], ["Hi"]]),
    ],
    ids=["texts", "a prompt of its own", "turns", "requests", "arena"],
)  # fmt: skip
def test_both_answers_of_a_preference_are_conversations(raw, ids, found, tmp_path):
    """Of one cluster, with all that was sent."""
    pair = cases(raw, tmp_path)
    assert [[message.content for message in case.messages] for case in pair] == found
    assert len({case.cluster for case in pair}) == 1
    assert ids is None or [case.id for case in pair] == ids


USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    "raw",
    [
        {"conversation_hash": "h", "conversation": [USER, ANSWER], "turn": 1},
        {"conversation_id": "c", "model": "m", "conversation": [USER, ANSWER]},
        {"data": {"messages": [USER, ANSWER]}},
        {"messages": json.dumps([USER, ANSWER])},
        {"request": {"messages": [USER]}, "response": {"choices": [{"message": ANSWER}]}},
        {"custom_id": "r", "body": {"messages": [USER]},
         "response": {"body": {"choices": [{"message": ANSWER}]}}},
        {"inputs": {"messages": [USER]}, "outputs": {"messages": [ANSWER]}},
        {"id": "t", "observations": [
            {"type": "GENERATION", "input": [USER], "output": {**ANSWER, "content": "Hm"}},
            {"type": "SPAN", "input": "x"},
            {"type": "GENERATION", "input": {"messages": [USER]}, "output": ANSWER}]},
        {"id": "r", "run_type": "llm", "inputs": {"messages": [[
            {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"],
             "kwargs": {"content": "Hi"}}]]},
         "outputs": {"generations": [[{"text": "Hello", "message": {
             "kwargs": {"content": "Hello", "type": "ai"}}}]]}},
        {"instruction": "Hi", "input": "", "output": "Hello"},
        {"message_tree_id": "t", "prompt": {"text": "Hi", "role": "prompter", "replies": [
            {"text": "No", "role": "assistant", "rank": 1},
            {"text": "Hello", "role": "assistant", "rank": 0}]}},
    ],
    ids=["wildchat", "lmsys", "wrapped", "as text", "request", "batch", "examples", "langfuse",
         "langsmith", "alpaca", "oasst"],
)  # fmt: skip
def test_a_conversation_is_found_where_it_stands(raw, tmp_path):
    """With the answer that is logged beside a request, and the history once."""
    [case] = cases(raw, tmp_path)
    assert said(case) == [("user", "Hi"), ("assistant", "Hello")]


def test_oasst_rows_make_trees(tmp_path):
    """Flat files have a row each message."""
    rows = [
        {"message_id": "a", "parent_id": None, "text": "Hi", "role": "prompter"},
        {"message_id": "b", "parent_id": "a", "text": "Hello", "role": "assistant", "rank": 0},
        {"message_id": "c", "parent_id": "a", "text": "Yo", "role": "assistant", "rank": 1},
        {"message_id": "d", "parent_id": None, "text": "Well?", "role": "prompter"},
    ]
    path = tmp_path / "trees.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [said(case) for case in read(path)] == [
        [("user", "Hi"), ("assistant", "Hello")], [("user", "Well?")],
    ]  # fmt: skip


def test_alpaca_history_comes_first(tmp_path):
    """Pairs of a question and its answer."""
    raw = {"instruction": "Add", "input": "1 2", "output": "3", "history": [["Hi", "Hello"]]}
    [case] = cases(raw, tmp_path)
    assert [text for _, text in said(case)] == ["Hi", "Hello", "Add\n1 2", "3"]


def otel(**attributes):
    held = [{"key": key.replace("__", "."), "value": {"stringValue": value}}
            for key, value in attributes.items()]  # fmt: skip
    return {"traceId": "t", "attributes": held}


def test_spans_of_one_trace_are_one_conversation(tmp_path):
    """Each repeats the history: the longest is the whole of it."""
    first = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    call = {"type": "tool_call", "id": "c", "name": "clock", "arguments": {}}
    result = {"type": "tool_call_response", "id": "c", "response": "noon"}
    later = [*first, {"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [result]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Noon."}]}]
    spans = [
        otel(gen_ai__input__messages=json.dumps(first)),
        otel(gen_ai__input__messages=json.dumps(later), gen_ai__output__messages=json.dumps(answer),
             gen_ai__system_instructions='[{"type": "text", "content": "Be brief."}]'),
    ]  # fmt: skip
    [case] = document({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}, tmp_path)
    assert said(case) == [
        ("system", "Be brief."), ("user", "Hi"), ("assistant", ""), ("tool", "noon"),
        ("assistant", "Noon."),
    ]  # fmt: skip


def test_flat_attributes_of_a_span_are_a_conversation(tmp_path):
    """As older instrumentations write them."""
    held = {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "Hello",
    }
    [case] = document({"attributes": held}, tmp_path)
    assert said(case) == [("user", "Hi"), ("assistant", "Hello")]


def test_spans_without_a_prompt_say_so(tmp_path):
    """Content is recorded only where it is asked for."""
    spans = [otel(gen_ai__request__model="m")]
    with pytest.raises(DataError, match="opt-in"):
        document({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}, tmp_path)


def test_letta_messages_are_of_many_kinds(tmp_path):
    """Reasoning, calls, returns, summaries; a user's text may be wrapped with its time."""
    [case] = document([
        {"message_type": "user_message", "content": '{"type": "user_message", "message": "Hi"}'},
        {"message_type": "reasoning_message", "reasoning": "Greet."},
        {"message_type": "tool_call_message",
         "tool_call": {"name": "clock", "arguments": "{}", "tool_call_id": "c"}},
        {"message_type": "tool_return_message", "tool_call_id": "c", "tool_return": "noon"},
        {"message_type": "summary_message", "summary": "They said hello."},
        {"message_type": "assistant_message", "content": "Noon."},
    ], tmp_path)  # fmt: skip
    assert case.messages[0].content == "Hi"
    assert [m.about.kind for m in case.messages if m.about] == ["thinking", "summary"]
    assert case.messages[4].about.compaction is not None


def test_continue_sends_its_context_along(tmp_path):
    """Results stand with a call's state or in messages of their own, and count once."""
    call = {"id": "c", "function": {"name": "read", "arguments": "{}"}}
    state = {"toolCallId": "c", "output": [{"content": "def a()"}]}
    history = [
        {"message": {"role": "user", "content": "Hi"}, "contextItems": [{"content": "a.py"}]},
        {"message": {"role": "assistant", "content": "", "toolCalls": [call]},
         "toolCallStates": [state]},
        {"message": {"role": "tool", "content": "def a()", "toolCallId": "c"}},
        {"message": {"role": "assistant", "content": "OK"}, "conversationSummary": "One file."},
    ]  # fmt: skip
    [case] = document({"sessionId": "s", "history": history}, tmp_path)
    assert said(case) == [
        ("user", "a.py"), ("user", "Hi"), ("assistant", ""), ("tool", "def a()"),
        ("assistant", "OK"), ("user", "One file."),
    ]  # fmt: skip
    assert case.messages[-1].about.kind == "summary"


def test_a_trajectory_is_read_once(tmp_path):
    """Its history, not the steps that repeat it; a result names a list of calls."""
    call = {"id": "c", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    history = [
        {"role": "system", "content": "Be exact.", "agent": "main"},
        {"role": "assistant", "content": "Look.", "tool_calls": [call], "thought": "Look."},
        {"role": "tool", "content": "a.py", "tool_call_ids": ["c"]},
    ]
    raw = {"trajectory": [{"response": "Look.", "observation": "a.py"}], "history": history,
           "info": {}}  # fmt: skip
    [case] = document(raw, tmp_path)
    assert len(case.messages) == 3
    mini = {"trajectory_format": "mini-swe-agent-1", "instance_id": "i", "messages": history[:2]}
    assert document(mini, tmp_path)[0].id == "i"


def test_aider_histories_hold_many_chats(tmp_path):
    """A user's lines are headings, the tool's are quoted, and the rest the model's."""
    path = tmp_path / ".aider.chat.history.md"
    path.write_text(
        "# aider chat started at 2031-01-01 10:00:00\n\n> Aider v1\n\n#### Mend it\n#### now\n\n"
        "Done.\n\n```python\nx = 1\n```\n\n# aider chat started at 2031-01-02 10:00:00\n\n#### Hi\n"
    )
    first, second = read(path)
    assert said(first) == [
        ("user", "Aider v1"),
        ("user", "Mend it\nnow"),
        ("assistant", "Done.\n\n```python\nx = 1\n```"),
    ]
    assert first.messages[0].about.kind == "injected"
    assert said(second) == [("user", "Hi")]
    log = tmp_path / "llm.log"
    log.write_text("TO LLM 2031-01-01T10:00:00\nUSER Mend it\nLLM RESPONSE 2031-01-01T10:00:01\nOK")
    assert said(next(read(log))) == [("user", "Mend it"), ("assistant", "OK")]


def test_tau2_shows_what_the_agent_was_shown(tmp_path):
    """The user's own calls and results are left out; a truncation is a compaction."""
    messages = [
        {"role": "user", "content": "Cancel W42."},
        {"role": "assistant", "tool_calls": [
            {"id": "c", "name": "cancel_order", "arguments": {"order": "W42"},
             "requestor": "assistant"}]},
        {"role": "tool", "tool_messages": [
            {"role": "tool", "id": "c", "content": "ok", "requestor": "assistant"},
            {"role": "tool", "id": "u", "content": "rebooted", "requestor": "user"}]},
        {"role": "assistant", "content": "Done.",
         "context_truncation": {"tokens_before": 900, "tokens_after": 300}},
    ]  # fmt: skip
    run = {"task_id": "7", "trial": 1, "messages": messages}
    [case] = document({"tasks": [], "simulations": [run]}, tmp_path)
    assert (case.id, case.cluster) == ("t7_r1", "t7")
    assert "rebooted" not in [text for _, text in said(case)]
    assert [probe.answer for probe in case.probes] == ["W42"]
    assert case.messages[-1].about.compaction.tokens_after == 300


def test_captions_of_photos_belong_to_their_turn(tmp_path):
    """Questions ask about what a photo shows."""
    turn = {"speaker": "Ada", "dia_id": "D1:1", "text": "Look!", "blip_caption": "a red kite"}
    talk = {"speaker_a": "Ada", "session_1": [turn]}
    qa = [{"question": "What flew?", "answer": "a kite", "evidence": ["D1:1"], "category": 4}]
    [case] = document([{"sample_id": "c", "conversation": talk, "qa": qa}], tmp_path)
    assert case.messages[0].content == "Look!\n[shares a red kite]"


@pytest.mark.skipif(not os.environ.get("CTXLAB_DATA_DIR"), reason="needs the mirror")
def test_errata_are_a_dataset_of_their_own():
    """The published gold stays; the corrected is read under the name with +errata."""
    published, fixed = load("locomo:dev"), load("locomo:dev+errata")
    assert {case.dataset for case in fixed} == {"locomo+errata"}
    changed = [
        (one.question, one.evidence, other.evidence)
        for case, same in zip(published, fixed, strict=True)
        for one, other in zip(case.probes, same.probes, strict=True)
        if one != other
    ]
    assert changed == [("When did Maria meet Jean?", ("D7:1",), ("D7:5",))]


def test_an_erratum_leaves_gold_alone_that_is_not_as_published():
    """Somebody else may have corrected it; a question that nothing answers is not asked."""
    message = Message("m1", "user", "I ran 5 km.")
    probes = (
        Probe("a", "How far?", "6 km"),
        Probe("b", "How far?", "5 km"),
        Probe("c", "Who?", "x"),
    )
    facts = {"dataset": "d", "case": "c", "source": "a report"}
    known = [
        Erratum(question="How far?", published="6 km", answer="5 km", **facts),
        Erratum(question="Who?", published="x", withdrawn=True, **facts),
    ]
    [case] = corrected([Case("c", "d", (message,), probes)], known)
    assert [(probe.id, probe.answer) for probe in case.probes] == [("a", "5 km"), ("b", "5 km")]


def longmemeval(question, sessions, names):
    return {"question_id": question, "question": "How far?", "answer": "5 km",
            "haystack_session_ids": names, "haystack_sessions": sessions}  # fmt: skip


def test_a_session_that_stands_twice_is_two(tmp_path):
    """Of copies the first is the evidence; another text under one name is evidence of its own."""
    ran = [{"role": "user", "content": "I ran 5 km.", "has_answer": True}]
    swam = [{"role": "user", "content": "I swam.", "has_answer": True}]
    [case] = document([longmemeval("q", [ran, ran, swam], ["s", "s", "s"])], tmp_path)
    assert [m.id for m in case.messages] == ["s/0", "s~2/0", "s~3/0"]
    assert case.probes[0].evidence == ("s/0", "s~3/0")


def test_an_abstention_has_neither_evidence_nor_answer(tmp_path):
    """What was never said is not found in what was."""
    ran = [{"role": "user", "content": "I swam 5 km.", "has_answer": True}]
    [case] = document([longmemeval("q_abs", [ran], ["s"])], tmp_path)
    [probe] = case.probes
    assert (probe.answer, probe.evidence, probe.category) == ("", (), "abstention")
