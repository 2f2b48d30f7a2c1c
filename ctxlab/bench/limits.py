"""Limits of a trial: a worker gives it so much time and memory, and nothing of our output."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

_AGAIN = 1.0
"""Seconds after which a trial that swallowed its time limit is told again."""
_SHARE = 0.8
"""Of the machine's memory, what all workers together may take by default."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one trial may take.

    Parameters
    ----------
    seconds : float or None
        Time for one trial: all questions of one strategy at one budget on one conversation.
    memory : int or None
        Bytes that a trial may add to its worker's memory.

    Examples
    --------
    >>> Limits().seconds
    300.0
    """

    seconds: float | None = 300.0
    memory: int | None = None


class OvertimeError(BaseException):
    """A trial took longer than it may; no ``except Exception`` of a strategy's swallows it.

    Examples
    --------
    >>> issubclass(OvertimeError, Exception)
    False
    """


def in_worker() -> bool:
    """Say whether this is the main thread of a process that only works for a grid.

    Examples
    --------
    >>> in_worker()
    False
    """
    own = multiprocessing.current_process().name != "MainProcess"
    return own and threading.current_thread() is threading.main_thread()


@cache
def settle() -> None:
    """Make a worker quiet: what its code prints goes to stderr, and Ctrl-C is the parent's.

    Examples
    --------
    >>> settle()
    """
    if in_worker():
        sys.stdout.flush()
        os.dup2(2, 1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Hold a trial to its limits, where this is a worker; elsewhere nothing is limited.

    Raises
    ------
    OvertimeError
        When the time is up.
    MemoryError
        When there is no more memory.

    Examples
    --------
    >>> with limited(Limits(seconds=1.0)):
    ...     pass
    """
    if not in_worker():
        yield
        return
    with _timed(limits.seconds), _bounded(limits.memory):
        yield


@contextmanager
def _timed(seconds: float | None) -> Iterator[None]:
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def over(_: int, __: FrameType | None) -> None:
        raise OvertimeError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _bounded(memory: int | None) -> Iterator[None]:
    try:
        import resource
    except ImportError:  # not on Windows
        yield
        return
    allowed = _share() if memory is None else memory
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = _taken()
    if used is None:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (used + allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _share() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(_SHARE * total / (os.cpu_count() or 1))


def _taken() -> int | None:
    """Return the bytes of address space of this process; None where that is not told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read often
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
