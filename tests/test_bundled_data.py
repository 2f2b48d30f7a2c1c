"""The conversations that ship with ctxlab keep the promises their formats make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctxlab.chats.case_format import read_case
from ctxlab.chats.workshop_file import load_workshop
from ctxlab.core.tokens import TokenCounter
from ctxlab.workshop import ARTIFACT_SCHEMAS, DESIGN_THINKING

DATA = Path(__file__).parents[1] / "data"
WORKSHOPS = sorted((DATA / "workshops").glob("*.json"))
AGENT_RUN = DATA / "agent-run.jsonl"
CATEGORIES = {
    "number",
    "person",
    "decision",
    "reason",
    "quote",
    "correction",
    "multi-step",
    "constraint",
}
Json = dict[str, Any]


@pytest.fixture(params=WORKSHOPS, ids=lambda path: path.stem, scope="module")
def path(request: pytest.FixtureRequest) -> Path:
    """Go through the workshop files."""
    return request.param


@pytest.fixture(scope="module")
def workshop(path: Path) -> Json:
    """Load the JSON of a workshop file."""
    return json.loads(path.read_text(encoding="utf-8"))


def all_messages(workshop: Json) -> list[Json]:
    """Return the messages of all steps, in order."""
    return [message for step in workshop["steps"] for message in step["messages"]]


def agent_cases() -> list[Json]:
    """Return the cases of the agent run."""
    return [json.loads(line) for line in AGENT_RUN.read_text(encoding="utf-8").splitlines()]


def check_unique(what: str, ids: list[str]) -> None:
    """Fail with the ids that stand more than once."""
    repeated = sorted({one for one in ids if ids.count(one) > 1})
    assert not repeated, f"{what} repeat: {repeated}"


def check_probes(messages: list[Json], probes: list[Json]) -> None:
    """Fail with the probes whose evidence is missing, unfit or without the answer."""
    by_id = {message["id"]: message for message in messages}
    place = {message["id"]: index for index, message in enumerate(messages)}
    check_unique("probe ids", [probe["id"] for probe in probes])
    faults = []
    for probe in probes:
        found = [by_id[one] for one in probe["evidence"] if one in by_id]
        if not found or len(found) < len(probe["evidence"]):
            faults.append((probe["id"], "evidence that is not there", probe["evidence"]))
        if any(message["role"] == "system" for message in found):
            faults.append((probe["id"], "evidence in a system message", probe["evidence"]))
        answer = probe["answer"].casefold()
        if not answer or not any(answer in message["content"].casefold() for message in found):
            faults.append((probe["id"], "answer not in the evidence", probe["answer"]))
        if not probe["question"].endswith("?") or probe.get("evidence_mode", "all") not in (
            "all",
            "any",
        ):
            faults.append((probe["id"], "no question, or an unknown evidence mode", probe))
        at = probe.get("at")
        if at is not None and not (at in place and all(place[m["id"]] < place[at] for m in found)):
            faults.append((probe["id"], "asked before its evidence", at))
    assert not faults


def check_tool_calls(messages: list[Json]) -> None:
    """Fail with calls that nobody answers, and with answers that nobody asked for."""
    waiting: set[str] = set()
    for message in messages:
        for call in message.get("tool_calls", []):
            json.loads(call["arguments"])
            waiting.add(call["id"])
        if message["role"] == "tool":
            assert message["tool_call_id"] in waiting, message["id"]
            waiting.remove(message["tool_call_id"])
    assert not waiting, f"calls without a result: {sorted(waiting)}"


def test_two_workshops_ship():
    """At least two workshops are there, so that the tests below speak of something."""
    assert len(WORKSHOPS) >= 2


def test_workshop_file_is_read(path, workshop):
    """The reader takes the file as it is and loses no message and no probe."""
    case = load_workshop(path).case()
    assert case.id == workshop["id"] == path.stem
    assert [message.id for message in case.messages] == [m["id"] for m in all_messages(workshop)]
    assert len(case.probes) == len(workshop["probes"])


def test_workshop_header(workshop):
    """The file says what it is, in which language, and who took part."""
    assert (workshop["format"], workshop["version"]) == ("ctxlab-workshop", 1)
    assert workshop["language"] == "en"
    assert workshop["title"]
    assert all(one["name"] and one["role"] for one in workshop["participants"])


def test_ten_steps_in_order(workshop):
    """A workshop has all ten steps, in the protocol's order."""
    assert [step["step"] for step in workshop["steps"]] == [s.id for s in DESIGN_THINKING.steps]


def test_message_ids(workshop):
    """Message ids are unique over the whole workshop and rise."""
    ids = [message["id"] for message in all_messages(workshop)]
    check_unique("message ids", ids)
    assert ids == sorted(ids)


def test_messages_are_spoken_by_those_present(workshop):
    """People of the list speak as users; each step opens with one system message."""
    people = {one["name"] for one in workshop["participants"]}
    for step in workshop["steps"]:
        roles = [message["role"] for message in step["messages"]]
        assert roles.index("system") == 0
        assert roles.count("system") == 1
        for message in step["messages"]:
            assert message["content"] or message.get("tool_calls"), message["id"]
            if message["role"] == "user":
                assert message["name"] in people, message["id"]


def test_times_rise(workshop):
    """Messages are dated, and later ones are not dated earlier."""
    times = [message["created_at"] for message in all_messages(workshop)]
    assert times == sorted(times)
    assert all(time.endswith("Z") for time in times)


def test_tool_calls_are_answered(workshop):
    """Every tool call is answered within its step; a workshop makes at least ten."""
    calls = 0
    for step in workshop["steps"]:
        check_tool_calls(step["messages"])
        calls += sum(len(message.get("tool_calls", [])) for message in step["messages"])
    assert calls >= 10
    check_unique(
        "tool call ids",
        [c["id"] for message in all_messages(workshop) for c in message.get("tool_calls", [])],
    )


def test_artifacts_obey_their_schemas(workshop):
    """Every step's artifact is valid as it stands, without conversions."""
    for step in workshop["steps"]:
        model = ARTIFACT_SCHEMAS[step["step"]]
        model.model_validate_json(json.dumps(step["artifact"]), strict=True)


def test_artifacts_agree_with_each_other(workshop):
    """The journey is the persona's, and key stakeholders are among the stakeholders."""
    artifacts = {step["step"]: step["artifact"] for step in workshop["steps"]}
    assert artifacts["journey-mapping"]["persona"] == artifacts["persona"]["name"]
    mapping = artifacts["stakeholder-mapping"]
    names = {stakeholder["name"] for stakeholder in mapping["stakeholders"]}
    assert set(mapping["key_stakeholders"]) <= names


def test_every_step_has_a_summary(workshop):
    """Summaries are prose of 100 to 300 words."""
    for step in workshop["steps"]:
        assert 100 <= len(step["summary"].split()) <= 300, step["step"]


def test_workshop_is_long_enough(workshop):
    """A workshop holds at least 25,000 tokens of messages."""
    counter = TokenCounter()
    texts = [
        text
        for message in all_messages(workshop)
        for text in (
            message["content"],
            *(call["arguments"] for call in message.get("tool_calls", [])),
        )
    ]
    assert sum(counter.count_many(texts)) >= 25_000


def test_probes_rest_on_evidence(workshop):
    """Every answer stands in evidence that is there, and is no instruction."""
    check_probes(all_messages(workshop), workshop["probes"])


def test_probes_are_many_and_mixed(workshop):
    """At least sixty probes, of every kind and about every step."""
    probes = workshop["probes"]
    assert len(probes) >= 60
    assert {probe["category"] for probe in probes} == CATEGORIES
    home = {m["id"]: step["step"] for step in workshop["steps"] for m in step["messages"]}
    asked = {home[one] for probe in probes for one in probe["evidence"]}
    assert asked == set(ARTIFACT_SCHEMAS)
    assert sum(len(probe["evidence"]) > 1 for probe in probes) >= 10
    assert sum(probe["category"] == "correction" for probe in probes) >= 6


def test_agent_run_ships():
    """The agent run is there and holds at least one case with probes."""
    cases = agent_cases()
    assert cases
    assert all(case["probes"] for case in cases)


def test_agent_run_is_read():
    """The case reader takes every line as it is and loses nothing."""
    for raw in agent_cases():
        case = next(read_case(raw, "agent-run"))
        assert [message.id for message in case.messages] == [m["id"] for m in raw["messages"]]
        assert [probe.id for probe in case.probes] == [p["id"] for p in raw["probes"]]


def test_agent_run_keeps_its_promises():
    """Ids are unique, calls are answered, and no probe is asked before its evidence."""
    cases = agent_cases()
    check_unique("case ids", [case["id"] for case in cases])
    for case in cases:
        check_unique("message ids", [message["id"] for message in case["messages"]])
        check_tool_calls(case["messages"])
        check_probes(case["messages"], case["probes"])
