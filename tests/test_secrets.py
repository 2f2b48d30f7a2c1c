"""A password is planted wherever one can be given, and looked for wherever text comes out."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ctxlab.bench.grid import Grid
from ctxlab.core.strategy import Strategy
from ctxlab.errors import CtxlabError, StoreError
from ctxlab.redaction import redacted
from ctxlab.store import Store
from ctxlab.testing import sample_case

SECRET = "hunter2"
ADDRESSES = [
    f"postgresql://u:{SECRET}@127.0.0.1:1/db",
    f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db",
    f"POSTGRESQL://u:{SECRET}@127.0.0.1:1/db",
    f"mysql://u:{SECRET}@127.0.0.1:1/db",
    f"postgresql://u:p@ss{SECRET}/x@127.0.0.1:1/db",
    f"postgresql://127.0.0.1:1/db?user=u&password={SECRET}",
    f"host=127.0.0.1 port=1 user=u password={SECRET}",
    f"host=127.0.0.1 port=1 password='a {SECRET} b'",
]
COMMANDS = [
    ["budget", "ADDRESS"],
    ["compare", "ADDRESS"],
    ["compare", "agent-run", "--strategy", "ADDRESS"],
    ["compare", "agent-run", "--budget", "ADDRESS"],
    ["compare", "agent-run", "--budget", "10%", "--store", "ADDRESS"],
    ["import", "ADDRESS"],
    ["import", "agent-run", "--store", "ADDRESS"],
    ["push", "ADDRESS"],
    ["push", "ADDRESS", "ADDRESS"],
    ["show", "ADDRESS"],
    ["sql", "SELECT 1", "--store", "ADDRESS"],
    ["backup", "ADDRESS"],
    ["restore", "ADDRESS", "--store", "ADDRESS"],
    ["ADDRESS"],
]
# All commands in one process: each would import for half a second.
PLAY = """
import io, json, os, sys
from ctxlab.cli import main
from ctxlab.store import Store
Store("lab.duckdb").close()
for command in json.load(open("commands.json")):
    sys.argv = ["ctxlab", *command]
    before = sys.stdout, sys.stderr
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    sys.stdout, sys.stderr = before
    print("CODE", code, flush=True)
"""


def planted():
    for command in COMMANDS:
        for address in ADDRESSES:
            yield [address if word == "ADDRESS" else word for word in command]


def test_no_command_shows_a_password_or_makes_a_file_of_its_name(tmp_path):
    """Neither on stdout nor on stderr, tracebacks and usage errors included; each fails."""
    (tmp_path / "commands.json").write_text(json.dumps(list(planted())))
    done = subprocess.run(
        [sys.executable, "-c", PLAY], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "COLUMNS": "500"},
    )  # fmt: skip
    assert SECRET not in done.stdout
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
    codes = [line.split() for line in done.stdout.splitlines() if line.startswith("CODE")]
    assert len(codes) == len(COMMANDS) * len(ADDRESSES), done.stderr[-2000:]
    assert {code for _, code in codes} <= {"1", "2"}, codes
    made = {file.name for file in tmp_path.iterdir()}
    assert made <= {"commands.json", "lab.duckdb", "ctxlab.duckdb"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_store_is_a_file_and_its_errors_hide_the_password(address, tmp_path, monkeypatch):
    """An address makes no folder of its name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as caught:
        Store(address)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert list(tmp_path.iterdir()) == []


class Connects(Strategy):
    """Fails as a client does that says where it could not connect to."""

    def compress(self, context, task):
        if len(context) > 5:
            raise RuntimeError(f"cannot reach {ADDRESSES[0]}")
        return context


class Tells(Strategy):
    """Fails with one of our errors."""

    def compress(self, context, task):
        if len(context) > 5:
            raise CtxlabError(f"cannot reach {ADDRESSES[6]}")
        return context


def test_what_a_failed_trial_and_the_command_keep_holds_no_password(tmp_path, monkeypatch):
    """Store, its files and the report are searched byte by byte."""
    monkeypatch.setattr(sys, "argv", ["/bin/ctxlab", "compare", *ADDRESSES])
    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid([Connects(), Tells(), "KeepLast()"], ["50%"], [sample_case()])
        results = grid.run(store)
        assert len(results.failures()) == 2
        results.report(tmp_path / "report.html")
        assert "ctxlab compare" in results.manifest["command"]
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    "text",
    ["BM25(k1=1.2)", "see http://localhost:8080/a?b=c#d", "m1: the pass is closed", "10:30@home",
     "C:\\lab\\a.duckdb", "a = b; tokens=90", "passengers=4", "compass=north"],
)  # fmt: skip
def test_what_is_no_secret_stays_as_it_is(text):
    """Text for people is changed nowhere else."""
    assert redacted(text) == text


def test_known_tokens_headers_and_json_are_hidden():
    """As they stand in the errors of clients."""
    for text in (
        f"Authorization: Bearer {SECRET}{SECRET}",
        f"key sk-{SECRET}-{SECRET}-{SECRET}",
        f'{{"api_key": "{SECRET}"}}',
        f"OPENAI_API_KEY={SECRET} ctxlab",
        f"PGPASSWORD={SECRET}",
        f"redis://:{SECRET}@h",
    ):
        assert SECRET not in redacted(text), redacted(text)
