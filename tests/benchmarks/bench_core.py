"""Counting, fitting, importing and storing, each beside the thing it is compared with.

Run ``uv run python tests/benchmarks/bench_core.py``; every line is a ratio within this one run.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from ctxlab.core.cases import Case
from ctxlab.core.context import Context
from ctxlab.core.segments import Message
from ctxlab.core.task import Task
from ctxlab.core.tokens import TokenCounter
from ctxlab.core.tools import Tools
from ctxlab.core.vocabulary import load
from ctxlab.store import Store
from ctxlab.store.reading import tail
from ctxlab.strategies import KeepLast
from ctxlab.workshop.workshops import Workshops

WORDS = [
    "the",
    "fish",
    "stall",
    "opens",
    "at",
    "six",
    "and",
    "Mira",
    "counts",
    "crates",
    "bread",
    "17",
    "€",
    "lift",
    "broken",
    "again",
]


def texts(count: int, words: int = 45) -> list[str]:
    draw = random.Random(7)
    return [" ".join(draw.choices(WORDS, k=words)) + f" {i}" for i in range(count)]


def seconds(work: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def in_turn(
    ours: Callable[[], object], theirs: Callable[[], object], times: int = 5
) -> tuple[float, float]:
    """Time two works alternately, so that what else the machine does meets both."""
    pairs = [(seconds(ours, 1), seconds(theirs, 1)) for _ in range(times)]
    mine, other = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(other)


def line(what: str, ours: float, theirs: float, goal: str) -> None:
    print(f"{what:<58} {1e3 * ours:10.3f} ms {1e3 * theirs:10.3f} ms {ours / theirs:8.3f}×  {goal}")


def counting() -> None:
    messages = texts(100_000)
    encode = load("o200k_base").encode_ordinary

    def loop() -> None:
        halves = (messages[:50_000], messages[50_000:])
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda half: [len(encode(text)) for text in half], halves))

    def cold() -> None:
        TokenCounter().count_many(messages)

    cold_seconds, loop_seconds = in_turn(cold, loop, 9)
    line("cold count of 100,000 messages / two-thread loop", cold_seconds, loop_seconds, "≤ 1.05×")
    counter = TokenCounter()
    counter.count_many(messages)
    warm = seconds(lambda: counter.count_many(messages))
    line("warm count / cold count", warm, cold_seconds, "≤ 0.04× (25 times faster)")


def fitting() -> None:
    tools = Tools.of(TokenCounter())
    times = {}
    for size in (1_000, 100_000):
        context = Context.of(
            Message(f"m{i}", "user", text) for i, text in enumerate(texts(size, 60))
        )
        task = Task(budget=8_000, tools=tools)
        KeepLast().compress(context, task)
        times[size] = seconds(lambda c=context, t=task: KeepLast().compress(c, t), 50)
    line(
        "KeepLast of 8,000 tokens, 100,000 / 1,000 messages", times[100_000], times[1_000], "≤ 1.2×"
    )
    what = "KeepLast of 100,000 messages, warm, in memory"
    print(f"{what:<58} {1e3 * times[100_000]:10.3f} ms  ≤ 1 ms")


def disk(folder: Path) -> None:
    with Store(folder / "lab.duckdb") as store:
        messages = tuple(
            Message(f"m{i}", "user", text) for i, text in enumerate(texts(100_000, 60))
        )
        store.add_cases([Case("long", "bench", messages)])
        workshop = store.db.rows("SELECT workshop_id FROM cases")[0][0]
        raw = (
            "SELECT message_id, role, content, name, tool_calls, tool_call_id FROM chat_messages "
            "WHERE workshop_id = $w AND running_total >= (SELECT max(running_total + token_count "
            "+ overhead) FROM chat_messages WHERE workshop_id = $w) - $b ORDER BY position"
        )
        parameters = {"w": workshop, "b": 8_000}
        query = seconds(lambda: store.db.rows(raw, parameters), 15)

        def fit() -> None:
            Context.of(tail(store.db, workshop, 8_000))

        line("KeepLast from disk / the raw query", seconds(fit, 15), query, "≤ 1.5×")


def plain_frame(messages: Sequence[Message], parents: dict[str, str]) -> pl.DataFrame:
    """Build the frame that a script would insert: the same columns, nothing counted."""
    n = len(messages)
    return pl.DataFrame(
        {
            **{name: [value] * n for name, value in parents.items()},
            "message_id": [m.id for m in messages],
            "position": range(n),
            "role": [m.role for m in messages],
            "name": [m.name for m in messages],
            "content": [m.content for m in messages],
            "tool_calls": [None] * n,
            "tool_call_id": [m.tool_call_id for m in messages],
            "pinned": [m.pinned for m in messages],
            "token_count": [1] * n,
            "overhead": [4] * n,
            "running_total": range(n),
            "encoding": ["o200k_base"] * n,
            "created_at": [m.created_at for m in messages],
        },
        schema_overrides={"tool_calls": pl.String},
    )


def ingest(folder: Path) -> None:
    counter = TokenCounter()
    messages = tuple(Message(f"m{i}", "user", text) for i, text in enumerate(texts(100_000)))
    counter.count_many([message.content for message in messages])
    ours, theirs = [], []
    for round_ in range(4):
        with Store(folder / f"ours{round_}.duckdb") as store:
            start = time.perf_counter()
            store.add_cases([Case("long", "bench", messages)], counter)
            ours.append(time.perf_counter() - start)
        with Store(folder / f"theirs{round_}.duckdb") as store:
            store.add_cases([Case("short", "bench", messages[:1])], counter)
            keys = ("workshop_id", "session_id", "step_id")
            row = store.db.rows("SELECT workshop_id, session_id, step_id FROM chat_messages")[0]
            with store.db.write() as connection:
                connection.execute("DELETE FROM chat_messages")
            start = time.perf_counter()
            frame = plain_frame(messages, dict(zip(keys, row, strict=True)))
            with store.db.write() as connection:
                connection.register("incoming", frame)
                connection.execute("INSERT INTO chat_messages BY NAME SELECT * FROM incoming")
            theirs.append(time.perf_counter() - start)
    what = "bulk import of 100,000 messages / frame and INSERT … SELECT"
    line(what, min(ours), min(theirs), "≤ 1.2×")


def artifacts(folder: Path) -> None:
    with Store(folder / "artifacts.duckdb") as store:
        workshop = Workshops(store).create("Bench")
        row = workshop.row("persona")
        artifact = {"name": "Mira", "notes": ["a note of some length"] * 20}
        workshop.save_artifact("persona", artifact, validate=False)
        version = 1

        def save() -> None:
            nonlocal version
            version = workshop.save_artifact(
                "persona", artifact, expected_version=version, validate=False
            ).version

        def raw() -> None:
            nonlocal version
            with store.db.write() as connection:
                connection.execute(
                    "UPDATE step_artifacts SET version = version + 1 "
                    "WHERE workshop_step_id = ? AND version = ? RETURNING version",
                    [row, version],
                ).fetchone()
                version += 1
                connection.execute(
                    "INSERT INTO step_artifact_versions (workshop_step_id, version, artifact, "
                    "schema_version, valid) VALUES (?, ?, '{}', 1, true)",
                    [row, version],
                )

        line(
            "artifact save with lock and history / two statements",
            seconds(save, 60),
            seconds(raw, 60),
            "≤ 1.5×",
        )
        workshop.artifact("persona")
        sql = "SELECT artifact FROM step_artifacts WHERE workshop_step_id = ?"
        hot = seconds(lambda: [workshop.artifact("persona") for _ in range(100)], 30) / 100
        line(
            "hot artifact read / a look-up",
            hot,
            seconds(lambda: store.db.rows(sql, [row]), 60),
            "≤ 0.01×",
        )


def tier_sums(folder: Path) -> None:
    with Store(folder / "lab.duckdb") as store:
        store.db.rows("SELECT 1")
        typed = "SELECT role, sum(token_count + overhead) FROM chat_messages GROUP BY role"
        with store.db.write() as connection:
            connection.execute(
                "CREATE TEMP TABLE as_json AS SELECT json_object('role', role, 'tokens', "
                "token_count + overhead, 'content', content) AS j FROM chat_messages"
            )
        extracted = (
            "SELECT json_extract_string(j, '$.role'), sum(json_extract(j, '$.tokens')::INT) "
            "FROM as_json GROUP BY 1"
        )
        ours, theirs = (seconds(lambda q=q: store.db.rows(q), 9) for q in (typed, extracted))
        line(
            "token sums on typed columns / JSON extraction",
            ours,
            theirs,
            "≤ 0.05× (20 times faster)",
        )


def importing() -> None:
    def run(module: str) -> float:
        code = (
            f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        )
        done = [
            float(
                subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
            )
            for _ in range(5)
        ]
        return statistics.median(done)

    line("import ctxlab / import pydantic", run("ctxlab"), run("pydantic"), "≤ 120 ms")


def main() -> None:
    counting()
    fitting()
    with tempfile.TemporaryDirectory() as folder:
        disk(Path(folder))
        tier_sums(Path(folder))
        ingest(Path(folder))
        artifacts(Path(folder))
    importing()


if __name__ == "__main__":
    main()
