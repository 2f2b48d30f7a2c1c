"""The store's file: never replaced under somebody, mended when broken, whole after a crash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.errors import (
    NewerStoreError,
    OlderStoreError,
    StoreCorruptError,
    StoreError,
    StoreLockedError,
)
from ctxlab.store import Store, attaching, swapping
from ctxlab.store.backup import restore

ADD = """
import sys; from ctxlab.store import Store; from ctxlab.core.cases import Case, Message
def add(store, *ids):
    for i in ids: store.add_cases([Case(str(i), 'd', (Message('m', 'user', 'x' * 50),))])
"""
HOLD = ADD + "store = Store(sys.argv[1]); print('open', flush=True); sys.stdin.readline()\n"
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
MIGRATE = """
import sys
from ctxlab.store import migrate
from ctxlab.store.migrate import Migration
new = sys.argv[2:]
migrate.migrations.cache_clear()
old = migrate.migrations()
made = tuple(Migration(len(old) + 1 + i, f'new{i}', sql) for i, sql in enumerate(new))
migrate.migrations = lambda: old + made
"""
NOTES = (
    "CREATE TABLE notes (n INTEGER, t VARCHAR, v VARCHAR, j JSON CHECK (json_type(j) = 'OBJECT'), "
    "k VARCHAR CHECK (json_valid(k))); INSERT INTO notes VALUES (1, 'x', '1', '{}', '[]')"
)
CHANGES = [
    "ALTER TABLE notes ADD COLUMN note VARCHAR DEFAULT 'new'",
    "ALTER TABLE notes DROP COLUMN t",
    "ALTER TABLE notes RENAME COLUMN t TO text",
    "ALTER TABLE notes ALTER n SET DEFAULT 1",
    "ALTER TABLE notes ALTER t SET NOT NULL",
    "ALTER TABLE notes ALTER n TYPE BIGINT",
    "ALTER TABLE notes ALTER t TYPE JSON USING to_json(t)",
    "ALTER TABLE notes ALTER v TYPE JSON",
    "ALTER TABLE notes ADD PRIMARY KEY (n)",
    "COMMENT ON COLUMN notes.t IS 'as it is shown'",
    "ALTER TABLE workshops ADD COLUMN colour VARCHAR DEFAULT 'red'",
]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lab.duckdb"


def add(store: Store, *ids: object) -> None:
    for i in ids:
        store.add_cases([Case(str(i), "d", (Message("m", "user", "x" * 50),))])


def kept(path: Path) -> list[str]:
    with Store(path) as store:
        return sorted(case.id for case in store.cases())


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def run(code: str, *arguments: object) -> str:
    out, err = python(code, *arguments).communicate(timeout=120)
    return out + err


@pytest.fixture
def saved(path, tmp_path) -> Path:
    """Return a backup of a store with the case "a"; the store itself goes on with "b"."""
    with Store(path) as store:
        add(store, "a")
        store.backup(tmp_path / "saved.duckdb")
        add(store, "b")
    return tmp_path / "saved.duckdb"


@pytest.mark.parametrize("link", [None, "symlink", "hard link"])
def test_a_backup_onto_the_store_itself_is_refused(path, link):
    """Under whatever name; what is written afterwards is there after reopening."""
    with Store(path) as store:
        add(store, "a")
        target = path if link is None else path.with_name("other.duckdb")
        if link == "symlink":
            target.symlink_to(path)
        elif link == "hard link":
            target.hardlink_to(path)
        with pytest.raises(StoreError, match="the store itself"):
            store.backup(target, overwrite=True)
        with pytest.raises(StoreError, match="the store itself"):
            restore(target, path, overwrite=True)
        add(store, "b")
    assert kept(path) == ["a", "b"]


def test_a_backup_onto_a_store_of_another_process_is_refused(path, tmp_path):
    """Its later acknowledged writes are there."""
    target = tmp_path / "theirs.duckdb"
    child = python(HOLD + "add(store, 1, 2); print('added', flush=True)\n", target)
    assert child.stdout.readline() == "open\n"
    with Store(path) as store:
        add(store, "a")
        with pytest.raises(StoreLockedError):
            store.backup(target, overwrite=True)
    with pytest.raises(StoreLockedError):
        restore(path, target, overwrite=True)
    child.communicate("go\n", timeout=60)
    assert kept(target) == ["1", "2"]
    assert [file.name for file in tmp_path.iterdir() if "making" in file.name] == []


def test_a_backup_onto_a_store_that_is_open_here_is_refused(path, tmp_path):
    """In the same process, too, where the operating system's locks do not help."""
    with Store(path) as store, Store(tmp_path / "theirs.duckdb") as theirs:
        with pytest.raises(StoreLockedError, match="in this process"):
            store.backup(theirs.path, overwrite=True)
        add(theirs, "kept")
    assert kept(tmp_path / "theirs.duckdb") == ["kept"]


def test_nobody_opens_a_store_while_it_is_replaced(saved, path, monkeypatch):
    """A writer who comes in between is told so, and loses nothing that was acknowledged."""
    seen = []
    real = swapping.shutil.copymode

    def meanwhile(*arguments):
        seen.append(run(ADD + "add(Store(sys.argv[1]), 'between'); print('saved')", path))
        real(*arguments)

    monkeypatch.setattr(swapping.shutil, "copymode", meanwhile)
    restore(saved, path, overwrite=True)
    assert len(seen) == 1
    assert "StoreLockedError" in seen[0]
    assert "saved" not in seen[0].splitlines()
    assert kept(path) == ["a"]


def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(saved, path, monkeypatch):
    """A writer never goes on in a file that has no name any more."""
    real, swapped = attaching._attached, []

    def slow(wanted, key, *, read_only):
        if not swapped:
            swapped.append(True)
            saved.replace(path)
        return real(wanted, key, read_only=read_only)

    before = attaching.identity
    first = before(path)
    monkeypatch.setattr(attaching, "_attached", slow)
    monkeypatch.setattr(attaching, "identity", lambda p: before(p) if swapped else first)
    with Store(path) as store:
        add(store, "c")
    monkeypatch.undo()
    assert kept(path) == ["a", "c"]


def test_a_stale_log_goes_with_the_file_that_it_belongs_to(saved, path):
    """A restore over a store whose process was killed opens, and holds the backup."""
    run(ADD + "store = Store(sys.argv[1]); add(store, *range(50))\n" + KILL, path)
    assert Path(f"{path}.wal").exists()
    restore(saved, path, overwrite=True)
    assert kept(path) == ["a"]


def test_a_backup_over_a_file_with_a_stale_log_opens(saved, path, tmp_path):
    """6,274 rows once could not be opened: the log of the old file lay beside them."""
    target = tmp_path / "old.duckdb"
    run(ADD + "store = Store(sys.argv[1]); add(store, *range(50))\n" + KILL, target)
    with Store(path) as store:
        store.backup(target, overwrite=True)
    assert kept(target) == ["a", "b"]


def test_a_log_without_its_file_is_said(path):
    """DuckDB would begin an empty store and delete the log."""
    run(ADD + "store = Store(sys.argv[1]); add(store, 'a')\n" + KILL, path)
    path.rename(path.with_name("elsewhere.duckdb"))
    with pytest.raises(StoreCorruptError, match="put the file back"):
        Store(path)
    path.with_name("elsewhere.duckdb").rename(path)
    assert kept(path) == ["a"]


def test_what_a_killed_backup_left_is_cleared_away(path, tmp_path):
    """The next backup to the same name removes it, and leaves nothing of its own."""
    for name in (".saved.duckdb.99999999-0a0b0c0d.making", ".saved.duckdb.99999999-0a.making"):
        (tmp_path / name).write_bytes(b"half")
        (tmp_path / f"{name}.wal").write_bytes(b"half")
    with Store(path) as store:
        store.backup(tmp_path / "saved.duckdb")
    assert {f.name for f in tmp_path.iterdir()} == {"lab.duckdb", "saved.duckdb"}


def test_a_backup_that_came_out_wrong_is_not_put_in_place(path, tmp_path, monkeypatch):
    """It is opened and read before it takes its name."""
    target = tmp_path / "saved.duckdb"
    with Store(path) as store:
        add(store, "a")
        store.backup(target)
        add(store, "b")
        monkeypatch.setattr("ctxlab.store.connection.Database.insert", lambda *_: None)
        with pytest.raises(StoreCorruptError, match="nothing was replaced"):
            store.backup(target, overwrite=True)
    monkeypatch.undo()
    assert kept(target) == ["a"]


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 40_000, 400_000, 800_000, 900_000, 1_500_000])
def test_a_backup_on_a_full_disk_fails_or_is_whole(path, tmp_path, room):
    """Once it was acknowledged and empty: its rows stood in a log that was thrown away."""
    run(ADD + "store = Store(sys.argv[1]); add(store, *range(300))", path)
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from ctxlab.store import Store; import sys\n"
        "store = Store(sys.argv[1])\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "store.backup(sys.argv[2]); print('acknowledged')\n"
    )
    out = run(code, path, tmp_path / "saved.duckdb")
    if "acknowledged" in out:
        assert len(kept(tmp_path / "saved.duckdb")) == 300
    else:
        assert "disk is full" in out
        assert {file.name for file in tmp_path.iterdir()} <= {"lab.duckdb", "lab.duckdb.wal"}


def test_a_backup_keeps_who_may_read_it(path, tmp_path):
    """A store that is private stays so."""
    with Store(path) as store:
        path.chmod(0o600)
        store.backup(tmp_path / "saved.duckdb")
    assert (tmp_path / "saved.duckdb").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("broken", [b"garbage " * 4000, b"", b"\0" * 50_000])
def test_a_broken_store_is_mended_by_the_command_its_error_names(saved, path, broken):
    """It is moved aside, never deleted, and the backup stands in its place."""
    path.write_bytes(broken)
    if broken:
        with pytest.raises(StoreCorruptError, match="ctxlab restore BACKUP --store") as caught:
            Store(path)
        command = str(caught.value).split("`")[1].replace("BACKUP", str(saved)).split()
    else:
        command = ["ctxlab", "restore", str(saved), "--store", str(path), "--overwrite"]
    done = subprocess.run(
        [sys.executable, "-c", "from ctxlab.cli import main; main()", *command[1:]],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert kept(path) == ["a"]
    if broken:
        [aside] = path.parent.glob("lab.duckdb.broken-*")
        assert aside.read_bytes() == broken
        assert str(aside) in done.stdout


def test_a_log_that_cannot_be_replayed_is_moved_aside_with_its_file(saved, path):
    """Log and file stay together, so that somebody can still look at them."""
    log = Path(f"{path}.wal")
    run(ADD + "store = Store(sys.argv[1]); add(store, *range(50))\n" + KILL, path)
    other = path.with_name("other.duckdb")
    run(ADD + "store = Store(sys.argv[1]); add(store, *range(9))\n" + KILL, other)
    log.write_bytes(Path(f"{other}.wal").read_bytes())
    with pytest.raises(StoreCorruptError, match="moves the broken file aside"):
        Store(path)
    done = restore(saved, path, overwrite=True)
    assert kept(path) == ["a"]
    assert done.aside.exists()
    assert Path(f"{done.aside}.wal").read_bytes() == Path(f"{other}.wal").read_bytes()


def test_a_store_whose_opening_failed_is_not_open(saved, path):
    """Though the error, and with it the frames of the opening, is kept, as a notebook does."""
    with Store(path) as store, store.db.write() as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (99, 'x', 'x', '9.9.9', now())")
    with pytest.raises(NewerStoreError) as kept_error:
        Store(path)
    restore(saved, path, overwrite=True)
    assert kept(path) == ["a"]
    assert kept_error.value


def test_a_damaged_backup_is_named_and_replaces_nothing(saved, path):
    """The store stays as it is."""
    content = bytearray(saved.read_bytes())
    content[len(content) // 2 :] = os.urandom(len(content) - len(content) // 2)
    saved.write_bytes(content)
    with pytest.raises(StoreError, match=r"saved\.duckdb"):
        restore(saved, path, overwrite=True)
    assert kept(path) == ["a", "b"]


def test_restoring_changes_nothing_in_the_backup(saved, path):
    """Not its bytes, not its log."""
    before = saved.read_bytes()
    restore(saved, path, overwrite=True)
    assert saved.read_bytes() == before
    assert not Path(f"{saved}.wal").exists()


@pytest.mark.slow
@pytest.mark.parametrize("sql", CHANGES)
def test_kill_9_after_a_migration_leaves_a_store_that_opens(path, sql):
    """Its log needs nothing for the replay that the store has not loaded; no row is lost."""
    code = MIGRATE + ADD + "store = Store(sys.argv[1])\n"
    rows = "print(store.counts()['cases'], store.db.rows('SELECT n, j FROM notes'))\n"
    run(code + "add(store, 'before')", path, NOTES)
    run(code + "add(store, 'after')\n" + KILL, path, NOTES, sql)
    assert Path(f"{path}.wal").stat().st_size > 0
    assert run(code + rows, path, NOTES, sql).strip() == "2 [(1, '{}')]"


def test_a_store_that_a_direct_opening_cannot_replay_is_rescued(path):
    """DuckDB itself, offline and confined, cannot open what ctxlab opens and mends."""
    code = MIGRATE + ADD + "store = Store(sys.argv[1])\n"
    run(code, path, NOTES)
    run(code + KILL, path, NOTES, CHANGES[0])
    with pytest.raises(duckdb.Error, match="replaying WAL"):
        duckdb.connect(str(path), config={"enable_external_access": "false"})
    run(code, path, NOTES, CHANGES[0])
    with duckdb.connect(str(path), config={"enable_external_access": "false"}) as mended:
        assert mended.execute("SELECT n, note FROM notes").fetchall() == [(1, "new")]


def test_a_full_disk_in_a_migration_leaves_the_store_as_it_was(path):
    """Under a file-size limit it fails clearly; with room again it is applied."""
    code = MIGRATE + ADD + "store = Store(sys.argv[1])\n"
    run(code + "add(store, *range(30))", path, NOTES)
    size = path.stat().st_size + 200_000
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    )
    big = (
        "ALTER TABLE notes ADD COLUMN big VARCHAR; INSERT INTO notes (n, j, k, big) "
        "SELECT i, '{}', '[]', md5(i::VARCHAR) || sha256(i::VARCHAR) FROM range(200000) r(i); "
        "ALTER TABLE notes RENAME COLUMN t TO text; ALTER TABLE notes DROP COLUMN v"
    )
    out = run(limit + code, path, NOTES, CHANGES[0], big)
    assert "StoreError" in out
    assert "disk is full" in out
    found = "SELECT count(big), any_value(text) FROM notes"
    done = f"print(store.counts()['cases'], store.db.rows('{found}'))"
    assert run(code + done, path, NOTES, CHANGES[0], big).strip() == "30 [(200000, 'x')]"


@pytest.mark.parametrize(
    "name",
    ["a b.duckdb", "a'b.duckdb", 'a"b.duckdb', "é🎉.duckdb", "memory.duckdb", "temp", "main"],
)
def test_any_file_name_will_do(tmp_path, name):
    """Quotes, spaces and DuckDB's own names; a question mark is refused."""
    with Store(tmp_path / name) as store:
        add(store, "a")
    assert kept(tmp_path / name) == ["a"]
    with pytest.raises(StoreError, match="options"):
        Store(tmp_path / "a?b.duckdb")


def test_two_stores_of_one_file_in_one_process_share_the_writer_lock(path):
    """A notebook cell that is run twice works on; no write is lost."""
    with Store(path) as one, Store(path) as two:
        add(one, "a")
        add(two, "b")
        assert one.counts() == two.counts()
    assert kept(path) == ["a", "b"]


def test_one_file_under_two_names_is_refused(path):
    """Two logs for one file would lose what one of them holds."""
    with Store(path) as store:
        add(store, "a")
        path.with_name("other.duckdb").hardlink_to(path)
        with pytest.raises(StoreLockedError, match="open in this process as"):
            Store(path.with_name("other.duckdb"))


def test_a_file_that_cannot_be_written_can_be_read(saved, path):
    """By somebody who may only read, in a folder where nothing can be made."""
    code = (
        "import sys; from ctxlab.store import Store; from ctxlab.cli import main\n"
        "try: Store(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print(Store(sys.argv[1], read_only=True).counts()['cases'])\n"
        "sys.argv[1:] = ['sql', 'SELECT count(*) + 40 AS n FROM cases', '--store', sys.argv[1]]\n"
        "main()\n"
    )
    # The superuser may write everywhere, unless that right is given up.
    plain = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []
    if plain and shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv to give up the superuser's rights with")
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        command = [*plain, sys.executable, "-c", code, str(path)]
        out = subprocess.run(command, capture_output=True, text=True).stdout
    finally:
        path.parent.chmod(0o755)
    assert "StoreError" in out
    assert "cannot be written" in out
    assert "read_only=True" in out
    assert "\n2\n" in out
    assert "42" in out


def test_read_only_means_read_only(path):
    """Writing is refused, several readers are not, and a store in need of migration is told."""
    with pytest.raises(StoreError, match="no store"):
        Store(path, read_only=True)
    with Store(path) as store:
        add(store, "a")
    with Store(path, read_only=True) as store:
        with pytest.raises(StoreError, match="open read-only"):
            add(store, "b")
        with pytest.raises(StoreError, match="open read-only in this process"):
            Store(path)
        code = "import sys; from ctxlab.store import Store\n"
        assert run(code + "print(len(Store(sys.argv[1], read_only=True).counts()))", path) == "5\n"
    with Store(path) as store, store.db.write() as connection:
        connection.execute("DELETE FROM schema_migrations WHERE number = 2")
    with pytest.raises(OlderStoreError, match="migration 2"):
        Store(path, read_only=True)


def test_a_log_is_read_without_being_folded(path):
    """Reading after a crash shows everything and changes nothing."""
    run(ADD + "store = Store(sys.argv[1]); add(store, 'a', 'b')\n" + KILL, path)
    files = [path, Path(f"{path}.wal")]
    before = [file.read_bytes() for file in files]
    with Store(path, read_only=True) as store:
        assert store.counts()["cases"] == 2
    assert [file.read_bytes() for file in files] == before


def test_opening_is_about_as_fast_as_duckdb_itself(path):
    """At most half as long again, the migrations' check included."""

    def plain() -> None:
        duckdb.connect(str(path)).close()

    def ours() -> None:
        Store(path).close()

    def best(work, times=15):
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        return min(taken)

    ours()
    assert best(ours) < 2.5 * best(plain) + 0.01
