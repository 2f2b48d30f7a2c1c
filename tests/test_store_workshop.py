"""The workshop in the store: locks that raise, versions, write-once summaries, rules, faults."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ctxlab.core.budgets import TierBudget
from ctxlab.core.segments import ContextTier, Message
from ctxlab.core.tokens import TokenCounter
from ctxlab.datasets import bundled_dir, load_workshop
from ctxlab.errors import (
    BudgetError,
    ConflictError,
    InvalidArtifactError,
    NotFoundError,
    StaleVersionError,
    StoreError,
    TransitionError,
    UnknownNameError,
)
from ctxlab.store import Store
from ctxlab.strategies import Salience
from ctxlab.workshop import NOTHING_BEFORE, ArcPhase, Protocol
from ctxlab.workshop.artifacts import Artifacts, merge_patch
from ctxlab.workshop.assembly import assemble, step_table
from ctxlab.workshop.autosave import AutoSaver
from ctxlab.workshop.schema_changes import changes
from ctxlab.workshop.workshops import Workshops

FILES = sorted((bundled_dir() / "workshops").glob("*.json"))
CHALLENGE = {
    "statement": "How might we keep food on plates?",
    "background": "The hall discards 201 kg a day.",
    "goal": "Half of it is eaten.",
    "success_measures": ["Half of it eaten the next day"],
}
RETRO = Protocol.from_toml(
    """
name = "retro"
[[steps]]
id = "facts"
name = "Facts"
description = "What happened."
goal = "One timeline."
fields = { facts = "list[str]: what happened", mood = "str?: how it felt" }
[[steps]]
id = "change"
name = "Change"
description = "What to change."
goal = "One change."
depends_on = ["facts"]
fields = { owner = "str: who does it" }
"""
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.duckdb") as store:
        yield store


@pytest.fixture
def workshop(store):
    return Workshops(store).create("Market hall")


@pytest.fixture
def retro(store):
    return Workshops(store).create("Retro", RETRO)


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_artifact_is_locked_versioned_and_kept(workshop):
    """Every version stays; a stale save raises with both versions and changes nothing."""
    first = workshop.save_artifact("challenge", CHALLENGE)
    second = workshop.save_artifact(
        "challenge", {**CHALLENGE, "goal": "All of it."}, expected_version=first.version
    )
    with pytest.raises(StaleVersionError) as caught:
        workshop.save_artifact("challenge", CHALLENGE, expected_version=1)
    assert (caught.value.expected, caught.value.found) == (1, 2)
    with pytest.raises(StaleVersionError):
        workshop.save_artifact("challenge", CHALLENGE)
    assert workshop.artifact("challenge") == second
    assert workshop.artifact("challenge", version=1).artifact == CHALLENGE
    assert [record.version for record in workshop.history("challenge")] == [1, 2]
    assert workshop.diff("challenge", 1, 2) == {"goal": "All of it."}
    third = workshop.restore("challenge", 1, expected_version=2)
    assert (third.version, third.artifact) == (3, CHALLENGE)
    with pytest.raises(NotFoundError, match="there are: 1, 2, 3"):
        workshop.artifact("challenge", version=9)


def test_what_is_read_can_be_changed_without_changing_what_is_stored(workshop):
    """The cache hands out no shared state."""
    workshop.save_artifact("challenge", CHALLENGE)
    workshop.artifact("challenge").artifact["goal"] = "spoiled"
    assert workshop.artifact("challenge").artifact == CHALLENGE


def test_a_read_never_shows_what_was_rolled_back(workshop, store):
    """A hot read follows commits and rollbacks."""
    workshop.save_artifact("challenge", CHALLENGE)
    with pytest.raises(ZeroDivisionError), store.db.write():
        workshop.save_artifact("challenge", {**CHALLENGE, "goal": "x"}, expected_version=1)
        assert workshop.artifact("challenge").version / 0
    assert workshop.artifact("challenge").version == 1


def test_an_invalid_artifact_names_every_fault(workshop):
    """Refused with JSON paths, or stored on request and marked."""
    bad = {**CHALLENGE, "success_measures": ["ok", 7], "extra": 1}
    bad.pop("goal")
    with pytest.raises(InvalidArtifactError) as caught:
        workshop.save_artifact("challenge", bad)
    paths = [path for path, _ in caught.value.faults]
    assert "$.success_measures[1]" in paths
    assert len(paths) == 3
    assert workshop.artifact("challenge") is None
    record = workshop.save_artifact("challenge", bad, validate=False)
    assert not record.valid
    assert not workshop.artifact("challenge").valid


@given(
    st.recursive(
        st.integers() | st.text(max_size=5) | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ).filter(lambda v: isinstance(v, dict)),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)
def test_a_merge_patch_applied_gives_the_new_artifact(old, new):
    """DuckDB's own json_merge_patch (RFC 7396) turns the one into the other."""
    patch = merge_patch(old, new)
    rows = duckdb.sql(
        "SELECT json_merge_patch(?::JSON, ?::JSON)", params=[json.dumps(old), json.dumps(patch)]
    ).fetchall()
    assert json.loads(rows[0][0]) == new


def test_a_summary_is_written_once(workshop):
    """A second one is refused, regenerating keeps the old text, a failure is never a summary."""
    record = workshop.save_summary("challenge", "We chose bread.")
    assert record.token_count == TokenCounter().count("We chose bread.")
    assert record.encoding == "o200k_base"
    with pytest.raises(ConflictError, match="regenerate_summary"):
        workshop.save_summary("challenge", "Again.")
    sneak = "UPDATE step_summaries SET summary = 'sneaky'"
    with pytest.raises(StoreError, match="write-once"), workshop.store.db.write() as connection:
        connection.execute(sneak)
    workshop.regenerate_summary("challenge", "We chose fish.")

    def broken(messages):
        raise TimeoutError("the model timed out")

    with pytest.raises(TimeoutError):
        workshop.generate_summary("challenge", broken)
    assert workshop.summary("challenge").text == "We chose fish."
    events = [(e.text, e.error) for e in workshop.summary_history("challenge")]
    assert events == [("We chose bread.", None), (None, "TimeoutError: the model timed out")]


def test_messages_are_deduplicated_and_keep_their_running_sum(workshop, store):
    """The same id twice is one message; the sum goes on over steps."""
    said = [Message(f"m{i}", "user", f"message {i}") for i in range(5)]
    assert workshop.say("challenge", said) == 5
    assert workshop.say("challenge", [*said, Message("m9", "user", "new")]) == 1
    assert workshop.say("persona", said[:2]) == 2
    totals = store.db.rows(
        "SELECT running_total, token_count + overhead FROM chat_messages ORDER BY position"
    )
    assert [total for total, _ in totals] == [
        sum(cost for _, cost in totals[:i]) for i in range(len(totals))
    ]


def test_a_workshop_goes_through_its_life_by_rule(retro):
    """Start, complete, revise; every illegal transition is an error that says what is needed."""
    with pytest.raises(TransitionError, match="needs 'facts' to be complete"):
        retro.start("change")
    with pytest.raises(TransitionError, match="complete needs in_progress"):
        retro.complete("facts", "x")
    retro.start("facts")
    with pytest.raises(TransitionError, match="start needs not_started"):
        retro.start("facts")
    with pytest.raises(TransitionError, match="no artifact"):
        retro.complete("facts", "x")
    retro.save_artifact("facts", {"facts": ["It rained."]})
    retro.complete("facts", "It rained.")
    retro.start("change")
    retro.save_artifact("change", {"owner": "Mira"})
    retro.complete("change", "Mira does it.")
    assert retro.revise("facts") == ["change"]
    states = {one.step: one.status for one in retro.status()}
    assert states == {"facts": "in_progress", "change": "needs_regeneration"}
    assert retro.artifact("change").artifact == {"owner": "Mira"}
    retro.complete("facts", "It poured.")
    assert retro.summary("facts").revision == 2
    retro.start("change")
    with pytest.raises(UnknownNameError, match="did you mean 'facts'"):
        retro.start("fact")


def test_deleting_a_workshop_leaves_nothing_behind(store):
    """No orphan in any table but definitions and schemas."""
    workshop = Workshops(store).add(load_workshop(FILES[0]))
    workshop.regenerate_summary("persona", "Another.")
    workshop.delete()
    assert set(store.counts()) == {"step_definitions", "artifact_schemas"}


class NoteV1(BaseModel):
    text: str
    mood: str | None = None


class NoteV2(BaseModel):
    text: str
    owner: str
    mood: str | None = None


def noted(store, *artifacts):
    workshops = [Workshops(store).create("Retro", RETRO) for _ in artifacts]
    Workshops(store).register_schema("facts", 7, NoteV1)
    for workshop, artifact in zip(workshops, artifacts, strict=True):
        workshop.save_artifact("facts", artifact, schema_version=7)
    return workshops


def test_schemas_are_compared_by_rule_and_by_replay(store):
    """Every change has a path and a reason, and every stored artifact is tried."""
    noted(store, {"text": "a"}, {"text": "b", "owner": "Mira"})
    Workshops(store).register_schema("facts", 8, NoteV2)
    found = Workshops(store).compatibility("facts", 7, 8)
    assert found.kind == "needs migration"
    assert ("$.owner", "a new required field") in {(c.path, c.reason) for c in found.changes}
    assert found.replayed == 2
    assert len(found.refused) == 1
    with pytest.raises(ConflictError, match="register the change as version 9"):
        Workshops(store).register_schema("facts", 8, NoteV1)


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ({"type": "string"}, {"type": "string"}, []),
        ({"type": "string"}, {"type": "integer"}, ["breaking"]),
        ({"type": "integer"}, {"type": "number"}, []),
        ({"type": "number"}, {"type": "integer"}, ["breaking"]),
        ({"type": ["string", "null"]}, {"type": "string"}, ["needs migration"]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, []),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, ["needs migration"]),
        ({"type": "string"}, {"type": "string", "maxLength": 5}, ["needs migration"]),
        ({"items": {"type": "string"}}, {"items": {"type": "integer"}}, ["breaking"]),
        ({"properties": {}}, {"properties": {"a": {}}}, ["compatible"]),
        (
            {"properties": {"a": {}}, "required": ["a"]},
            {"properties": {}, "additionalProperties": False},
            ["breaking", "needs migration"],
        ),
        (
            {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}},
            {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "boolean"}}},
            ["breaking"],
        ),
    ],
)
def test_each_change_is_classified(old, new, kinds):
    """Golden cases, references included."""
    assert [change.kind for change in changes(old, new)] == kinds


def test_a_migration_is_all_or_nothing(store):
    """A dry run reports, a failure changes nothing, a success changes all and keeps versions."""
    workshops = Workshops(store)
    first, second = noted(store, {"text": "a"}, {"text": "b"})
    workshops.register_schema("facts", 8, NoteV2)
    assert [one.ok for one in workshops.migrate_artifacts("facts", 8)] == [False, False]

    def only_a(old):
        return {**old, "owner": "Mira"} if old["text"] == "a" else old

    workshops.register_schema("facts", 8, NoteV2, migrate=only_a)
    with pytest.raises(InvalidArtifactError, match="owner"):
        workshops.migrate_artifacts("facts", 8, dry_run=False)
    assert first.artifact("facts").version == 1
    workshops.register_schema("facts", 8, NoteV2, migrate=lambda old: {**old, "owner": "Mira"})
    report = workshops.migrate_artifacts("facts", 8, dry_run=False)
    assert all(one.ok for one in report)
    assert second.artifact("facts").artifact == {"text": "b", "owner": "Mira"}
    assert [(r.version, r.schema_version) for r in second.history("facts")] == [(1, 7), (2, 8)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_bundled_workshops_stay_small_at_the_last_step(file, store):
    """Under 15,000 tokens where the history exceeds 25,000; every tier within its limit."""
    workshop = Workshops(store).add(load_workshop(file))
    rows = step_table(store, workshop.id, TierBudget(15_000))
    last = {row["tier"]: row for row in rows if row["step"] == "validate"}
    assert last["prompt"]["tokens"] < 15_000
    assert last["prompt"]["full_history"] > 25_000
    assert all(row["over"] == 0 for row in rows)
    assert last["persistent"]["tokens"] > 0
    assert last["long-term"]["tokens"] > 0


def test_three_megabytes_of_canvas_are_caught(workshop):
    """The report says so, the persistent tier's budget holds, and the facts survive."""
    workshop.start("challenge")
    canvas = [{"id": i, "path": f"M0 0 L{i} {i}" * 4} for i in range(40_000)]
    workshop.save_artifact("challenge", {**CHALLENGE, "canvas": canvas}, validate=False)
    workshop.save_summary("challenge", "We chose bread.")
    step = assemble(workshop.store, workshop.id, "stakeholder-mapping", TierBudget(15_000))
    wanted = {use.tier: use for use in step.wanted().tiers}
    sent = {use.tier: use for use in step.report().tiers}
    assert wanted["persistent"].over > 500_000
    assert sent["persistent"].over == 0
    assert sent["prompt"].used <= 15_000
    text = step.tier(ContextTier.PERSISTENT).text
    assert json.loads(text)["goal"] == CHALLENGE["goal"]
    assert "$.canvas" in step.tier(ContextTier.PERSISTENT)[0].note


def test_a_step_without_its_past_says_so(workshop):
    """The sentinel stands where artifacts and summaries are missing, and nowhere else."""
    assert NOTHING_BEFORE in assemble(workshop.store, workshop.id, "persona").context.text
    assert NOTHING_BEFORE not in assemble(workshop.store, workshop.id, "challenge").context.text


def test_the_order_of_an_assembled_context_is_stable(store):
    """Artifacts, then summaries, then messages, in the protocol's order: a cacheable prefix."""
    workshop = Workshops(store).add(load_workshop(FILES[0]))
    step = assemble(store, workshop.id, "validate")
    tiers = [segment.tier for segment in step.context]
    order = [ContextTier.PERSISTENT, ContextTier.LONG_TERM, ContextTier.SHORT_TERM]
    assert tiers == sorted(tiers, key=order.index)
    names = [s.step for s in step.tier(ContextTier.PERSISTENT)]
    assert names == [s for s in workshop.steps if s in names]
    assert assemble(store, workshop.id, "validate").context == step.context


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("limit", [1300, 6000])
def test_the_budget_is_that_of_all_that_is_sent(store, file, limit):
    """Prompt, messages, tool definitions and the reserve together, with and without a fill."""
    workshop = Workshops(store).add(load_workshop(file))
    tools = [{"name": "save_artifact", "parameters": {"type": "object"}}]
    budget = TierBudget(limit, reply=100)
    for step in (workshop.steps[0], workshop.steps[-1]):
        for fill in (None, Salience()):
            made = assemble(store, workshop.id, step, budget, fill=fill, tools=tools)
            chat = [("system", made.prompt(phase)) for phase in ArcPhase]
            said = [(s.role, s.text) for s in made.tier(ContextTier.SHORT_TERM)]
            tokens = store.counter.count
            sent = max(tokens(text) for _, text in chat) + tokens(json.dumps(tools[0]))
            sent += sum(tokens(text) + 4 for _, text in said) + 4 + 3
            assert sent <= limit - 100 + 8
            assert made.report().prompt.over == 0
            assert sum(use.used for use in made.report().tiers[:-1]) == made.report().prompt.used


def test_a_fill_uses_what_the_tiers_leave(store):
    """Earlier messages in their order after the summaries, as a part of their own."""
    file = load_workshop(FILES[0])
    workshop = Workshops(store).add(file)
    bare = assemble(store, workshop.id, "validate")
    made = assemble(store, workshop.id, "validate", fill=Salience())
    parts = {use.tier: use for use in made.report().tiers}
    assert parts["earlier messages"].used > 5_000
    assert 14_000 < parts["prompt"].used <= 15_000
    order = [m.id for s in file.steps for m in s.messages]
    places = [order.index(segment.source.removeprefix("message:")) for segment in made.earlier()]
    assert places == sorted(places)
    text = made.prompt()
    assert text.startswith(bare.prompt().split("## Phase now")[0])
    assert text.index("## Summaries") < text.index("## Said in earlier steps")
    held = [
        sum(probe.answer.casefold() in step.prompt().casefold() for probe in file.probes)
        for step in (bare, made)
    ]
    assert held[1] > 1.5 * held[0]


def test_instructions_above_the_budget_are_an_error(workshop):
    """Both numbers are named."""
    with pytest.raises(BudgetError, match=r"take \d+ tokens and the prompt has 100"):
        assemble(workshop.store, workshop.id, "challenge", TierBudget(100))


RACE = """
import sys, time
from ctxlab import Store, Workshops
from ctxlab.errors import StaleVersionError, StoreLockedError
path, workshop, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
done = stale = 0
while done < wanted:
    try:
        with Store(path) as store:
            handle = Workshops(store).open(workshop)
            for _ in range(25):
                if done == wanted:
                    break
                record = handle.artifact("facts")
                count = record.artifact["count"] if record else 0
                try:
                    handle.save_artifact("facts", {"count": count + 1}, validate=False,
                                         expected_version=record.version if record else 0)
                    done += 1
                except StaleVersionError:
                    stale += 1
        time.sleep(0.01)
    except StoreLockedError:
        time.sleep(0.005)
print(done, stale)
"""


@pytest.mark.slow
def test_two_processes_lose_no_write(tmp_path):
    """A thousand increments of one artifact from two processes are a thousand versions."""
    path = tmp_path / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro", RETRO).id
    children = [python(RACE, path, workshop, 500) for _ in range(2)]
    for child in children:
        out, err = child.communicate(timeout=240)
        assert out.split()[0] == "500", err
    with Store(path) as store:
        record = Workshops(store).open(workshop).artifact("facts")
        assert (record.version, record.artifact["count"]) == (1000, 1000)


def test_two_threads_lose_no_write_and_raise_on_every_stale_one(retro):
    """Whoever is late is told; together they reach a thousand."""
    tally = {"saved": 0, "stale": 0}

    def work() -> None:
        while tally["saved"] < 1000:
            record = retro.artifact("facts")
            count = record.artifact["count"] if record else 0
            try:
                retro.save_artifact(
                    "facts",
                    {"count": count + 1},
                    validate=False,
                    expected_version=record.version if record else 0,
                )
                tally["saved"] += 1
            except StaleVersionError:
                tally["stale"] += 1

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = retro.artifact("facts")
    assert record.version == record.artifact["count"] == len(retro.history("facts"))
    assert record.version >= 1000


AUTOSAVE = """
import sys
from ctxlab.store import Store
from ctxlab.workshop.autosave import AutoSaver
with Store(sys.argv[1]) as store:
    saver = AutoSaver(store, delay=0.0, max_wait=0.0)
    for i in range(1, 100000):
        saver.edit(sys.argv[2], "facts", {"count": i}, validate=False)
        saver.flush()
        print(i, flush=True)
"""

MIGRATION = """
import sys
from ctxlab import Store, Workshops
with Store(sys.argv[1]) as store:
    workshops = Workshops(store)
    workshops.register_schema("facts", 8, {"type": "object"}, migrate=lambda old: {**old, "v": 8})
    print("ready", flush=True)
    while True:
        workshops.migrate_artifacts("facts", 8, dry_run=False)
"""


def test_kill_9_in_auto_save_keeps_every_acknowledged_edit(tmp_path):
    """What was flushed is there, and the store opens."""
    path = tmp_path / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro", RETRO).id
    child = python(AUTOSAVE, path, workshop)
    acknowledged = 0
    for line in child.stdout:
        acknowledged = int(line)
        if acknowledged == 20:
            break
    child.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout)])
    child.wait()
    with Store(path) as store:
        handle = Workshops(store).open(workshop)
        assert handle.artifact("facts").artifact["count"] in (acknowledged, acknowledged + 1)
        versions = [record.version for record in handle.history("facts")]
        assert versions == list(range(1, handle.artifact("facts").version + 1))


@pytest.mark.parametrize("wait", [0.0, 0.02, 0.08])
def test_kill_9_in_a_migration_leaves_all_or_nothing(tmp_path, wait):
    """Either every artifact was migrated or none."""
    path = tmp_path / "lab.duckdb"
    with Store(path) as store:
        noted(store, *({"text": str(i)} for i in range(60)))
    child = python(MIGRATION, path)
    assert child.stdout.readline().strip() == "ready"
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with Store(path) as store:
        versions = store.db.rows("SELECT DISTINCT schema_version FROM step_artifacts")
        assert versions in ([(7,)], [(8,)])


def test_auto_save_joins_edits_and_flushes_at_the_end(retro):
    """Many edits are few saves; leaving the block saves the last."""
    with AutoSaver(retro.store, delay=0.05, max_wait=5.0) as saver:
        for i in range(30):
            saver.edit(retro.id, "facts", {"facts": [str(i)]})
        deadline = time.monotonic() + 5
        while saver.pending and time.monotonic() < deadline:
            time.sleep(0.01)
        assert retro.artifact("facts").version == 1
        saver.edit(retro.id, "facts", {"facts": ["last"]})
    assert retro.artifact("facts").artifact == {"facts": ["last"]}
    assert retro.artifact("facts").version == 2


def test_auto_save_saves_at_the_latest_after_a_while(retro):
    """Somebody who never pauses is saved all the same."""
    with AutoSaver(retro.store, delay=10.0, max_wait=0.1) as saver:
        deadline = time.monotonic() + 5
        while retro.artifact("facts") is None and time.monotonic() < deadline:
            saver.edit(retro.id, "facts", {"facts": ["typing"]})
            time.sleep(0.02)
        assert retro.artifact("facts") is not None


def test_auto_save_surfaces_a_conflict_with_both_versions_and_keeps_the_edit(retro):
    """Somebody else was faster: an error, not an overwrite, not a loss."""
    retro.save_artifact("facts", {"facts": ["a"]})
    saver = AutoSaver(retro.store, delay=60.0)
    saver.edit(retro.id, "facts", {"facts": ["mine"]}, expected_version=1)
    retro.save_artifact("facts", {"facts": ["theirs"]}, expected_version=1)
    with pytest.raises(StaleVersionError) as caught:
        saver.flush()
    assert (caught.value.expected, caught.value.found) == (1, 2)
    assert saver.pending == 1
    assert retro.artifact("facts").artifact == {"facts": ["theirs"]}
    assert saver.discard(retro.id, "facts") == {"facts": ["mine"]}
    saver.edit(retro.id, "facts", {"facts": ["merged"]})
    saver.close()
    assert retro.artifact("facts").artifact == {"facts": ["merged"]}


def test_auto_save_tries_again_what_failed(retro, monkeypatch):
    """A failure is kept, reported, and mended by the next try."""
    saver = AutoSaver(retro.store, delay=0.05)
    real = Artifacts.save
    monkeypatch.setattr(
        Artifacts, "save", lambda *a, **k: (_ for _ in ()).throw(StoreError("full"))
    )
    saver.edit(retro.id, "facts", {"facts": ["kept"]})
    deadline = time.monotonic() + 5
    while not saver.failures and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "full" in str(saver.failures[retro.id, "facts"])
    assert saver.pending == 1
    monkeypatch.setattr(Artifacts, "save", real)
    saver.close()
    assert retro.artifact("facts").artifact == {"facts": ["kept"]}
    with pytest.raises(StoreError, match="closed"):
        saver.edit(retro.id, "facts", {})


def test_auto_save_flushes_at_exit(tmp_path):
    """A script that ends without closing loses nothing."""
    path = tmp_path / "lab.duckdb"
    code = (
        "import sys; from ctxlab import AutoSaver, Store, Workshops\n"
        "store = Store(sys.argv[1]); workshop = Workshops(store).create('Retro')\n"
        "AutoSaver(store, delay=60).edit(workshop.id, 'persona', {'a': 1}, validate=False)\n"
        "print(workshop.id)\n"
    )
    out, err = python(code, path).communicate()
    assert out, err
    with Store(path) as store:
        assert Workshops(store).open(out.strip()).artifact("persona").artifact == {"a": 1}


def test_a_protocol_of_ones_own_is_kept_with_the_store(tmp_path):
    """Another process finds steps, dependencies and schemas again."""
    path: Path = tmp_path / "lab.duckdb"
    with Store(path) as store:
        workshop = Workshops(store).create("Retro", RETRO).id
    with Store(path) as store:
        handle = Workshops(store).open(workshop)
        assert handle.protocol.steps == RETRO.steps
        with pytest.raises(InvalidArtifactError):
            handle.save_artifact("change", {"owner": 7})
