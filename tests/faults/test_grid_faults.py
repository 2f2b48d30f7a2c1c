"""The grid trusts nobody: whatever a strategy does is one row, and what is done is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from harness import SHORT

from ctxlab.bench.grid import Grid
from ctxlab.bench.limits import Limits
from ctxlab.core.segments import Segment, Span
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.store import Store
from ctxlab.testing import sample_case

pytestmark = pytest.mark.slow
PROMISING = Traits(family="custom", source="", honours_budget=True)


class Loops(Strategy):
    """Never comes back."""

    def compress(self, context, task):
        while len(context) > 5:
            pass
        return context


class Swallows(Strategy):
    """Never comes back, and catches what it can."""

    def compress(self, context, task):
        while len(context) > 5:
            with suppress(Exception):
                time.sleep(0.01)
        return context


class Exits(Strategy):
    """Ends its process, politely."""

    def compress(self, context, task):
        sys.exit(3) if len(context) > 5 else None
        return context


class Dies(Strategy):
    """Ends its process at once."""

    def compress(self, context, task):
        os._exit(3) if len(context) > 5 else None
        return context


class Interrupts(Strategy):
    """Raises what is no Exception."""

    def compress(self, context, task):
        raise KeyboardInterrupt("mine")


class Eats(Strategy):
    """Takes all the memory there is."""

    def compress(self, context, task):
        held = []
        while len(context) > 5:
            held.append(bytearray(50_000_000))
        return context


class Unchanged(Strategy):
    """Promises the budget and does nothing."""

    TRAITS = PROMISING

    def compress(self, context, task):
        return context


class Invents(Strategy):
    """Says that its text is the source's."""

    TRAITS = PROMISING

    def compress(self, context, task):
        return context.keep([replace(context[0], text="made up", spans=context[0].cut(0, 7).spans)])


class Elsewhere(Strategy):
    """Names a source that was never given."""

    TRAITS = PROMISING

    def compress(self, context, task):
        return context.keep([Segment("x", (Span("message:nowhere", 0, 1),), verbatim=False)])


class Unpins(Strategy):
    """Drops what must stay."""

    TRAITS = PROMISING

    def compress(self, context, task):
        return context.keep([s for s in context if not s.pinned][-1:])


class Reorders(Strategy):
    """Gives the newest first."""

    TRAITS = PROMISING

    def compress(self, context, task):
        return context.keep([context[-1], context[3]])


HOSTILE = [Loops(), Swallows(), Exits(), Dies(), Interrupts(), Eats()]
STRATEGIES = 10 if SHORT else 40
"""Slow ones, of which some are done when Ctrl-C comes."""
PROMISES = {
    Unchanged(): "the budget holds",
    Invents(): "verbatim text is its source's",
    Elsewhere(): "output spans lie within input spans",
    Unpins(): "pinned segments stay as they are",
    Reorders(): "the original order is kept",
}


def pinned_case():
    case = sample_case()
    first = replace(case.messages[3], pinned=True)
    return replace(case, messages=(*case.messages[:3], first, *case.messages[4:]))


def test_hanging_exiting_dying_and_greedy_strategies_cost_one_row_each(tmp_path):
    """Beside them, a good strategy is measured as ever, and the run ends."""
    started = time.monotonic()
    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid([*HOSTILE, "KeepLast()"], ["50%"], [sample_case()])
        results = grid.run(store, limits=Limits(seconds=0.5, memory=600_000_000))
        errors = {strategy: error for strategy, _, error in results.failures()}
    assert time.monotonic() - started < 180
    assert set(errors) == {str(strategy) for strategy in HOSTILE}
    assert errors[str(Loops())].startswith("time limit: took longer than 0.5 s")
    assert errors[str(Swallows())].startswith("time limit")
    assert errors[str(Exits())] == "SystemExit: 3"
    assert "worker process died" in errors[str(Dies())]
    assert errors[str(Interrupts())] == "KeyboardInterrupt: mine"
    assert errors[str(Eats())].startswith("memory limit")
    assert [row.probes for row in results.rows() if row.strategy == "KeepLast()"] == [3]


def test_a_broken_promise_is_named_by_its_law_and_never_ranked():
    """The input returned unchanged does not top the table."""
    results = Grid([*PROMISES, "KeepLast()"], ["40%"], [pinned_case()]).run()
    errors = {strategy: error for strategy, _, error in results.failures()}
    for strategy, law in PROMISES.items():
        assert errors[str(strategy)].startswith(f"BrokenPromiseError: {law}"), errors
    rows = results.rows()
    assert rows[0].strategy == "KeepLast()"
    assert [row.strategy for row in rows if row.comparable] == ["KeepLast()"]


def test_what_a_worker_prints_never_reaches_the_json(tmp_path):
    """Stdout is data alone; the noise is on stderr."""
    (tmp_path / "noisy.py").write_text(
        "import os\nfrom ctxlab import Strategy\n"
        "class Talks(Strategy):\n"
        "    def compress(self, context, task):\n"
        "        print('noise'); os.write(1, b'below\\n')\n"
        "        return context\n"
    )
    command = [sys.executable, "-c", "from ctxlab.cli import main; main()", "compare", "agent-run",
               "--strategy", "noisy:Talks()", "--budget", "10%", "--json",
               "--allow-import"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "LOKY_MAX_CPU_COUNT": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert json.loads(done.stdout)["rows"][0]["failed"] == 0, done.stderr
    assert "noise" in done.stderr


SLOW = """
import time
from ctxlab import Select
class Slow(Select):
    k: int = 0
    def score(self, context, task):
        time.sleep(0.05)
        open(f"ran-{self.k}", "w").close()
        return [float(self.k) for _ in context]
class Stuck(Select):
    def score(self, context, task):
        while True:
            STUCK
""".replace("STUCK", "time.sleep(0.001)" if SHORT else "pass")


@pytest.mark.parametrize("signals", [1] if SHORT else [1, 2])
def test_ctrl_c_says_what_is_kept_within_two_seconds(tmp_path, signals):
    """One or two of them, with a strategy that never comes back: rows stay, and the run goes on."""
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-c", "from ctxlab.cli import main; main()", "compare",
               "market-surplus", "--budget", "50%", "--store", "lab.duckdb",
               "--strategy", "slow:Stuck()", "--allow-import"]  # fmt: skip
    for k in range(STRATEGIES):
        command += ["--strategy", f"slow:Slow(k={k})"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    patience = time.monotonic() + 60
    while len(list(tmp_path.glob("ran-*"))) < STRATEGIES - 5 and time.monotonic() < patience:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(0.5)
    stopped = time.monotonic()
    for _ in range(signals):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - stopped < 4  # two seconds, and what a busy machine adds
    if signals == 1:
        assert "trials are kept in lab.duckdb; run the same again to go on" in err
        assert process.returncode == 130
    assert "Traceback" not in err
    with Store(tmp_path / "lab.duckdb") as store:
        assert store.counts().get("trials", 0) > 0
