"""Strategies as text: what can be written, and what is refused with which words."""

from __future__ import annotations

import pytest

from ctxlab.errors import SpecError, UnknownNameError
from ctxlab.recipes import from_spec, parse
from ctxlab.strategies import BM25, ClearToolUses, KeepLast


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("KeepLast", KeepLast()),
        ("BM25(neighbours=2)", BM25(neighbours=2)),
        (" BM25( k1 = 1.2 ) >> KeepLast() ", BM25(k1=1.2) >> KeepLast()),
        ("ClearToolUses(exclude_tools=('a', 'b'))", ClearToolUses(exclude_tools=("a", "b"))),
        ("ClearToolUses(placeholder='x: y(')", ClearToolUses(placeholder="x: y(")),
    ],
)
def test_what_is_written_is_what_is_built(text, strategy):
    """Names, parameters and pipelines are read as in Python, and written back."""
    assert parse(text) == strategy
    assert parse(str(strategy)) == strategy
    assert from_spec(strategy.spec()) == strategy


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("BM52()", UnknownNameError, "did you mean 'BM25'"),
        ("BM25(neighbour=2)", SpecError, "did you mean 'neighbours'"),
        ("BM25(neighbours=-1)", SpecError, "neighbours=-1"),
        ("BM25(2)", SpecError, "named literals"),
        ("BM25(", SpecError, "character"),
        ("BM25() + KeepLast()", SpecError, "not understood"),
        ("__import__('os').system('true')", SpecError, "not understood"),
        ("os:system()", SpecError, "not a subclass"),
        ("no.such.module:Thing()", SpecError, "cannot be imported"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(text, error, words):
    """Nothing is executed, and the error says what was meant."""
    with pytest.raises(error, match=words):
        parse(text)
