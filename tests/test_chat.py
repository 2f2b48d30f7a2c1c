"""Plain message lists in and out: always a chat that an API takes, and nothing lost on the way."""

from __future__ import annotations

import copy
import json
import re
import sys
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctxlab
from ctxlab.chats.compressing import to_anthropic, to_openai
from ctxlab.chats.langchain import TrimMessages, pre_model_hook, trimmer
from ctxlab.chats.media import LOW_DETAIL_TOKENS, MEDIA_TOKENS
from ctxlab.chats.openai import OPENAI
from ctxlab.chats.pydantic_ai import history_processor
from ctxlab.chats.selection import Plan
from ctxlab.core.context import Context
from ctxlab.core.recipe import Recipe
from ctxlab.core.specs import STRATEGIES
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.errors import (
    BudgetError,
    DataError,
    MissingExtraError,
    PinnedOverBudgetError,
    SpecError,
    UnknownNameError,
)
from ctxlab.strategies import BM25, KeepLast, MaskObservations
from ctxlab.testing import FakeModel, chats

SMALL = {
    "MaskObservations": "MaskObservations(keep=0)",
    "ClearToolUses": "ClearToolUses(keep=0)",
    "CollapseToolUses": "CollapseToolUses(keep=0)",
    "TruncateToolOutputs": "TruncateToolOutputs(limit=8)",
}
# Those that need a model have tests with their models.
CHOSEN = [
    SMALL.get(name, f"{name}()")
    for name, cls in sorted(STRATEGIES.classes().items())
    if cls().traits.needs in ("", "encoder")
]
CHOSEN.append("Sentences() >> HeadTail()")


def letters(texts):
    """Encode texts by how often a few letters stand in them."""
    return [[float(text.count(letter)) + 0.1 for letter in "aeious17"] for text in texts]


TOOLS = Tools.of(encode=letters, llm=FakeModel())

# --- what the APIs publish about their messages -------------------------------------------------


def assert_openai_takes(chat):
    """Check the rules of OpenAI's chat completions."""
    waiting: list[str] = []
    for message in chat:
        role, content = message["role"], message.get("content")
        if role in ("tool", "function"):
            answers = message.get("tool_call_id", message.get("name", ""))
            assert answers in waiting, "a result stands right behind its call"
            waiting.remove(answers)
            assert content is not None
            continue
        assert not waiting, "every call has its result"
        assert content != [], "no list of parts is empty"
        assert "tool_calls" not in message or message["tool_calls"], "no list of calls is empty"
        waiting = [call.get("id", "") for call in message.get("tool_calls", ())]
        if message.get("function_call"):
            waiting.append(message["function_call"]["name"])
        others = ("refusal", "audio")
        assert waiting or content is not None or any(message.get(name) for name in others)
    assert not waiting


def assert_anthropic_takes(chat):
    """Check the rules of Anthropic's messages."""
    roles = [message["role"] for message in chat]
    assert all(a != b for a, b in pairwise(roles)), "roles alternate"
    assert not roles or roles[0] == "user"
    called: list[str] = []
    for message in chat:
        content = message["content"]
        assert content, "no content is empty"
        assert not isinstance(content, str) or content.strip()
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        kinds = [block["type"] for block in blocks]
        assert all(b["text"].strip() for b in blocks if b["type"] == "text")
        assert set(kinds) - {"thinking", "redacted_thinking"}, "thinking is no message by itself"
        found = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert sorted(found) == sorted(called), "the next message has the results of all calls"
        assert all(kind == "tool_result" for kind in kinds[: len(found)]), "results come first"
        called = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert not called


# --- chats of every shape, valid or not ---------------------------------------------------------

WORDS = st.sampled_from(["fish", "bread, 17 of it", "Who has the key?", "error: no lift", "", " "])
IDS = st.sampled_from(["a", "b", "c"])


def keys(record, extra):
    return {**record, "x_mine": extra} if extra else record


def openai_messages():
    """Generate messages of OpenAI's: parts, refusals, calls and results in any order."""
    part = st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, WORDS),
        st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}),
        st.just({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
    )
    content = WORDS | st.lists(part, max_size=3)
    call = st.builds(
        lambda i: {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}}, IDS
    )
    custom = st.just({"id": "d", "type": "custom", "custom": {"name": "g", "input": "x"}})
    calls = st.lists(call | custom, max_size=3, unique_by=lambda one: one["id"])
    said = st.builds(
        lambda content, calls: {"role": "assistant", "content": content, "tool_calls": calls},
        st.none() | content,
        calls,
    )
    plain = st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["user", "user", "assistant", "system", "developer"]),
        content,
    )
    result = st.builds(
        lambda i, content: {"role": "tool", "tool_call_id": i, "content": content},
        IDS | st.just("d"),
        content,
    )
    rest = st.sampled_from(
        [
            {"role": "assistant", "content": None, "refusal": "I can not say."},
            {"role": "assistant", "content": None, "audio": {"id": "audio_1"}},
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "old", "arguments": ""},
            },
            {"role": "function", "name": "old", "content": "63"},
            {"role": "user", "name": "Ada", "content": "It is I."},
        ]
    )
    message = st.one_of(plain, said, result, result, rest)
    marked = st.builds(keys, message, st.sampled_from([0, 0, 1]))
    return st.lists(marked, max_size=9).map(copy.deepcopy)


def anthropic_messages():
    """Generate messages of Anthropic's: blocks of every kind, in any order."""
    text = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
    image = st.just({"type": "image", "source": {"type": "base64", "data": "AA=="}})
    use = st.builds(lambda i: {"type": "tool_use", "id": i, "name": "f", "input": {}}, IDS)
    thinking = st.just({"type": "thinking", "thinking": "Hm, fish.", "signature": "s"})
    server = st.just({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}})
    result = st.builds(
        lambda i, content: {"type": "tool_result", "tool_use_id": i, "content": content},
        IDS,
        WORDS | st.lists(text | image, max_size=2),
    )
    bare = st.builds(lambda i: {"type": "tool_result", "tool_use_id": i, "is_error": True}, IDS)

    def once(blocks):
        seen, kept = set(), []
        for block in blocks:
            if block.get("id") not in seen or "id" not in block:
                kept.append(block)
            seen.add(block.get("id"))
        return kept

    spoken = st.lists(text | use | thinking | server, max_size=4).map(once)
    asked = st.lists(text | image | result | bare, max_size=4)
    message = st.builds(
        lambda role, said, asked: {
            "role": role,
            "content": said if role == "assistant" else asked,
        },
        st.sampled_from(["user", "assistant"]),
        WORDS | spoken,
        WORDS | asked,
    )
    marked = st.builds(keys, message, st.sampled_from([0, 0, 1]))
    return st.lists(marked, max_size=8).map(copy.deepcopy)


def compressed(chat, **how):
    """Compress, checking that what was given is left alone; None where the pins are too large."""
    before = copy.deepcopy(chat)
    try:
        found = ctxlab.compress(chat, tools=TOOLS, **how)
    except PinnedOverBudgetError:
        found = None
    assert chat == before, "the input is never changed"
    return found


@pytest.mark.parametrize("strategy", CHOSEN)
def test_an_openai_chat_stays_valid(strategy):
    """Whatever comes in, and whatever compresses it, the API takes what comes out."""

    @settings(max_examples=max(20, settings().max_examples // 4))
    @given(openai_messages(), st.integers(10, 300))
    def law(chat, budget):
        found = compressed(chat, budget=budget, strategy=strategy, api="openai")
        if found is None:
            return
        assert_openai_takes(found)
        own = {id(message) for message in chat}
        for message in found:
            origin = [one for one in chat if one.get("x_mine") == message.get("x_mine")]
            marker = "messages left out" in str(message.get("content"))
            assert id(message) in own or origin or marker, "unknown keys stay"

    law()


@pytest.mark.parametrize("strategy", CHOSEN)
def test_an_anthropic_chat_stays_valid(strategy):
    """Whatever comes in, and whatever compresses it, the API takes what comes out."""

    @settings(max_examples=max(20, settings().max_examples // 4))
    @given(anthropic_messages(), st.integers(10, 300))
    def law(chat, budget):
        found = compressed(chat, budget=budget, strategy=strategy, api="anthropic")
        if found is not None:
            assert_anthropic_takes(found)

    law()


@settings(max_examples=60)
@given(chats(), st.sampled_from(CHOSEN), st.integers(20, 400))
def test_a_strategy_that_promises_the_budget_keeps_it(messages, strategy, budget):
    """What comes back is billed at most what was asked, overheads included."""
    found = compressed(Context.of(messages).messages(), budget=budget, strategy=strategy)
    plan = Plan.of(strategy, budget=budget, tools=TOOLS)
    if found and plan.strategy.traits.honours_budget:
        cost = sum(plan.cost(piece) for piece in OPENAI.read(found))
        assert cost + TOOLS.reply <= budget


@settings(max_examples=60)
@given(chats(), st.booleans())
def test_a_valid_chat_that_fits_comes_back_as_the_very_dicts(messages, as_anthropic):
    """Nothing is changed where nothing has to be, and no dict is copied."""
    api = "anthropic" if as_anthropic else "openai"
    given_chat = (to_anthropic if as_anthropic else to_openai)(Context.of(messages))
    found = compressed(given_chat, budget=100_000, api=api)
    assert [id(message) for message in found] == [id(message) for message in given_chat]


CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
OTHER = {"id": "c2", "type": "function", "function": {"name": "sun", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("chat", "places"),
    [
        pytest.param([], [], id="an empty list"),
        pytest.param(
            [
                {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "user", "content": "Well?"},
            ],
            [2],
            id="a result before its call",
        ),
        pytest.param(
            [
                {"role": "assistant", "content": "", "tool_calls": [CALL]},
                {"role": "user", "content": "Well?"},
                {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
            ],
            [0, 2, 1],
            id="a message between call and result",
        ),
        pytest.param(
            [
                {"role": "assistant", "tool_calls": [{**CALL, "id": "x"}]},
                {"role": "tool", "content": "12:00"},
            ],
            [0, 1],
            id="a result without an id",
        ),
        pytest.param(
            [
                {"role": "user", "content": "Hi", "mood": ["glad"]},
                {"role": "user", "content": "Hi again", "name": "Bo"},
                {"role": "assistant", "content": None, "refusal": "No."},
                {"role": "developer", "content": "Be brief."},
            ],
            [0, 1, 2, 3],
            id="neighbours of one role, a refusal, a developer",
        ),
        pytest.param(
            [
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
            ],
            [1, 2],
            id="an id used again belongs to the newer call",
        ),
    ],
)
def test_an_openai_chat_is_mended_without_touching_the_messages(chat, places):
    """Calls meet their results, systems keep their places, and orphans go."""
    found = compressed(chat, budget=1000)
    assert [id(message) for message in found] == [id(chat[place]) for place in places]


def test_a_call_without_a_result_leaves_the_others():
    """Of two parallel calls, only the one that was answered stays, with all other keys."""
    chat = [
        {"role": "assistant", "content": "Wait.", "tool_calls": [CALL, OTHER], "x": 1},
        {"role": "tool", "tool_call_id": "c2", "content": "up"},
    ]
    found = compressed(chat, budget=1000)
    assert found == [{**chat[0], "tool_calls": [OTHER]}, chat[1]]


def test_parts_are_shortened_each_in_its_place():
    """A sentence goes from the part it stood in; images and the other keys stay."""
    image = {"type": "image_url", "image_url": {"url": "https://a.example/1.png", "detail": "low"}}
    long = "The market opens at six. The key is behind gate 4. Nobody sells on Mondays."
    chat = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": long, "cache_control": {"type": "ephemeral"}},
                image,
                {"type": "text", "text": "The bread is gone by noon."},
            ],
            "name": "Ada",
        },
        {"role": "user", "content": "Where is the key?"},
    ]
    (first, last) = compressed(chat, budget=125, strategy="Sentences() >> BM25()")
    assert last is chat[1]
    assert first["name"] == "Ada"
    text, picture = first["content"][:2]
    assert picture is image
    assert text["cache_control"] == {"type": "ephemeral"}
    assert "gate 4" in text["text"]
    assert len(json.dumps(first)) < len(json.dumps(chat[0]))


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "image_url", "image_url": {"url": "data:" + "A" * 9999}}, MEDIA_TOKENS),
        ({"type": "image_url", "image_url": {"url": "x", "detail": "low"}}, LOW_DETAIL_TOKENS),
        ({"type": "file", "file": {"file_data": "A" * 9999}}, MEDIA_TOKENS),
    ],
)
def test_an_image_counts_its_figure_whatever_its_encoding_weighs(part, tokens):
    """A message with an image is dropped exactly when its figure does not fit."""
    chat = [{"role": "user", "content": [part]}, {"role": "user", "content": "Hi"}]
    # Two messages of 4 tokens, one token of text, and 3 for the reply.
    assert len(compressed(chat, budget=tokens + 12)) == 2
    assert len(compressed(chat, budget=tokens + 11)) == 1


def test_results_thinking_and_marks_stay_as_they_were():
    """Anthropic's blocks come back as given, in the very message, where nothing goes."""
    use = {"type": "tool_use", "id": "t1", "name": "clock", "input": {"zone": "CET"}}
    other = {**use, "id": "t2"}
    thinking = {"type": "thinking", "thinking": "Let me see.", "signature": "sig"}
    results = [
        {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "13"}]},
        {"type": "tool_result", "tool_use_id": "t1", "is_error": True},
    ]
    ask = {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}}
    chat = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": [thinking, use, other]},
        {"role": "user", "content": [*results, ask]},
    ]
    found = compressed(chat, budget=1000)
    # Results in another order than their calls are put into the calls' order.
    assert found[:2] == chat[:2]
    assert found[1] is chat[1]
    assert sorted(map(str, found[2]["content"])) == sorted(map(str, chat[2]["content"]))
    assert compressed(found, budget=1000)[2] is found[2]
    short = compressed(chat, budget=30, strategy=KeepLast())
    assert short == [{"role": "user", "content": [ask]}]


def test_an_old_result_is_masked_in_its_block():
    """The text of the result changes; its other keys, the thinking and the call stay."""
    lines = "one line of a long log\n" * 30
    use = {"type": "tool_use", "id": "t1", "name": "log", "input": {}}
    old = {"type": "tool_result", "tool_use_id": "t1", "content": lines, "is_error": False}
    chat = [
        {"role": "user", "content": "Read the log."},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [old]},
        {"role": "assistant", "content": "I have."},
        {"role": "user", "content": "Go on."},
    ]
    found = compressed(chat, budget=1000, strategy="MaskObservations(keep=0)")
    assert found[2]["content"] == [{**old, "content": "(31 lines omitted)"}]
    assert [found[i] is chat[i] for i in (0, 1, 3, 4)] == [True] * 4


def test_collapsed_calls_become_the_assistants_text():
    """A strategy that writes a call and its result as one line leaves no call behind."""
    chat = [
        {"role": "assistant", "content": None, "tool_calls": [CALL], "x": 1},
        {"role": "tool", "tool_call_id": "c1", "content": "It is twelve. " * 30},
        {"role": "user", "content": "Thank you."},
    ]
    collapse = "CollapseToolUses(keep=0, characters=40)"
    (line, last) = compressed(chat, budget=1000, strategy=collapse)
    assert line["content"].startswith("clock({}) → It is twelve.")
    assert line == {"role": "assistant", "content": line["content"], "x": 1}
    assert last is chat[2]


def test_the_question_and_the_newest_results_are_never_dropped():
    """What the model is about to answer stays, even where another message ranks higher."""
    chat = [
        {"role": "user", "content": "Where is the key of the cold store?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "nothing of that sort"},
    ]
    old = [{"role": "user", "content": f"The key of the cold store {n}"} for n in range(20)]
    found = compressed([*old, *chat], budget=60, strategy="BM25()", query="key of the cold store")
    assert found[-3:] == chat
    with pytest.raises(PinnedOverBudgetError):
        ctxlab.compress([*old, *chat], budget=20, strategy="BM25()")


def test_a_marker_for_a_gap_is_a_message_of_its_own():
    """It takes nothing over from what it stands for."""
    said = {"role": "user", "content": "Look at the stalls. " * 9, "x": 1, "name": "Ada"}
    chat = [{"role": "user", "content": "Begin."}, said, {"role": "user", "content": "End."}]
    found = compressed(chat, budget=40, strategy="HeadTail()")
    assert found == [chat[0], {"role": "user", "content": "(1 messages left out)"}, chat[2]]


def test_one_long_message_can_be_shortened():
    """The question stays, but a strategy may cut it: a document with a question is one message."""
    text = "The hall is old. The key is behind gate 4. It rains. " * 9 + "Where is the key?"
    (found,) = compressed(
        [{"role": "user", "content": text}], budget=60, strategy="Sentences() >> BM25()"
    )
    assert "key" in found["content"]
    assert len(found["content"]) < len(text) / 2


def test_an_anthropic_chat_that_begins_with_the_assistant_is_opened():
    """A line stands in for what was left out, so that nothing that was chosen is lost."""
    chat = [
        {"role": "user", "content": "Tell me about the market, and all that is in it. " * 9},
        {"role": "assistant", "content": "The key is behind gate 4."},
        {"role": "user", "content": "Where is the key?"},
    ]
    found = compressed(chat, budget=45, api="anthropic")
    assert found == [{"role": "user", "content": "(earlier messages left out)"}, *chat[1:]]
    # Without room for the line, what the assistant said first has to go.
    assert compressed(chat, budget=14, api="anthropic") == [chat[2]]


def test_results_come_first_where_neighbouring_user_messages_are_merged():
    """Anthropic wants the results of calls before whatever else their message says."""
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": "12:00"}
    asked = {"type": "text", "text": "What time is it?"}
    chat = [
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": "What time is it?"},
        {"role": "user", "content": [result]},
    ]
    found = compressed(chat, budget=500, api="anthropic")
    assert found == [*chat[:2], {"role": "user", "content": [result, asked]}]
    assert found[0] is chat[0]
    chat[2:] = [{"role": "user", "content": [asked, result]}]
    assert compressed(chat, budget=500, api="anthropic") == found


def test_a_strategy_that_keeps_no_promise_leaves_a_valid_chat():
    """Calls and results that a strategy tore apart go, and no pin sends it round in circles."""

    class OnlyTools(Strategy):
        """Keeps results alone."""

        TRAITS = Traits(family="custom", source="", honours_budget=False)

        def compress(self, context, task):
            return context.keep(segment for segment in context if segment.role == "tool")

    chat = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
    ]
    assert compressed(chat, budget=1000, strategy=OnlyTools()) == []


@pytest.mark.parametrize(
    ("chat", "api", "words"),
    [
        ([{"role": "user", "content": "x"}, {"content": "y"}], None, r"messages\[1\]\.role"),
        (["Hi"], None, r"messages\[0\]: is a string"),
        ([{"role": "user"}], None, r"messages\[0\]\.content: is missing"),
        ([{"role": "user", "content": 7}], None, r"messages\[0\]\.content: is a number"),
        ([{"role": "clown", "content": "x"}], None, r"messages\[0\]\.role: is 'clown'"),
        ([{"type": "function_call_output", "output": "x"}], "openai", r"messages\[0\]\.role"),
        (
            [{"type": "function_call_output", "output": "x"}, {"content": "y"}],
            None,
            r"input\[1\]\.role",
        ),
        (
            [{"role": "assistant", "tool_calls": [{"id": "c"}]}],
            None,
            r"messages\[0\]\.tool_calls\[0\]\.function",
        ),
        ([{"role": "user", "content": [{"text": "x"}]}], "anthropic", r"content\[0\]\.type"),
        ([{"role": "tool", "content": "x"}], "anthropic", "is 'tool'"),
        (
            [{"role": "user", "content": [{"type": ["text"]}]}],
            None,
            r"content\[0\]\.type: is a list",
        ),
        (
            [{"role": "assistant", "content": [BM25()]}],
            None,
            r"messages\[0\]\.content\[0\]: is a BM25; pass plain dicts",
        ),
        ([{"role": "user", "content": None}], "anthropic", r"messages\[0\]\.content"),
    ],
)
def test_a_malformed_message_names_its_field(chat, api, words):
    """The index and the field are in the error."""
    with pytest.raises(DataError, match=words):
        ctxlab.compress(chat, budget=10, api=api)


@pytest.mark.parametrize(
    ("module", "use", "line"),
    [
        ("langchain_core.runnables", lambda: trimmer(budget=9), "ctxlab[langchain]"),
        ("langchain_core.messages", lambda: pre_model_hook(budget=9), "ctxlab[langchain]"),
        (
            "langchain_core.messages",
            lambda: TrimMessages().compress(Context(), Task(budget=9)),
            "ctxlab[langchain]",
        ),
        ("pydantic_ai.messages", lambda: history_processor(budget=9), "ctxlab[pydantic-ai]"),
    ],
    ids=["trimmer", "pre_model_hook", "TrimMessages", "history_processor"],
)
def test_a_peer_that_is_not_installed_prints_its_install_line(monkeypatch, module, use, line):
    """The error is the line that brings the package."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=re.escape(f'pip install "{line}"')):
        use()


def test_a_question_that_a_strategy_empties_is_kept():
    """A message of which nothing is left counts as dropped, and what has to stay is pinned."""

    class Blank(Strategy):
        """Empties every message that is not pinned."""

        TRAITS = Traits(family="custom", source="", honours_budget=False)

        def compress(self, context, task):
            return context.keep(s if s.pinned else s.rewritten("") for s in context)

    chat = [{"role": "user", "content": text} for text in ("Old.", "Where is the key?")]
    assert compressed(chat, budget=1000, strategy=Blank()) == chat[1:]
    assert compressed(chat, budget=1000, strategy=Blank(), api="anthropic") == chat[1:]


def test_many_calls_are_paired_in_no_time():
    """Pairing grows with the number of messages, not with its square."""
    chat = [{"role": "user", "content": "Go."}]
    for n in range(20_000):
        call = {**CALL, "id": f"c{n}"}
        chat.append({"role": "assistant", "content": None, "tool_calls": [call]})
        chat.append({"role": "tool", "tool_call_id": f"c{n}", "content": "12"})
    start = perf_counter()
    found = ctxlab.compress(chat, budget=1000, tools=Tools(count=len))
    assert perf_counter() - start < 10
    assert_openai_takes(found)


def test_a_recipe_brings_its_own_budget():
    """A recipe is enough; without one, a budget is asked for."""
    chat = [{"role": "user", "content": f"Remark number {i} on the market."} for i in range(9)]
    recipe = Recipe(strategy=KeepLast(), budget="30")
    assert ctxlab.compress(chat, strategy=recipe) == ctxlab.compress(chat, budget=30)
    with pytest.raises(BudgetError, match="budget='8k'"):
        ctxlab.compress(chat)


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
