"""Pruning by language models: the parts of a text that a model can best do without go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from ctxlab.core.context import Context, Remembered
from ctxlab.core.segments import Segment, spoken
from ctxlab.core.strategy import Traits
from ctxlab.core.task import Task
from ctxlab.core.tools import Classifier, SurprisalModel, TokenScore
from ctxlab.models.language_models import CausalScorer, TokenClassifier
from ctxlab.strategies.units import Range, TokenScores, UnitPruning, of_message, phrases, words
from ctxlab.text.sentences import sentence_ranges


@dataclass(frozen=True)
class _SurprisalBy(Remembered[dict[str, TokenScores]]):
    """How unexpected each message of a context is, piece by piece, by a model."""

    model: object


@dataclass(frozen=True)
class _ClassesBy(Remembered[list[TokenScores]]):
    """What a classifier says of each message of a context."""

    model: object


@dataclass(frozen=True)
class _LikelihoodBy(Remembered[list[float]]):
    """How unexpected a question is after each message of a context, by a model."""

    model: object
    question: str


class SelectiveContext(UnitPruning):
    """Drops the units that a causal model expects anyway, by their mean self-information.

    Li et al., "Compressing Context to Enhance Inference Efficiency of Large Language Models",
    EMNLP 2023: −log p of every token, given all that was said before; the mean over a unit is
    its score. The paper keeps what lies above a percentile; without one, the budget decides.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> def rare(text, prefix=""):
    ...     return [TokenScore(a, b, float("17" in text[a:b])) for a, b in words(text)]
    >>> context = Context((Segment.of("m1", "It rained. Stall 17 is free. We left."),))
    >>> tools = Tools(count=lambda text: len(text.split()), surprisal=rare)
    >>> SelectiveContext(percentile=60).compress(context, Task(budget=6, tools=tools)).text
    'Stall 17 is free. '
    """

    TRAITS = Traits(
        family="token pruning",
        source="Li et al. 2023, arXiv:2310.06201",
        needs="causal model",
        cost="a pass of the model",
    )

    model: str = Field("", description="a folder or a name on the hub; else Tools(surprisal=…)")
    unit: Literal["sentence", "phrase", "token"] = Field("sentence", description="what goes whole")
    percentile: float | None = Field(
        None, ge=0, lt=100, description="units below it go, even where the budget would hold them"
    )

    def ranges(self, text: str) -> Iterable[Range]:
        """Return sentences, phrases between signs, or words."""
        if self.unit == "sentence":
            return sentence_ranges(text)
        return phrases(text) if self.unit == "phrase" else words(text)

    def unit_scores(self, context: Context, units: Context, task: Task) -> Sequence[float]:
        """Return the mean self-information of every unit, in nats a token."""
        surprisal = _surprisal(self.model, task)
        key = _SurprisalBy(self.model or surprisal)
        pieces = context.memo(key, lambda: _as_one_text(context, surprisal))
        return [pieces[unit.source].mean(unit) for unit in units]

    def order(self, scores: Sequence[float]) -> list[int]:
        """Leave out what lies below the percentile."""
        ranked = super().order(scores)
        if self.percentile is None or not scores:
            return ranked
        least = float(np.percentile(np.asarray(scores), self.percentile))
        return [group for group in ranked if scores[group] >= least]


class LLMLingua2(UnitPruning):
    """Keeps the words that a trained classifier would keep.

    Pan et al., "LLMLingua-2", Findings of ACL 2024: a token classifier reads the text in chunks
    of 512 tokens, a word's probability is the mean of its tokens', and the words above the
    quantile that the rate asks for stay. Here the rate follows from the budget. Forced tokens
    and digits come first.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> def content(text): return [TokenScore(a, b, min(b - a, 9) / 9) for a, b in words(text)]
    >>> tools = Tools(count=lambda text: len(text.split()), classify=content)
    >>> context = Context((Segment.of("m1", "we have got 63 market stalls by now"),))
    >>> LLMLingua2().compress(context, Task(budget=3, tools=tools)).text
    '63 market stalls '
    """

    TRAITS = Traits(
        family="token pruning",
        source="Pan et al. 2024, arXiv:2403.12968",
        needs="token classifier",
        cost="a pass of the model",
    )

    model: str = Field("", description="a folder or a name on the hub; else Tools(classify=…)")
    force_tokens: tuple[str, ...] = Field((), description="words that hold one of these stay first")
    force_digits: bool = Field(True, description="words that hold a digit stay first")

    def ranges(self, text: str) -> Iterable[Range]:
        """Return words, each with the white space after it."""
        return words(text)

    def unit_scores(self, context: Context, units: Context, task: Task) -> Sequence[float]:
        """Return the probability of every word; 1 more for what is forced."""
        classify: Classifier = TokenClassifier(self.model) if self.model else task.tools.classify

        def read() -> list[TokenScores]:
            return [of_message(classify(segment.text), segment) for segment in context]

        found = context.memo(_ClassesBy(self.model or classify), read)
        pieces = dict(zip((segment.source for segment in context), found, strict=True))
        return [pieces[unit.source].mean(unit) + self._forced(unit.text) for unit in units]

    def _forced(self, word: str) -> float:
        digit = self.force_digits and any(character.isdigit() for character in word)
        return float(digit or any(token in word for token in self.force_tokens))


class LongLLMLingua(UnitPruning):
    """Keeps, of the messages that make the question likely, the words that it makes likely.

    Jiang et al., "LongLLMLingua", ACL 2024. Coarse: messages are ranked by the mean −log p of
    the question, with a sentence that binds it to them, after each message; those at the top
    stay as far as `coarse` times the budget reaches. Fine: a word's score is the contrastive
    perplexity −log p(word | before) + log p(word | question, before), and a better message
    keeps a larger share of its words. The original order is kept: reordering is another
    strategy's matter.

    Examples
    --------
    >>> from ctxlab.core.tools import Tools
    >>> def echo(text, prefix=""):
    ...     new = [(a, b, text[a:b].strip() not in prefix) for a, b in words(text)]
    ...     return [TokenScore(a, b, float(is_new)) for a, b, is_new in new]
    >>> tools = Tools(count=lambda text: len(text.split()), surprisal=echo)
    >>> context = Context((Segment.of("m1", "coffee first"), Segment.of("m2", "fish stall at six")))
    >>> task = Task(budget=2, tools=tools, query="fish stall")
    >>> LongLLMLingua().compress(context, task).text
    'fish stall '
    """

    TRAITS = Traits(
        family="token pruning",
        source="Jiang et al. 2024, arXiv:2310.06839",
        query_aware=True,
        needs="causal model",
        cost="three passes of the model a question",
    )

    model: str = Field("", description="a folder or a name on the hub; else Tools(surprisal=…)")
    coarse: float = Field(2.0, ge=1, description="budgets that the messages kept first may take")
    slope: float = Field(0.3, ge=0, le=1, description="how much more the best messages keep")
    bind: str = Field(
        "We can get the answer to this question in the given documents.",
        description="sentence that binds the question to a message",
    )

    def ranges(self, text: str) -> Iterable[Range]:
        """Return words, each with the white space after it."""
        return words(text)

    def unit_scores(self, context: Context, units: Context, task: Task) -> Sequence[float]:
        """Return how the message of every word stands, and the word in it; higher is better."""
        surprisal = _surprisal(self.model, task)
        ranked = self._ranked(context, task, surprisal)
        coarse, share = self._coarse(ranked, task.costs(context).texts, task.budget)
        members: defaultdict[str, list[int]] = defaultdict(list)
        for i, unit in enumerate(units):
            members[unit.source].append(i)
        # Messages that the coarse stage left come last, the likeliest first.
        rank = {context[i].source: place for place, i in enumerate(ranked)}
        scores = [-float(rank[unit.source]) for unit in units]
        for place, i in enumerate(ranked[:coarse]):
            inside = members[context[i].source]
            fine = self._contrast(context[i], [units[k] for k in inside], task, surprisal)
            lean = share + self.slope * (1 - 2 * place / coarse)
            quota = round(min(1.0, max(0.0, lean)) * len(inside))
            best_first = sorted(range(len(inside)), key=lambda k: -fine[k])
            for turn, k in enumerate(best_first):
                # A word within its message's share goes before any that is not.
                scores[inside[k]] = _between_0_and_1(fine[k]) + (2.0 if turn < quota else 1.0)
        return scores

    def _ranked(self, context: Context, task: Task, surprisal: SurprisalModel) -> list[int]:
        """Return the positions of messages, those that make the question likeliest first."""
        question = f"{task.query} {self.bind}".strip()

        def nats(segment: Segment) -> float:
            pieces = surprisal(question, spoken(segment))
            return float(np.mean([piece.value for piece in pieces])) if pieces else 0.0

        key = _LikelihoodBy(self.model or surprisal, question)
        found = context.memo(key, lambda: [nats(segment) for segment in context])
        return sorted(range(len(context)), key=lambda i: found[i])

    def _coarse(
        self, ranked: Sequence[int], tokens: Sequence[int], budget: int
    ) -> tuple[int, float]:
        """Return how many of the ranked messages stay, and the share of them that can be kept."""
        reached = np.cumsum([tokens[i] for i in ranked])
        kept = max(1, int(np.searchsorted(reached, self.coarse * budget, side="right")))
        return kept, min(1.0, budget / max(1, int(reached[kept - 1])))

    def _contrast(
        self, message: Segment, units: Sequence[Segment], task: Task, surprisal: SurprisalModel
    ) -> list[float]:
        plain = of_message(surprisal(message.text), message)
        asked = of_message(surprisal(message.text, task.query), message)
        return [plain.mean(unit) - asked.mean(unit) for unit in units]


def _surprisal(model: str, task: Task) -> SurprisalModel:
    return CausalScorer(model) if model else task.tools.surprisal


def _as_one_text(context: Context, surprisal: SurprisalModel) -> dict[str, TokenScores]:
    """Return the pieces of every message, read after all messages before it."""
    pieces = surprisal("\n".join(segment.text for segment in context))
    ends = np.cumsum([len(segment.text) + 1 for segment in context])
    found: list[list[TokenScore]] = [[] for _ in context]
    for piece in pieces:
        # A piece that spans the line break between two messages belongs to both.
        first, last = np.searchsorted(ends, (piece.start, max(piece.start, piece.end - 1)), "right")
        for i in range(int(first), min(int(last), len(found) - 1) + 1):
            start = int(ends[i]) - len(context[i].text) - 1
            at, to = max(piece.start - start, 0), min(piece.end - start, len(context[i].text))
            if at < to:
                found[i].append(TokenScore(at, to, piece.value))
    return {s.source: of_message(p, s) for s, p in zip(context, found, strict=True)}


def _between_0_and_1(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
