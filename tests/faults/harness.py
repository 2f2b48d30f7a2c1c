"""What all families of faults share: workers that can be killed, a tally, and its table.

A family is a module beside this one with ``NAME``, ``TRIES`` (in the short, middle and long mode)
and ``play(folder, draw, tally)``, which plays one try on files of its own: it starts workers of
its module, kills or starves them by the seeded schedule ``draw``, opens what they leave, and
tells the tally what was acknowledged and what is missing. A worker is a function of the module
that takes a `Log` and arguments that JSON can hold.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODES = ("short", "middle", "long")
_NIGHTLY = os.environ.get("CTXLAB_HYPOTHESIS") == "nightly"
MODE = MODES.index("long" if _NIGHTLY else os.environ.get("CTXLAB_FAULTS", "short"))
"""Within the test suite, as a step of its own in `.ci/run`, and at night."""
SHORT, LONG = MODE == 0, MODE == 2
SEED = int(os.environ.get("CTXLAB_FAULTS_SEED", "20261125"))
PATIENCE = 60.0
"""Seconds after which a worker that has not ended hangs."""
RAW = ("INTERNAL", "TransactionContext", "Assertion", "FATAL", "Fatal Error")
"""Words of DuckDB's that no user should read."""


@dataclass
class Tally:
    """What a family has seen: every try, what was acknowledged, what of it is gone."""

    family: str
    tries: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    def check(self, acknowledged: Iterable[object], kept: Iterable[object], where: object) -> None:
        """Count what was acknowledged, and note what of it is not there any more."""
        wanted = list(acknowledged)
        self.acknowledged += len(wanted)
        self.lost += [f"{where}: {item}" for item in set(wanted) - set(kept)]

    def must(self, true: object, what: str) -> None:
        """Count a promise that is no single write as lost when it is broken."""
        if not true:
            self.lost.append(what)

    def hear(self, run: Run) -> None:
        """Judge the errors of a worker, and how it ended."""
        self.unclear += [error for error in run.errors() if not clear(error)]
        if run.ended not in (None, 0, -signal.SIGKILL):
            self.unclear.append(f"{run.what} ended with {run.ended}: {run.errors()}")

    def row(self) -> tuple[str, ...]:
        counts = (self.tries, self.acknowledged, len(self.lost), len(self.unclear))
        return (self.family, *(f"{count:,}" for count in counts))


def clear(error: str) -> bool:
    """Say whether an error is one of ctxlab's own, in words of its own."""
    from ctxlab import errors

    name, _, text = error.partition(": ")
    kind = getattr(errors, name, None)
    return kind is not None and len(text) > 20 and not any(word in text for word in RAW)


class Log:
    """A worker's acknowledgements: one line each, written before the next step."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def ack(self, *values: object) -> None:
        os.write(self._file, (json.dumps(values) + "\n").encode())

    def error(self, error: BaseException) -> None:
        self.ack("error", f"{type(error).__name__}: {error}")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Note an error and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the tally judges it
            self.error(error)


@dataclass
class Run:
    """One worker."""

    what: str
    process: int
    log: Path
    zygote: Zygote
    ended: int | None = None

    def lines(self) -> list[list[Any]]:
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def _count(self) -> int:
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def acks(self, kind: str) -> list[Any]:
        """Return the values that were acknowledged under a name."""
        return [line[1] for line in self.lines() if line[0] == kind]

    def errors(self) -> list[str]:
        return self.acks("error")

    def kill_after(self, acks: int, seconds: float) -> None:
        """Kill it a moment after so many lines, wherever it is then."""
        end = time.monotonic() + PATIENCE
        while self._count() < acks and time.monotonic() < end and not self.gone():
            time.sleep(0.005)
        time.sleep(seconds)
        self.kill()

    def gone(self) -> bool:
        if self.ended is None:
            self.ended = self.zygote.ask("poll", self.process)
        return self.ended is not None

    def kill(self) -> None:
        if not self.gone():
            os.kill(self.process, signal.SIGKILL)
        self.wait()

    def wait(self) -> Run:
        """Wait for its end; one that hangs is killed, and that is an error."""
        end = time.monotonic() + PATIENCE
        while not self.gone():
            if time.monotonic() > end:
                os.kill(self.process, signal.SIGKILL)
                Log(self.log).ack("error", f"HANGS: {self.what}")
                end += PATIENCE
            time.sleep(0.005)
        return self


class Zygote:
    """A process that has imported everything and used nothing: its forks are new processes.

    Without it every worker would import for half a second.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ctxlab-faults"))
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._runs = 0

    def ask(self, *request: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, worker: Callable[..., None], *arguments: object) -> Run:
        """Start a worker: a function of a family's module."""
        self._runs += 1
        log = self._folder / f"{self._runs}.log"
        module, name = Path(worker.__code__.co_filename).stem, worker.__name__
        values = [str(a) if isinstance(a, Path) else a for a in arguments]
        return Run(name, self.ask("start", module, name, str(log), values), log, self)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)


def serve() -> None:
    """Fork a worker for every request, until there is no one to ask any more."""
    for line in sys.stdin:
        what, *rest = json.loads(line)
        if what == "start":
            answer = _fork(*rest)
        else:
            found, status = os.waitpid(rest[0], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if found else None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(module: str, name: str, log: str, arguments: list[object]) -> int:
    process = os.fork()
    if process:
        return process
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115
    code = 1
    out = Log(Path(log))
    try:
        getattr(importlib.import_module(module), name)(out, *arguments)
        code = 0
    except BaseException as error:  # noqa: BLE001 - told to the one who asked
        out.error(error)
    finally:
        # The zygote's own end is not this worker's.
        os._exit(code)


def schedule(family: str, number: int) -> random.Random:
    """Return the seeded draw of one try, the same in every run."""
    return random.Random(f"{SEED} {family} {number}")


if __name__ == "__main__":
    import ctxlab.store.backup
    import ctxlab.workshop.autosave  # noqa: F401

    # Imported now, a module is not imported by every worker.
    for file in Path(__file__).parent.glob("family_*.py"):
        importlib.import_module(file.stem)
    serve()
