"""Which term stands how often in which text, as a sparse matrix by term."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ctxlab.text.words import is_bigram, terms

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class TermIndex:
    """Which term stands how often in which of n texts, as a sparse matrix by term.

    Parameters
    ----------
    texts : sequence of str
        One document each.
    language : str
        ISO 639-1 code of the language of the texts, and of what is asked of them.

    Raises
    ------
    UnknownNameError
        When nothing is known of the language.

    Examples
    --------
    >>> index = TermIndex(["two stalls", "stalls and stalls", ""])
    >>> [array.tolist() for array in index.postings("stall")]
    [[0, 1], [1, 2]]
    """

    def __init__(self, texts: Sequence[str], language: str = "en") -> None:
        vocabulary: dict[str, int] = {}
        ids: list[int] = []
        sizes = np.zeros(len(texts), np.int64)
        for document, text in enumerate(texts):
            found = terms(text, language)
            sizes[document] = len(found)
            ids += [vocabulary.setdefault(term, len(vocabulary)) for term in found]
        self.language = language
        """Of the texts, as a code."""
        self.n = len(texts)
        """Number of texts."""
        self.lengths = sizes
        """Terms of every text, repeats counted, shape (n,)."""
        self.vocabulary = vocabulary
        """Column of every term."""
        documents = np.repeat(np.arange(self.n), sizes)
        keys = np.asarray(ids, np.int64) * max(self.n, 1) + documents
        unique, counts = np.unique(keys, return_counts=True)
        self.documents = unique % max(self.n, 1)
        """The text of every pair of term and text, by term, then ascending."""
        self._counts = counts
        columns = unique // max(self.n, 1)
        self._starts = np.searchsorted(columns, np.arange(len(vocabulary) + 1))

    @cached_property
    def document_frequency(self) -> NDArray[np.int64]:
        """Number of texts that hold each term, shape (terms,).

        Examples
        --------
        >>> TermIndex(["two stalls", "stalls"]).document_frequency.tolist()
        [1, 2]
        """
        return np.diff(self._starts)

    def postings(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the texts that hold `term`, ascending, and how often each does.

        Examples
        --------
        >>> TermIndex(["two"]).postings("absent")[0].size
        0
        """
        column = self.vocabulary.get(term)
        if column is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        start, end = self._starts[column], self._starts[column + 1]
        return self.documents[start:end], self._counts[start:end]

    @cached_property
    def halves(self) -> NDArray[np.float64]:
        """How many words each term stands for, shape (terms,): half a one for a bigram.

        In scripts without spaces every character stands in two bigrams, so that a text of n
        characters has n - 1 of them, and about half as many words.

        Examples
        --------
        >>> dict(zip((index := TermIndex(["早市 7"])).vocabulary, index.halves.tolist()))
        {'早市': 0.5, '7': 1.0}
        """
        return np.array([0.5 if is_bigram(term) else 1.0 for term in self.vocabulary])

    @cached_property
    def tfidf(self) -> csr_array:
        """Rows of tf·idf of unit length, shape (n, terms); idf is ln(n/df) + 1.

        Source: Salton & Buckley, "Term-weighting approaches in automatic text retrieval", 1988.

        Examples
        --------
        >>> TermIndex(["two stalls", "stalls"]).tfidf.shape
        (2, 2)
        """
        from scipy.sparse import csc_array

        weights = self._counts * np.repeat(self.idf, self.document_frequency)
        squares = np.bincount(self.documents, weights**2, minlength=self.n)
        norms = np.sqrt(squares, where=squares > 0, out=np.ones(self.n))
        values = weights / norms[self.documents]
        shape = (self.n, len(self.vocabulary))
        return csc_array((values, self.documents, self._starts), shape=shape).tocsr()

    @cached_property
    def similarities(self) -> csr_array:
        """Cosine of every two texts that share a term, shape (n, n).

        Examples
        --------
        >>> TermIndex(["stall", "stall"]).similarities.toarray().tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        """
        similar: csr_array = (self.tfidf @ self.tfidf.T).tocsr()
        return similar

    @cached_property
    def distinct(self) -> NDArray[np.int64]:
        """Number of different terms of every text, shape (n,).

        Examples
        --------
        >>> TermIndex(["stall stall", "two stalls"]).distinct.tolist()
        [1, 2]
        """
        return np.bincount(self.documents, minlength=self.n)

    @property
    def overlaps(self) -> csr_array:
        """Number of terms that every two texts have in common, shape (n, n); made anew each time.

        Examples
        --------
        >>> TermIndex(["stall", "two stalls"]).overlaps.toarray().tolist()
        [[1.0, 1.0], [1.0, 2.0]]
        """
        from scipy.sparse import csc_array

        shape = (self.n, len(self.vocabulary))
        ones = np.ones(len(self.documents))
        held = csc_array((ones, self.documents, self._starts), shape=shape).tocsr()
        return (held @ held.T).tocsr()

    @cached_property
    def idf(self) -> NDArray[np.float64]:
        """Inverse document frequency, ln(n/df) + 1, shape (terms,).

        Examples
        --------
        >>> TermIndex(["stalls"]).idf.tolist()
        [1.0]
        """
        return np.log(self.n / self.document_frequency) + 1.0

    def cosines(self, text: str) -> NDArray[np.float64]:
        """Return the cosine of every text with `text`, or with them all where that is empty.

        Examples
        --------
        >>> TermIndex(["two stalls", "no"]).cosines("no stalls").round(2).tolist()
        [0.71, 0.0]
        """
        rows = self.tfidf
        target = self.query(text) if text else np.asarray(rows.mean(axis=0)).ravel()
        return np.asarray(rows @ target)

    def query(self, text: str) -> NDArray[np.float64]:
        """Return `text` as a tf·idf vector of unit length over this index's terms.

        Examples
        --------
        >>> TermIndex(["two stalls"]).query("stalls").tolist()
        [0.0, 1.0]
        """
        vector = np.zeros(len(self.vocabulary))
        for term in terms(text, self.language):
            column = self.vocabulary.get(term)
            if column is not None:
                vector[column] += self.idf[column]
        norm = float(np.linalg.norm(vector))
        return vector / norm if norm else vector
