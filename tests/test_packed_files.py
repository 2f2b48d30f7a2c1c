"""Files as people have them: packed, in tables, in folders, as plain text, or none we know."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from types import SimpleNamespace

import polars as pl
import pyarrow as pa
import pytest

from ctxlab.datasets import FORMATS, read, read_all
from ctxlab.errors import DataError

CHAT = [{"role": "user", "content": "How many stalls?"}, {"role": "assistant", "content": "314"}]


def texts(path, **options):
    return [[message.content for message in case.messages] for case in read(path, **options)]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("chat.json.gz", gzip.compress),
        ("chat.json.zst", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
        ("CHAT.JSON", bytes),
        ("chat", bytes),
    ],
)
def test_a_file_is_read_as_it_is_packed(name, pack, tmp_path):
    """What packs it is known by its first bytes, what it holds by its name or its look."""
    (tmp_path / name).write_bytes(pack(json.dumps(CHAT).encode()))
    assert texts(tmp_path / name) == [["How many stalls?", "314"]]


def test_text_in_utf_16_is_read(tmp_path):
    """Windows writes it so, with a mark at its beginning."""
    (tmp_path / "chat.json").write_bytes(json.dumps(CHAT).encode("utf-16"))
    assert texts(tmp_path / "chat.json") == [["How many stalls?", "314"]]


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in files.items():
            archive.writestr(name.replace("__", "/") + ".json", json.dumps(raw))
    return path


def test_a_zip_is_a_folder(tmp_path):
    """Members that are no conversations are passed over, and listed."""
    path = zipped(tmp_path / "export.zip", chats__a=CHAT, chats__b=CHAT, user={"plan": "free"})
    passed: list[DataError] = []
    found = [case.id for case in read_all([path], on_pass=passed.append)]
    assert found == ["export/chats/a", "export/chats/b"]
    assert [str(error.file) for error in passed] == [f"{path}/user.json"]


@pytest.mark.parametrize("damage", ["cut", "none"])
def test_a_zip_without_conversations_is_one_error(damage, tmp_path):
    """It names what the zip holds, or says that it is damaged."""
    path = zipped(tmp_path / "export.zip", user={"plan": "free"}, feedback={"n": 1})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="damaged" if damage == "cut" else "feedback.json") as found:
        list(read(path))
    assert str(found.value.file).startswith(str(path))


def test_an_evaluation_log_of_inspect_is_a_zip_of_samples(tmp_path):
    """Every sample is a case; its attachments are put back into its messages."""
    sample = {
        "id": "s1",
        "epoch": 2,
        "messages": [{"role": "user", "content": "attachment://x"}],
        "attachments": {"x": "What flew?"},
    }
    path = zipped(tmp_path / "run.eval", samples__s1_epoch_2=sample, header={"eval": {}})
    passed: list[DataError] = []
    [case] = read_all([path], on_pass=passed.append)
    assert (case.id, case.cluster, case.messages[0].content) == ("s1/2", "s1", "What flew?")
    assert len(passed) == 1


def test_a_folder_lists_what_it_passes_over(tmp_path):
    """Files of other kinds and JSON of other shapes do not end the reading."""
    for name, text in {"a.json": CHAT, "package.json": {"name": "x"}}.items():
        (tmp_path / name).write_text(json.dumps(text))
    (tmp_path / "chart.png").write_bytes(b"\x89PNG")
    passed: list[DataError] = []
    assert [case.id for case in read_all([tmp_path], on_pass=passed.append)] == ["a"]
    assert sorted(str(error.file).rpartition("/")[2] for error in passed) == [
        "chart.png", "package.json",
    ]  # fmt: skip


def test_a_pattern_names_files(tmp_path):
    """Two stars go through folders; a pattern that names none is an error."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "a.json").write_text(json.dumps(CHAT))
    assert [case.id for case in read_all([f"{tmp_path}/**/*.json"])] == ["a"]
    with pytest.raises(DataError, match="names no file"):
        list(read_all([f"{tmp_path}/*.jsonl"]))


def test_stdin_is_a_file(monkeypatch):
    """Lines and documents alike."""
    for data in (json.dumps(CHAT), f'{{"messages": {json.dumps(CHAT)}}}\n'):
        stdin = SimpleNamespace(buffer=io.BytesIO(data.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        [case] = read("-")
        assert (case.id, len(case.messages)) == ("stdin", 2)


def test_an_address_goes_through_fsspec(tmp_path):
    """Where it is installed, it opens what its schemes name."""
    pytest.importorskip("fsspec")
    (tmp_path / "chat.json").write_text(json.dumps(CHAT))
    assert texts(f"file://{tmp_path}/chat.json") == [["How many stalls?", "314"]]
    with pytest.raises(DataError, match="cannot be opened"):
        list(read("nosuch://a/b.json"))


def test_parquet_fills_absent_keys_with_null(tmp_path):
    """They are no part of a message."""
    rows = [{"id": "a", "messages": [*CHAT, {"role": "tool", "content": "x", "tool_call_id": "c"}]}]
    rows[0]["messages"][1] = {
        **CHAT[1],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
    }
    pl.DataFrame(rows, strict=False).write_parquet(tmp_path / "set.parquet")
    [case] = read(tmp_path / "set.parquet")
    assert case.messages[1].tool_calls[0].name == "f"
    assert case.messages[2].tool_call_id == "c"


def test_a_column_of_a_table_is_named(tmp_path):
    """Messages stand there as JSON; without the name another column would be taken."""
    with (tmp_path / "set.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["messages", "edited"])
        out.writerow([json.dumps(CHAT), json.dumps(CHAT[:1])])
    assert texts(tmp_path / "set.csv") == [["How many stalls?", "314"]]
    assert texts(tmp_path / "set.csv", column="edited") == [["How many stalls?"]]
    with pytest.raises(DataError, match="it has messages, edited"):
        texts(tmp_path / "set.csv", column="edit")


def test_rows_of_messages_are_one_chat_for_each_conversation(tmp_path):
    """The columns may be those of a log; a number names the conversation as well as a text."""
    rows = "conversation_id,speaker,text\n1,Ada,Hi\n2,Cy,Hey\n1,Bo,Hello\n"
    (tmp_path / "log.csv").write_text(rows)
    found = {case.id: [(m.role, m.name) for m in case.messages] for case in
             read(tmp_path / "log.csv")}  # fmt: skip
    assert found["1"] == [("user", "Ada"), ("assistant", "Bo")]
    assert set(found) == {"1", "2"}


def test_one_message_a_line_is_one_chat(tmp_path):
    """As agents write their logs; the line of a fault is named."""
    lines = [json.dumps(one) for one in CHAT]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    assert texts(tmp_path / "log.jsonl") == [["How many stalls?", "314"]]
    (tmp_path / "bad.jsonl").write_text("\n".join([*lines, '{"role": "user", "content": [7]}']))
    with pytest.raises(DataError) as caught:
        list(read(tmp_path / "bad.jsonl"))
    assert caught.value.line == 3


def test_documents_one_after_the_other_are_many_chats(tmp_path):
    """Over several lines each, as `jq` prints them."""
    (tmp_path / "a.json").write_text("\n".join(json.dumps(CHAT, indent=1) for _ in range(2)))
    assert [len(case.messages) for case in read(tmp_path / "a.json")] == [2, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("User: Hi\nAssistant: Hello\nthere\n", [("user", None, "Hi"),
         ("assistant", None, "Hello\nthere")]),
        ("[01/02/2031, 10:15:00] Ada L.: Hi: you\n[01/02/2031, 10:16:00] Bo: Hello\n",
         [("user", "Ada L.", "Hi: you"), ("assistant", "Bo", "Hello")]),
        ("01.02.31, 10:15 - Ada: Hi\n", [("user", "Ada", "Hi")]),
    ],
    ids=["roles", "times in brackets", "times"],
)  # fmt: skip
def test_a_plain_transcript_is_read(text, found, tmp_path):
    """Where speaker and text are plain."""
    (tmp_path / "talk.txt").write_text(text)
    [case] = read(tmp_path / "talk.txt")
    assert [(m.role, m.name, m.content) for m in case.messages] == found


@pytest.mark.parametrize(
    "text",
    ["Dear all,\nno talk here.", "title: a list\ndate: today\n", "- role: user\n  content: Hi\n",
     "x", "Note: this\nNote: that\nWarning: x\nWarning: y\n"],
)  # fmt: skip
def test_other_text_is_no_transcript(text, tmp_path):
    """One error for the file says so."""
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(DataError, match="no format that is recognised"):
        list(read(tmp_path / "a.txt"))


def test_a_file_that_is_nothing_we_know_is_one_error(tmp_path):
    """It names the keys, the nearest format and how to convert; never one a line."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"chosen": "a", "answer": "b"}\n' * 50)
    with pytest.raises(DataError) as caught:
        list(read(path))
    words = str(caught.value)
    for part in ("keys answer, chosen", "'preference'", "--format", '{"messages"', "module:reader"):
        assert part in words
    skipped: list[DataError] = []
    assert list(read(path, skip_bad=True, on_skip=skipped.append)) == []
    assert len(skipped) == 1
    assert "50 records" in str(skipped[0])


def test_yaml_is_told_how_to_become_json(tmp_path):
    """The command stands in the error."""
    (tmp_path / "a.yaml").write_text("- role: user\n  content: Hi\n")
    with pytest.raises(DataError, match=r"looks like YAML.*yaml.safe_load"):
        list(read(tmp_path / "a.yaml"))


def test_good_records_beside_strange_ones_are_read(tmp_path):
    """With bad ones skipped, and without one that ends it, as before."""
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"what": 1}}\n{{"messages": {json.dumps(CHAT)}}}\n')
    assert len(list(read(path, skip_bad=True))) == 1


def test_a_reader_that_fails_does_not_end_the_run(tmp_path, monkeypatch):
    """One of others' may look at a field that is not there: the error names the record."""
    broken = FORMATS["slack"]
    monkeypatch.setitem(
        FORMATS._own, "slack",
        type(broken)(name="slack", description="", recognises=lambda raw: raw["x"] == 1,
                     read=lambda raw, name: iter([raw["nothing"]]), example=None),
    )  # fmt: skip
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n')
    with pytest.raises(DataError, match="cannot be read as 'slack': KeyError") as caught:
        list(read(tmp_path / "a.jsonl"))
    assert caught.value.line == 1
