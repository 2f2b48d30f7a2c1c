"""The original files of published datasets: what their readers make of them, checked anew."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from ctxlab.datasets import load, read, read_all, sniff
from ctxlab.datasets.fetching import MIRROR


@pytest.fixture
def mirror(data_dir, monkeypatch):
    """Point the catalogue at the folder of real conversations."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    return data_dir


def original(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_locomo_questions_by_category(mirror):
    """The dev half asks 624 questions in categories 1 to 4, two of them without evidence."""
    probes = [probe for case in load("locomo:dev") for probe in case.probes]
    asked = [probe for probe in probes if probe.category != "5"]
    assert len(asked) == 624
    assert [p.question for p in asked if not p.evidence] == [
        qa["question"]
        for talk in original(mirror / "locomo/locomo10.dev.json")
        for qa in talk["qa"]
        if qa["category"] != 5 and not qa["evidence"]
    ]
    assert all(probe.answer for probe in asked)
    assert not any(p.answer or p.evidence for p in probes if p.category == "5")


def test_locomo_turns_are_all_there(mirror):
    """Each turn is a message, in order of sessions, with speaker, time and its photo's caption."""
    shown = 0
    for case, raw in zip(
        load("locomo:dev"), original(mirror / "locomo/locomo10.dev.json"), strict=True
    ):
        talk = raw["conversation"]
        names = [name for name in talk if re.fullmatch(r"session_\d+", name)]
        names.sort(key=lambda name: int(name.removeprefix("session_")))
        expected = [
            (turn["dia_id"], turn["speaker"], said(turn), name, talk[f"{name}_date_time"])
            for name in names
            for turn in talk[name]
        ]
        found = [(m.id, m.name, m.content, m.session, m.created_at) for m in case.messages]
        assert found == expected
        assert {(m.name, m.role) for m in case.messages} == {
            (talk["speaker_a"], "user"),
            (talk["speaker_b"], "assistant"),
        }
        shown += sum("\n[shares a " in m.content for m in case.messages)
    assert shown > 100


def said(turn):
    """Return the text of a turn of LoCoMo, and below it the caption of what is shared."""
    caption = turn.get("blip_caption")
    return f"{turn['text']}\n[shares {caption}]" if caption else turn["text"]


def test_qmsum_evidence_is_the_turns_of_the_spans(mirror):
    """A span names its first and last turn, and both belong to it."""
    for case in load("qmsum:dev"):
        raw = original(mirror / f"qmsum/{case.id}.json")
        turns = [(turn["speaker"], turn["content"]) for turn in raw["meeting_transcripts"]]
        assert [(m.name, m.content) for m in case.messages] == turns
        counts = Counter(probe.category for probe in case.probes)
        assert counts["general"] == len(raw["general_query_list"])
        assert counts["specific"] == len(raw["specific_query_list"])
        specific = [probe for probe in case.probes if probe.category == "specific"]
        for probe, query in zip(specific, raw["specific_query_list"], strict=True):
            spans = [range(int(a), int(b) + 1) for a, b in query["relevant_text_span"]]
            assert set(probe.evidence) == {f"t{turn}" for span in spans for turn in span}
            assert probe.evidence
            assert (probe.question, probe.answer) == (query["query"], query["answer"])
        assert not any(p.evidence for p in case.probes if p.category == "general")


def test_explainmeetsum_meetings_are_those_of_qmsum(mirror):
    """Both give a meeting the same turns, so that their evidence can be compared."""
    explained = {case.id: case for case in load("explainmeetsum:dev")}
    shared = [case for case in load("qmsum:dev") if case.id in explained]
    assert shared
    for case in shared:
        assert [m.content for m in explained[case.id].messages] == [
            m.content for m in case.messages
        ]


def test_taubench_probes_equal_the_reference_in_every_field(mirror):
    """Evidence is what the agent said and passed on, too; a call's id that stands twice is made."""
    again = 0
    reference = {c.id: c for c in read(mirror / "taubench_airline.dev.jsonl.gz")}
    derived = load("taubench:dev")
    assert len(derived) == len(reference) == 60
    for case in derived:
        expected = reference[f"air_{case.id}"]
        prefix = f"{expected.id}_"
        for probe, given in zip(case.probes, expected.probes, strict=True):
            assert set(given.evidence) <= set(probe.evidence)
            same = replace(given, id=given.id.removeprefix(prefix), evidence=probe.evidence)
            assert probe == same
        messages, made = with_own_call_ids(expected.messages)
        again += made
        assert [(m.id, m.role, m.content, m.tool_calls, m.tool_call_id) for m in case.messages] == [
            (m.id, m.role, m.content, m.tool_calls, m.tool_call_id) for m in messages
        ]
    assert again == 10


def with_own_call_ids(messages):
    """Give a call whose id an earlier one has an id of its message, and its result the same."""
    found, taken, made = [], set(), {}
    for message in messages:
        for call in message.tool_calls:
            made[call.id] = f"call_{message.id}" if call.id in taken else call.id
            taken.add(call.id)
        calls = tuple(replace(call, id=made[call.id]) for call in message.tool_calls)
        answers = made.get(message.tool_call_id, message.tool_call_id)
        found.append(replace(message, tool_calls=calls, tool_call_id=answers))
    renamed = sum(a.tool_calls != b.tool_calls for a, b in zip(messages, found, strict=True))
    return found, renamed


def test_taubench_values_stand_in_their_evidence_before_they_are_needed(mirror):
    """Each evidence message holds the value and comes before the call that takes it."""
    for case in load("taubench:dev"):
        place = {message.id: index for index, message in enumerate(case.messages)}
        for probe in case.probes:
            assert probe.evidence_mode == "any"
            assert probe.at is not None
            for name in probe.evidence:
                said = case.messages[place[name]]
                passed = [call.arguments for call in said.tool_calls]
                assert any(probe.answer in text for text in (said.content, *passed))
                assert place[name] < place[probe.at]
            calls = case.messages[place[probe.at]].tool_calls
            assert any(probe.answer in call.arguments for call in calls)


def test_longmemeval_evidence_is_the_turns_that_have_the_answer(mirror):
    """Sessions, dates and marks are the file's; only what was never said has no evidence."""
    abstained = []
    path = mirror / "longmemeval/longmemeval_sample.json"
    for case, raw in zip(read(path), original(path), strict=True):
        assert len(case.messages) == sum(map(len, raw["haystack_sessions"]))
        dates = dict(zip(raw["haystack_session_ids"], raw["haystack_dates"], strict=True))
        assert all(message.created_at == dates[message.session] for message in case.messages)
        [probe] = case.probes
        sessions = zip(raw["haystack_session_ids"], raw["haystack_sessions"], strict=True)
        marked = [
            turn["content"] for _, turns in sessions for turn in turns if turn.get("has_answer")
        ]
        held = {message.id: message for message in case.messages}
        assert marked
        if raw["question_id"].endswith("_abs"):
            abstained.append(probe.id)
            assert (probe.answer, probe.evidence, probe.category) == ("", (), "abstention")
            continue
        assert [held[name].content for name in probe.evidence] == marked
        assert {held[name].session for name in probe.evidence} <= set(raw["answer_session_ids"])
        assert (probe.answer, probe.category) == (str(raw["answer"]), raw["question_type"])
    assert len(abstained) == 1


def test_every_original_is_recognised(mirror):
    """Read as one folder, without a word on formats, nothing is missed or mistaken."""
    found = Counter(case.dataset for case in read_all([mirror]))
    expected = {
        "explainmeetsum": 66,
        "taubench": 60,
        "taubench-airline": 60,
        "qmsum": 22,
        "locomo": 4,
        "longmemeval": 2,
    }
    assert {name: found[name] for name in expected} == expected
    assert sniff(original(mirror / "locomo/locomo10.dev.json")[0]).name == "locomo"


@pytest.mark.parametrize("name", ["locomo", "qmsum", "taubench", "explainmeetsum"])
def test_originals_make_valid_chats(name, mirror):
    """Every case becomes a chat that an API would take, each result after its call."""
    for case in load(f"{name}:dev"):
        called: set[str] = set()
        chat = case.context().messages()
        assert len(chat) == len(case.messages)
        for message in chat:
            called.update(call["id"] for call in message.get("tool_calls", ()))
            assert message["role"] != "tool" or message["tool_call_id"] in called
