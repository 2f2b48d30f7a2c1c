"""The tools that a strategy may use: counting, encoding, language models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from ctxlab.core.tokens import Billable, TokenCounter, shared_counter
from ctxlab.errors import MissingToolError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Encoder(Protocol):
    """Any callable from texts to a matrix: one row of floats per text.

    Examples
    --------
    >>> def lengths(texts): return [[float(len(text))] for text in texts]
    >>> encoder: Encoder = lengths
    """

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return one vector per text, all of one length."""


class LanguageModel(Protocol):
    """Any callable from a prompt to a text of at most `max_tokens` tokens.

    Examples
    --------
    >>> def parrot(prompt, *, max_tokens): return prompt[:max_tokens]
    >>> model: LanguageModel = parrot
    """

    def __call__(self, prompt: str, /, *, max_tokens: int) -> str:
        """Return the model's answer to `prompt`."""


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A range of characters of a text, and what a model says of it.

    Examples
    --------
    >>> TokenScore(0, 4, 2.5).value
    2.5
    """

    start: int
    end: int
    value: float


class SurprisalModel(Protocol):
    """Any callable that says how unexpected each piece of a text is, in nats: −ln p.

    The pieces are a model's tokens; their ranges tile the text.

    Examples
    --------
    >>> def by_length(text, prefix=""):
    ...     return [TokenScore(i, i + 1, 1.0) for i in range(len(text))]
    >>> surprisal: SurprisalModel = by_length
    """

    def __call__(self, text: str, prefix: str = "", /) -> Sequence[TokenScore]:
        """Return the pieces of `text`, read after `prefix`."""


class Classifier(Protocol):
    """Any callable that says how likely each piece of a text is to be worth keeping, 0 to 1.

    Examples
    --------
    >>> def vowels(text): return [TokenScore(i, i + 1, c in "aeiou") for i, c in enumerate(text)]
    >>> classifier: Classifier = vowels
    """

    def __call__(self, text: str, /) -> Sequence[TokenScore]:
        """Return the pieces of `text`; their ranges tile it."""


def _no_surprisal(text: str, prefix: str = "", /) -> Sequence[TokenScore]:
    raise MissingToolError(
        "this strategy needs a causal language model; name one in its parameter model, "
        "or pass Tools.of(surprisal=...)"
    )


def _no_classifier(text: str, /) -> Sequence[TokenScore]:
    raise MissingToolError(
        "this strategy needs a token classifier; name one in its parameter model, "
        "or pass Tools.of(classify=...)"
    )


def _no_encoder(texts: Sequence[str], /) -> ArrayLike:
    raise MissingToolError(
        "this strategy needs an encoder; pass encoder=..., Tools.of(encode=...), or --encoder"
    )


def _no_model(prompt: str, /, *, max_tokens: int) -> str:
    raise MissingToolError("this strategy needs a language model; pass Tools.of(llm=...)")


def _free(message: Billable, /) -> int:
    return 0


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a strategy may call. Tests pass plain functions.

    Parameters
    ----------
    count : callable
        Tokens of a text.
    count_many : callable, optional
        Tokens of many texts, where counting them together is faster.
    overhead : callable
        Tokens a message costs beyond its text.
    reply : int
        Tokens that prime the reply of a chat.
    encode : Encoder
        Turns texts into vectors.
    llm : LanguageModel
        Answers a prompt.
    surprisal : SurprisalModel
        How unexpected the pieces of a text are.
    classify : Classifier
        How likely the pieces of a text are to be worth keeping.

    Examples
    --------
    >>> Tools(count=len).count("four")
    4
    """

    count: Callable[[str], int]
    count_many: Callable[[Sequence[str]], Sequence[int]] | None = None
    overhead: Callable[[Billable], int] = _free
    reply: int = 0
    encode: Encoder = _no_encoder
    llm: LanguageModel = _no_model
    surprisal: SurprisalModel = _no_surprisal
    classify: Classifier = _no_classifier

    @classmethod
    def of(cls, counter: TokenCounter | None = None, **others: Any) -> Tools:  # noqa: ANN401
        """Make tools that count as `counter` does, chat overhead included.

        Examples
        --------
        >>> Tools.of().count("Hello world")
        2
        """
        counter = counter or shared_counter()
        return cls(
            count=counter.count,
            count_many=counter.count_many,
            overhead=counter.overhead,
            reply=counter.chat.reply,
            **others,
        )

    def encoding_with(self, encoder: Encoder | None) -> Tools:
        """Return tools that encode with `encoder`; these very tools where it is None.

        Examples
        --------
        >>> Tools.of().encoding_with(lambda texts: [[1.0]] * len(texts)).encode(["a"])
        [[1.0]]
        """
        return self if encoder is None else replace(self, encode=encoder)
