"""Duplicates: exactly those that the definition names, whatever filter finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.bench.explaining import explain
from ctxlab.core.context import Context
from ctxlab.core.segments import Message
from ctxlab.core.task import Task
from ctxlab.strategies import Deduplicate

WORDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=14)


def context_of(texts: list[str]) -> Context:
    """Return a context with a message a text."""
    return Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))


def shingles(words: list[str], size: int) -> set[tuple[str, ...]]:
    """Return the runs of `size` words; of all words where there are fewer."""
    size = min(size, len(words))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def kept_by_definition(texts: list[list[str]], rule: Deduplicate) -> list[int]:
    """Return what stays when every text is compared with every one that stays before it."""
    order = range(len(texts))
    kept: list[int] = []
    for i in reversed(order) if rule.keep == "newest" else order:
        mine = shingles(texts[i], rule.shingle)
        twins = (
            j
            for j in kept
            if len(texts[j]) >= rule.min_words
            and len(mine & shingles(texts[j], rule.shingle))
            >= rule.threshold * len(mine | shingles(texts[j], rule.shingle)) - 1e-9
        )
        if len(texts[i]) < rule.min_words or next(twins, None) is None:
            kept.append(i)
    return sorted(kept)


@given(
    st.lists(WORDS, max_size=8),
    st.sampled_from([0.3, 0.5, 0.85, 1.0]),
    st.integers(1, 4),
    st.sampled_from(["newest", "first"]),
)
def test_the_filters_miss_nothing_and_invent_nothing(texts, threshold, shingle, keep):
    """What stays is what comparing every pair would leave."""
    rule = Deduplicate(threshold=threshold, shingle=shingle, keep=keep, min_words=3)
    context = context_of([" ".join(words) for words in texts])
    left = [segment.source for segment in rule.compress(context, Task(budget=1))]
    assert left == [f"message:m{i}" for i in kept_by_definition(texts, rule)]


@pytest.mark.parametrize(("keep", "twin"), [("newest", "m2"), ("first", "m0")])
def test_the_reason_names_the_twin(keep, twin):
    """The ledger says of which message a dropped one is the duplicate."""
    log = "the nightly job failed with code 137 on host b4"
    context = context_of([log, "quite another thing was said here", log])
    entries = explain(Deduplicate(keep=keep), context, 9999).entries
    assert [entry.reason for entry in entries if entry.reason] == [f"duplicate of {twin}"]
