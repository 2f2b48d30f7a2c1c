"""Bad input in every format: never a crash, always a place, and the good records stay."""

from __future__ import annotations

import gzip
import json

import pytest

from ctxlab.datasets import FORMATS, load_workshop, read, read_all
from ctxlab.errors import CtxlabError, DataError
from ctxlab.store import Store

GOOD = {"id": "c1", "dataset": "d", "messages": [{"id": "m1", "role": "user", "content": "Hi"}]}
PROBE = {"id": "p", "question": "?", "answer": "x", "evidence": []}
TURN = {"speaker": "Ada", "dia_id": "D1:1", "text": "Hi"}
QA = {"question": "?", "answer": "x", "evidence": ["D1:1"], "category": 4}
USER = {"role": "user", "content": "Hi"}
SPAN = "specific_query_list[0].relevant_text_span[0]"


def case_line(case_id):
    return json.dumps({**GOOD, "id": case_id}).encode() + b"\n"


def locomo(**qa):
    return {"sample_id": "c", "conversation": {"session_1": [TURN]}, "qa": [{**QA, **qa}]}


def qmsum(span):
    query = {"query": "?", "answer": "x", "relevant_text_span": [span]}
    return {
        "meeting_transcripts": [{"speaker": "Ada", "content": "Hi"}],
        "specific_query_list": [query],
    }


def longmemeval(**changes):
    raw = {
        "question_id": "q",
        "question": "?",
        "answer": "x",
        "haystack_session_ids": ["s1"],
        "haystack_sessions": [[USER]],
    }
    return {**raw, **changes}


def workshop(*messages):
    steps = [{"step": "challenge", "messages": list(messages)}]
    return {"format": "ctxlab-workshop", "id": "w", "title": "W", "steps": steps}


def without(raw, name):
    return {key: value for key, value in raw.items() if key != name}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", ["{}", "7", "null", "true", '"x"', "[7]", '{"messages": 7}'])
def test_json_of_another_shape_is_an_error_in_every_format(name, text, tmp_path):
    """Whatever stands there, the reader answers with file and line and never with a crash."""
    path = tmp_path / "x.jsonl"
    path.write_text(text + "\n")
    with pytest.raises(DataError) as caught:
        list(read(path, name))
    assert (caught.value.file, caught.value.line) == (str(path), 1)


BARE = "locomo: no conversation"
FAULTS = {
    BARE: (without(locomo(), "conversation"), "locomo", "conversation"),
    "locomo: no text": (
        {**locomo(), "conversation": {"session_1": [without(TURN, "text")]}},
        "locomo",
        "conversation.session_1[0].text",
    ),
    "locomo: no answer": (locomo(answer=None), "locomo", "qa[0].answer"),
    "locomo: no question": (locomo(question=None), "locomo", "qa[0].question"),
    "qmsum: span past the end": (qmsum(["0", "1"]), "qmsum", SPAN),
    "qmsum: span backwards": (qmsum(["1", "0"]), "qmsum", SPAN),
    "qmsum: span of one": (qmsum(["0"]), "qmsum", SPAN),
    "qmsum: span of words": (qmsum(["zero", "one"]), "qmsum", SPAN),
    "qmsum: no content": (
        {"meeting_transcripts": [{"speaker": "Ada"}]}, "qmsum", "meeting_transcripts[0].content",
    ),
    "longmemeval: sessions without ids": (
        longmemeval(haystack_session_ids=[]), "longmemeval", "haystack_session_ids",
    ),
    "longmemeval: no content": (
        longmemeval(haystack_sessions=[[{"role": "user"}]]),
        "longmemeval",
        "haystack_sessions[0][0].content",
    ),
    "longmemeval: a session that is no list": (
        longmemeval(haystack_sessions=[7]), "longmemeval", "haystack_sessions[0]",
    ),
    "longmemeval: no question": (
        without(longmemeval(), "question"), "longmemeval", "question",
    ),
    "taubench: no content": (
        {"task_id": 1, "traj": [USER, {"role": "user"}]}, "taubench", "traj[1].content",
    ),
    "sharegpt: no value": (
        {"conversations": [{"from": "human"}]}, "sharegpt", "conversations[0].value",
    ),
    "sharegpt: strange sender": (
        {"conversations": [{"from": "robot", "value": "x"}]}, "sharegpt", "conversations[0].from",
    ),
    "openai: no role": ([USER, {"content": "x"}], "openai", "messages[1].role"),
    "openai: part without text": (
        [{"role": "user", "content": [{"type": "text"}]}], "openai", "messages[0].content[0].text",
    ),
    "openai: call without function": (
        [{"role": "assistant", "tool_calls": [{"id": "c"}]}],
        "openai",
        "messages[0].tool_calls[0].function",
    ),
    "openai: call without name": (
        [{"role": "assistant", "tool_calls": [{"id": "c", "function": {}}]}],
        "openai",
        "messages[0].tool_calls[0].function.name",
    ),
    "openai: orphan result": (
        [{"role": "tool", "tool_call_id": "c", "content": "x"}],
        "openai",
        "messages[0].tool_call_id",
    ),
    "anthropic: no content": ({"system": "s", "messages": [{"role": "user"}]}, "anthropic",
        "messages[0].content"),
    "anthropic: orphan result": (
        [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}],
        "anthropic",
        "messages[0].tool_call_id",
    ),
    "workshop: no content": (
        workshop({"id": "m1", "role": "user"}), "workshop", "steps[0].messages[0].content",
    ),
    "workshop: duplicate ids": (
        workshop(GOOD["messages"][0], GOOD["messages"][0]), "workshop", "steps[0].messages",
    ),
    "cases: duplicate probe ids": ({**GOOD, "probes": [PROBE, PROBE]}, "cases", "probes[1]"),
    "cases: evidence that comes too late": (
        {**GOOD, "probes": [{**PROBE, "evidence": ["m1"], "at": "m1"}]}, "cases",
        "probes[0].evidence",
    ),
    "cases: evidence that is no list": (
        {**GOOD, "probes": [{**PROBE, "evidence": "m1"}]}, "cases", "probes[0].evidence",
    ),
    "cases: evidence that is a number": (
        {**GOOD, "probes": [{**PROBE, "evidence": [1]}]}, "cases", "probes[0].evidence[0]",
    ),
    "cases: strange evidence mode": (
        {**GOOD, "probes": [{**PROBE, "evidence_mode": "some"}]}, "cases",
        "probes[0].evidence_mode",
    ),
    "cases: call without arguments": (
        {**GOOD, "messages": [{**GOOD["messages"][0], "tool_calls": [{"id": "c", "name": "n"}]}]},
        "cases",
        "messages[0].tool_calls[0].arguments",
    ),
}  # fmt: skip


# Without the field by which it is known, a record is in no format at all.
KNOWN = [(name, named) for name in FAULTS for named in (True, False) if named or name != BARE]


@pytest.mark.parametrize(("name", "named"), KNOWN)
def test_a_malformed_record_names_the_field_in_the_words_of_its_format(name, named, tmp_path):
    """Line and field are those of the file, whether its format was named or recognised."""
    record, kind, field = FAULTS[name]
    path = tmp_path / "x.jsonl"
    path.write_text("\n" + json.dumps(record) + "\n")
    with pytest.raises(DataError) as caught:
        list(read(path, kind if named else None))
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), 2, field)


UNREADABLE = {
    "not UTF-8": (b'{"id": "caf\xe9"}', "0xe9"),
    "UTF-16": ('{"id": "c"}'.encode("utf-16"), "0xff"),
    "nested too deeply": (b"[" * 100_000, "recursion"),
    "a number too long": (b'{"id": ' + b"1" * 5_000 + b"}", "4300 digits"),
    "cut off": (b'{"id": "c", "mess', "not complete JSON"),
    "two values": (b"{} {}", "Extra data"),
    "a control character": (b'{"id": "a\x07b"}', "control character"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_line_that_cannot_be_read_costs_that_line_alone(name, tmp_path):
    """The lines before and after it are delivered, and the error says which line it was."""
    data, words = UNREADABLE[name]
    path = tmp_path / "x.jsonl"
    path.write_bytes(case_line("a") + data + b"\n" + case_line("b"))
    found = read(path)
    assert next(found).id == "a"
    with pytest.raises(DataError, match=words) as caught:
        next(found)
    assert caught.value.line == 2
    skipped: list[DataError] = []
    assert [c.id for c in read(path, skip_bad=True, on_skip=skipped.append)] == ["a", "b"]
    assert [error.line for error in skipped] == [2]


WHOLE = {
    "empty": (b"", "empty", None),
    "blank": (b" \n\n", "empty", None),
    "cut off": (b'{"messages": [\n{"role"', "not complete JSON", 2),
    "not UTF-8": (b'[{"role": "user",\n"content": "caf\xe9"}]', "0xe9", 2),
    "nested too deeply": (b"[" * 100_000, "recursion", 1),
    "an empty list": (b"[]", "empty list", None),
    "a gzip that is cut off": (gzip.compress(case_line("a"))[:-9], "cut off", None),
    "no gzip after all": (b"\x1f\x8bnothing", "damaged", None),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_cannot_be_read_is_one_bad_record(name, tmp_path):
    """It is an error with its place; skipped, it is counted, and the other files are read."""
    data, words, line = WHOLE[name]
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(DataError, match=words) as caught:
        list(read(path))
    assert (caught.value.file, caught.value.line) == (str(path), line)
    alone: list[DataError] = []
    assert list(read(path, skip_bad=True, on_skip=alone.append)) == []
    (tmp_path / "b.jsonl").write_bytes(case_line("b"))
    among: list[DataError] = []
    assert [c.id for c in read_all([tmp_path], skip_bad=True, on_skip=among.append)] == ["b"]
    assert list(map(str, alone)) == list(map(str, among)) == [str(caught.value)]


def test_a_record_of_a_list_is_named_by_its_index(tmp_path):
    """In one JSON document there are no lines to go by, so the field begins with the index."""
    bad = {**GOOD, "messages": [{"id": "m1", "role": "user"}]}
    path = tmp_path / "many.json"
    for records, index in (([bad, GOOD], 0), ([GOOD, bad], 1)):
        path.write_text(json.dumps(records))
        skipped: list[DataError] = []
        assert [c.id for c in read(path, skip_bad=True, on_skip=skipped.append)] == ["c1"]
        assert [error.field for error in skipped] == [f"[{index}].messages[0].content"]


def test_skipping_does_not_hide_a_file_that_is_not_there(tmp_path):
    """A misspelt name is not a malformed record."""
    with pytest.raises(DataError, match="cannot be opened"):
        list(read(tmp_path / "nowhere.jsonl", skip_bad=True))


def test_two_files_that_give_the_same_id_are_an_error(tmp_path):
    """Chats without ids take their file's name; two of one name would count as one."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "chat.json").write_text(json.dumps([USER]))
    with pytest.raises(DataError, match="'chat' stands twice") as caught:
        list(read_all([tmp_path / "a", tmp_path / "b"]))
    assert caught.value.file == str(tmp_path / "b" / "chat.json")


def test_a_folder_without_such_files_says_so(tmp_path):
    """Nothing found is an error, not an empty success."""
    for name in ("notes.txt", "chart.png"):
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=r"no file of conversations; it holds .*notes.txt"):
        list(read_all([tmp_path]))


def test_lines_may_end_and_begin_as_other_systems_have_it(tmp_path):
    """A byte order mark, carriage returns and blank lines are no part of the records."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + case_line("a").replace(b"\n", b"\r\n") + b"\r\n" + case_line("b")
    )
    assert [case.id for case in read(path)] == ["a", "b"]


def test_json_lines_are_found_behind_any_name(tmp_path):
    """A file of several JSON values is read line by line, whatever it is called."""
    for name in ("x.json", "x.txt", "x.json.gz"):
        data = case_line("a") + case_line("b")
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        assert [case.id for case in read(tmp_path / name)] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["\ud800 lone", "a\x00b\x07", "<|endoftext|>"], ids=["surrogate", "control", "special"]
)
def test_strange_text_can_be_stored_once_it_is_read(text, tmp_path):
    """What a reader lets through does not fail further on: it is counted, stored and found."""
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({**GOOD, "messages": [{**GOOD["messages"][0], "content": text}]}))
    with Store(":memory:") as store:
        assert store.add_cases(read(path)) == 1
        assert next(store.cases()).messages[0].content == text


def test_a_workshop_file_that_is_bad_is_named(tmp_path):
    """The loader for the store names the file and the field as the readers do."""
    path = tmp_path / "w.json"
    for text, field in (("", ""), ('{"steps": [', ""), ('{"steps": 7}', "steps")):
        path.write_text(text)
        with pytest.raises(CtxlabError) as caught:
            load_workshop(path)
        assert isinstance(caught.value, DataError)
        assert (caught.value.file, caught.value.field) == (str(path), field)
