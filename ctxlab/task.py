"""What a strategy is asked to do, and the tools it may use to do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ctxlab.errors import BudgetError, MissingToolError
from ctxlab.model import Context, Segment
from ctxlab.tokens import Billable, TokenCounter, shared_counter

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Encoder(Protocol):
    """Any callable from texts to a matrix: one row of floats a text.

    Examples
    --------
    >>> def lengths(texts): return [[float(len(text))] for text in texts]
    >>> encoder: Encoder = lengths
    """

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return one vector a text, all of one length."""


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


class Surprisal(Protocol):
    """Any callable that says how unexpected each piece of a text is, in nats: −ln p.

    The pieces are a model's tokens; their ranges tile the text.

    Examples
    --------
    >>> def by_length(text, prefix=""):
    ...     return [TokenScore(i, i + 1, 1.0) for i in range(len(text))]
    >>> surprisal: Surprisal = by_length
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
        "or pass Tools(surprisal=...)"
    )


def _no_classifier(text: str, /) -> Sequence[TokenScore]:
    raise MissingToolError(
        "this strategy needs a token classifier; name one in its parameter model, "
        "or pass Tools(classify=...)"
    )


def _no_encoder(texts: Sequence[str], /) -> ArrayLike:
    raise MissingToolError(
        "this strategy needs an encoder; pass encoder=..., Tools(encode=...), or --encoder"
    )


def _no_model(prompt: str, /, *, max_tokens: int) -> str:
    raise MissingToolError("this strategy needs a language model; pass Tools(llm=...)")


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
    surprisal : Surprisal
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
    surprisal: Surprisal = _no_surprisal
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

    def encoding_with(self, encoder: Encoder | str | None) -> Tools:
        """Return tools that encode with `encoder`; these very tools where it is None.

        Parameters
        ----------
        encoder : Encoder or str, optional
            Any callable from texts to a matrix, or a text that
            `ctxlab.encoders.load_encoder` reads, such as ``"onnx:models/minilm"``.

        Examples
        --------
        >>> Tools.of().encoding_with(lambda texts: [[1.0]] * len(texts)).encode(["a"])
        [[1.0]]
        """
        if encoder is None:
            return self
        from ctxlab.encoders import load_encoder

        return replace(self, encode=load_encoder(encoder))


@dataclass(frozen=True, slots=True)
class Costs:
    """What every segment of a context costs, in tokens: its text, and its message's overhead.

    Examples
    --------
    >>> Costs([2], [4]).overheads
    [4]
    """

    texts: list[int]
    overheads: list[int]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is wanted, and the tools to get it.

    Parameters
    ----------
    budget : int
        Tokens that the result may take as a chat, at least 1.
    tools : Tools
        How to count, encode and ask.
    query : str
        What the context will be asked; empty when it is not known.
    seed : int
        Seeds whatever is random.
    evidence : frozenset of str
        Sources that prove the answer: set by the bench, for `Oracle` alone.

    Raises
    ------
    BudgetError
        When the budget is not positive.

    Examples
    --------
    >>> from ctxlab.model import Message
    >>> Task(budget=100).size(Context.of([Message("m1", "user", "Hi")]))
    8
    """

    budget: int
    tools: Tools = field(default_factory=Tools.of)
    query: str = ""
    seed: int = 0
    evidence: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise BudgetError(f"budget {self.budget} is not positive; ask for at least 1 token")

    def tokens(self, segment: Segment) -> int:
        """Return the tokens of a segment's own text.

        Examples
        --------
        >>> Task(budget=1).tokens(Segment.of("a", "Hello world"))
        2
        """
        return self.tools.count(segment.text)

    def costs(self, context: Context) -> Costs:
        """Return what every segment of `context` costs, counted once for each context.

        Examples
        --------
        >>> Task(budget=1, tools=Tools(count=len)).costs(Context((Segment.of("a", "xy"),))).texts
        [2]
        """
        tools = self.tools

        def measure() -> Costs:
            texts = [segment.text for segment in context]
            counts = list(tools.count_many(texts) if tools.count_many else map(tools.count, texts))
            return Costs(counts, [tools.overhead(segment) for segment in context])

        return context.memo(("costs", tools.count, tools.overhead), measure)

    def size(self, context: Context) -> int:
        """Return what `context` is billed as a chat; an empty one costs nothing.

        Counts add up segment by segment; neighbouring segments of one source are one message
        and pay its overhead once.

        Examples
        --------
        >>> Task(budget=1).size(Context())
        0
        """
        return context.memo(
            ("size", self.tools.count, self.tools.overhead), lambda: self._measure(context)
        )

    def _measure(self, context: Context) -> int:
        if not context:
            return 0
        costs = self.costs(context)
        return (
            self.tools.reply
            + sum(costs.texts)
            + sum(costs.overheads[start] for start in context.turn_starts)
        )

    def pinned(self, context: Context) -> int:
        """Return what the pinned groups of `context` are billed, the reply's priming included.

        Examples
        --------
        >>> Task(budget=9, tools=Tools(count=len)).pinned(Context((Segment.of("a", "hi"),)))
        0
        """
        return self.size(context.pinned) if context.pinned_groups else self.tools.reply

    def fits(self, context: Context) -> bool:
        """Say whether `context` is within the budget.

        Examples
        --------
        >>> Task(budget=1).fits(Context())
        True
        """
        return self.size(context) <= self.budget

    def within(self, budget: int) -> Task:
        """Return the same task with another budget.

        Examples
        --------
        >>> Task(budget=1).within(9).budget
        9
        """
        return replace(self, budget=budget)
