"""Duplicates: what is said twice is needed once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import ceil
from typing import Literal

from pydantic import Field

from ctxlab.core.context import Context
from ctxlab.core.segments import Note, Segment
from ctxlab.core.strategy import Strategy, Traits
from ctxlab.core.task import Task

Shingles = frozenset[tuple[str, ...]]
Index = defaultdict[tuple[str, ...], list[tuple[int, int]]]
"""Which groups hold a shingle, and at which place of their own from the rarest on."""


class Deduplicate(Strategy):
    """Drops groups whose text stands, or nearly stands, in another group that is kept.

    Equal texts are found by hash, near-duplicates by the Jaccard similarity of word shingles
    (Broder 1997). Candidates come from a filter by prefix and position (Bayardo, Ma & Srikant,
    "Scaling up all pairs similarity search", 2007; Xiao et al., "Efficient similarity joins for
    near duplicate detection", 2008), which misses no pair above the threshold.

    Examples
    --------
    >>> log = "the nightly job failed with code 137 on host b4"
    >>> context = Context((Segment.of("a", log), Segment.of("b", log)))
    >>> [s.source for s in Deduplicate().compress(context, Task(budget=1))]
    ['b']
    """

    TRAITS = Traits(
        family="duplicates",
        source="Broder 1997; Xiao et al. 2008",
        honours_budget=False,
        cost="n log n",
    )

    threshold: float = Field(0.85, gt=0, le=1, description="Jaccard similarity of a duplicate")
    shingle: int = Field(5, ge=1, description="words in a shingle")
    keep: Literal["newest", "first"] = Field("newest", description="which of the two stays")
    min_words: int = Field(5, ge=1, description="shorter texts, such as a yes, are left alone")

    def compress(self, context: Context, task: Task) -> Context:
        """Keep one of every set of duplicates, and whatever is pinned."""
        words = [_text(context[i] for i in members).split() for members in context.groups]
        order = range(len(words))
        twin_of = dict(self._twins(words, reversed(order) if self.keep == "newest" else order))
        dropped = {g: t for g, t in twin_of.items() if g not in context.pinned_groups}

        def why(segment: Segment) -> Note:
            twin = context[context.groups[dropped[context.group_of(segment)]][0]]
            return Note(f"duplicate of {twin.source.removeprefix('message:')}")

        return context.keep_groups((g for g in order if g not in dropped), why)

    def _twins(self, words: list[list[str]], order: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield every group that repeats one that came before it in `order`, with that one."""
        shingles = {g: self._shingles(w) for g, w in enumerate(words) if len(w) >= self.min_words}
        frequency = Counter(shingle for one in shingles.values() for shingle in one)
        exact: dict[tuple[str, ...], int] = {}
        index: Index = defaultdict(list)
        for group in order:
            if group not in shingles:
                continue
            twin, prefix = exact.get(tuple(words[group])), list[tuple[str, ...]]()
            if twin is None:
                rare_first = sorted(shingles[group], key=lambda s: (frequency[s], s))
                # Two sets this similar must share one of their rarest shingles.
                prefix = rare_first[: len(rare_first) - ceil(self.threshold * len(rare_first)) + 1]
                twin = self._near(shingles, group, prefix, index)
            if twin is not None:
                yield group, twin
                continue
            exact[tuple(words[group])] = group
            for place, shingle in enumerate(prefix):
                if frequency[shingle] > 1:
                    index[shingle].append((group, place))

    def _near(
        self,
        shingles: dict[int, Shingles],
        group: int,
        prefix: list[tuple[str, ...]],
        index: Index,
    ) -> int | None:
        mine, seen = shingles[group], set[int]()
        for place, shingle in enumerate(prefix):
            for other, its_place in index.get(shingle, ()):
                if other in seen:
                    continue
                seen.add(other)
                theirs = shingles[other]
                needed = self.threshold / (1 + self.threshold) * (len(mine) + len(theirs))
                # Before its first shared shingle, in one order for all, neither shares anything.
                if min(len(mine) - place, len(theirs) - its_place) < needed - 1e-9:
                    continue
                if len(mine & theirs) >= needed - 1e-9:
                    return other
        return None

    def _shingles(self, words: list[str]) -> Shingles:
        size = min(self.shingle, len(words))
        return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def _text(group: Iterable[Segment]) -> str:
    parts: list[str] = []
    for segment in group:
        parts.append(segment.text)
        parts += [f"{call.name} {call.arguments}" for call in segment.tool_calls]
    return " ".join(parts)
