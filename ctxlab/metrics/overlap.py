"""Overlap with the source, word by word, and repetition within what is left."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from ctxlab.core.cases import Probe
from ctxlab.core.context import Context, Remembered
from ctxlab.core.metric import Metric, MetricTraits
from ctxlab.core.run import Run
from ctxlab.metrics.credit import Credit, restored
from ctxlab.text.alignment import lcs_length

Figure = Literal["f1", "recall", "precision"]


@dataclass(frozen=True)
class _WordsKey(Remembered[Any]):
    """Finds the words of a context, normalised."""


class _Overlap(Metric):
    """How much of the words of two contexts is common: the base of the metrics here."""

    figure: Figure = Field(
        "f1", description="f1, recall (of the words before) or precision (of those after)"
    )

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the figure, None where there were no words, or too many."""
        credit = Credit.of(run.before, run.after)
        before, after = _words(run.before, credit), _words(run.after, credit)
        common = self._common(before, after) if before else None
        if common is None:
            return None
        match self.figure:
            case "recall":
                return common / len(before)
            case "precision":
                return common / len(after) if after else None
        return 2 * common / (len(before) + len(after))

    @abstractmethod
    def _common(self, before: list[str], after: list[str]) -> int | None:
        """Return how many words are common."""


class RougeL(_Overlap):
    """ROUGE-L of what is left against what went in: the longest common subsequence of words.

    Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, with β = 1, over words
    as `ctxlab.text.normalised` writes them, without stemming. A selection's precision is 1, and
    its recall the share of words that it keeps. An invertible rewriting is restored first. The
    time grows with the product of the lengths, 64 words at once: of contexts of 100,000 words,
    a few seconds. Beyond `limit` words nothing is said.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> round(RougeL(figure="recall").measure(sample_run(), None), 2)
    0.42
    """

    TRAITS = MetricTraits(title="ROUGE-L", unit="share", family="overlap", source="Lin 2004")

    limit: int = Field(200_000, ge=1, description="words that either context may have")

    def _common(self, before: list[str], after: list[str]) -> int | None:
        return None if max(len(before), len(after)) > self.limit else lcs_length(before, after)


class TokenF1(_Overlap):
    """F1 of the words left, in any order, against those that went in.

    Rajpurkar et al., "SQuAD", 2016, over normalised words, articles included.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> TokenF1(figure="precision").measure(sample_run(), None)
    1.0
    """

    TRAITS = MetricTraits(
        title="token F1", unit="share", family="overlap", source="Rajpurkar et al. 2016"
    )

    def _common(self, before: list[str], after: list[str]) -> int | None:
        return (Counter(before) & Counter(after)).total()


class Redundancy(Metric):
    """Share of the runs of `n` words in what is left that repeat an earlier one.

    One minus distinct-n (Li et al., "A Diversity-Promoting Objective Function", 2016). Runs do
    not cross the ends of messages.

    Examples
    --------
    >>> from ctxlab.testing import sample_run
    >>> Redundancy().measure(sample_run(), None)
    0.0
    """

    TRAITS = MetricTraits(
        title="redundancy", unit="share", better="lower", family="overlap",
        source="Li et al. 2016, arXiv:1510.03055, distinct-n",
    )  # fmt: skip

    n: int = Field(4, ge=1, description="words in a run")

    def measure(self, run: Run, probe: Probe | None) -> float | None:
        """Return the share, None where no message has `n` words."""
        credit = Credit.of(run.before, run.after)
        runs = [
            tuple(words[i : i + self.n])
            for segment in run.after
            for words in [credit.normal(segment.text).split()]
            for i in range(len(words) - self.n + 1)
        ]
        return 1 - len(set(runs)) / len(runs) if runs else None


def _words(context: Context, credit: Credit) -> list[str]:
    def build() -> list[str]:
        texts = (restored(segment) for segment in context)
        return [word for text in texts for word in credit.normal(text).split()]

    return context.memo(_WordsKey(), build)
