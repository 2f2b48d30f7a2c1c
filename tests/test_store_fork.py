"""A store and a fork: it stays its parent's, whole, and the child is told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ctxlab.store import Store

START = """
import multiprocessing, os, signal, sys, threading, time
from ctxlab import AutoSaver, Store, Workshops
from ctxlab.core.cases import Case, Message
def add(store, *ids):
    for i in ids: store.add_cases([Case(str(i), 'd', (Message('m', 'user', 'x' * 50),))])
def ended(pid, patience=20):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]: return
        time.sleep(0.01)
    os.kill(pid, 9)
    print('HANGS', flush=True)
store = Store(sys.argv[1])
add(store, *range(5))
"""
CRASH = """
add(store, *range(5, 10))
print('acknowledged', store.counts()['cases'], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
CHILDREN = {
    "a child that merely exits": "pid = os.fork()\nif pid == 0: sys.exit()\nended(pid)",
    "a child within a write": (
        "with store.db.write():\n pid = os.fork()\n if pid == 0: sys.exit()\n ended(pid)"
    ),
    "a child within a read": (
        "with store.db.reading() as cursor:\n pid = os.fork()\n"
        " if pid == 0: sys.exit()\n ended(pid)\n"
        " assert cursor.execute('SELECT count(*) FROM cases').fetchall() == [(5,)]"
    ),
    "a child that closes": (
        "pid = os.fork()\nif pid == 0:\n store.close()\n del store\n sys.exit()\nended(pid)"
    ),
    "a child with an auto-saver": (
        "saver = AutoSaver(store, delay=60, max_wait=60)\n"
        "saver.edit(Workshops(store).create('Retro').id, 'persona', {}, validate=False)\n"
        "pid = os.fork()\nif pid == 0: sys.exit()\nended(pid)\nsaver.close()\n"
        "assert store.counts()['step_artifacts'] == 1"
    ),
    "children while a thread writes": (
        "busy = True\ndef work():\n i = 100\n while busy: add(store, i); i += 1\n"
        "thread = threading.Thread(target=work); thread.start()\n"
        "for _ in range(20):\n pid = os.fork()\n if pid == 0: sys.exit()\n ended(pid)\n"
        "busy = False; thread.join()"
    ),
}


def run(code: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START + code, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "lab.duckdb"


@pytest.mark.parametrize("what", CHILDREN)
def test_a_child_costs_its_parent_nothing(path, what):
    """What the parent saves afterwards is there after a crash, and the child ends in silence."""
    out = run(CHILDREN[what] + CRASH, path)
    assert "HANGS" not in out
    assert "Error" not in out
    # DuckDB's binding may count what a forked child leaves to the system.
    acknowledged = int(re.search(r"acknowledged (\d+)", out)[1])
    with Store(path) as store:
        assert store.counts()["cases"] == acknowledged
        assert store.db.rows("SELECT count(DISTINCT id) FROM cases") == [(acknowledged,)]


USES = (
    "add(store, 'child')",
    "store.query('SELECT 1')",
    "list(store.cases())",
    "store.backup(sys.argv[1] + '.copy')",
    "Workshops(store).create('Retro')",
    "saver.edit('wks_1', 'persona', {})",
    "saver.flush()",
    "saver.pending",
    "saver.discard('wks_1', 'persona')",
    "Store(sys.argv[1])",
    "Store(':memory:')",
)


def test_every_use_in_a_child_is_a_clear_error(path):
    """It names the file and what to do; pools pass it on to the parent."""
    code = (
        "saver = AutoSaver(store, delay=60)\n"
        f"uses = {USES!r}\n"
        "def use(text):\n"
        " try: eval(text)\n"
        " except Exception as error: return f'{type(error).__name__}: {error}'\n"
        " return 'it worked'\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        " for told in pool.map(use, uses): print('told', told)\n"
        " try: pool.apply(add, (store, 'x')) if False else pool.apply(use.__globals__['raises'])\n"
        " except Exception as error: print('passed on', type(error).__name__)\n"
    ).replace("def use", "def raises(): add(store, 'x')\ndef use", 1)
    out = run(code + CRASH, path)
    told = [line for line in out.splitlines() if line.startswith("told")]
    assert len(told) == len(USES)
    for line in told:
        assert line.startswith("told ForkedStoreError: "), line
        assert "spawn" in line
    assert "passed on ForkedStoreError" in out
    with Store(path) as store:
        assert store.counts()["cases"] == 10


def test_workers_that_are_spawned_are_not_concerned(path, tmp_path):
    """A spawned process opens a store of its own, or this one after it is closed; loky, too."""
    script = tmp_path / "spawned.py"
    script.write_text(
        "import multiprocessing, sys\nfrom ctxlab import Store\n"
        "def count(path):\n with Store(path) as store: return store.counts().get('cases', 0)\n"
        "if __name__ == '__main__':\n"
        " from loky import get_reusable_executor\n"
        " mine = Store(sys.argv[1] + '.mine'); Store(sys.argv[1]).close()\n"
        " with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "  print(pool.map(count, [sys.argv[1]]))\n"
        " print(get_reusable_executor(1).submit(len, 'four').result())\n"
        " print(mine.counts())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["[0]", "4", "{}"], done.stderr


def test_a_child_of_a_process_that_has_used_stores_opens_none(path):
    """Their threads are missing there: it is told, where it once hung."""
    code = (
        "store.close()\npid = os.fork()\nif pid == 0:\n"
        " try: Store(sys.argv[1])\n except Exception as error: print(error, flush=True)\n"
        " sys.exit()\nended(pid)\n"
    )
    out = run(code, path)
    assert "threads are missing" in out
    assert "HANGS" not in out


def test_a_child_of_a_process_that_has_only_imported_ctxlab_may(path):
    """As the workers of a server that forks before it begins."""
    code = (
        "import os, sys\nfrom ctxlab import Store, Workshops\nimport ctxlab.store\n"
        "pid = os.fork()\nif pid == 0:\n"
        " with Store(sys.argv[1]) as store: Workshops(store).create('Retro')\n sys.exit()\n"
        "os.waitpid(pid, 0)\nprint(Store(sys.argv[1]).counts()['workshops'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "1", done.stderr
