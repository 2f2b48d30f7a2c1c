"""Token counts as a chat is billed: tiktoken's encodings, offline, cached, in two threads.

The chat overhead follows OpenAI's cookbook, "How to count tokens with tiktoken": every
message costs 3 tokens of framing and its role, a name costs 1 more and its text, and the
reply is primed with 3. A tool call is billed as its name and arguments with framing of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Literal, Protocol, get_args

from ctxlab.core.estimates import ESTIMATES, HF, estimate_named, refuse, tokenizer
from ctxlab.core.long_space import without_long_space
from ctxlab.core.segments import Payload, Role, ToolCall, Value
from ctxlab.core.vocabulary import SHIPPED, load, rank_file
from ctxlab.errors import EncodingUnavailableError, MissingExtraError

DEFAULT_ENCODING = "o200k_base"
"""The encoding of every count whose encoding is not named."""

_CHUNK = 512
_ENTRY = 130
"""Bytes that one count takes in the cache: its digest, the number, their place in the table."""
_CACHE_BYTES = 64_000_000
_MAX_CACHED = _CACHE_BYTES // _ENTRY
_FAST_PAYS = 8_000_000
"""Characters to be counted at once from which on loading gigatoken is made up for."""
_Count = Callable[[Sequence[str]], list[int]]
_LONG = 200_000


class Billable(Protocol):
    """Whatever has a chat message's role, name and tool calls: a message or a segment.

    Examples
    --------
    >>> from ctxlab.core.segments import Message
    >>> billable: Billable = Message("m1", "user", "Hi")
    """

    @property
    def role(self) -> Role:
        """The role the message is sent in."""

    @property
    def name(self) -> str | None:
        """The speaker's name, if any."""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the message asks for."""

    @property
    def payload(self) -> tuple[Payload, ...]:
        """What it carries beside its text."""


class ChatFormat(Value):
    """What a chat costs beyond its texts, in tokens.

    Source: OpenAI cookbook, "How to count tokens with tiktoken" (messages, names, reply). The
    cookbook gives no figure for the calls in a message; each is framed here as a message is.

    Examples
    --------
    >>> ChatFormat().reply
    3
    """

    per_message: int = 3
    per_name: int = 1
    per_tool_call: int = 3
    reply: int = 3


class TokenCounter:
    """Counts the tokens of texts and messages; every text is counted once.

    What was counted is remembered by a keyed 64-bit digest (SipHash, Python's own of a text), in
    at most 64 MB whatever the texts' length; beyond, counting begins anew.

    Special-token text such as ``<|endoftext|>`` is counted as the plain text that it is.
    A run of more than 200,000 white-space characters, on which tiktoken fails, is counted in
    pieces of that length. The vocabulary is loaded at the first text that is not yet counted.

    Parameters
    ----------
    encoding : str
        An encoding of tiktoken's (``o200k_base``, ``cl100k_base``, …) or a model's name;
        ``hf:NAME`` or ``hf:PATH`` for a ``tokenizer.json`` (extra ``embed``); ``~claude``, or
        ``~`` and a model's name, for an estimate.
    chat : ChatFormat
        The overhead of a chat.
    backend : {"auto", "tiktoken", "fast"}
        ``fast`` counts with gigatoken (extra ``fast``): the same counts, several times faster,
        once it is loaded; ``auto`` does so where it is installed and there is that much to count.

    Examples
    --------
    >>> counter = TokenCounter()
    >>> counter.count("Hello world"), counter.count("<|endoftext|>")
    (2, 7)
    >>> TokenCounter("gpt-4").encoding
    'cl100k_base'
    """

    def __init__(
        self,
        encoding: str = DEFAULT_ENCODING,
        chat: ChatFormat | None = None,
        backend: Literal["auto", "tiktoken", "fast"] = "auto",
    ) -> None:
        self.encoding = resolve_encoding(encoding)
        self.chat = chat or ChatFormat()
        self.backend = backend
        if backend == "fast":
            _require_fast(self.encoding)
        self._counts = self._known()
        self._count_new: _Count | None = None
        self._counts_fast = False

    @property
    def grade(self) -> Literal["exact", "estimate"]:
        """Whether texts are counted by their model's own vocabulary, or estimated.

        Examples
        --------
        >>> TokenCounter().grade, TokenCounter("~claude").grade
        ('exact', 'estimate')
        """
        return "estimate" if self.encoding in ESTIMATES else "exact"

    def count(self, text: str) -> int:
        """Return the tokens of `text` alone.

        Examples
        --------
        >>> TokenCounter().count("314 stalls")
        2
        """
        found = self._counts.get(hash(text))
        if found is None:
            found = self.count_many([text])[0]
        return found

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text; those not yet counted are counted in threads.

        Examples
        --------
        >>> TokenCounter().count_many(["one", "two three", "one"])
        [1, 2, 1]
        """
        counts = self._counts
        keys = list(map(hash, texts))
        try:
            return list(map(counts.__getitem__, keys))
        except KeyError:
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in counts}
        if len(counts) + len(new) > _MAX_CACHED:
            # Those at work keep what they read from; what comes later begins anew.
            known = {key: counts[key] for key in keys if key in counts}
            counts = self._known() | known
            if len(counts) + len(new) <= _MAX_CACHED:
                self._counts = counts
        tokens = _in_threads(self._counting(new.values()), list(new.values()))
        counts.update(zip(new, tokens, strict=True))
        # Where no text came twice or was known, the new counts are the answer.
        return tokens if len(new) == len(texts) else [counts[key] for key in keys]

    def _counting(self, texts: Collection[str]) -> _Count:
        """Return what counts new texts, loaded at the first, and a faster one once that pays."""
        many = self.backend == "auto" and not self._counts_fast and _pays(self.encoding, texts)
        if self._count_new is None or many:
            self._counts_fast = many or self.backend == "fast"
            load_counter = _fast if self._counts_fast else _plain
            self._count_new = load_counter(self.encoding)
        return self._count_new

    def overhead(self, message: Billable) -> int:
        """Return what a message costs beyond its content: framing, role, name, calls, payload.

        One that only defines tools or a schema stands outside the chat, and has no framing.

        Examples
        --------
        >>> from ctxlab.core.segments import Message
        >>> TokenCounter().overhead(Message("m1", "user", "Hi", name="Ada"))
        6
        """
        chat, count = self.chat, self.count
        carried = sum(one.tokens + count(one.text) for one in message.payload)
        if message.payload and all(one.defines for one in message.payload):
            return carried
        tokens = chat.per_message + count(message.role) + carried
        if message.name:
            tokens += chat.per_name + count(message.name)
        for call in message.tool_calls:
            tokens += chat.per_tool_call + count(call.name) + count(call.arguments)
        return tokens

    def prime(self, counts: Iterable[tuple[str, int]]) -> None:
        """Take over counts made earlier with the same encoding, such as a store's.

        Examples
        --------
        >>> counter = TokenCounter()
        >>> counter.prime([("a text counted yesterday", 4)])
        >>> counter.count("a text counted yesterday")
        4
        """
        self._counts.update((hash(text), tokens) for text, tokens in counts)

    def _known(self) -> dict[int, int]:
        # Every message has a role: with these, stored counts never need the vocabulary.
        roles = dict.fromkeys(get_args(Role), 1) if self.encoding in SHIPPED else {}
        return {hash(text): tokens for text, tokens in ({"": 0} | roles).items()}

    def __reduce__(self) -> tuple[type[TokenCounter], tuple[str, ChatFormat, str]]:
        return TokenCounter, (self.encoding, self.chat, self.backend)

    def __repr__(self) -> str:
        about = f", {ESTIMATES[self.encoding]}" if self.encoding in ESTIMATES else ""
        return f"TokenCounter({self.encoding!r}{about})"


def resolve_encoding(name: str) -> str:
    """Return the encoding that `name`, an encoding or a model, stands for.

    Raises
    ------
    EncodingUnavailableError
        When it is a model whose tokenizer tiktoken has not; the message offers the nearest.

    Examples
    --------
    >>> resolve_encoding("gpt-4o"), resolve_encoding("cl100k_base")
    ('o200k_base', 'cl100k_base')
    >>> resolve_encoding("openrouter/openai/gpt-4o")
    'o200k_base'
    """
    if name in SHIPPED or name in ESTIMATES or name.startswith(HF):
        return name
    if name.startswith("~"):
        return estimate_named(name)
    from tiktoken.model import encoding_name_for_model

    # Routers put the provider's name in front: openai/gpt-4o, azure/my/gpt-4o.
    model = name.rpartition("/")[2]
    try:
        return encoding_name_for_model(model)
    except KeyError:
        refuse(name)
        return name


def _in_threads(count: _Count, texts: list[str]) -> list[int]:
    threads = min(os.cpu_count() or 1, -(-len(texts) // _CHUNK))
    if threads < 2:
        return count(texts)
    # The tokenizer lets go of the interpreter while it works; a future a text would cost more
    # than it wins, so each carries a chunk.
    size = max(_CHUNK, -(-len(texts) // (4 * threads)))
    chunks = [texts[at : at + size] for at in range(0, len(texts), size)]
    with ThreadPoolExecutor(threads) as pool:
        return [tokens for chunk in pool.map(count, chunks) for tokens in chunk]


def _plain(encoding: str) -> _Count:
    if encoding.startswith(HF):
        return tokenizer(encoding)
    if encoding in ESTIMATES:
        estimate = ESTIMATES[encoding]
        nearest = _plain(estimate.encoding)
        return lambda texts: [estimate.of(tokens) for tokens in nearest(texts)]
    encode = load(encoding).encode_ordinary

    def long(text: str) -> int:
        return sum(len(encode(piece)) for piece in without_long_space(text))

    def count(texts: Sequence[str]) -> list[int]:
        return [len(encode(text)) if len(text) < _LONG else long(text) for text in texts]

    return count


def _pays(encoding: str, texts: Collection[str]) -> bool:
    """Say whether there is so much to count that gigatoken, where it is, makes up for loading."""
    return (
        encoding in SHIPPED
        and sum(map(len, texts)) >= _FAST_PAYS
        and find_spec("gigatoken") is not None
    )


def _require_fast(encoding: str) -> None:
    if find_spec("gigatoken") is None:
        raise MissingExtraError("counting with gigatoken", "fast")
    if encoding not in SHIPPED:
        raise EncodingUnavailableError(
            f"backend 'fast' counts {', '.join(SHIPPED)}, not {encoding!r}; use backend='tiktoken'"
        )


def _fast(encoding: str) -> _Count:
    from gigatoken import Tokenizer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{encoding}.tiktoken"
        path.write_bytes(rank_file(encoding))
        encode = Tokenizer.from_tiktoken(path, special_tokens={}).encode
    # It changes a cache of its own while it reads: in two threads at once it fails.
    alone = Lock()

    def one(text: str) -> int:
        try:
            return int(encode(text).size)
        except (UnicodeEncodeError, TypeError):
            # A lone surrogate has no UTF-8; tiktoken counts its replacement character.
            return _plain(encoding)([text])[0]

    def count(texts: Sequence[str]) -> list[int]:
        with alone:
            return [one(text) for text in texts]

    return count


@cache
def shared_counter(encoding: str = DEFAULT_ENCODING) -> TokenCounter:
    """Return this process's counter of an encoding, so that all share one cache.

    Examples
    --------
    >>> shared_counter() is shared_counter()
    True
    """
    return TokenCounter(encoding)
