"""What tests stand in for: a model, tools that count words, chats of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctxlab.core.segments import Message, ToolCall
from ctxlab.core.tools import TokenScore, Tools
from ctxlab.strategies.units import words

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass
class FakeModel:
    """A language model for tests: gives scripted answers and remembers what it was asked.

    Parameters
    ----------
    answers : sequence of str
        Given in turn, the last one again and again; without any, the prompt's first words.

    Examples
    --------
    >>> model = FakeModel(["A summary."])
    >>> model("Summarise this.", max_tokens=9), model.prompts
    ('A summary.', ['Summarise this.'])
    """

    answers: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, prompt: str, /, *, max_tokens: int) -> str:
        """Return the next answer, cut to `max_tokens` words."""
        turn = min(len(self.prompts), len(self.answers) - 1)
        self.prompts.append(prompt)
        answer = self.answers[turn] if self.answers else prompt
        return " ".join(answer.split()[:max_tokens])


def word_tools(**others: Any) -> Tools:  # noqa: ANN401
    """Return tools that count words, two a message for overhead: easy to reckon with.

    Examples
    --------
    >>> word_tools().count("three short words")
    3
    """
    return Tools(count=lambda text: len(text.split()), overhead=lambda _: 2, reply=1, **others)


def chats(max_messages: int = 12) -> SearchStrategy[tuple[Message, ...]]:
    """Generate chats: system prompts, names, pins, tool calls with results, odd characters.

    Examples
    --------
    >>> isinstance(chats().example(), tuple)  # doctest: +SKIP
    True
    """
    import hypothesis.strategies as st

    words = st.sampled_from(
        ["fish", "bread", "stall", "17", "Ada", "€40", "no", "the", "price", "error", "{}", "\n"]
    )
    sentence = st.lists(words, max_size=12).map(" ".join) | st.text(max_size=20)
    data = st.sampled_from(
        ['{"stall": 17, "fish": [1, 2]}', '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "[]"]
    )
    kinds = st.sampled_from(["user", "user", "assistant", "assistant", "system", "tools"])
    turn = st.tuples(
        kinds,
        sentence,
        st.lists(sentence | data, min_size=1, max_size=3),
        st.sampled_from([None, "Ada", "Bo"]),
        st.integers(0, 9).map(lambda n: n == 0),
    )
    return st.lists(turn, max_size=max_messages).map(_chat)


def _chat(turns: Sequence[tuple[str, str, list[str], str | None, bool]]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for kind, text, results, name, pinned in turns:
        at = f"m{len(messages)}"
        if kind == "tools":
            calls = tuple(
                ToolCall(f"{at}c{i}", f"tool{i}", '{"q": 1}') for i in range(len(results))
            )
            messages.append(Message(at, "assistant", text, tool_calls=calls, pinned=pinned))
            messages += [
                Message(f"{at}r{i}", "tool", result, tool_call_id=call.id)
                for i, (call, result) in enumerate(zip(calls, results, strict=True))
            ]
        elif kind == "system":
            messages.append(Message(at, "system", text))
        elif kind == "user":
            messages.append(Message(at, "user", text, name=name, pinned=pinned))
        else:
            messages.append(Message(at, "assistant", text))
    return tuple(messages)


def letters(texts: Sequence[str], /) -> list[list[float]]:
    """Encode texts by how often some letters stand in them.

    Examples
    --------
    >>> letters(["aa"])[0][0]
    2.1
    """
    return [[float(text.count(letter)) + 0.1 for letter in "aeioust17"] for text in texts]


def word_lengths(text: str, prefix: str = "", /) -> list[TokenScore]:
    """Take long words, and those not said before, for surprising.

    Examples
    --------
    >>> word_lengths("a fish", "a")[0].value
    0.0
    """
    said = set(prefix.split())
    return [
        TokenScore(a, b, float(b - a) * (text[a:b].strip() not in said)) for a, b in words(text)
    ]


def capitals(text: str, /) -> list[TokenScore]:
    """Take words with a capital for worth keeping.

    Examples
    --------
    >>> [score.value for score in capitals("Ada sings")]
    [1.0, 0.0]
    """
    return [TokenScore(a, b, float(text[a:b].istitle())) for a, b in words(text)]
