"""Queries: they only read, show what DuckDB can say, and can be given up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ctxlab.errors import StoreError
from ctxlab.store import Store
from ctxlab.testing import sample_case

ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"
COMMAND = [sys.executable, "-c", "from ctxlab.cli import main; main()"]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "lab.duckdb") as store:
        store.add_cases([sample_case()])
        yield store


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("INTERVAL 1 MONTH", "1 month"),
        ("[INTERVAL 1 DAY]", "[1 day]"),
        ("{'a': INTERVAL 1 DAY}", "{'a': 1 day}"),
        ("'infinity'::DATE", "infinity"),
        ("'-infinity'::TIMESTAMP", "-infinity"),
        ("'infinity'::TIMESTAMPTZ", "infinity"),
        ("'infinity'::TIMESTAMP_NS", "infinity"),
        ("['infinity'::DATE]", "[infinity]"),
        ("{'a': 'infinity'::TIMESTAMP}", "{'a': infinity}"),
        ("MAP {'infinity'::DATE: 1}", "{infinity=1}"),
        ("'0044-03-15 (BC)'::DATE", "0044-03-15 (BC)"),
        ("'290000-01-01'::TIMESTAMP", "290000-01-01 00:00:00"),
        ("'24:00:00'::TIME", "24:00:00"),
        ("'101'::BIT", "101"),
        ("'\\xAA'::BLOB", "\\xAA"),
        ("union_value(a := 1)", "1"),
        ("123456789012345678901234567890::BIGNUM", "123456789012345678901234567890"),
    ],
)
def test_what_a_frame_cannot_hold_comes_as_text(store, value, shown):
    """It prints, and it is JSON; other columns keep their types."""
    found = store.query(f'SELECT {value} AS x, 1 AS "a ""b", DATE \'2026-01-02\' AS d')
    assert found.rows()[0][:2] == (shown, 1)
    assert found.columns == ["x", 'a "b', "d"]
    assert str(found.dtypes[2]) == "Date"
    assert json.loads(found.write_json())[0]["x"] == shown


@pytest.mark.parametrize(
    "text",
    [
        "EXPLAIN ANALYZE SET threads = 1",
        "explain analyze set threads = 1",
        "EXPLAIN -- a\n ANALYZE SET threads = 1",
        "EXPLAIN/**/ANALYZE/* x */SET threads = 1",
        "EXPLAIN (ANALYZE, FORMAT json) DELETE FROM cases",
        "EXPLAIN ANALYZE DELETE FROM cases",
        "EXPLAIN",
        "EXPLAIN ANALYZE USE main",
        "EXPLAIN ANALYZE COPY cases TO '/tmp/stolen.csv'",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "EXPLAIN ANALYZE SELECT * FROM read_text('/etc/hostname')",
        "ATTACH ':memory:' AS other",
        "DETACH lab",
        "USE main",
    ],
)
def test_what_does_not_only_read_is_refused(store, text):
    """Whatever it is wrapped in; the settings and the rows are as they were."""
    threads = store.query("SELECT current_setting('threads') AS n")["n"][0]
    with pytest.raises(StoreError):
        store.query(text)
    assert store.query("SELECT current_setting('threads') AS n")["n"][0] == threads
    assert store.counts()["cases"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (FORMAT json) SELECT 1",
        "EXPLAIN (SELECT 1)",
        "SHOW TABLES",
        "DESCRIBE cases",
        "SUMMARIZE cases",
        "FROM main.cases",
        "FROM lab.main.cases",
        "SELECT * FROM information_schema.tables WHERE table_catalog = 'lab'",
        "SELECT * FROM duckdb_triggers() WHERE database_name = 'lab'",
        "SELECT * FROM duckdb_tables() WHERE database_name = current_database()",
    ],
)
def test_catalogues_and_plans_can_be_read(store, text):
    """Under the names that a file opened directly would have."""
    assert store.query(text).height > 0


def test_the_file_is_the_only_database(store):
    """Nothing shows that it is attached: not the names, not the errors."""
    assert store.query("SHOW DATABASES").rows() == [("lab",)]
    assert store.query("SELECT current_database(), current_schema()").rows() == [("lab", "main")]
    with pytest.raises(StoreError) as caught:
        store.query("SELECT * FROM casess")
    assert 'Did you mean "cases"' in str(caught.value.__cause__)
    with store.db.write() as connection:
        connection.execute("CREATE TEMP TABLE mine AS SELECT 1 AS one")
        assert connection.execute("SELECT one FROM mine").fetchall() == [(1,)]


def test_an_endless_query_ends_at_its_timeout(store):
    """With the limit and the remedy in the error; the store goes on."""
    start = time.monotonic()
    with pytest.raises(StoreError, match=r"longer than 0\.3 seconds.*--timeout"):
        store.query(ENDLESS, timeout=0.3)
    assert time.monotonic() - start < 10
    assert store.query("SELECT 1 AS one", timeout=10).rows() == [(1,)]


def test_an_endless_command_answers_to_timeout_and_interrupt(store):
    """`ctxlab sql` ends with a message, not with a kill."""
    path = store.path
    store.close()
    base = [*COMMAND, "sql", ENDLESS, "--store", path]
    done = subprocess.run([*base, "--timeout", "0.5"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "--timeout" in done.stderr
    assert "Traceback" not in done.stderr
    # A background job of a shell would ignore the signal.
    wrapped = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    child = subprocess.Popen(
        [sys.executable, "-c", wrapped + COMMAND[2], *base[3:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode != 0
    assert "Traceback" not in err


def test_the_command_prints_what_once_panicked(store):
    """As a table and as JSON."""
    path = store.path
    store.close()
    query = "SELECT INTERVAL 1 MONTH AS i, 'infinity'::DATE AS d"
    for option in ([], ["--json"]):
        done = subprocess.run(
            [*COMMAND, "sql", query, "--store", path, *option], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "1 month" in done.stdout
        assert "infinity" in done.stdout
