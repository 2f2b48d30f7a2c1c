"""Counting: the shipped vocabularies, the cache, the chat overhead."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys

import pytest
import tiktoken_ext.openai_public as openai_public
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.core.context import Context
from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.task import Task
from ctxlab.core.tokens import TokenCounter, resolve_encoding, shared_counter
from ctxlab.core.tools import Tools
from ctxlab.core.vocabulary import SHIPPED, check_ranks, load, rank_file
from ctxlab.errors import EncodingUnavailableError, MissingExtraError, UnknownNameError

ENCODINGS = sorted(SHIPPED)


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_shipped_ranks_are_tiktokens_own_file(name, monkeypatch):
    """The rebuilt rank file has the hash that tiktoken itself expects."""
    wanted = {}

    def note(address, expected_hash):
        wanted[name] = expected_hash
        return {b"a": 0}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", note)
    openai_public.ENCODING_CONSTRUCTORS[name]()
    assert SHIPPED[name] == wanted[name]
    check_ranks(name, rank_file(name))


def test_counting_works_where_no_network_does():
    """A fresh process without any name resolution counts with every shipped encoding."""
    code = (
        "import socket; socket.getaddrinfo = None; socket.socket.connect = None\n"
        "from ctxlab.core.tokens import TokenCounter\n"
        "print([TokenCounter(e).count('Hello world') for e in "
        "('o200k_base', 'cl100k_base', 'o200k_harmony', 'gpt-4o')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2, 2, 2, 2]"


def test_an_encoding_that_cannot_be_had_names_the_remedies(monkeypatch, tmp_path):
    """Offline, an encoding that is not shipped is an error that says what to do."""
    import tiktoken.load

    def offline(*_):
        raise ConnectionError("no route")

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.load, "read_file", offline)
    with pytest.raises(EncodingUnavailableError, match=r"o200k_base.*TIKTOKEN_CACHE_DIR"):
        TokenCounter("p50k_edit").count("some text")


def test_an_unknown_encoding_offers_the_nearest():
    """A misspelt name is answered with the right one."""
    with pytest.raises(UnknownNameError, match="did you mean 'o200k_base'"):
        TokenCounter("o200k_bas").count("x")


def test_models_resolve_to_their_encoding():
    """A model's name stands for its encoding."""
    assert resolve_encoding("gpt-3.5-turbo") == "cl100k_base"
    assert TokenCounter("gpt-5").encoding == "o200k_base"


@given(st.lists(st.text(max_size=60), max_size=40))
def test_counts_are_tiktokens_in_any_order_and_cached(texts):
    """Counting together, again, or one by one gives what tiktoken gives."""
    counter, encode = TokenCounter(), load("o200k_base").encode_ordinary
    expected = [len(encode(text)) for text in texts]
    assert counter.count_many(texts) == expected
    assert counter.count_many(texts) == expected
    assert [TokenCounter().count(text) for text in texts[:3]] == expected[:3]


def test_many_texts_are_counted_in_threads_in_their_order():
    """More texts than one chunk come back in order."""
    texts = [f"message number {i} about stall {i * 7}" for i in range(3000)]
    encode = load("o200k_base").encode_ordinary
    assert TokenCounter().count_many(texts) == [len(encode(text)) for text in texts]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "<|endoftext|> and <|fim_prefix|>",
        "a\x00b\x1b[0m",
        "\ud800 alone",
        "日本語 🎉" * 50,
    ],
    ids=["empty", "plain", "special", "control", "surrogate", "wide"],
)
def test_gigatoken_counts_as_tiktoken_does(encoding, text):
    """The fast backend gives the same count, lone surrogates included."""
    pytest.importorskip("gigatoken")
    fast = TokenCounter(encoding, backend="fast")
    assert fast.count(text) == TokenCounter(encoding).count(text)


def test_the_fast_backend_says_which_extra_it_needs(monkeypatch):
    """Without gigatoken the error is the line that installs it."""
    monkeypatch.setattr("ctxlab.core.tokens.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"ctxlab\[fast\]"):
        TokenCounter(backend="fast")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_role_is_one_token(encoding):
    """Roles are known without the vocabulary, and rightly."""
    encode = load(encoding).encode_ordinary
    assert all(len(encode(role)) == 1 for role in ("system", "user", "assistant", "tool"))


def test_long_white_space_is_counted_where_tiktoken_fails():
    """A million spaces, on which tiktoken's pattern engine gives up, have a count."""
    assert 7_000 < TokenCounter().count(" " * 1_000_000) < 9_000


def test_a_text_of_ten_megabytes_is_counted():
    """One message may be very long."""
    assert TokenCounter().count("The lift is broken on Tuesdays. " * 320_000) > 2_000_000


def test_the_overhead_follows_the_cookbook():
    """Framing, role, name and tool calls are billed, and the reply is primed once."""
    counter = TokenCounter()
    call = ToolCall("c1", "clock", '{"zone": "utc"}')
    plain = Message("m1", "user", "Hi")
    named = Message("m2", "user", "Hi", name="Ada")
    calling = Message("m3", "assistant", "", tool_calls=(call,))
    assert counter.overhead(plain) == 3 + 1
    assert counter.overhead(named) == 3 + 1 + 1 + counter.count("Ada")
    expected = 3 + 1 + 3 + counter.count("clock") + counter.count(call.arguments)
    assert counter.overhead(calling) == expected
    task = Task(budget=1, tools=Tools.of(counter))
    assert task.size(Context.of([plain, named])) == 3 + (4 + 1) + (5 + counter.count("Ada") + 1)


def test_a_primed_counter_never_loads_the_vocabulary(monkeypatch):
    """Counts that a store already holds are taken over, and the tokenizer stays unloaded."""
    counter = TokenCounter()
    counter.prime([("counted before", 2)])
    monkeypatch.setattr(
        "ctxlab.core.tokens.load", lambda _: pytest.fail("the vocabulary was loaded")
    )
    assert counter.count_many(["counted before", "counted before"]) == [2, 2]


def test_a_counter_pickles_without_its_cache():
    """A worker gets a counter of the same encoding, not the cache of its parent."""
    counter = TokenCounter("cl100k_base")
    counter.count("a text")
    copy = pickle.loads(pickle.dumps(counter))
    assert copy.encoding == "cl100k_base"
    assert hash("a text") not in copy._counts


def test_a_process_shares_one_counter_an_encoding():
    """Everything in a process counts with the same cache."""
    assert shared_counter("cl100k_base") is shared_counter("cl100k_base")


def test_the_cache_is_bounded_in_bytes_whatever_is_counted(monkeypatch):
    """Counts stay right when it is begun anew, and no text is kept."""
    monkeypatch.setattr("ctxlab.core.tokens._MAX_CACHED", 50)
    counter = TokenCounter()
    for start in range(0, 200, 20):
        texts = [f"number {i} " * 500 for i in range(start, start + 20)]
        assert counter.count_many([*texts, texts[0]])[0] == counter.count(texts[0])
        assert len(counter._counts) <= 50
    assert not any(isinstance(key, str) for key in counter._counts)
    many = [f"text {i}" for i in range(120)]
    assert counter.count_many(many) == [TokenCounter().count(text) for text in many]
    assert len(counter._counts) <= 50


def test_much_text_is_counted_fast_and_little_is_not(monkeypatch):
    """With gigatoken installed: from some text on its loading pays, and the counts are equal."""
    monkeypatch.setattr("ctxlab.core.tokens._FAST_PAYS", 1_000)
    counter, plain = TokenCounter(), TokenCounter(backend="tiktoken")
    counter.count("a few words")
    assert not counter._counts_fast
    texts = [f"{word} naïve 鱼 🎉 \ud83d {i}" for i, word in enumerate(["stall", "crate"] * 40)]
    assert counter.count_many(texts) == plain.count_many(texts)
    assert counter._counts_fast
    assert not plain._counts_fast


def test_the_fast_backend_counts_thousands_of_texts_at_once():
    """Its tokenizer fails in two threads at once, and is never asked so."""
    texts = [f"stall {i} " * 40 for i in range(4_000)]
    assert sum(TokenCounter(backend="fast").count_many(texts)) == sum(
        TokenCounter(backend="tiktoken").count_many(texts)
    )


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("~claude", "~claude"), ("~claude-opus-4-8", "~claude"), ("~claude-sonnet-5", "~claude"),
     ("~anthropic/claude-sonnet-4.6", "~claude-3"), ("~claude-3-5-haiku-latest", "~claude-3"),
     ("~claude-opus-4-20250514", "~claude-3"), ("~claude-haiku-4-5-20251001", "~claude-3"),
     ("~claude-opus-4-7", "~claude")],
)  # fmt: skip
def test_an_estimate_says_that_it_is_one(name, encoding):
    """Which vocabulary is meant follows from the model; the factor and the error are shown."""
    counter = TokenCounter(name)
    assert (counter.encoding, counter.grade) == (encoding, "estimate")
    assert "an estimate: o200k_base × 1." in repr(counter)
    assert "±15 %" in repr(counter)
    exact = TokenCounter()
    text = "There are 63 stalls in the hall of the market. " * 20
    ratio = counter.count(text) / exact.count(text)
    assert ratio == pytest.approx(1.2 if encoding == "~claude-3" else 1.5, abs=0.01)
    assert exact.grade == "exact"


@pytest.mark.parametrize(
    ("name", "words"),
    [("claude-opus-4-8", "'~claude', an estimate"), ("anthropic/claude-3-haiku", "'~claude-3'"),
     ("gemini-3-pro", "nearest encoding is 'o200k_base'"), ("Qwen/Qwen3-8B", "hf:NAME"),
     ("~gemini-3-pro", "~claude, ~claude-3")],
)  # fmt: skip
def test_a_model_without_a_public_tokenizer_offers_the_nearest(name, words):
    """At once, not at the first text."""
    with pytest.raises(EncodingUnavailableError, match=re.escape(words)):
        TokenCounter(name)


def test_a_tokenizer_of_ones_own_counts(tmp_path):
    """A file or its folder; no special tokens are added."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"two": 0, "stalls": 1, "?": 2}, "?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.enable_truncation(2)
    made.save(str(tmp_path / "tokenizer.json"))
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        counter = TokenCounter(f"hf:{place}")
        assert counter.count("two stalls, two stalls") == 5
        assert counter.grade == "exact"


def test_a_tokenizer_names_the_extra_that_it_needs(monkeypatch):
    """Where the package is absent, the line that installs it."""
    monkeypatch.setattr("ctxlab.core.estimates.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ctxlab\[embed\]"):
        TokenCounter("hf:some/model").count("Hi")
