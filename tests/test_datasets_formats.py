"""Formats of chats: what each may hold, and how it is told from the others."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message, ToolCall
from ctxlab.datasets import (
    FORMATS,
    bundled_dir,
    case_to_dict,
    messages_from_anthropic,
    messages_from_openai,
    read,
    read_all,
    sniff,
    write_cases,
)
from ctxlab.errors import DataError


def chat(*turns):
    return {"conversations": [{"from": sender, "value": text} for sender, text in turns]}


def only(raw, tmp_path, name=None):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    [case] = read(path, name)
    return case


def test_a_dataset_for_tuning_is_a_chat_though_it_names_itself(tmp_path):
    """Records of chats may carry `dataset` and `id`; only cases give their messages ids."""
    raw = {"dataset": "tuning", "id": "x1", "messages": [{"role": "user", "content": "Hi"}]}
    case = only(raw, tmp_path)
    assert (case.id, case.dataset, case.messages[0].id) == ("x1", "openai-chat", "m0")


def test_a_name_of_a_format_overrules_what_a_record_looks_like(tmp_path):
    """Plain messages with a system prompt look like Anthropic's and are read as asked."""
    raw = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}
    assert only(raw, tmp_path).dataset == "anthropic-messages"
    assert only(raw, tmp_path, "openai").dataset == "openai-chat"


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_recognises_nonsense(name):
    """Recognising never fails, whatever JSON it is shown."""
    for raw in (None, 7, "x", [], {}, [7], [[]], {"messages": 7}, {"conversations": 7}):
        assert not FORMATS[name].recognises(raw)
        assert sniff(raw) is None


def test_openai_arguments_keep_their_letters():
    """Arguments as text stay as they are; as an object they become JSON, not escapes."""
    calls = [
        {"id": "a", "function": {"name": "f", "arguments": '{"q":"Käse" }'}},
        {"id": "b", "function": {"name": "f", "arguments": {"q": "Käse"}}},
        {"id": "c", "function": {"name": "f"}},
    ]
    [message] = messages_from_openai([{"role": "assistant", "tool_calls": calls}])
    found = [call.arguments for call in message.tool_calls]
    assert found == ['{"q":"Käse" }', '{"q": "Käse"}', ""]


def test_openai_messages_keep_names_ids_and_roles():
    """A developer speaks as the system; names and ids that are given are kept."""
    raw = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "Ada", "id": "first", "content": "Hi"},
        {"role": "user", "content": ""},
    ]
    found = [(m.id, m.role, m.name, m.content) for m in messages_from_openai(raw)]
    assert found == [
        ("m0", "system", None, "Be brief."),
        ("first", "user", "Ada", "Hi"),
        ("m2", "user", None, ""),
    ]


def test_openai_refusals_are_text():
    """A refusal is what the model said, be it a field or a part."""
    parts = [{"type": "refusal", "refusal": "No."}, {"type": "input_audio", "input_audio": {}}]
    field, part = messages_from_openai(
        [
            {"role": "assistant", "content": None, "refusal": "Never."},
            {"role": "assistant", "content": parts},
        ]
    )
    assert (field.content, part.content) == ("Never.", "No.")
    assert [one.kind for one in part.payload] == ["audio"]


def test_an_old_function_result_answers_the_call_before_it():
    """Results that name no call belong to the last one that was made."""
    raw = [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "1"}},
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "2"}},
        {"role": "function", "name": "f", "content": "two"},
    ]
    first, one, second, two = messages_from_openai(raw)
    assert one.tool_call_id == first.tool_calls[0].id != second.tool_calls[0].id == two.tool_call_id


def test_anthropic_results_are_numbered_within_their_message():
    """Two results and a remark in one message become three, in that order."""
    uses = [{"type": "tool_use", "id": i, "name": "n", "input": {"q": "Käse"}} for i in "ab"]
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": "one"},
        {"type": "tool_result", "tool_use_id": "b"},
        {"type": "text", "text": "Go on."},
    ]
    said = messages_from_anthropic(
        [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]
    )
    assert [(m.id, m.role, m.content, m.tool_call_id) for m in said] == [
        ("m0", "assistant", "", None),
        ("m1.1", "tool", "one", "a"),
        ("m1.2", "tool", "", "b"),
        ("m1", "user", "Go on.", None),
    ]
    assert said[0].tool_calls[0].arguments == '{"q": "Käse"}'


def test_images_are_payload_beside_the_text():
    """The bytes of an image are no text, neither in a message nor in a result; both are billed."""
    image = {"type": "image", "source": {"type": "base64", "data": "A" * 1000}}
    use = {"type": "tool_use", "id": "t", "name": "camera", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    said = messages_from_anthropic(
        [
            {"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ]
    )
    assert [m.content for m in said] == ["What is it?", "", ""]
    assert [[one.kind for one in m.payload] for m in said] == [["image"], [], ["image"]]


def test_sharegpt_calls_are_tied_to_their_results(tmp_path):
    """A call may be a turn of its own or stand in the assistant's text."""
    case = only(
        chat(
            ("system", "Be brief."),
            ("human", "How late is it?"),
            ("function_call", '{"name": "clock"}'),
            ("observation", "noon"),
            ("gpt", "<tool_call>calendar</tool_call>"),
            ("tool", "Monday"),
            ("gpt", "Monday noon."),
        ),
        tmp_path,
    )
    roles = [message.role for message in case.messages]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"]
    for call, result in ((2, 3), (4, 5)):
        assert case.messages[result].tool_call_id == case.messages[call].tool_calls[0].id
    assert case.messages[4].content == "<tool_call>calendar</tool_call>"
    assert case.messages[6].tool_calls == ()


def test_sharegpt_keeps_the_id_of_a_conversation(tmp_path):
    """A number will do."""
    assert only({"id": 7, **chat(("human", "Hi"))}, tmp_path).id == "7"


def test_every_format_is_found_in_one_folder(tmp_path):
    """Files of many formats, gzipped and not, in subfolders, are read in one go, in order."""
    files = {
        "a/chat.json": [{"role": "user", "content": "Hi"}],
        "b/talk.json": chat(("human", "Hi")),
        "c/meeting.json": {"meeting_transcripts": [{"speaker": "Ada", "content": "Hi"}]},
        "d/run.json": [{"task_id": 3, "trial": 1, "traj": [{"role": "user", "content": "Hi"}]}],
    }
    for name, raw in files.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(json.dumps(raw))
    case = Case("own", "mine", (Message("m1", "user", "Hi"),))
    write_cases([case], tmp_path / "own.jsonl.gz")
    (tmp_path / "README.md").write_text("no data")
    found = [(case.dataset, case.id) for case in read_all([tmp_path])]
    assert found == [
        ("openai-chat", "chat"),
        ("sharegpt", "talk"),
        ("qmsum", "meeting"),
        ("taubench", "t3_r1"),
        ("mine", "own"),
    ]


def test_the_bundled_folder_is_read_whole():
    """What ships is found by its folder as it is by its names."""
    found = {case.id for case in read_all([bundled_dir()])}
    assert {"market-surplus", "night-discharge"} < found


def test_locomo_evidence_is_resolved_as_far_as_it_goes(tmp_path):
    """Several turns in one string, zeros in front, turns that are not there, no answer."""
    turns = [{"speaker": s, "dia_id": f"D1:{i}", "text": s} for i, s in enumerate("ABAB", 1)]
    entries = [["D1:1; D1:02"], ["D1:1 D1:9"], ["D:1:1"], [], ["D1:3", "D1:3"]]
    questions = [
        {"question": "?", "answer": 7, "evidence": entry, "category": 1} for entry in entries
    ]
    trap = {"question": "?", "adversarial_answer": "x", "evidence": ["D1:1"], "category": 5}
    raw = {
        "sample_id": "c",
        "conversation": {
            "speaker_a": "A",
            "speaker_b": "B",
            "session_2": [{"speaker": "B", "dia_id": "D2:1", "text": "later"}],
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": turns,
            "session_10_date_time": "no such session",
        },
        "qa": [*questions, trap],
    }
    case = only([raw], tmp_path)
    assert [m.id for m in case.messages] == ["D1:1", "D1:2", "D1:3", "D1:4", "D2:1"]
    assert [m.role for m in case.messages[:2]] == ["user", "assistant"]
    assert case.messages[0].created_at == "1:56 pm on 8 May, 2023"
    assert case.messages[4].session == "session_2"
    assert [probe.evidence for probe in case.probes] == [
        ("D1:1", "D1:2"), ("D1:1",), (), (), ("D1:3",), (),
    ]  # fmt: skip
    assert [probe.answer for probe in case.probes] == ["7"] * 5 + [""]


def test_two_calls_in_one_message_get_probes_of_their_own(tmp_path):
    """Ids stay unique when an agent cancels two orders at once."""
    calls = [
        {"id": f"c{i}", "function": {"name": "cancel_order", "arguments": f'{{"id": "W{i}"}}'}}
        for i in (1, 2)
    ]
    run = [{"role": "user", "content": "W1 and W2"}, {"role": "assistant", "tool_calls": calls}]
    case = only({"task_id": 1, "traj": run}, tmp_path)
    assert [probe.answer for probe in case.probes] == ["W1", "W2"]
    assert len({probe.id for probe in case.probes}) == 2


def test_arguments_that_are_no_json_give_no_probe(tmp_path):
    """A model may write anything into a call; the run is read all the same."""
    for arguments in ("{oops", "9" * 5_000, "[" * 100_000):
        call = {"id": "c", "function": {"name": "cancel_order", "arguments": arguments}}
        run = [{"role": "user", "content": "W1"}, {"role": "assistant", "tool_calls": [call]}]
        assert only({"task_id": 1, "traj": run}, tmp_path).probes == ()


# Half a surrogate pair is no text, but JSON can carry it, and so it comes up in exports.
letters = st.characters(exclude_categories=["Cs"]) | st.just("\ud800")
texts = st.text(letters)
names = st.text(letters, min_size=1, max_size=8)
maybe = st.none() | names


def before(ids, evidence, at):
    """Say whether a message comes before the place where a probe is asked."""
    return at is None or ids.index(evidence) < ids.index(at)


@st.composite
def cases(draw):
    """Draw a case of any text, with tool calls and probes of every kind."""
    ids = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    messages: list[Message] = []
    called: list[str] = []
    for message_id in ids:
        calls = draw(st.lists(st.builds(ToolCall, names, names, texts), max_size=2))
        role = draw(st.sampled_from(["system", "user", "assistant", *["tool"] * bool(called)]))
        answered = draw(st.sampled_from(called)) if role == "tool" else draw(maybe)
        messages.append(
            Message(
                message_id, role, draw(texts), draw(maybe), draw(maybe), draw(maybe),
                tuple(calls), answered, draw(st.booleans()),
            )
        )  # fmt: skip
        called += [call.id for call in calls]
    some = st.sampled_from(ids)
    evidence = st.lists(some, unique=True).map(tuple)
    mode = st.sampled_from(["all", "any"])
    asked = st.builds(Probe, names, names, texts, evidence, texts, mode, st.none() | some).map(
        lambda p: replace(p, evidence=tuple(e for e in p.evidence if before(ids, e, p.at)))
    )
    probes = draw(st.lists(asked, max_size=3, unique_by=lambda probe: probe.id))
    return Case(draw(names), draw(names), tuple(messages), tuple(probes))


@given(st.lists(cases(), max_size=3, unique_by=lambda case: (case.dataset, case.id)))
def test_what_is_written_is_read_again(tmp_path_factory, written):
    """For every case, of any text: the case format loses nothing."""
    path = tmp_path_factory.mktemp("cases") / "c.jsonl.gz"
    assert write_cases(written, path) == len(written)
    if written:
        assert list(read(path, "cases")) == written


@given(cases())
def test_cases_are_recognised_as_what_they_are(case):
    """An object of the case format is never taken for another format."""
    assert sniff(case_to_dict(case)).name == "cases"


VALID = {name: FORMATS[name].example for name in FORMATS}


def paths(value, path=()):
    """Yield the path to every value within a JSON value."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from paths(value[key], (*path, key))


def damaged(value, path, new):
    """Return a copy of a JSON value with `new` at a path, or nothing there when it is ABSENT."""
    copy, (key, *rest) = value.copy(), path
    if rest:
        copy[key] = damaged(value[key], rest, new)
    elif new is ABSENT:
        del copy[key]
    else:
        copy[key] = new
    return copy


ABSENT = object()
ANYTHING = (
    ABSENT, None, True, 0, -1, 10**30, 1.5, float("nan"), "", "x", "m1", "tool", "session_1",
    [], [[]], ["x"], [["0", "0"]], [None], [{}], {}, {"id": "x"},
)  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_valid_record_is_read_and_recognised(name):
    """The records that the next test damages are whole, and each is known by its looks."""
    assert sniff(VALID[name]).name == name
    assert list(FORMATS[name].read(VALID[name], "x"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_record_is_read_or_refused(name):
    """Whatever is put in the place of any one value of a record, no other error comes of it."""
    refused = 0
    for path in paths(VALID[name]):
        for new in ANYTHING:
            record = damaged(VALID[name], path, new)
            sniff(record)
            try:
                case, *_ = FORMATS[name].read(record, "x")
            except DataError as error:
                refused += bool(error.field)
            else:
                assert sniff(case_to_dict(case)).name == "cases"
    # Logs are read past what a model was never shown; text has nothing to put a value into.
    assert refused > len(list(paths(VALID[name]))) or FORMATS[name].lines or not refused
