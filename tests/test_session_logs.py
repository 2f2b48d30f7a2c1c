"""Session logs of agents: what the model was shown, once, and where it was compacted."""

from __future__ import annotations

import json

import pytest

from ctxlab.chats.spending import file_of, spent_by, windows_of
from ctxlab.core.segments import Compaction, ToolCall
from ctxlab.core.tokens import TokenCounter
from ctxlab.datasets import case_to_dict, read, read_all
from ctxlab.errors import DataError
from ctxlab.store import Store


class Claude:
    """Writes the lines of a session as Claude Code does."""

    def __init__(self):
        self.lines = []
        self.last = None

    def add(self, kind, content, *, message=None, parent="last", **fields):
        uuid = f"u{len(self.lines)}"
        body = {"role": kind, "content": content}
        if message:
            body |= {"id": message, "model": "a-model", "usage": {"output_tokens": 1}}
        above = self.last if parent == "last" else parent
        line = {"type": kind, "uuid": uuid, "parentUuid": above, "sessionId": "s1", "message": body}
        self.lines.append({"isSidechain": False, **line, **fields})
        self.last = uuid
        return uuid

    def calls(self, message, *names):
        """One response that calls tools at the same time, and their results as siblings."""
        made = [
            self.add("assistant", [tool_use(name, {"file_path": f"{name}.py"})], message=message)
            for name in names
        ]
        for name, above in zip(names, made, strict=True):
            self.add("user", [tool_result(name)], parent=above, toolUseResult={"stdout": "x" * 99})

    def compact(self, **facts):
        uuid = f"b{len(self.lines)}"
        boundary = {"type": "system", "subtype": "compact_boundary", "uuid": uuid}
        places = {"parentUuid": None, "logicalParentUuid": self.last, "sessionId": "s1"}
        self.lines.append({**boundary, **places, "compactMetadata": facts})
        self.last = uuid
        self.add("user", "So far: the parser is mended.", isCompactSummary=True)


def tool_use(name, arguments):
    return {"type": "tool_use", "id": f"t_{name}", "name": name, "input": arguments}


def tool_result(name):
    return {"type": "tool_result", "tool_use_id": f"t_{name}", "content": f"text of {name}"}


def written(tmp_path, lines, name="session.jsonl"):
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def said(case):
    return [(message.role, message.content) for message in case.messages]


def test_blocks_of_one_response_are_one_message(tmp_path):
    """They share the message's id; parallel calls hang on lines of their own, with results."""
    log = Claude()
    log.add("user", "Look at both.")
    log.add("assistant", [{"type": "text", "text": "Reading."}], message="m1")
    log.calls("m1", "a", "b")
    log.add("assistant", [{"type": "text", "text": "Done."}], message="m2")
    [case] = read(written(tmp_path, log.lines))
    assert said(case) == [
        ("user", "Look at both."),
        ("assistant", "Reading."),
        ("tool", "text of a"),
        ("tool", "text of b"),
        ("assistant", "Done."),
    ]
    assert [call.name for call in case.messages[1].tool_calls] == ["a", "b"]


def test_a_title_is_no_compaction(tmp_path):
    """Lines of type summary name sessions in a list, often those of other files."""
    log = Claude()
    log.lines.append({"type": "summary", "summary": "Mending a parser", "leafUuid": "elsewhere"})
    log.add("user", "Mend it.")
    [case] = read(written(tmp_path, log.lines))
    assert said(case) == [("user", "Mend it.")]
    assert case.messages[0].about is None


def test_a_compaction_keeps_its_summary_its_figures_and_what_stayed(tmp_path):
    """Messages that were preserved stand before the boundary and are named in it."""
    log = Claude()
    log.add("user", "Mend it.")
    log.calls("m1", "a")
    kept = log.add("assistant", [{"type": "text", "text": "Mended."}], message="m2")
    log.compact(trigger="auto", preTokens=155_000, preservedMessages={"uuids": [kept]})
    log.add("user", "Go on.")
    [case] = read(written(tmp_path, log.lines))
    summary = case.messages[-2]
    assert (summary.role, summary.about.kind) == ("user", "summary")
    assert summary.about.compaction == Compaction("auto", 155_000, None, (case.messages[3].id,))
    assert case.messages[3].content == "Mended."
    assert [m.about for m in case.messages if m is not summary] == [None] * 5


def test_a_segment_that_was_preserved_is_known_by_its_ends(tmp_path):
    """Newer logs name the first and the last of the messages."""
    log = Claude()
    log.add("user", "Mend it.")
    log.calls("m1", "a")
    ends = {"headUuid": "u1", "anchorUuid": "b3", "tailUuid": "u2"}
    log.compact(trigger="manual", preTokens=9, postTokens=5, preservedSegment=ends)
    [case] = read(written(tmp_path, log.lines))
    found = case.messages[-1].about.compaction
    assert (found.trigger, found.tokens_before, found.tokens_after) == ("manual", 9, 5)
    assert found.kept == tuple(m.id for m in case.messages[1:3])


def test_a_branch_that_leads_past_a_boundary_does_not_lose_the_summary(tmp_path):
    """After a compaction the next message may hang on one that was preserved."""
    log = Claude()
    log.add("user", "Mend it.")
    kept = log.add("assistant", [{"type": "text", "text": "Mended."}], message="m1")
    log.compact(trigger="auto", preservedMessages={"uuids": [kept]})
    log.add("user", "Go on.", parent=kept)
    [case] = read(written(tmp_path, log.lines))
    assert [text for _, text in said(case)] == [
        "Mend it.", "Mended.", "So far: the parser is mended.", "Go on.",
    ]  # fmt: skip


def test_a_summary_without_a_boundary_is_a_compaction(tmp_path):
    """Logs of 2025 have the flag alone, and the chain begins anew."""
    log = Claude()
    log.add("user", "Mend it.")
    log.add("user", "So far: …", parent=None, isCompactSummary=True)
    log.add("user", "Go on.")
    [case] = read(written(tmp_path, log.lines))
    assert [text for _, text in said(case)] == ["Mend it.", "So far: …", "Go on."]
    assert case.messages[1].about.compaction == Compaction()


def test_lines_that_a_second_compaction_writes_again_count_once(tmp_path):
    """They have the ids that they had."""
    log = Claude()
    log.add("user", "Mend it.")
    log.lines.append(log.lines[0])
    [case] = read(written(tmp_path, log.lines))
    assert len(case.messages) == 1


def test_the_later_of_two_branches_is_read(tmp_path):
    """A question that was put again replaces the first, with all that followed from it."""
    log = Claude()
    first = log.add("user", "Hello")
    log.add("user", "Which file?", parent=first)
    log.add("assistant", [{"type": "text", "text": "a.py"}], message="m1")
    log.add("user", "Which files?", parent=first)
    [case] = read(written(tmp_path, log.lines))
    assert [text for _, text in said(case)] == ["Hello", "Which files?"]


def test_what_the_harness_says_is_told_from_a_person(tmp_path):
    """Commands, their output and attachments are injected; errors of the API are no replies."""
    log = Claude()
    log.add("user", "<command-name>/init</command-name>")
    log.add("user", "Caveat: …", isMeta=True)
    log.add("user", "Mend it.")
    log.add("assistant", "API Error: 529", isApiErrorMessage=True)
    log.lines.append(
        {"type": "attachment", "uuid": "x", "parentUuid": log.last, "attachment": {"todo": 1}}
    )
    log.last = "x"
    log.add("user", "Well?")
    [case] = read(written(tmp_path, log.lines))
    kinds = [message.about.kind if message.about else "" for message in case.messages]
    assert kinds == ["injected", "injected", "", "injected", ""]
    assert "todo" in case.messages[3].content


def test_a_side_chain_is_a_case_of_its_own(tmp_path):
    """It is of the cluster of its session, in one file or in a file beside it."""
    log = Claude()
    log.add("user", "Mend it.")
    side = {"isSidechain": True, "agentId": "a7"}
    log.add("user", "Find the loop.", parent=None, **side)
    log.add("assistant", [{"type": "text", "text": "Line 7."}], message="m9", **side)
    main, beside = read(written(tmp_path, log.lines))
    assert (main.id, beside.id) == ("session", "session/a7")
    assert said(main) == [("user", "Mend it.")]
    assert said(beside)[1] == ("assistant", "Line 7.")
    assert main.cluster == beside.cluster == "s1"
    alone = written(tmp_path, log.lines[1:], "agent-a7.jsonl")
    assert [case.id for case in read(alone)] == ["agent-a7"]


def test_a_result_whose_call_is_elsewhere_is_kept_as_text(tmp_path):
    """A session may go on in another file than that of the call."""
    log = Claude()
    log.add("user", [tool_result("a")])
    [case] = read(written(tmp_path, log.lines))
    assert said(case) == [("user", "text of a")]
    assert case.messages[0].about.kind == "injected"


def test_a_fault_in_a_log_is_named_by_its_line(tmp_path):
    """Line and field are those of the file, though all lines are one record."""
    log = Claude()
    log.add("user", "Mend it.")
    log.add("assistant", [{"type": "tool_use", "id": "t"}], message="m1")
    with pytest.raises(DataError) as caught:
        list(read(written(tmp_path, log.lines)))
    assert (caught.value.line, caught.value.field) == (2, "message.content[0].name")


def test_a_line_that_is_torn_costs_that_line(tmp_path):
    """A log that is being written ends in half a line."""
    log = Claude()
    log.add("user", "Mend it.")
    path = written(tmp_path, log.lines)
    path.write_text(path.read_text() + '{"type": "us')
    with pytest.raises(DataError, match="not complete JSON"):
        list(read(path))
    skipped = []
    [case] = read(path, skip_bad=True, on_skip=skipped.append)
    assert said(case) == [("user", "Mend it.")]
    assert [error.line for error in skipped] == [2]


def codex(*payloads):
    kinds = {"session_meta", "compacted", "turn_context"}
    return [
        {
            "timestamp": "2031-01-01T00:00:00Z",
            "type": payload.pop("record", None)
            or (payload["type"] if payload.get("type") in kinds else "response_item"),
            "payload": payload,
        }
        for payload in payloads
    ]


def message(role, text):
    part = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": part, "text": text}]}


def event(kind, **fields):
    return {"record": "event_msg", "type": kind, **fields}


def meta(**fields):
    return {"record": "session_meta", "id": "thread", **fields}


def test_events_that_mirror_messages_are_left_out(tmp_path):
    """A model is shown the response items; the system's instructions stand in the head."""
    lines = codex(
        meta(base_instructions={"text": "You write code."}),
        message("user", "<environment_context>\n<cwd>/w</cwd>"),
        event("user_message", message="Mend it."),
        message("user", "Mend it."),
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "a.py"},
        {"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin", "call_id": "c2"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        event("agent_message", message="Done."),
        message("assistant", "Done."),
    )
    [case] = read(written(tmp_path, lines))
    assert said(case) == [
        ("system", "You write code."),
        ("user", "<environment_context>\n<cwd>/w</cwd>"),
        ("user", "Mend it."),
        ("assistant", ""),
        ("tool", "a.py"),
        ("assistant", ""),
        ("tool", "ok"),
        ("assistant", "Done."),
    ]
    assert case.messages[1].about.kind == "injected"
    assert case.messages[5].tool_calls[0].arguments == "*** Begin"


def test_events_are_read_where_there_is_nothing_else(tmp_path):
    """Some versions wrote no messages among the items."""
    lines = codex(meta(), event("user_message", message="Hi"), event("agent_message", message="Yo"))
    [case] = read(written(tmp_path, lines))
    assert said(case) == [("user", "Hi"), ("assistant", "Yo")]


def test_rollouts_of_early_2025_are_bare(tmp_path):
    """Their first line has the instructions, and items stand without a payload."""
    head = {"id": "x", "timestamp": "t", "instructions": "Be brief.", "git": {}}
    lines = [head, {"record_type": "state"}, message("user", "Hi")]
    [case] = read(written(tmp_path, lines))
    assert said(case) == [("system", "Be brief."), ("user", "Hi")]


def usage(total, asked):
    last = {"input_tokens": asked, "total_tokens": total}
    return event("token_count", info={"last_token_usage": last})


def test_what_a_compaction_repeats_is_no_new_turn(tmp_path):
    """The replacement names what stays; the figures are the usage around it."""
    lines = codex(
        meta(),
        message("user", "Mend it."),
        message("assistant", "Mended."),
        usage(20_500, 20_000),
        {"record": "compacted", "message": "", "replacement_history": [
            {"role": "user", "content": "Mend it."},
            {"type": "compaction", "encrypted_content": "gAAAA"},
        ]},
        event("context_compacted"),
        usage(4_777, 0),
        message("user", "Go on."),
    )  # fmt: skip
    [case] = read(written(tmp_path, lines))
    assert [text for _, text in said(case)][:2] == ["Mend it.", "Mended."]
    assert len(case.messages) == 4
    told = case.messages[2].about
    assert told.kind == "summary"
    assert told.compaction == Compaction("", 20_500, 4_777, (case.messages[0].id,))


@pytest.mark.parametrize(
    ("payload", "summary"),
    [
        ({"message": "So far: …", "replacement_history": []}, "So far: …"),
        ({"summary": "So far: …"}, "So far: …"),
        ({"message": "So far: …", "trigger": "auto", "tokens_before": 9,
          "replacement_history": [message("user", "Sum: So far: …")]}, "Sum: So far: …"),
        ({}, None),
    ],
    ids=["local", "older", "with figures", "empty"],
)  # fmt: skip
def test_compactions_of_other_shapes_are_kept(payload, summary, tmp_path):
    """A summary is a message of its kind; without one the next message comes after it."""
    lines = codex(
        message("user", "Mend it."), {"record": "compacted", **payload}, message("user", "Go on.")
    )
    [case] = read(written(tmp_path, lines))
    after = case.messages[1]
    assert after.about.compaction is not None
    assert (after.content, after.about.kind) == (
        (summary, "summary") if summary else ("Go on.", "")
    )


def test_turns_that_were_rolled_back_are_gone(tmp_path):
    """With all that followed from them."""
    lines = codex(
        message("user", "One"), message("assistant", "1"), message("user", "Two"),
        message("assistant", "2"), event("thread_rolled_back", num_turns=1),
        message("user", "Three"),
    )  # fmt: skip
    [case] = read(written(tmp_path, lines))
    assert [text for _, text in said(case)] == ["One", "1", "Three"]


def test_what_a_fork_replays_is_marked(tmp_path):
    """The parent's records come before the fork's own task; both are of one cluster."""
    lines = codex(
        meta(forked_from_id="parent"), meta(id="parent"), message("user", "Before"),
        event("task_started"), message("user", "After"),
    )  # fmt: skip
    [case] = read(written(tmp_path, lines))
    assert [m.about.kind if m.about else "" for m in case.messages] == ["replayed", ""]
    assert case.cluster == "parent"


def session(tmp_path):
    log = Claude()
    log.add("user", "Mend it.")
    log.calls("m1", "a", "b")
    log.compact(trigger="auto", preTokens=155_000)
    log.add("user", "Go on.")
    log.calls("m2", "c")
    [case] = read(written(tmp_path, log.lines))
    return case


@pytest.mark.parametrize("by", ["tool", "file", "turn", "kind"])
def test_every_breakdown_adds_up_to_the_bill(by, tmp_path):
    """The same tokens are put down to tools, files, turns and kinds, window by window."""
    case, counter = session(tmp_path), TokenCounter()
    whole = sum(counter.overhead(m) + counter.count(m.content) for m in case.messages)
    rows = spent_by(case, by, counter)
    assert sum(row.total for row in rows) == whole
    assert sum(row.calls for row in rows) == 3
    cut = next(at for at, m in enumerate(case.messages) if m.about)
    before = sum(counter.overhead(m) + counter.count(m.content) for m in case.messages[:cut])
    assert sum(row.tokens[0] for row in rows) == before


def test_a_breakdown_names_tools_files_and_turns(tmp_path):
    """Calls and their results go together, and a summary is not a turn."""
    case, counter = session(tmp_path), TokenCounter()
    assert {"a", "b", "c", "assistant", "user", "user, summary"} == {
        row.what for row in spent_by(case, "tool", counter)
    }
    assert "b.py" in {row.what for row in spent_by(case, "file", counter)}
    assert [row.what for row in spent_by(case, "turn", counter)] == ["1. Mend it.", "2. Go on."]


def test_windows_tell_what_stood_in_the_context(tmp_path):
    """The second begins with the summary alone, for nothing else was kept."""
    case, counter = session(tmp_path), TokenCounter()
    first, second = windows_of(case, counter)
    summary = next(m for m in case.messages if m.about)
    cost = counter.overhead(summary) + counter.count(summary.content)
    assert (first.start, second.start, second.summary) == (0, cost, cost)
    assert (second.trigger, second.reported_before, second.reported_after) == (
        "auto",
        155_000,
        None,
    )
    assert first.messages + second.messages == len(case.messages)


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ('{"path": "src/a.py"}', "src/a.py"),
        ('{"command": ["bash", "-lc", "sed -n 1,9p src/a.py"]}', "src/a.py"),
        ("*** Begin Patch\n*** Update File: src/a.py\n@@", "src/a.py"),
        ('{"input": "*** Begin Patch\\n*** Add File: b.txt\\n+x"}', "b.txt"),
        ('{"q": "stalls"}', ""),
        ("not JSON", ""),
    ],
)
def test_a_call_names_its_file(arguments, file):
    """As an argument, in a command, or in a patch."""
    assert file_of(ToolCall("c", "n", arguments)) == file


def test_what_a_log_says_is_stored_and_written(tmp_path):
    """The store and the case format keep kinds and compactions."""
    case = session(tmp_path)
    with Store(":memory:") as store:
        store.add_cases([case])
        assert next(store.cases()).messages == case.messages
    again = written(tmp_path, [case_to_dict(case)], "cases.jsonl")
    assert next(read(again)).messages == case.messages
    assert "about" not in case_to_dict(case)["messages"][0]


def events(*facts):
    return [{"id": at, "source": "agent", **one} for at, one in enumerate(facts)]


def act(call, response, command="ls"):
    told = {"tool_call_id": call, "function_name": "bash", "model_response": {"id": response}}
    return {"action": "run", "args": {"command": command}, "tool_call_metadata": told}


def test_openhands_calls_of_one_response_are_one_message(tmp_path):
    """Results name their action, and a condensation says what it forgot."""
    run = events(
        {"source": "user", "action": "message", "args": {"content": "Mend it."}},
        act("c1", "r1"),
        {"observation": "run", "content": "a.py", "cause": 1},
        act("c2", "r1"),
        {"observation": "run", "content": "b.py", "cause": 3},
        {"action": "condensation", "args": {
            "forgotten_events_start_id": 1, "forgotten_events_end_id": 4, "summary": "Two files.",
        }},
        {"action": "message", "args": {"content": "Done."}},
    )  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(run))
    [case] = read(tmp_path / "run.json")
    assert [call.id for call in case.messages[1].tool_calls] == ["c1", "c2"]
    assert [m.tool_call_id for m in case.messages if m.role == "tool"] == ["c1", "c2"]
    summary = next(m for m in case.messages if m.about)
    assert summary.about.compaction.kept == (case.messages[0].id,)


def test_openhands_sdk_events_are_read(tmp_path):
    """Its events name their kind; those of state are left out."""
    run = {"instance_id": "i1", "history": [
        {"kind": "SystemPromptEvent", "id": "a", "system_prompt": {"text": "Be exact."},
         "tools": [{"name": "bash"}]},
        {"kind": "MessageEvent", "id": "b", "llm_message": {"role": "user", "content": [
            {"type": "text", "text": "Mend it."}]}},
        {"kind": "ActionEvent", "id": "c", "thought": [{"type": "text", "text": "Look."}],
         "tool_name": "bash", "tool_call_id": "c1", "tool_call": {"arguments": "{}"}},
        {"kind": "ConversationStateUpdateEvent", "id": "d"},
        {"kind": "ObservationEvent", "id": "e", "tool_call_id": "c1",
         "observation": {"content": [{"type": "text", "text": "a.py"}]}},
        {"kind": "Condensation", "id": "f", "forgotten_event_ids": ["c", "e"]},
        {"kind": "MessageEvent", "id": "g", "llm_message": {"role": "assistant", "content": "OK"}},
    ]}  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(run))
    [case] = read(tmp_path / "run.json")
    assert case.id == "i1"
    assert [text for _, text in said(case)][1:] == ["Mend it.", "Look.", "a.py", "OK"]
    assert case.messages[-1].about.compaction.kept == ("m0", "m1")


def test_gemini_cli_updates_rebuild_and_rewind(tmp_path):
    """Lines may set all messages anew, or take back those from one on."""
    lines = [
        {"sessionId": "s", "projectHash": "h"},
        {"id": "1", "type": "user", "content": "One"},
        {"id": "2", "type": "gemini", "content": "Draft"},
        {"id": "2", "type": "gemini", "content": "Final"},
        {"id": "3", "type": "info", "content": "quota"},
        {"id": "4", "type": "user", "content": "Two"},
        {"$rewindTo": "4"},
    ]
    [case] = read(written(tmp_path, lines))
    assert said(case) == [("user", "One"), ("assistant", "Final")]
    lines.append({"$set": {"messages": [{"id": "9", "type": "user", "content": "New"}]}})
    [case] = read(written(tmp_path, lines))
    assert said(case) == [("user", "New")]


def test_a_rollout_is_told_by_lines_that_come_late(tmp_path):
    """The first lines of a log are often of other kinds."""
    log = Claude()
    log.lines += [{"type": "queue-operation", "operation": "enqueue"}] * 60
    log.add("user", "Hi")
    assert [case.dataset for case in read_all([written(tmp_path, log.lines)])] == ["claude-code"]
