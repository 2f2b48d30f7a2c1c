"""Readers: every format from its original shape, and bad input with its place."""

from __future__ import annotations

import gzip
import json

import pytest

from ctxlab.datasets import (
    load,
    messages_from_anthropic,
    messages_from_openai,
    read,
    read_all,
    write_cases,
)
from ctxlab.datasets.fetching import MIRROR
from ctxlab.errors import DataError, UnknownNameError
from ctxlab.testing import sample_case

GOOD = {"id": "c1", "dataset": "d", "messages": [{"id": "m1", "role": "user", "content": "Hi"}]}


def changed(**changes):
    return {**GOOD, **changes}


def message(**changes):
    return {"id": "m1", "role": "user", "content": "Hi", **changes}


def lines(path, *records):
    texts = (r if isinstance(r, str) else json.dumps(r) for r in records)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


BAD = {
    "no content": (changed(messages=[{"id": "m1", "role": "user"}]), "messages[0].content"),
    "content is a number": (changed(messages=[message(content=7)]), "messages[0].content"),
    "no role": (changed(messages=[{"id": "m1", "content": "x"}]), "messages[0].role"),
    "strange role": (changed(messages=[message(role="robot")]), "messages[0].role"),
    "no messages": (changed(messages=[]), "messages"),
    "duplicate ids": (changed(messages=[message(), message()]), "messages"),
    "orphan result": (
        changed(messages=[message(role="tool", tool_call_id="c9")]),
        "messages[0].tool_call_id",
    ),
    "evidence of nothing": (
        changed(probes=[{"id": "p", "question": "?", "answer": "x", "evidence": ["m9"]}]),
        "probes[0].evidence",
    ),
    "asked at nothing": (
        changed(probes=[{"id": "p", "question": "?", "answer": "x", "evidence": [], "at": "m9"}]),
        "probes[0].at",
    ),
    "cut off": ('{"id": "c1", "messages": [{"id', ""),
    "not an object": ("[1, 2]", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_an_error_with_its_place(name, tmp_path):
    """File, line and field are named, and the good records before it were delivered."""
    record, field = BAD[name]
    path = lines(tmp_path / "cases.jsonl", changed(id="first"), record)
    found = read(path, "cases")
    assert next(found).id == "first"
    with pytest.raises(DataError) as caught:
        next(found)
    assert caught.value.file == str(path)
    assert caught.value.line == 2
    if field:
        assert caught.value.field == field


@pytest.mark.parametrize("name", BAD)
def test_skipping_bad_records_keeps_the_good_ones(name, tmp_path):
    """The good ones come, and every skipped one is counted with its error."""
    record, _ = BAD[name]
    path = lines(tmp_path / "cases.jsonl", changed(id="a"), record, changed(id="b"))
    skipped: list[DataError] = []
    found = [case.id for case in read(path, skip_bad=True, on_skip=skipped.append)]
    assert found == ["a", "b"]
    assert [error.line for error in skipped] == [2]


def test_a_case_id_that_stands_twice_is_an_error(tmp_path):
    """Ids tell trials apart, so they are unique."""
    path = lines(tmp_path / "cases.jsonl", GOOD, GOOD)
    with pytest.raises(DataError, match="stands twice"):
        list(read(path))


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.json", "empty.jsonl.gz"])
def test_an_empty_file_says_so(name, tmp_path):
    """Nothing in it is an error, not an empty success."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    with pytest.raises(DataError, match="empty"):
        list(read(path))


def test_truncated_json_names_the_line(tmp_path):
    """A document that is cut off is an error with the line where it ends."""
    path = tmp_path / "chat.json"
    path.write_text('{"messages": [\n {"role": "user",\n')
    with pytest.raises(DataError, match="not complete JSON") as caught:
        list(read(path))
    assert caught.value.line == 3


def test_a_gzip_that_is_cut_off_keeps_what_came_before(tmp_path):
    """Lines before the damage are delivered."""
    rows = [json.dumps(changed(id=f"c{i}", note="x" * 4000)) for i in range(200)]
    whole = gzip.compress("\n".join(rows).encode(), 1)
    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    skipped: list[DataError] = []
    found = list(read(path, skip_bad=True, on_skip=skipped.append))
    assert 0 < len(found) < 200
    assert "cut off" in str(skipped[-1])


def test_text_that_is_not_utf8_is_named(tmp_path):
    """The byte at fault is shown, with the remedy."""
    path = tmp_path / "chat.json"
    path.write_bytes(b'[{"role": "user", "content": "caf\xe9"}]')
    with pytest.raises(DataError, match=r"0xe9.*UTF-8"):
        list(read(path))


def test_a_file_that_is_not_there_says_so(tmp_path):
    """The path is named."""
    with pytest.raises(DataError, match=r"nowhere\.jsonl: cannot be opened"):
        list(read(tmp_path / "nowhere.jsonl"))


@pytest.mark.parametrize(
    "text",
    ["a\x00b\x07c\x1b[31m", "\ud800 lone", "<|endoftext|>", "x" * 10_000_000, "\u2028\u202e"],
    ids=["control", "surrogate", "special", "ten megabytes", "separators"],
)
def test_strange_text_comes_through_unchanged(text, tmp_path):
    """Whatever JSON can carry is kept as it is."""
    path = lines(tmp_path / "cases.jsonl", changed(messages=[message(content=text)]))
    assert next(read(path)).messages[0].content == text


def test_an_unknown_format_offers_the_nearest(tmp_path):
    """A misspelt format is answered with the right one."""
    with pytest.raises(UnknownNameError, match="did you mean 'locomo'"):
        list(read(lines(tmp_path / "x.jsonl", GOOD), "lokomo"))


def test_what_no_format_recognises_lists_the_formats(tmp_path):
    """The error says how to name one."""
    with pytest.raises(DataError, match="--format"):
        list(read(lines(tmp_path / "x.jsonl", {"nothing": "known"})))


def test_cases_round_trip(tmp_path):
    """What is written is read again, gzipped or not."""
    for name in ("c.jsonl", "c.jsonl.gz"):
        assert write_cases([sample_case()], tmp_path / name) == 1
        assert list(read(tmp_path / name)) == [sample_case()]


def test_openai_chats_are_read_in_every_shape(tmp_path):
    """A list, an object, one a line, content parts, tool calls, and the old function call."""
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What"}, {"type": "image_url"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
        {"role": "assistant", "content": None, "function_call": {"name": "h", "arguments": "{}"}},
        {"role": "function", "name": "h", "content": "3"},
    ]
    (tmp_path / "list.json").write_text(json.dumps(chat))
    (tmp_path / "object.json").write_text(json.dumps({"messages": chat}))
    lines(tmp_path / "many.jsonl", {"messages": chat}, chat)
    found = list(read_all([tmp_path]))
    assert [case.id for case in found] == ["list", "many-1", "many-2", "object"]
    for case in found:
        assert case.messages[1].content == "What"
        assert [(one.kind, one.text) for one in case.messages[1].payload] == [("image", "")]
        assert not any(m.payload for m in case.messages if m.id != case.messages[1].id)
        assert [c.name for c in case.messages[2].tool_calls] == ["f", "g"]
        assert case.messages[6].tool_call_id == case.messages[5].tool_calls[0].id
    back = found[0].context().messages()
    assert [m["role"] for m in back] == [
        "system", "user", "assistant", "tool", "tool", "assistant", "tool",
    ]  # fmt: skip


def test_an_openai_assistant_may_say_nothing_and_others_may_not():
    """A server returns null where a model said nothing; who asks or answers has to say it."""
    [silent] = messages_from_openai([{"role": "assistant", "content": None}])
    assert (silent.id, silent.role, silent.content) == ("m0", "assistant", "")
    assert (silent.tool_calls, silent.payload) == ((), ())
    for role in ("system", "user", "tool"):
        with pytest.raises(DataError, match=r"messages\[1\]\.content"):
            messages_from_openai(
                [{"role": "user", "content": "Hi"}, {"role": role, "content": None}]
            )


@pytest.mark.parametrize(
    "message", [{"id": "m2"}, {"id": "m2", "content": "Hi"}, {"id": "m2", "content": None}]
)
def test_a_case_is_known_by_its_keys_where_a_message_lacks_its_role(message, tmp_path):
    """The error names the line and the field, with and without probes, and first or later."""
    said = {"id": "m1", "role": "user", "content": "Hi"}
    good = {"id": "good", "dataset": "d", "messages": [said]}
    for messages in ([message], [said, message]):
        for more in ({}, {"probes": []}):
            bad = {"id": "bad", "dataset": "d", "messages": messages, **more}
            field = rf"line 2, field messages\[{len(messages) - 1}\]\.role"
            with pytest.raises(DataError, match=field):
                list(read(lines(tmp_path / "c.jsonl", good, bad)))


def test_anthropic_messages_become_a_chat_with_tool_results():
    """System, tool uses, results inside user messages, and the text beside them."""
    messages = messages_from_anthropic(
        [
            {"role": "user", "content": "Read it."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "text", "text": "Reading."},
                    {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "body"}],
                    },
                    {"type": "text", "text": "And now?"},
                ],
            },
        ],
        system=[{"type": "text", "text": "Be brief."}],
    )
    roles = [(m.role, m.content) for m in messages]
    assert roles == [
        ("system", "Be brief."),
        ("user", "Read it."),
        ("assistant", "Reading."),
        ("tool", "body"),
        ("user", "And now?"),
    ]
    assert messages[2].tool_calls[0].arguments == '{"path": "a"}'
    assert messages[3].tool_call_id == "t1"


def test_formats_are_told_apart(tmp_path):
    """Each file is read in its own format without being named."""
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    blocks = [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]
    files = {
        "sharegpt": {"conversations": turns},
        "anthropic-messages": {"messages": [{"role": "assistant", "content": blocks}]},
        "openai-chat": {"messages": [{"role": "user", "content": "Hi"}]},
        "d": GOOD,
    }
    for name, record in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
        assert next(read(tmp_path / f"{name}.json")).dataset == name


@pytest.mark.parametrize(
    ("name", "cases", "probes", "first", "last"),
    [
        ("locomo:dev", 4, 794, "conv-41", "conv-50"),
        ("qmsum:dev", 22, 164, "Bed002", "education_17"),
        ("explainmeetsum:dev", 66, 509, "Bed002", None),
        ("taubench:dev", 60, 331, "t6_r0", None),
    ],
)
def test_real_datasets_are_read_whole(name, cases, probes, first, last, data_dir, monkeypatch):
    """Counts, first and last of each, from the original files of the mirror."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    found = load(name)
    assert len(found) == cases
    assert sum(len(case.probes) for case in found) == probes
    assert found[0].id == first
    if last:
        assert found[-1].id == last


def test_locomo_has_622_probes_with_evidence(data_dir, monkeypatch):
    """Categories 1 to 4; adversarial questions have no answer in the conversation."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    probes = [probe for case in load("locomo:dev") for probe in case.probes if probe.evidence]
    assert len(probes) == 622
    assert {probe.category for probe in probes} == {"1", "2", "3", "4"}


def test_taubench_probes_are_those_of_the_reference(data_dir, monkeypatch):
    """All 331 of the case file, with its evidence and the agent's own words beside it."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    reference = read(data_dir / "taubench_airline.dev.jsonl.gz")
    expected = {(c.id.removeprefix("air_"), p.answer, p.at): p for c in reference for p in c.probes}
    derived = {(c.id, p.answer, p.at): p for c in load("taubench:dev") for p in c.probes}
    assert set(derived) == set(expected)
    assert all(set(derived[key].evidence) >= set(expected[key].evidence) for key in expected)
