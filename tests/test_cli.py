"""The command line as it is used: a process, its streams and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from ctxlab.bench.board_rows import FIELDS
from ctxlab.cli import app
from ctxlab.datasets import write_cases
from ctxlab.store import Store
from ctxlab.testing import sample_case


def ctxlab(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from ctxlab.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


@pytest.fixture
def chats(tmp_path) -> Path:
    write_cases([sample_case()], tmp_path / "chats.jsonl")
    return tmp_path / "chats.jsonl"


def test_compare_prints_the_promised_json(chats, tmp_path):
    """Schema 1, shares between 0 and 1, nothing but JSON on stdout."""
    done = ctxlab("compare", chats, "--budget", "30%", "--budget", "120", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == 1
    assert found["encoding"] == "o200k_base"
    assert len(found["rows"]) == 34
    for row in found["rows"]:
        assert tuple(row) == (*FIELDS, "metrics")
        assert row["metrics"]["AllEvidence"]["mean"] == row["all_evidence"]
        assert 0 <= row["all_evidence"] <= 1
        assert 0 < row["rate"] <= 1
        assert row["failed"] == 0
    assert (tmp_path / "ctxlab.duckdb").exists()


def test_compare_prints_a_leaderboard_and_writes_a_report(chats, tmp_path):
    """Groups, the baseline's mark, a sentence, and one HTML file with the command."""
    done = ctxlab(
        "compare", chats, "--strategy", "BM25(neighbours=2)", "--strategy", "KeepLast",
        "--strategy", "RandomDrop", "--seed", 1, "--seed", 2, "--out", "r.html", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in ("Budget 10%", "Budget 25%", "sees the question", "(baseline)", "controls"):
        assert words in done.stdout
    page = (tmp_path / "r.html").read_text()
    assert "--strategy &#x27;BM25(neighbours=2)&#x27;" in page
    assert "report: r.html" in done.stderr


def test_a_gate_that_is_missed_exits_with_3(chats, tmp_path):
    """The best strategy counts, and its share is said."""
    base = ("compare", chats, "--strategy", "KeepLast", "--budget", "30%", "--fail-under")
    assert ctxlab(*base, "0.9", cwd=tmp_path).returncode == 3
    assert ctxlab(*base, "0.0", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("compare", "nowhere.json"), 1, "cannot be opened"),
        (("compare", "chats.jsonl", "--strategy", "BM52"), 2, "did you mean 'BM25'"),
        (("compare", "chats.jsonl", "--budget", "0"), 2, "not positive"),
        (("compare", "chats.jsonl", "--category", "numbers"), 2, "did you mean 'number'"),
        (("compare", "chats.jsonl", "--encoding", "o201k"), 2, "did you mean"),
        (("compare", "chats.jsonl", "--measure", "AlEvidence"), 2, "did you mean 'AllEvidence'"),
        (("show", "chats.jsonl", "--case", "markt"), 2, "did you mean 'market'"),
        (("strategies", "Bm25"), 2, "did you mean 'BM25'"),
        (("datasets", "fetch", "lokomo"), 2, "did you mean 'locomo'"),
        (("sql", "SELECT 1", "--store", "none.duckdb"), 1, "import conversations first"),
        (("compare",), 2, "Missing argument"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(arguments, code, words, chats, tmp_path):
    """Usage errors exit with 2, failures with 1; no traceback, nothing on stdout."""
    done = ctxlab(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_bad_records_stop_an_import_or_are_counted(chats, tmp_path):
    """The error has its place; with --skip-bad the good ones come in."""
    with chats.open("a") as file:
        file.write('{"id": "bad", "dataset": "d", "messages": [{"id": "m"}]}\n')
    stopped = ctxlab("import", chats, cwd=tmp_path)
    assert stopped.returncode == 1
    assert "chats.jsonl, line 2, field messages[0].role" in stopped.stderr
    done = ctxlab("import", chats, "--skip-bad", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"schema": 1, "cases": 1, "messages": 12, "probes": 3}
    assert "1 malformed record left out" in done.stderr
    again = ctxlab("import", chats, "--skip-bad", cwd=tmp_path)
    assert again.returncode == 1
    assert "stored already" in again.stderr
    skipped = ctxlab("import", chats, "--skip-bad", "--skip-known", cwd=tmp_path)
    assert skipped.stdout.startswith("0 conversations")


def test_a_held_store_names_the_process(chats, tmp_path):
    """Another process that has the file is told by its number."""
    with Store(tmp_path / "lab.duckdb"):
        done = ctxlab("import", chats, "--store", "lab.duckdb", cwd=tmp_path)
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr


def test_budget_counts_by_role_and_tier(chats, tmp_path):
    """The sum of the roles and the reply's priming is the total."""
    done = ctxlab("budget", chats, "--json", cwd=tmp_path)
    [row] = json.loads(done.stdout)["rows"]
    assert sum(row["roles"].values()) + row["reply"] == row["total"]
    assert row["tiers"] == {"short-term": sum(row["roles"].values())}
    assert "market" in ctxlab("budget", chats, cwd=tmp_path).stdout


def test_show_says_what_went_and_why(chats, tmp_path):
    """As a table, as JSON, and as a page."""
    common = ("show", chats, "--strategy", "BM25", "--probe", "p1", "--budget", "40%")
    done = ctxlab(*common, "--json", "--out", "shown.html", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["query"] == "Who keeps the key of the cold store?"
    assert found["after"] <= found["budget"] < found["before"]
    dropped = [row for row in found["rows"] if row["fate"] == "dropped"]
    assert dropped
    assert all(row["reason"] and row["rank"] for row in dropped)
    shown = (tmp_path / "shown.html").read_text()
    assert "<s style=" in shown
    assert "What became of market" in shown
    assert found["query"] in shown
    unasked = ctxlab("show", chats, "--strategy", "BM25", cwd=tmp_path)
    assert "none was asked: use --query or --probe" in unasked.stderr
    assert "rank" in ctxlab(*common, cwd=tmp_path).stdout


def test_conversations_without_questions_are_shown_and_measured_for_size(tmp_path):
    """A plain chat has nothing to look for: `compare` says so, and a bad line is left out."""
    lines = [
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}',
        '{"messages": [{"role": "user"}]}',
    ]
    (tmp_path / "plain.jsonl").write_text("\n".join(lines))
    done = ctxlab("compare", "plain.jsonl", "--skip-bad", "--json", cwd=tmp_path)
    assert {row["probes"] for row in json.loads(done.stdout)["rows"]} == {0}
    assert "no questions" in done.stderr
    assert ctxlab("show", "plain.jsonl", cwd=tmp_path).returncode == 1
    shown = ctxlab("show", "plain.jsonl", "--skip-bad", "--json", cwd=tmp_path)
    assert {row["source"] for row in json.loads(shown.stdout)["rows"]} == {
        "message:m0",
        "message:m1",
    }
    assert "1 malformed record left out" in shown.stderr


def test_sql_reads_and_cannot_write(chats, tmp_path):
    """A query's rows as JSON; a statement that writes is refused."""
    ctxlab("import", chats, cwd=tmp_path)
    done = ctxlab(
        "sql", "SELECT role, count(*) AS n FROM chat_messages GROUP BY 1", "--json", cwd=tmp_path
    )
    assert json.loads(done.stdout)["rows"] == [{"role": "user", "n": 12}]
    refused = ctxlab("sql", "DROP TABLE cases", cwd=tmp_path)
    assert refused.returncode == 1
    assert "only reads" in refused.stderr


def test_the_catalogue_lists_every_strategy(tmp_path):
    """Names, traits and parameters with their meaning."""
    rows = json.loads(ctxlab("strategies", "--json", cwd=tmp_path).stdout)["rows"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["BM25"]["query_aware"]
    assert {p["name"] for p in by_name["BM25"]["parameters"]} >= {"neighbours", "smoothing"}
    assert "neighbours" in ctxlab("strategies", "BM25", cwd=tmp_path).stdout


def test_the_demo_runs_the_whole_journey(tmp_path):
    """Leaderboard on stdout, store and report on disk, in under a minute; again from the store."""
    for _ in range(2):
        done = ctxlab("demo", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Budget 25%" in done.stdout
        assert "BM25(neighbours=2)" in done.stdout
    assert (tmp_path / "ctxlab-demo.duckdb").exists()
    assert (tmp_path / "ctxlab-demo.html").stat().st_size > 100_000


def commands(command=None, path=()):
    command = command or typer.main.get_command(app)
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from commands(child, (*path, name))
    if not children:
        yield path, command


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=lambda value: str(value)[:40])
def test_every_command_is_documented(path, command):
    """Each help has examples that name the command, and each option says what it does."""
    assert "For example:" in (command.help or "")
    assert f"ctxlab {' '.join(path)}" in command.help
    assert all(getattr(option, "help", None) for option in command.params)


def test_gates_hold_a_margin_and_say_what_they_cannot_hold(chats, tmp_path):
    """Not inferior to itself within a margin, inferior without evidence; no questions, no gate."""
    compare = ("compare", "market-surplus", "--budget", "25%", "--store", "s.duckdb")
    both = (*compare, "--strategy", "BM25", "--strategy", "KeepLast")
    done = ctxlab(*both, "--non-inferior-to", "BM25", "--margin", "3", cwd=tmp_path)
    assert done.returncode == 3
    assert "KeepLast() at 25% is not shown to be within 3 points of BM25()" in done.stderr
    one = (*compare, "--strategy", "KeepLast", "--non-inferior-to", "KeepLast")
    done = ctxlab(*one, "--summary", "summary.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "| `KeepLast()` (baseline) |" in (tmp_path / "summary.md").read_text()
    (tmp_path / "bare.json").write_text('[{"role": "user", "content": "Hi"}]')
    bare = ("compare", "bare.json", "--strategy", "KeepLast", "--budget", "99")
    done = ctxlab(*bare, "--fail-under", "0.5", cwd=tmp_path)
    assert done.returncode == 2
    assert "no questions" in done.stderr


def test_runs_of_one_task_are_one_cluster_where_the_user_says_so(tmp_path):
    """What is independent is named by a part of the id; a pattern that finds nothing is refused."""
    message = {"id": "m", "role": "user", "content": "x"}
    probe = {"id": "p", "question": "?", "answer": "x", "evidence": ["m"], "category": ""}
    names = [f"t{n // 2}_r{n % 2}" for n in range(4)]
    cases = [
        {"id": name, "dataset": "d", "messages": [message], "probes": [probe]} for name in names
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, cases)))
    asked = ("compare", "runs.jsonl", "--strategy", "KeepLast", "--budget", "99", "--json")
    done = ctxlab(*asked, "--cluster-by", "(t\\d)_", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Store(tmp_path / "ctxlab.duckdb") as store:
        assert store.query("SELECT count(DISTINCT cluster) FROM trials").item() == 2
    done = ctxlab(*asked, "--cluster-by", "task(\\d)", cwd=tmp_path)
    assert done.returncode == 2
    assert "finds no group in the id 't0_r0'" in done.stderr
