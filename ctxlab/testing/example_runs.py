"""Samples that are the same every time: a conversation, a run, the results of an experiment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from ctxlab.core.cases import Case, Probe
from ctxlab.core.run import Run
from ctxlab.core.segments import Message
from ctxlab.core.task import Task

if TYPE_CHECKING:
    from ctxlab.bench.results import Results


def sample_case() -> Case:
    """Return a small conversation with probes of its own, the same every time.

    Examples
    --------
    >>> len(sample_case().messages), len(sample_case().probes)
    (12, 3)
    """
    lines = [
        ("Mira", "Good morning. The covered market has 63 stalls, and 14 of them sell fish."),
        ("Jonas", "Coffee first, please."),
        ("Mira", "At closing time the fish goes into the cold store behind gate 4."),
        ("Jonas", "Who has the key?"),
        ("Mira", "Ilse has it, since the break-in last March."),
        ("Jonas", "It rains again. My bicycle is outside."),
        ("Mira", "The bread stalls give away what is left, about 90 loaves a day."),
        ("Jonas", "I counted 40 yesterday."),
        ("Mira", "Then I was wrong: 40 loaves, not 90. The 90 was before Easter."),
        ("Jonas", "Could a courier take them at six?"),
        ("Mira", "Only if the lift works. It is broken on Tuesdays, do not ask me why."),
        ("Jonas", "Let us meet again on Thursday."),
    ]
    messages = tuple(
        Message(f"m{i}", "user", text, name=name) for i, (name, text) in enumerate(lines)
    )
    probes = (
        Probe("p0", "How many stalls sell fish?", "14", ("m0",), "number"),
        Probe("p1", "Who keeps the key of the cold store?", "Ilse", ("m4",), "person"),
        Probe("p2", "How many loaves are left a day?", "40 loaves", ("m6", "m8"), "correction"),
    )
    return Case("market", "sample", messages, probes)


def sample_run() -> Run:
    """Return a run of `KeepLast` on `sample_case`, of which the newest half is left.

    Examples
    --------
    >>> sample_run().tokens_before, sample_run().tokens_after
    (229, 98)
    """
    from ctxlab.strategies.windows import KeepLast

    case = sample_case()
    return Run.of(KeepLast(), case.context(), Task(budget=115), case)


@cache
def sample_results() -> Results:
    """Return the results of a small experiment on `sample_case`, the same every time.

    Examples
    --------
    >>> sample_results()
    Results(4 trials, 12 probes asked, 3 metrics)
    """
    from ctxlab.bench.grid import Grid

    strategies = ["KeepLast()", "BM25()", "Oracle()", "RandomDrop()"]
    with ThreadPoolExecutor(1) as threads:
        return Grid(strategies, ["40%"], [sample_case()], seeds=5).run(executor=threads)
