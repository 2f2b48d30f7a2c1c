"""Rankings against the libraries one would pick instead, side by side in one run.

Run ``CTXLAB_DATA_DIR=… python tests/benchmarks/bench_rankings.py``; peers that are not installed
(``pip install bm25s sumy``) are left out. Goals: BM25 ≤ 1× bm25s (index and query), LexRank,
TextRank and MMR ≤ 1.2× plain scipy, LexRank ≥ 400× faster than sumy's; a conversation of 100,000
messages in seconds, and time that grows no faster than n log n.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from scipy.sparse import csr_array

from ctxlab.core.context import Context
from ctxlab.core.segments import Message
from ctxlab.core.strategy import Strategy
from ctxlab.core.task import Task
from ctxlab.datasets import load
from ctxlab.strategies import BM25, MMR, Deduplicate, KeepLast, LexRank, MaskObservations, TextRank
from ctxlab.text.words import terms

QUERY = "When did she decide to visit the lighthouse with her brother?"


def seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the median time of `work`."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def conversation() -> list[str]:
    """Return about 100,000 tokens of talk, a text a message."""
    return [m.content for case in load("locomo:dev") for m in case.messages]


def fresh(texts: list[str]) -> Context:
    """Return a context on which nothing is memoised."""
    return Context.of(Message(f"m{i}", "user", text) for i, text in enumerate(texts))


def row(name: str, ours: float, theirs: float, whose: str) -> None:
    """Print one comparison."""
    print(
        f"{name:22} {1e3 * ours:9.1f} ms   {whose:26} {1e3 * theirs:9.1f} ms   {ours / theirs:.3f}×"
    )


def bm25(texts: list[str]) -> None:
    """Compare indexing and asking one conversation."""
    task = Task(budget=1, query=QUERY)
    contexts = iter([fresh(texts) for _ in range(8)])
    ours = seconds(lambda: BM25().score(next(contexts), task))
    if find_spec("bm25s"):
        bm25s = import_module("bm25s")

        def theirs() -> None:
            model = bm25s.BM25()
            model.index(
                bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False
            )
            asked = bm25s.tokenize(QUERY, stopwords="en", show_progress=False)
            model.retrieve(asked, k=len(texts), show_progress=False)

        row("BM25", ours, seconds(theirs), "bm25s, without stems")
    if find_spec("rank_bm25"):
        okapi = import_module("rank_bm25").BM25Okapi
        lower = [text.lower() for text in texts]
        peer = seconds(lambda: okapi([t.split() for t in lower]).get_scores(QUERY.lower().split()))
        row("BM25", ours, peer, "rank_bm25, split by blanks")


def plain_tfidf(texts: list[str]) -> csr_array:
    """Return unit rows of tf·idf the plain way: the same terms, counted with scipy."""
    vocabulary: dict[str, int] = {}
    columns: list[int] = []
    starts = [0]
    for text in texts:
        columns += [vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)]
        starts.append(len(columns))
    counts = csr_array(
        (np.ones(len(columns)), columns, starts), shape=(len(texts), len(vocabulary))
    )
    counts.sum_duplicates()
    document_frequency = np.bincount(counts.indices, minlength=len(vocabulary))
    counts.data *= (np.log(len(texts) / document_frequency) + 1)[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.where(norms > 0, norms, 1), np.diff(counts.indptr))
    return counts


def walk(weights: csr_array) -> np.ndarray:
    """Return the ranks of a walk over a graph, by plain power iteration."""
    n = weights.shape[0]
    totals = np.asarray(weights.sum(axis=1)).ravel()
    inverse = np.divide(1.0, totals, where=totals > 0, out=np.zeros(n))
    ranks = np.full(n, 1 / n)
    for _ in range(200):
        moved = (
            0.85 * (weights @ (ranks * inverse)) + 0.15 / n + 0.85 * ranks[totals == 0].sum() / n
        )
        change = np.abs(moved - ranks).sum()
        ranks = moved
        if change < 1e-8:
            break
    return ranks


def plain_lexrank(texts: list[str]) -> np.ndarray:
    """Return LexRank over all cosines, multiplied out."""
    rows = plain_tfidf(texts)
    return walk((rows @ rows.T).tocsr())


def plain_textrank(texts: list[str]) -> np.ndarray:
    """Return TextRank over all overlaps."""
    rows = plain_tfidf(texts)
    rows.data[:] = 1.0
    graph = (rows @ rows.T).tocoo()
    logs = np.log(np.maximum(np.diff(rows.indptr), 2))
    graph.data /= logs[graph.row] + logs[graph.col]
    graph.data[graph.row == graph.col] = 0.0
    return walk(graph.tocsr())


def plain_mmr(texts: list[str]) -> list[int]:
    """Return the order of MMR, every value looked at in every round."""
    rows = plain_tfidf(texts)
    similar = (rows @ rows.T).tocsr()
    gain = 0.7 * (rows @ np.asarray(rows.mean(axis=0)).ravel())
    nearest, order = np.zeros(len(texts)), []
    for _ in range(len(texts)):
        best = int(np.argmax(gain - 0.3 * nearest))
        order.append(best)
        gain[best] = -np.inf
        start, end = similar.indptr[best], similar.indptr[best + 1]
        near = similar.indices[start:end]
        nearest[near] = np.maximum(nearest[near], similar.data[start:end])
    return order


def graphs(texts: list[str]) -> None:
    """Compare the rankings by graph, and by novelty."""
    task = Task(budget=1)
    for strategy, plain in (
        (LexRank(), plain_lexrank),
        (TextRank(), plain_textrank),
        (MMR(), plain_mmr),
    ):
        contexts = iter([fresh(texts) for _ in range(4)])
        ours = seconds(lambda s=strategy, c=contexts: s.score(next(c), task), 3)
        row(type(strategy).__name__, ours, seconds(lambda p=plain: p(texts), 3), "plain scipy")
    if find_spec("sumy"):
        few = texts[:1200]
        summarizer = import_module("sumy.summarizers.lex_rank").LexRankSummarizer()
        document = import_module("sumy.models.dom")
        tokenizer = type("Words", (), {"to_words": lambda _, text: tuple(terms(text))})()
        sentences = [document.Sentence(text, tokenizer) for text in few]
        paper = document.ObjectDocumentModel([document.Paragraph(sentences)])
        contexts = iter([fresh(few) for _ in range(4)])
        ours = seconds(lambda: LexRank().score(next(contexts), task), 3)
        row("LexRank, 1200 messages", ours, seconds(lambda: summarizer(paper, 40), 1), "sumy")


def long_conversation(n: int) -> Context:
    """Return a conversation of `n` messages, a tenth of them tool results."""
    texts = conversation()
    return Context.of(
        Message(
            f"m{i}",
            "tool" if i % 10 == 9 else "user",
            f"{texts[i % len(texts)]} {i // len(texts)} {i % 97}",
            tool_call_id=f"c{i}" if i % 10 == 9 else None,
        )
        for i in range(n)
    )


def growth() -> None:
    """Time a conversation of 10,000 and of 100,000 messages, counted before."""
    strategies: tuple[Strategy, ...] = (KeepLast(), BM25(), Deduplicate(), MaskObservations())
    sizes = (10_000, 100_000)
    times: dict[str, list[float]] = {}
    for n in sizes:
        context = long_conversation(n)
        task = Task(budget=8_000, query=QUERY)
        KeepLast().compress(context, task)  # counts, and finds the groups
        for strategy in strategies:
            start = time.perf_counter()
            strategy.compress(context, task)
            times.setdefault(str(strategy), []).append(time.perf_counter() - start)
    limit = sizes[1] * math.log(sizes[1]) / (sizes[0] * math.log(sizes[0]))
    print(f"\n{'messages':22} {sizes[0]:>12,} {sizes[1]:>12,}   growth (n log n: {limit:.1f}×)")
    for name, (small, large) in times.items():
        print(f"{name:22} {small:>10.3f} s {large:>10.3f} s   {large / small:.1f}×")


def main() -> None:
    """Print all comparisons."""
    texts = conversation()
    print(f"{len(texts)} messages; time of ours, of the peer, and their ratio")
    bm25(texts)
    graphs(texts)
    growth()


if __name__ == "__main__":
    main()
