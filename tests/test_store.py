"""The store on real files: round trips, locks, faults, and promises that triggers keep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab.core.cases import Case, Probe
from ctxlab.core.segments import Message
from ctxlab.core.tokens import TokenCounter
from ctxlab.errors import ConflictError, NewerStoreError, StoreCorruptError, StoreError
from ctxlab.store import Store
from ctxlab.store.backup import restore
from ctxlab.store.reading import tail
from ctxlab.testing import chats, sample_case

ORPHANS = {
    "sessions": "SELECT count(*) FROM sessions ANTI JOIN workshops w ON w.id = workshop_id",
    "steps": "SELECT count(*) FROM workshop_steps ANTI JOIN workshops w ON w.id = workshop_id",
    "messages": "SELECT count(*) FROM chat_messages ANTI JOIN sessions s ON s.id = session_id",
    "cases": "SELECT count(*) FROM cases ANTI JOIN workshops w ON w.id = workshop_id",
    "probes": "SELECT count(*) FROM probes p ANTI JOIN cases c ON c.id = p.case_id",
}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lab.duckdb"


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@settings(max_examples=25)
@given(st.lists(chats(6).filter(len), max_size=3), st.text(max_size=8))
def test_cases_come_back_as_they_went_in(found, strange):
    """Names, pins, calls, sessions, odd characters and probes survive."""
    cases = [
        Case(f"c{i}{strange}", "d", messages, (Probe("p", strange, "a", (messages[0].id,)),))
        for i, messages in enumerate(found)
    ]
    with Store(":memory:") as store:
        store.add_cases(cases)
        assert list(store.cases()) == cases


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\x00json:", "", "🎉\u2028"])
def test_text_that_utf8_cannot_hold_comes_back(text, path):
    """Lone surrogates and control characters survive closing and opening."""
    case = Case("c", "d", (Message("m1", "user", text, name=text or None),))
    with Store(path) as store:
        store.add_cases([case])
    with Store(path) as store:
        assert next(store.cases()) == case


def test_tokens_are_stored_and_running_sums_are_exclusive(path):
    """The stored sum before a message is what the messages before it cost."""
    counter = TokenCounter()
    case = sample_case()
    with Store(path) as store:
        store.add_cases([case], counter)
        rows = store.db.rows(
            "SELECT content, token_count, overhead, running_total FROM chat_messages "
            "ORDER BY position"
        )
        total = 0
        for (content, tokens, overhead, running), message in zip(rows, case.messages, strict=True):
            assert content == message.content
            assert tokens == counter.count(message.content)
            assert running == total
            total += tokens + overhead
        workshop = store.db.rows("SELECT workshop_id FROM cases")[0][0]
        assert len(tail(store.db, workshop, 10_000)) == len(case.messages)
        newest = tail(store.db, workshop, rows[-1][1] + rows[-1][2])
        assert [m.id for m in newest] == ["m11"]


def test_a_stored_count_needs_no_tokenizer(path, monkeypatch):
    """A counter primed from the store counts without its vocabulary."""
    with Store(path) as store:
        store.add_cases([sample_case()])
        counter = TokenCounter()
        store.prime(counter)
    monkeypatch.setattr(
        "ctxlab.core.tokens.load", lambda _: pytest.fail("the vocabulary was loaded")
    )
    assert sum(counter.count(m.content) for m in sample_case().messages) > 100


def test_a_case_that_is_stored_already_changes_nothing(path):
    """An error names it, nothing of the batch is kept, and skipping goes on."""
    other = Case("other", "sample", sample_case().messages)
    with Store(path) as store:
        store.add_cases([sample_case()])
        with pytest.raises(ConflictError, match="market"):
            store.add_cases([other, sample_case()])
        assert [case.id for case in store.cases()] == ["market"]
        assert store.add_cases([other, sample_case()], on_conflict="skip") == 1
        assert [case.id for case in store.cases()] == ["market", "other"]


def test_deleting_a_workshop_leaves_no_orphan(path):
    """Triggers take sessions, steps, messages, cases and probes along."""
    with Store(path) as store:
        store.add_cases([sample_case(), Case("other", "d", sample_case().messages)])
        with store.db.write() as connection:
            connection.execute("DELETE FROM workshops WHERE title = 'sample market'")
        assert [case.id for case in store.cases()] == ["other"]
        for name, query in ORPHANS.items():
            assert store.db.rows(query) == [(0,)], name


def test_a_child_without_a_parent_is_refused(path):
    """Existence is checked though there are no foreign keys."""
    with (
        Store(path) as store,
        pytest.raises(StoreError, match="no workshop"),
        store.db.write() as c,
    ):
        c.execute("INSERT INTO sessions (id, workshop_id, position) VALUES ('s', 'none', 0)")


def test_an_exception_rolls_everything_back(path):
    """What was written before the error is gone, and the store goes on working."""
    with Store(path) as store:
        with pytest.raises(ZeroDivisionError), store.db.write():
            assert store.add_cases([sample_case()]) / 0
        assert list(store.cases()) == []
        assert store.add_cases([sample_case()]) == 1


def test_threads_write_and_read_at_once(path):
    """Eight threads lose nothing."""
    with Store(path) as store:

        def work(n: int) -> None:
            for i in range(10):
                store.add_cases([Case(f"{n}-{i}", "d", (Message("m", "user", "x"),))])
                list(store.cases(ids=[f"{n}-{i}"]))

        threads = [Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.counts()["cases"] == 80


def test_a_second_process_is_told_who_holds_the_file(path):
    """The error names the process."""
    with Store(path):
        code = "import sys; from ctxlab.store import Store; Store(sys.argv[1])"
        other = python(code, path)
        _, err = other.communicate()
    assert "StoreLockedError" in err
    assert f"process {os.getpid()}" in err


def test_kill_9_keeps_what_was_acknowledged(path):
    """Every acknowledged case is there afterwards, and the file opens."""
    code = (
        "import sys; from ctxlab.store import Store; from ctxlab.core.cases import Case, Message\n"
        "store = Store(sys.argv[1])\n"
        "for i in range(10000):\n"
        "    store.add_cases([Case(str(i), 'd', (Message('m', 'user', 'x' * 500),))])\n"
        "    print(i, flush=True)\n"
    )
    child = python(code, path)
    for line in child.stdout:
        if int(line) >= 25:
            break
    child.send_signal(signal.SIGKILL)
    acknowledged = 25 + sum(1 for _ in child.stdout)
    child.wait()
    with Store(path) as store:
        kept = {int(case.id) for case in store.cases()}
    assert set(range(acknowledged + 1)) <= kept
    assert len(kept) <= acknowledged + 2


@pytest.mark.parametrize("content", [b"not a database", b"\0" * 20_000, b"x"])
def test_a_file_that_is_no_database_is_refused(content, path):
    """Garbage is named as such, with the remedy, and left as it was."""
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="restore a backup"):
        Store(path)
    assert path.read_bytes() == content


def test_a_truncated_file_is_an_error(path):
    """A file cut in half is not silently half a store."""
    with Store(path) as store:
        store.add_cases(
            Case(str(i), "d", (Message("m", "user", f"{i} " * 400),)) for i in range(400)
        )
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
    with pytest.raises(StoreError), Store(path) as store:
        list(store.cases())


def test_a_newer_store_says_what_to_upgrade(path):
    """Both versions are named."""
    with Store(path) as store, store.db.write() as connection:
        connection.execute(
            "INSERT INTO schema_migrations VALUES (9999, 'future', 'x', '9.9.9', now())"
        )
    with pytest.raises(NewerStoreError, match=r"9\.9\.9.*upgrade"):
        Store(path)


def test_a_database_of_something_else_is_refused(path):
    """Ctxlab does not write into a stranger's file."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE flowers (name VARCHAR)")
    with pytest.raises(StoreError, match="something else"):
        Store(path)


def test_a_full_disk_is_said_and_loses_nothing(path):
    """Under a file-size limit the write fails clearly and the earlier rows stay."""
    code = (
        "import resource, signal, sys; from ctxlab.store import Store\n"
        "from ctxlab.core.cases import Case, Message; import random\n"
        "store = Store(sys.argv[1]); text = lambda: random.randbytes(40000).hex()\n"
        "store.add_cases([Case('first', 'd', (Message('m', 'user', 'kept'),))])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))\n"
        "try:\n"
        "    for i in range(500):\n"
        "        store.add_cases([Case(str(i), 'd', (Message('m', 'user', text()),))])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    child = python(code, path)
    out, err = child.communicate()
    assert "StoreError" in out, (out, err)
    with Store(path) as store:
        assert "first" in {case.id for case in store.cases()}


def test_queries_can_only_read(path):
    """Writing, several statements, files and settings are all refused."""
    with Store(path) as store:
        store.add_cases([sample_case()])
        assert store.query("SELECT count(*) AS n FROM chat_messages")["n"][0] == 12
        for text in (
            "DELETE FROM workshops",
            "SELECT 1; DELETE FROM workshops",
            "SELECT * FROM read_text('/etc/hostname')",
            "COPY workshops TO '/tmp/stolen.csv'",
            "ATTACH '/tmp/other.duckdb'",
            "SET enable_external_access = true",
            "SELEC 1",
        ):
            with pytest.raises(StoreError):
                store.query(text)
        assert store.counts()["workshops"] == 1


def test_a_backup_is_a_store_with_its_triggers(path, tmp_path):
    """Rows and cascades survive backup and restore; nothing is overwritten unasked."""
    saved, back = tmp_path / "saved.duckdb", tmp_path / "back.duckdb"
    with Store(path) as store:
        store.add_cases([sample_case()])
        assert store.backup(saved) > 12
        with pytest.raises(StoreError, match="exists"):
            store.backup(saved)
    restore(saved, back)
    with Store(back) as store:
        assert next(store.cases()) == sample_case()
        with store.db.write() as connection:
            connection.execute("DELETE FROM workshops")
        assert store.counts() == {}
    with pytest.raises(StoreError, match="no backup"):
        restore(tmp_path / "none.duckdb", back)


def test_opening_again_takes_up_at_once(path):
    """A store closed is free for the next process."""
    with Store(path) as store:
        store.add_cases([sample_case()])
    code = "import sys; from ctxlab.store import Store; print(Store(sys.argv[1]).counts()['cases'])"
    start = time.monotonic()
    out, err = python(code, path).communicate()
    assert out.strip() == "1", err
    assert time.monotonic() - start < 30
