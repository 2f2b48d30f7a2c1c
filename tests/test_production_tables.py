"""The product's own tables: imported, edited in the lab, pushed; nothing lost or overwritten."""

from __future__ import annotations

import json
import random
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from ctxlab import Store, Workshops
from ctxlab.cli import app
from ctxlab.core.segments import Message
from ctxlab.errors import DataError
from ctxlab.postgres import import_workshops, push_workshops

TABLES = [
    "workshops", "step_definitions", "workshop_steps", "sessions", "chat_messages",
    "step_artifacts", "step_summaries",
]  # fmt: skip
PRODUCT = """
CREATE TABLE workshops (id text PRIMARY KEY, clerk_user_id text NOT NULL, title text NOT NULL,
  original_idea text NOT NULL, status text NOT NULL DEFAULT 'draft', org_id text,
  color text, created_at timestamp(3) NOT NULL DEFAULT now(),
  updated_at timestamp(3) NOT NULL DEFAULT now(), deleted_at timestamp(3));
CREATE TABLE step_definitions (id text PRIMARY KEY, "order" integer NOT NULL, name text NOT NULL,
  description text NOT NULL, prompt_template text, created_at timestamp(3) NOT NULL DEFAULT now());
CREATE TABLE workshop_steps (id text PRIMARY KEY,
  workshop_id text NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  step_id text NOT NULL REFERENCES step_definitions(id),
  status text NOT NULL DEFAULT 'not_started', arc_phase text NOT NULL DEFAULT 'orient',
  output jsonb, started_at timestamp(3), completed_at timestamp(3));
CREATE TABLE sessions (id text PRIMARY KEY,
  workshop_id text NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  started_at timestamp(3) NOT NULL DEFAULT now(), ended_at timestamp(3));
CREATE TABLE chat_messages (id text PRIMARY KEY,
  session_id text NOT NULL REFERENCES sessions(id) ON DELETE CASCADE, step_id text NOT NULL,
  message_id text NOT NULL, role text NOT NULL, content text NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT now());
CREATE TABLE step_artifacts (id text PRIMARY KEY,
  workshop_step_id text NOT NULL REFERENCES workshop_steps(id) ON DELETE CASCADE,
  step_id text NOT NULL, artifact jsonb NOT NULL, schema_version text NOT NULL DEFAULT '1.0',
  extracted_at timestamp(3) NOT NULL DEFAULT now(), version integer NOT NULL DEFAULT 1,
  CONSTRAINT step_artifacts_workshop_step_id_unique UNIQUE(workshop_step_id));
CREATE TABLE step_summaries (id text PRIMARY KEY,
  workshop_step_id text NOT NULL REFERENCES workshop_steps(id) ON DELETE CASCADE,
  step_id text NOT NULL, summary text NOT NULL, token_count integer,
  generated_at timestamp(3) NOT NULL DEFAULT now(),
  CONSTRAINT step_summaries_workshop_step_id_unique UNIQUE(workshop_step_id));
"""
ROWS = """
INSERT INTO step_definitions (id, "order", name, description) VALUES
  ('challenge', 1, 'Challenge', 'c'), ('stakeholder-mapping', 2, 'Stakeholders', 's'),
  ('user-research', 3, 'Research', 'r');
INSERT INTO workshops (id, clerk_user_id, title, original_idea, status, color, created_at,
  deleted_at) VALUES
  ('ws_1', 'user_1', 'Market hall', 'Bread', 'active', 'red', '2026-10-01', NULL),
  ('ws_2', 'user_1', 'Old', 'Fish', 'active', NULL, '2026-10-01', '2026-10-02'),
  ('ws_3', 'user_2', 'Harbour', 'Fish', 'draft', NULL, '2026-11-05', NULL);
UPDATE workshops SET updated_at = created_at;
INSERT INTO workshop_steps (id, workshop_id, step_id, status, arc_phase, output, completed_at)
  VALUES ('st_1', 'ws_1', 'challenge', 'completed', 'complete', '{"x": 1}',
  '2026-10-01 10:00:00.123'),
  ('st_2', 'ws_1', 'stakeholder-mapping', 'in_progress', 'gather', NULL, NULL),
  ('st_3', 'ws_3', 'challenge', 'not_started', 'orient', NULL, NULL),
  ('st_4', 'ws_2', 'challenge', 'completed', 'complete', NULL, NULL);
INSERT INTO sessions (id, workshop_id) VALUES ('se_1', 'ws_1'), ('se_2', 'ws_3'), ('se_4', 'ws_2');
INSERT INTO chat_messages (id, session_id, step_id, message_id, role, content, created_at) VALUES
  ('cm_1', 'se_1', 'challenge', 'm1', 'user', 'We waste bread.', '2026-10-01 09:00:00.001'),
  ('cm_2', 'se_1', 'challenge', 'm2', 'assistant', 'How much?', '2026-10-01 09:00:01'),
  ('cm_3', 'se_1', 'challenge', 'm2', 'assistant', 'How much?', '2026-10-01 09:00:01'),
  ('cm_4', 'se_2', 'challenge', 'm1', 'user', 'Fish.', '2026-11-05');
INSERT INTO step_artifacts (id, workshop_step_id, step_id, artifact) VALUES
  ('ar_1', 'st_1', 'challenge', '{"statement": "s", "n": 0.12345678901234567890123}');
INSERT INTO step_summaries (id, workshop_step_id, step_id, summary, token_count) VALUES
  ('su_1', 'st_1', 'challenge', 'We waste bread.', 99999);
"""


def contents(address: str) -> dict[str, dict[str, dict[str, object]]]:
    """Return every row of the product's tables as PostgreSQL writes it."""
    found = {}
    with psycopg.connect(address) as connection:
        for table in TABLES:
            rows = connection.execute(f"SELECT id::text, to_jsonb(t)::text FROM {table} t")
            found[table] = {key: json.loads(text, parse_float=str) for key, text in rows}
    return found


def run(address: str, statement: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute(statement)


def changed(before: dict, after: dict) -> set[tuple[str, str, str]]:
    """Return table, key and column of whatever differs."""
    return {
        (table, key, column)
        for table in TABLES
        for key in before[table].keys() | after[table].keys()
        for column in (before[table].get(key) or {}).keys() | (after[table].get(key) or {}).keys()
        if (before[table].get(key) or {}).get(column) != (after[table].get(key) or {}).get(column)
    }


@pytest.fixture
def product(database):
    run(database, PRODUCT)
    run(database, ROWS)
    return database


@pytest.fixture
def lab(product):
    with Store(":memory:") as store:
        import_workshops(store, product)
        yield store


def test_the_tables_of_the_note_import_and_an_unedited_push_changes_no_byte(database):
    """The very tables of the product, where the note with them is at hand."""
    note = Path("../../shared/cases/postgres/production_tables.sql")
    run(database, note.read_text() if note.exists() else PRODUCT)
    run(database, ROWS)
    before = contents(database)
    with Store(":memory:") as store:
        counts = import_workshops(store, database)
        assert counts.rows["workshops"] == 2
        assert counts.rows["chat_messages"] == 4
        done = push_workshops(store, database)
    assert (sum(done.rows.values()), done.conflicts) == (0, ())
    assert contents(database) == before


def test_what_the_lab_reads_is_what_is_there(lab):
    """Statuses in our words, versions as numbers, digits kept, doubled ids told apart."""
    rows = lab.db.rows("SELECT id, status FROM workshop_steps ORDER BY id")
    assert rows == [("st_1", "complete"), ("st_2", "in_progress"), ("st_3", "not_started")]
    (artifact,) = lab.db.rows("SELECT artifact, schema_version FROM step_artifacts")
    assert artifact == ('{"n":0.12345678901234567890123,"statement":"s"}', 1)
    names = [row[0] for row in lab.db.rows("SELECT message_id FROM chat_messages ORDER BY 1")]
    assert names == ["m1", "m1", "m2", "m2 (cm_3)"]
    assert lab.db.rows("SELECT token_count FROM step_summaries") == [(4,)]


def test_edits_arrive_and_nothing_else_moves(lab, product):
    """Row by row: only what was edited differs, in production's words, types and ids."""
    workshops = Workshops(lab)
    handle = workshops.open("ws_1")
    old = handle.artifact("challenge")
    handle.save_artifact(
        "challenge", {**old.artifact, "statement": "t"}, expected_version=1, validate=False
    )
    handle.say(
        "stakeholder-mapping", [Message("m9", "user", "New", created_at="2026-11-06T10:00Z")]
    )
    handle.save_summary("stakeholder-mapping", "Seven people.")
    with lab.db.write() as connection:
        connection.execute("UPDATE workshop_steps SET status = 'complete' WHERE id = 'st_2'")
    before = contents(product)
    done = push_workshops(lab, product)
    after = contents(product)
    assert done.conflicts == ()
    new_message = (after["chat_messages"].keys() - before["chat_messages"].keys()).pop()
    new_session = after["sessions"].keys() - before["sessions"].keys()
    new_summary = (after["step_summaries"].keys() - before["step_summaries"].keys()).pop()
    new = {new_message, new_summary, *new_session}
    assert {d for d in changed(before, after) if d[1] not in new} == {
        ("step_artifacts", "ar_1", "artifact"), ("step_artifacts", "ar_1", "version"),
        ("step_artifacts", "ar_1", "extracted_at"), ("workshop_steps", "st_2", "status"),
    }  # fmt: skip
    assert after["step_artifacts"]["ar_1"]["artifact"] == {
        "statement": "t", "n": "0.12345678901234567890123",
    }  # fmt: skip
    assert after["workshop_steps"]["st_2"]["status"] == "completed"
    assert after["step_summaries"][new_summary]["step_id"] == "stakeholder-mapping"
    assert after["chat_messages"][new_message]["message_id"] == "m9"
    again = push_workshops(lab, product)
    assert (sum(again.rows.values()), again.conflicts) == (0, ())
    assert contents(product) == after


def test_a_dry_run_prints_the_sql_and_writes_nothing(lab, product):
    """What is printed does, on a copy, what the push does."""
    with lab.db.write() as connection:
        connection.execute("UPDATE workshops SET title = 'It''s new' WHERE id = 'ws_1'")
    before = contents(product)
    done = push_workshops(lab, product, dry_run=True)
    assert contents(product) == before
    assert done.statements == (
        """UPDATE "workshops" SET "title" = 'It''s new'::text WHERE "id" = 'ws_1'::text;""",
    )
    for statement in done.statements:
        run(product, statement)
    assert changed(before, contents(product)) == {("workshops", "ws_1", "title")}


def test_a_new_workshop_needs_what_production_demands(lab, product):
    """A missing column is named with the option; metadata and --default fill it."""
    handle = Workshops(lab).create("From the lab")
    handle.say("challenge", [Message("x1", "user", "Hi")])
    steps = [step for step in handle.steps if step not in
             ("challenge", "stakeholder-mapping", "user-research")]  # fmt: skip
    for place, step in enumerate(steps, 4):
        run(product, f"INSERT INTO step_definitions (id, \"order\", name, description) "
                     f"VALUES ('{step}', {place}, 'n', 'd')")  # fmt: skip
    with pytest.raises(DataError, match=r"--default workshops\.clerk_user_id=VALUE"):
        push_workshops(lab, product)
    with lab.db.write() as connection:
        connection.execute(
            'UPDATE workshops SET metadata = \'{"originalIdea": "Bread", '
            '"original_idea": "Bread"}\' WHERE id = ?',
            [handle.id],
        )
    done = push_workshops(lab, product, defaults={"clerk_user_id": "user_7"})
    assert done.rows["workshops"] == 1
    found = contents(product)
    assert found["workshops"][handle.id]["original_idea"] == "Bread"
    assert found["workshops"][handle.id]["status"] == "draft"
    assert sum(row["workshop_id"] == handle.id for row in found["workshop_steps"].values()) == 10
    assert "Hi" in [row["content"] for row in found["chat_messages"].values()]
    assert sum(push_workshops(lab, product).rows.values()) == 0


def test_production_may_move_while_the_lab_does_not(lab, product):
    """What only they changed stays; what both changed is refused with its columns."""
    run(product, "UPDATE workshops SET title = 'Theirs' WHERE id = 'ws_1'")
    run(product, "DELETE FROM workshops WHERE id = 'ws_3'")
    before = contents(product)
    assert sum(push_workshops(lab, product).rows.values()) == 0
    with lab.db.write() as connection:
        connection.execute("UPDATE workshops SET title = 'Ours'")
    done = push_workshops(lab, product)
    assert sorted(done.conflicts) == [
        'workshops ["ws_1"]: changed in production since it was read (title)',
        'workshops ["ws_3"]: was deleted in production, and changed in the lab',
    ]
    assert contents(product) == before


def test_chosen_workshops_and_deleted_ones(product):
    """By id, by time, and what is marked as deleted only when asked."""
    for chosen, ids in (
        ({"workshops": ["ws_3"]}, ["ws_3"]),
        ({"since": "2026-11-01"}, ["ws_3"]),
        ({"deleted": True}, ["ws_1", "ws_2", "ws_3"]),
    ):
        with Store(":memory:") as store:
            import_workshops(store, product, **chosen)
            assert sorted(Workshops(store).titles()) == ids


def test_one_bad_row_costs_one_row(product, tmp_path):
    """With table, key and column of each; without the option the first is an error."""
    run(product, "UPDATE chat_messages SET role = 'robot' WHERE id = 'cm_2'")
    run(product, "UPDATE step_artifacts SET artifact = '[1]'")
    run(product, "UPDATE workshop_steps SET status = 'lost' WHERE id = 'st_2'")
    what = r"workshop_steps\.status: is 'lost' in row 'st_2'"
    with Store(":memory:") as store, pytest.raises(DataError, match=what):
        import_workshops(store, product)
    store = str(tmp_path / "lab.duckdb")
    done = CliRunner().invoke(app, ["import", product, "--skip-bad", "--store", store, "--json"])
    found = json.loads(done.stdout)
    assert [line.split(":")[0] for line in found["skipped"]] == [
        "field workshop_steps.status", "field chat_messages.role", "field step_artifacts.artifact",
    ]  # fmt: skip
    assert all(key in str(found["skipped"]) for key in ("st_2", "cm_2", "ar_1"))
    assert (found["rows"]["chat_messages"], found["rows"]["workshops"]) == (3, 2)


def test_ids_and_keys_of_their_kind(database):
    """Uuid and serial ids are made as production makes them; a second push finds the rows."""
    run(
        database,
        "CREATE TABLE workshops (id uuid PRIMARY KEY, title text);"
        "CREATE TABLE sessions (id uuid PRIMARY KEY, workshop_id uuid REFERENCES workshops);"
        "CREATE TABLE workshop_steps (id bigserial PRIMARY KEY, workshop_id uuid, step_id text);"
        "CREATE TABLE chat_messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
        "session_id uuid REFERENCES sessions, step_id bigint REFERENCES workshop_steps, "
        "message_id text, role text, content text);"
        "CREATE TABLE step_summaries (id serial PRIMARY KEY, workshop_step_id bigint "
        "REFERENCES workshop_steps, summary text)",
    )
    with Store(":memory:") as store:
        handle = Workshops(store).create("New")
        handle.say("challenge", [Message("m1", "user", "Hi")])
        handle.save_summary("challenge", "Said hi.")
        assert push_workshops(store, database).rows["chat_messages"] == 1
        assert sum(push_workshops(store, database).rows.values()) == 0
        with store.db.write() as connection:
            connection.execute("UPDATE step_summaries SET summary = 'Hello.', revision = 2")
        assert push_workshops(store, database).rows["step_summaries"] == 1
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT s.summary, w.step_id, c.content FROM step_summaries s "
            "JOIN workshop_steps w ON w.id = s.workshop_step_id "
            "JOIN chat_messages c ON c.step_id = w.id"
        ).fetchone()
    assert row == ("Hello.", "challenge", "Hi")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_interleavings_lose_and_overwrite_nothing(product, seed):
    """Edits here and there, pushes between: each row holds the last edit that was not refused.

    A model of four editable rows says, after every push, what production has to hold.
    """
    chance = random.Random(seed)
    fields = {
        ("workshops", "ws_1"): "title", ("workshops", "ws_3"): "title",
        ("step_summaries", "su_1"): "summary", ("workshop_steps", "st_2"): "arc_phase",
    }  # fmt: skip
    phases = ["orient", "gather", "synthesize", "refine", "validate"]
    with Store(":memory:") as store, psycopg.connect(product, autocommit=True) as theirs:
        import_workshops(store, product)

        def value(table: str, number: int) -> str:
            return phases[number % 5] if table == "workshop_steps" else f"text {number}"

        start = contents(product)
        ours = {row: str(start[row[0]][row[1]][name]) for row, name in fields.items()}
        base, there = dict(ours), dict(ours)
        pushes = conflicts = 0
        for number in range(250):
            row = chance.choice(list(fields))
            (table, key), name, new = row, fields[row], value(row[0], number)
            action = chance.choice(["lab", "production", "push", "both"])
            if action in ("lab", "both"):
                also = ", revision = revision + 1" if table == "step_summaries" else ""
                with store.db.write() as connection:
                    connection.execute(
                        f"UPDATE {table} SET {name} = ?{also} WHERE id = ?", [new, key]
                    )
                ours[row] = new
            if action in ("production", "both"):
                other = value(table, number + chance.randrange(2))
                theirs.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [other, key])
                there[row] = other
            if action == "push":
                pushes += 1
                expected = set()
                for one in fields:
                    if ours[one] == base[one]:
                        continue
                    if there[one] == ours[one]:
                        base[one] = ours[one]
                    elif there[one] == base[one]:
                        there[one] = base[one] = ours[one]
                    else:
                        expected.add(f'{one[0]} ["{"st_1" if one[1] == "su_1" else one[1]}"]')
                done = push_workshops(store, product)
                assert {line.split(":")[0] for line in done.conflicts} == expected
                conflicts += len(expected)
                found = contents(product)
                held = {one: found[one[0]][one[1]][field] for one, field in fields.items()}
                assert held == there
                for one in fields:
                    # A conflict is settled as a person would: theirs is taken into the lab.
                    if f'{one[0]} ["{"st_1" if one[1] == "su_1" else one[1]}"]' in expected:
                        also = ", revision = revision + 1" if one[0] == "step_summaries" else ""
                        with store.db.write() as connection:
                            connection.execute(
                                f"UPDATE {one[0]} SET {fields[one]} = ?{also} WHERE id = ?",
                                [there[one], one[1]],
                            )
                        ours[one] = there[one]
                push_workshops(store, product)
                base = dict(ours) | {one: base[one] for one in fields if ours[one] != there[one]}
        assert pushes > 20
        assert conflicts > 5
    untouched = {(table, key, name) for (table, key), name in fields.items()}
    assert changed(start, contents(product)) <= untouched
