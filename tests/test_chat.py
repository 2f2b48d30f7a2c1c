"""Plain message lists in and out: always a chat that an API takes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctxlab
from ctxlab.chat import to_anthropic, to_openai
from ctxlab.errors import DataError, PinnedOverBudgetError, SpecError, UnknownNameError
from ctxlab.model import Context
from ctxlab.recipe import Recipe
from ctxlab.strategies import BM25, KeepLast, MaskObservations
from ctxlab.testing import chats

STRATEGIES = [
    "KeepLast()",
    "BM25()",
    "MaskObservations(keep=1) >> KeepLast()",
    "HeadTail()",
    "LexRank()",
]


@settings(max_examples=60)
@given(chats(), st.sampled_from(STRATEGIES), st.integers(20, 400))
def test_an_openai_chat_stays_valid(messages, strategy, budget):
    """System first, and every result answers a call that stands before it."""
    given_chat = Context.of(messages).messages()
    try:
        chat = ctxlab.compress(given_chat, budget=budget, strategy=strategy, api="openai")
    except PinnedOverBudgetError:
        return
    roles = [message["role"] for message in chat]
    assert roles == sorted(roles, key=lambda role: role != "system")
    open_calls: set[str] = set()
    for message in chat:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls
            open_calls.remove(message["tool_call_id"])
        else:
            assert not open_calls
            open_calls = {call["id"] for call in message.get("tool_calls", ())}
    assert not open_calls


@settings(max_examples=60)
@given(chats(), st.sampled_from(STRATEGIES), st.integers(20, 400))
def test_an_anthropic_chat_alternates_and_begins_with_the_user(messages, strategy, budget):
    """No orphan result, no two messages of one role in a row."""
    given_chat = to_anthropic(Context.of(messages))
    try:
        chat = ctxlab.compress(given_chat, budget=budget, strategy=strategy, api="anthropic")
    except (PinnedOverBudgetError, DataError):
        assert not given_chat or budget < 400
        return
    roles = [message["role"] for message in chat]
    assert all(a != b for a, b in pairwise(roles))
    assert not roles or roles[0] == "user"
    uses: set[str] = set()
    for message in chat:
        for block in message["content"]:
            if block["type"] == "tool_use":
                uses.add(block["id"])
            if block["type"] == "tool_result":
                assert block["tool_use_id"] in uses


def test_what_fits_comes_back_as_it_was():
    """Nothing is changed where nothing has to be."""
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi", "name": "Ada"},
        {"role": "assistant", "content": "Hello"},
    ]
    assert ctxlab.compress(chat, budget=1000) == chat
    assert to_openai(Context()) == []


def test_a_malformed_message_names_its_field():
    """The index and the field are in the error."""
    with pytest.raises(DataError, match=r"messages\[1\]\.role"):
        ctxlab.compress([{"role": "user", "content": "x"}, {"content": "y"}], budget=10)


@pytest.mark.parametrize(
    "strategy", [KeepLast(), BM25(b=0.5) >> KeepLast(), MaskObservations(placeholder='"x"')]
)
@pytest.mark.parametrize("kind", ["json", "toml"])
def test_a_recipe_round_trips(strategy, kind):
    """Strategy, budget, encoding, seed and version come back."""
    recipe = Recipe(strategy=strategy, budget="10%", encoding="cl100k_base", seed=3, name='a "b"')
    text = getattr(recipe, f"to_{kind}")()
    assert getattr(Recipe, f"from_{kind}")(text) == recipe


def test_a_recipe_as_python_runs_alone(tmp_path):
    """The written source compresses as the recipe does."""
    path = Recipe(strategy=KeepLast(), budget="30").save(tmp_path / "recipe.py")
    scope: dict[str, object] = {}
    exec(path.read_text(), scope)
    chat = [{"role": "user", "content": f"Remark number {i} on the market."} for i in range(9)]
    assert scope["compress"](chat) == ctxlab.compress(chat, budget=30)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("{", SpecError, "not JSON"),
        ("[]", SpecError, "a strategy and a budget"),
        ('{"strategy": {"BM52": {}}, "budget": "8k"}', UnknownNameError, "BM25"),
        ('{"strategy": {"KeepLast": {}}, "budget": "8k", "extra": 1}', SpecError, "no field"),
        ('{"strategy": {"KeepLast": {}}, "budget": "8k", "seed": "x"}', SpecError, "seed"),
    ],
)
def test_a_recipe_that_cannot_be_read_says_why(text, error, words):
    """The field or the nearest name is in the error."""
    with pytest.raises(error, match=words):
        Recipe.from_json(text)
