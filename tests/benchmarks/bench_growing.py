"""A chat that grows: `Conversation` beside `compress` of the whole list and LangChain's trimmer.

Run ``python tests/benchmarks/bench_growing.py``; without langchain-core its column is left out.
Every turn appends a question and an answer and compresses; the ways take turns at each turn, so
that what else the machine does falls on all alike. Times are of one turn.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import ctxlab
from ctxlab.core.tokens import shared_counter

BUDGET, TURNS, TAIL = 4_000, 220, 20
WORDS = [f"word{number}" for number in range(2_000)]


def turns() -> Iterator[list[dict[str, Any]]]:
    """Yield what every turn adds: an answer of sixty words, and a question of forty."""
    rng = random.Random(1)
    for _ in range(TURNS):
        yield [
            {"role": "assistant", "content": " ".join(rng.choices(WORDS, k=60))},
            {"role": "user", "content": " ".join(rng.choices(WORDS, k=40))},
        ]


def timed(call: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


class Trimmer:
    """LangChain's `trim_messages` with a counter that remembers every message."""

    def __init__(self) -> None:
        found = import_module("langchain_core.messages")
        self._kinds = {"user": found.HumanMessage, "assistant": found.AIMessage}
        self._trim, self._chat, self._known = found.trim_messages, list[Any](), dict[int, int]()

    def _count(self, chat: list[Any]) -> int:
        known, count = self._known, shared_counter().count
        for message in chat:
            if id(message) not in known:
                known[id(message)] = 4 + count(message.content)
        return 3 + sum(known[id(message)] for message in chat)

    def turn(self, new: list[dict[str, Any]]) -> list[Any]:
        """Append and trim."""
        self._chat += [self._kinds[one["role"]](one["content"]) for one in new]
        found: list[Any] = self._trim(
            self._chat, max_tokens=BUDGET, token_counter=self._count, strategy="last"
        )
        return found


def measure(strategy: str) -> dict[str, list[float]]:
    """Return the milliseconds of every turn by each way."""
    growing = ctxlab.Conversation(budget=BUDGET, strategy=strategy, api="openai")
    trimmer = Trimmer() if find_spec("langchain_core") else None
    chat: list[dict[str, Any]] = []
    found: dict[str, list[float]] = {}

    def grown(new: list[dict[str, Any]]) -> object:
        growing.append(new)
        return growing.compressed()

    def whole() -> object:
        return ctxlab.compress(chat, budget=BUDGET, strategy=strategy, api="openai")

    for new in turns():
        chat += new
        ways: dict[str, Callable[[], object]] = {
            "Conversation": lambda new=new: grown(new),  # type: ignore[misc]
            "compress": whole,
        }
        if trimmer is not None:
            ways["trim_messages"] = lambda new=new: trimmer.turn(new)  # type: ignore[misc]
        for name, call in ways.items():
            found.setdefault(name, []).append(timed(call))
    return found


def main() -> None:
    """Print the median of the last turns by each way, and the ratio to `Conversation`."""
    for strategy in ("KeepLast()", "PassageBM25()"):
        found = {name: times[-TAIL:] for name, times in measure(strategy).items()}
        print(f"{strategy}, turns {TURNS - TAIL + 1} to {TURNS}, {2 * TURNS} messages at the end")
        for name, times in found.items():
            ratios = [a / b for a, b in zip(times, found["Conversation"], strict=True)]
            print(f"  {name:14} {median(times):7.2f} ms  {median(ratios):6.2f} × Conversation")


if __name__ == "__main__":
    main()
