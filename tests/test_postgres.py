"""Workshops in and out of a real PostgreSQL: round trips, foreign shapes, refusals."""

from __future__ import annotations

import json
import logging
import traceback

import psycopg
import pytest
from typer.testing import CliRunner

from ctxlab.cli import app
from ctxlab.core.cases import Case
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import (
    ConflictError,
    DataError,
    MissingExtraError,
    NotFoundError,
    SpecError,
    StoreError,
)
from ctxlab.postgres import Counts, import_workshops, push_workshops
from ctxlab.postgres.columns import COLUMNS
from ctxlab.store import Store
from ctxlab.store.migrate import tables
from ctxlab.testing import sample_case
from ctxlab.workshop import ARTIFACT_SCHEMAS

ORDER = {
    "chat_messages": "workshop_id, position",
    "step_definitions": "protocol, protocol_version, step_id",
    "artifact_schemas": "protocol, step_id, schema_version",
    "step_artifact_versions": "workshop_step_id, version",
}
JSON_COLUMNS = {
    "metadata", "depends_on", "definition", "tool_calls", "artifact", "json_schema",
    "migration",
}  # fmt: skip


def contents(store: Store) -> dict[str, list[dict[str, object]]]:
    """Return all rows of the workshop tables, JSON parsed: JSONB keeps no order of keys."""
    found = {}
    for table in COLUMNS:
        frame = store.db.frame(f"SELECT * FROM {table} ORDER BY {ORDER.get(table, 'id')}")
        rows = frame.to_dicts()
        for row in rows:
            for name in JSON_COLUMNS & set(row):
                row[name] = row[name] and json.loads(row[name])
            if table == "step_artifacts":
                # Keys in another order are other tokens.
                row.pop("token_count")
        found[table] = rows
    return found


@pytest.fixture
def lab():
    """Return a store of two conversations whose steps have summaries, artifacts and schemas."""
    calls = (ToolCall("c1", "search", '{"q": "té"}'),)
    odd = (
        Message("m1", "user", "", name="Ada", created_at="2024-02-30 whenever"),
        Message("m2", "assistant", '\\N \\. \t\r\n"quoted", ü🎉', tool_calls=calls, pinned=True),
        Message("m3", "tool", "NULL", tool_call_id="c1", session="second"),
    )
    with Store(":memory:") as store:
        store.add_cases([sample_case(), Case("odd", "mine", odd)])
        with store.db.write() as connection:
            connection.execute("UPDATE workshop_steps SET status = 'complete', started_at = now()")
            connection.execute('UPDATE workshops SET metadata = \'{"b": [1, 2.5, null], "a": 1}\'')
            connection.execute("UPDATE chat_messages SET metadata = '{\"x\": 1}' WHERE pinned")
            connection.execute(
                "INSERT INTO step_artifacts (id, workshop_step_id, artifact, schema_version, "
                "version, valid, token_count, encoding) SELECT 'art_' || id, id, "
                '\'{"name":"Mira","age":61}\', 1, 2, true, 9, \'o200k_base\' FROM workshop_steps'
            )
            connection.execute(
                "INSERT INTO step_artifact_versions (workshop_step_id, version, artifact, "
                "schema_version, valid) SELECT workshop_step_id, v, CASE v WHEN 2 THEN artifact "
                "ELSE '{}' END, 1, v = 2 FROM step_artifacts, unnest([1, 2]) u(v)"
            )
            connection.execute(
                "INSERT INTO step_summaries (id, workshop_step_id, summary, token_count, encoding, "
                "revision) SELECT 'sum_' || id, id, 'We chose bread.', 4, 'o200k_base', 3 "
                "FROM workshop_steps"
            )
            connection.execute(
                "INSERT INTO artifact_schemas (protocol, step_id, schema_version, json_schema, "
                "migration) SELECT DISTINCT protocol, 'chat', 1, '{\"type\": \"object\"}', "
                "'{\"steps\": []}' FROM workshops"
            )
        yield store


def change_artifact(store: Store, content: dict[str, object]) -> None:
    """Save the next version of every artifact."""
    with store.db.write() as connection:
        connection.execute(
            "UPDATE step_artifacts SET artifact = ?, version = version + 1", [json.dumps(content)]
        )
        connection.execute(
            "INSERT INTO step_artifact_versions (workshop_step_id, version, artifact, "
            "schema_version, valid) SELECT workshop_step_id, version, artifact, 1, true "
            "FROM step_artifacts"
        )


def one(database: str, query: str) -> object:
    with psycopg.connect(database) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def test_what_is_pushed_comes_back_equal(lab, database):
    """Lab, PostgreSQL, an empty lab: every row of every workshop table is the same."""
    pushed = push_workshops(lab, database, create_tables=True)
    with Store(":memory:") as other:
        counts = import_workshops(other, database)
        assert contents(other) == contents(lab)
        assert counts.rows == pushed.rows
        assert counts.ignored == pushed.ignored == ()
        assert counts.rows["workshops"] == 2


def test_a_second_push_changes_nothing(lab, database):
    """Rows that are the same are neither written nor counted; changed ones are."""
    push_workshops(lab, database, create_tables=True)
    assert not any(push_workshops(lab, database, create_tables=True).rows.values())
    with lab.db.write() as connection:
        connection.execute("UPDATE workshop_steps SET status = 'needs_regeneration'")
        connection.execute("UPDATE workshops SET title = 'New' WHERE title LIKE 'mine%'")
    rows = push_workshops(lab, database, create_tables=True).rows
    assert {table: n for table, n in rows.items() if n} == {"workshops": 1, "workshop_steps": 2}
    assert one(database, "SELECT count(*) FROM workshops WHERE title = 'New'") == 1


def test_one_workshop_can_be_pushed_alone(lab, database):
    """Only its rows are written; an unknown id is refused."""
    (first, _) = (row[0] for row in lab.db.rows("SELECT id FROM workshops ORDER BY id"))
    push_workshops(lab, database, [first], create_tables=True)
    assert one(database, "SELECT string_agg(DISTINCT workshop_id, ',') FROM chat_messages") == first
    with pytest.raises(NotFoundError, match="wks_none"):
        push_workshops(lab, database, ["wks_none"])


def test_a_newer_artifact_goes_forward_over_an_older_one(lab, database):
    """The database holds a version that the lab has been at: it is brought up to date."""
    push_workshops(lab, database, create_tables=True)
    change_artifact(lab, {"name": "Mira", "age": 62})
    assert push_workshops(lab, database, create_tables=True).rows["step_artifacts"] == 2
    assert one(database, "SELECT DISTINCT version FROM step_artifacts") == 3
    assert one(database, "SELECT count(*) FROM step_artifact_versions") == 6


@pytest.mark.parametrize(
    "theirs",
    ["artifact = '{\"age\": 1}', version = 3", "artifact = '{\"age\": 1}', version = 9",
     "artifact = '{\"age\": 1}'"],
    ids=["same version, other content", "ahead of the lab", "an ancestor was rewritten"],
)  # fmt: skip
def test_an_artifact_that_someone_else_changed_is_not_overwritten(lab, database, theirs):
    """It is a conflict with its key, its new version is not written either, and the rest is."""
    push_workshops(lab, database, create_tables=True)
    with psycopg.connect(database) as connection:
        connection.execute(f"UPDATE step_artifacts SET {theirs}")
    change_artifact(lab, {"name": "Mira", "age": 62})
    with lab.db.write() as connection:
        connection.execute("UPDATE workshops SET title = 'New'")
    done = push_workshops(lab, database)
    tables = [line.split()[0] for line in done.conflicts]
    assert tables == ["step_artifacts"] * 2 + ["step_artifact_versions"] * 2
    assert "changed in production since it was read" in done.conflicts[0]
    assert one(database, "SELECT count(*) FROM workshops WHERE title = 'New'") == 2
    assert one(database, "SELECT DISTINCT artifact ->> 'age' FROM step_artifacts") == "1"
    assert one(database, "SELECT max(version) FROM step_artifact_versions") == 2


def test_a_summary_that_someone_else_replaced_is_not_overwritten(lab, database):
    """Unchanged in the lab it stays as they wrote it; changed, it is a conflict."""
    push_workshops(lab, database, create_tables=True)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE step_summaries SET summary = 'Theirs'")
    assert push_workshops(lab, database).conflicts == ()
    with lab.db.write() as connection:
        connection.execute("UPDATE step_summaries SET summary = 'Ours', revision = 4")
    assert len(push_workshops(lab, database).conflicts) == 2
    assert one(database, "SELECT DISTINCT summary FROM step_summaries") == "Theirs"


def test_what_is_written_once_is_not_replaced(lab, database):
    """Another content under the same version is a conflict, not an update."""
    push_workshops(lab, database, create_tables=True)
    with psycopg.connect(database) as connection:
        connection.execute('UPDATE artifact_schemas SET json_schema = \'{"type": "string"}\'')
    done = push_workshops(lab, database)
    assert "with another json_schema; save the change as a new version" in done.conflicts[0]
    assert one(database, "SELECT DISTINCT json_schema ->> 'type' FROM artifact_schemas") == "string"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_postgres_cannot_hold_is_named(database, text):
    """The message's key is in the error and nothing is written, no tables either."""
    with Store(":memory:") as store:
        store.add_cases([Case("c", "d", (Message("m1", "user", text),))])
        with pytest.raises(DataError, match=r"chat_messages\.content.*m1"):
            push_workshops(store, database, create_tables=True)
    assert one(database, "SELECT to_regclass('workshops')") is None


PRODUCTION = """
CREATE TABLE workshops (id uuid PRIMARY KEY, name text, "createdAt" timestamptz, color text,
  "tenantId" int);
CREATE TABLE sessions (id uuid PRIMARY KEY, "workshopId" uuid, "startedAt" timestamp, host text);
CREATE TABLE workshop_steps (id uuid PRIMARY KEY, "workshopId" uuid, "stepId" text, status text,
  phase text);
CREATE TABLE chat_messages (id bigserial PRIMARY KEY, "sessionId" uuid, "stepId" text, role text,
  content jsonb, "toolCalls" jsonb, "createdAt" timestamptz, "tokenCount" int, model text);
CREATE TABLE step_artifacts (id uuid PRIMARY KEY, "workshopStepId" uuid, data jsonb, version int);
CREATE TABLE step_summaries ("workshopStepId" uuid, summary text, "tokenCount" int);
INSERT INTO workshops VALUES (md5('w')::uuid, 'Market hall', '2025-01-02T03:04:05+02', 'red', 7);
INSERT INTO sessions VALUES (md5('b')::uuid, md5('w')::uuid, '2025-01-03', 'Ada'),
  (md5('a')::uuid, md5('w')::uuid, '2025-01-02', 'Ada');
INSERT INTO workshop_steps VALUES (md5('p')::uuid, md5('w')::uuid, 'persona', 'completed',
  'Refine'), (md5('c')::uuid, md5('w')::uuid, 'challenge', 'pending', NULL);
INSERT INTO chat_messages ("sessionId", "stepId", role, content, "toolCalls", "createdAt",
  "tokenCount", model) VALUES
  (md5('b')::uuid, 'persona', 'ai', '"Second"', '[{"id": "c1", "type": "function",
    "function": {"name": "find", "arguments": {"q": 1}}}]', '2025-01-03', 99999, 'gpt'),
  (md5('a')::uuid, md5('c')::uuid::text, 'human', '"Hello world"', NULL, '2025-01-02', 99999, NULL),
  (md5('b')::uuid, 'persona', 'tool', '{"found": [1]}', NULL, '2025-01-03', 99999, NULL);
INSERT INTO step_artifacts VALUES (md5('x')::uuid, md5('p')::uuid, '{"name": "Mira"}', 4);
INSERT INTO step_summaries VALUES (md5('p')::uuid, 'We chose bread.', 99999);
"""


@pytest.fixture
def production(database):
    with psycopg.connect(database) as connection:
        connection.execute(PRODUCTION)
    return database


def test_other_names_and_unknown_columns_find_their_place(production):
    """camelCase, other words, jsonb texts, derived positions; extras go to the metadata."""
    with Store(":memory:") as store:
        counts = import_workshops(store, production)
        (workshop,) = store.db.frame("SELECT * FROM workshops").to_dicts()
        steps = store.db.rows(
            "SELECT step_id, position, status, arc_phase FROM workshop_steps ORDER BY position"
        )
        sessions = store.db.rows("SELECT position, created_at::VARCHAR FROM sessions ORDER BY 1")
        messages = store.db.frame("SELECT * FROM chat_messages ORDER BY position").to_dicts()
    assert workshop["title"] == "Market hall"
    assert workshop["protocol"] == "design-thinking"
    assert workshop["created_at"].isoformat() == "2025-01-02T01:04:05+00:00"
    assert json.loads(workshop["metadata"]) == {"color": "red", "tenantId": 7}
    assert steps == [
        ("challenge", 0, "not_started", "orient"),
        ("persona", 1, "complete", "refine"),
    ]
    assert [position for position, _ in sessions] == [0, 1]
    assert [m["content"] for m in messages] == ["Hello world", "Second", '{"found": [1]}']
    assert [m["role"] for m in messages] == ["user", "assistant", "tool"]
    assert [m["step_id"] for m in messages] == ["challenge", "persona", "persona"]
    assert [m["position"] for m in messages] == [0, 1, 2]
    assert json.loads(messages[1]["metadata"]) == {"model": "gpt"}
    assert json.loads(messages[1]["tool_calls"]) == [
        {"id": "c1", "name": "find", "arguments": '{"q": 1}'}
    ]
    assert messages[0]["created_at"] == "2025-01-02T00:00:00.000000Z"
    assert counts.ignored == ("sessions.host",)


def test_what_came_from_production_goes_back_without_harm(production):
    """Its own words stay as they are; a new message and a newer artifact arrive."""
    snapshot = "SELECT jsonb_agg(to_jsonb(m) ORDER BY id) FROM chat_messages m WHERE id < 100"
    before = one(production, snapshot)
    with Store(":memory:") as store:
        import_workshops(store, production)
        (row,) = store.db.rows("SELECT workshop_id, session_id FROM chat_messages LIMIT 1")
        with store.db.write() as connection:
            connection.execute(
                "INSERT INTO chat_messages (workshop_id, session_id, step_id, message_id, "
                "position, role, content, token_count, overhead, running_total, encoding) "
                "VALUES (?, ?, 'persona', '100', 3, 'user', 'New', 1, 4, 0, 'o200k_base')",
                row,
            )
        change_artifact(store, {"name": "Mira B."})
        counts = push_workshops(store, production)
    assert one(production, snapshot) == before
    assert one(production, "SELECT content #>> '{}' FROM chat_messages WHERE id = 100") == "New"
    assert one(production, "SELECT data ->> 'name' FROM step_artifacts") == "Mira B."
    assert one(production, "SELECT version FROM step_artifacts") == 5
    assert counts.rows["chat_messages"] == 1
    assert {"step_artifact_versions", "sessions.position"} <= set(counts.ignored)


def test_tokens_are_counted_and_not_believed(production):
    """A stored token count, often an LLM call's total, gives way to that of the text."""
    counter = TokenCounter("cl100k_base")
    with Store(":memory:") as store:
        import_workshops(store, production, counter=counter)
        rows = store.db.rows(
            "SELECT content, token_count, overhead, running_total, encoding FROM chat_messages "
            "ORDER BY position"
        )
        (summary,) = store.db.rows("SELECT token_count, revision FROM step_summaries")
        (artifact,) = store.db.rows("SELECT token_count, version, valid FROM step_artifacts")
        versions = store.db.rows("SELECT version FROM step_artifact_versions")
    assert [row[1] for row in rows] == [counter.count(row[0]) for row in rows]
    assert [row[3] for row in rows] == [
        0,
        rows[0][1] + rows[0][2],
        sum(r[1] + r[2] for r in rows[:2]),
    ]
    assert {row[4] for row in rows} == {"cl100k_base"}
    assert summary == (counter.count("We chose bread."), 1)
    assert artifact == (counter.count('{"name":"Mira"}'), 4, False)
    assert versions == [(4,)]


def test_positions_and_sums_go_on_over_batches(database, monkeypatch):
    """A workshop that is longer than a batch is counted as one."""
    from ctxlab.postgres import production_reader

    monkeypatch.setattr(production_reader, "BATCH", 3)
    with Store(":memory:") as store, Store(":memory:") as other:
        store.add_cases([sample_case(), Case("c", "d", sample_case().messages)])
        push_workshops(store, database, create_tables=True)
        with psycopg.connect(database) as connection:
            connection.execute("ALTER TABLE chat_messages DROP position, DROP running_total")
            connection.execute("ALTER TABLE chat_messages ADD serial bigint")
            connection.execute("UPDATE chat_messages SET created_at = '2024-01-01'")
        import_workshops(other, database)
        query = (
            "SELECT workshop_id, max(position) + 1, count(DISTINCT position), "
            "max(running_total + token_count + overhead), sum(token_count + overhead) "
            "FROM chat_messages GROUP BY 1 ORDER BY 1"
        )
        for _, last, count, total, tokens in other.db.rows(query):
            assert last == count == len(sample_case().messages)
            assert total == tokens


def test_positions_that_begin_anew_in_every_session_give_way_to_time(database):
    """Messages of two sessions are not interleaved."""
    with Store(":memory:") as store, Store(":memory:") as other:
        messages = [
            Message(f"m{i}", "user", str(i), session=str(i // 2), created_at=f"2024-01-0{i + 1}")
            for i in range(4)
        ]
        store.add_cases([Case("c", "d", tuple(messages))])
        push_workshops(store, database, create_tables=True)
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE chat_messages SET position = position % 2")
        import_workshops(other, database)
        rows = other.db.rows("SELECT content FROM chat_messages ORDER BY position")
    assert [row[0] for row in rows] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("statement", "error", "words"),
    [
        ("UPDATE chat_messages SET role = 'robot'", DataError, "role: is 'robot'"),
        ("UPDATE workshop_steps SET status = 'odd'", DataError, "status: is 'odd'"),
        ("UPDATE chat_messages SET \"toolCalls\" = '[7]'", DataError, "tool_calls: is"),
        ("UPDATE step_artifacts SET data = '[7]'", DataError, "artifact: is"),
        ("UPDATE chat_messages SET \"sessionId\" = md5('q')::uuid", DataError, "no session"),
        ("UPDATE chat_messages SET \"stepId\" = 'nowhere'", DataError, "step_id: is 'nowhere'"),
        ("ALTER TABLE chat_messages DROP content", DataError, "content: is missing"),
        ("DROP TABLE sessions", DataError, "no table 'sessions'"),
        ("UPDATE step_artifacts SET version = -1", DataError, "version: is -1"),
    ],
)
def test_a_bad_row_leaves_the_store_as_it_was(production, statement, error, words):
    """The error names the place; not one row is kept."""
    with psycopg.connect(production) as connection:
        connection.execute(statement)
    with Store(":memory:") as store:
        with pytest.raises(error, match=words):
            import_workshops(store, production)
        assert store.counts() == {}


def test_a_workshop_that_is_there_already_is_a_conflict(lab, database):
    """Importing twice keeps the first import and adds nothing."""
    push_workshops(lab, database, create_tables=True)
    before = contents(lab)
    with pytest.raises(ConflictError, match="wks_"):
        import_workshops(lab, database)
    assert contents(lab) == before


def test_importing_changes_nothing_in_the_database(production):
    """The transaction is read-only, so that a reader's account is enough."""
    with psycopg.connect(production, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with Store(":memory:") as store:
        assert import_workshops(store, production).rows["chat_messages"] == 3
        with store.db.write() as connection:
            connection.execute("UPDATE workshops SET title = 'New'")
        with pytest.raises(StoreError, match="read-only"):
            push_workshops(store, production)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:s3cr3t@localhost:1/app",
        "postgresql://ada:s3cr3t@localhost:port/app",
        "postgresql://ada:s3cr3t@local host/app?oops",
        "postgresql://localhost:1/app?password=s3cr3t",
        "postgresql://ada:s3cr3t@localhost:1/app?connect_timeout=x",
        "postgres://ada:s3cr3t",
    ],
)
@pytest.mark.parametrize("move", [import_workshops, push_workshops])
def test_the_password_is_in_no_error_and_no_log(address, move, caplog):
    """Neither the message, nor its causes, nor the log holds it."""
    caplog.set_level(logging.DEBUG)
    with Store(":memory:") as store, pytest.raises(StoreError) as caught:
        move(store, address)
    shown = "".join(traceback.format_exception(caught.value, chain=True)).replace(address, "")
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in shown
    assert "s3cr3t" not in caplog.text


def test_progress_reaches_its_total(lab, database):
    """Every row, and every message, is reported."""
    from contextlib import contextmanager

    seen: dict[str, list[int]] = {}

    @contextmanager
    def counting(total, label):
        seen[label] = [total, 0]

        def advance(n):
            seen[label][1] += n

        yield advance

    push_workshops(lab, database, progress=counting, create_tables=True)
    with Store(":memory:") as other:
        import_workshops(other, database, progress=counting)
    assert seen["rows"][0] == seen["rows"][1] > 10
    assert seen["messages"][0] == seen["messages"][1] > 3


def test_psycopg_missing_is_an_install_line(monkeypatch):
    """The message is what to type."""
    from ctxlab import postgres

    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with Store(":memory:") as store, pytest.raises(MissingExtraError, match=r"ctxlab\[postgres\]"):
        import_workshops(store, "postgresql://localhost/app")


def test_the_commands_move_workshops(lab, database, tmp_path):
    """`push` writes, `import` reads, `--json` prints counts; files and databases do not mix."""
    lab.backup(tmp_path / "a.duckdb")
    run = CliRunner()
    done = run.invoke(
        app, ["push", database, "--create-tables", "--store", str(tmp_path / "a.duckdb"), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"]["workshops"] == 2
    store = ["--store", str(tmp_path / "b.duckdb")]
    done = run.invoke(app, ["import", database, *store])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("2 workshops, ")
    with Store(tmp_path / "b.duckdb") as other:
        assert contents(other) == contents(lab)
    assert isinstance(run.invoke(app, ["push", "app", *store]).exception, SpecError)
    mixed = run.invoke(app, ["import", database, "chats.jsonl", *store])
    assert isinstance(mixed.exception, SpecError)


def test_every_workshop_table_is_known():
    """A table of the store that is neither a run's nor moved is a decision, not an oversight."""
    left = {
        "cases", "probes", "experiments", "experiment_trials", "trials", "outcomes", "ledger",
        "llm_calls", "vectors", "step_summary_history", "metrics", "measurements",
        "metric_failures", "case_documents", "experiment_cases", "experiment_metrics",
        "production_rows",
    }  # fmt: skip
    assert set(tables()) - set(COLUMNS) == left
    assert set(ARTIFACT_SCHEMAS)
    assert str(Counts({})) == "nothing"
