"""Which term stands how often in which text, as a sparse matrix by term."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ctxlab.text.words import is_bigram, stem_of, terms, words

if TYPE_CHECKING:
    from scipy.sparse import csr_array


COMMON = 1_000
"""Texts above which a term does not count where all pairs of texts would be compared."""
_STOP = -1
"""The column of words that are no terms."""


_SHORT = 4_000
"""Characters below which the words of a text are remembered."""


@lru_cache(4096)
def _words(text: str, language: str) -> list[str]:
    """Return the words of a short text: a chat that grows asks for the same at every turn."""
    return words(text, language)


class _Columns(dict[str, int]):
    """The column of every word that was seen: each distinct word is stemmed once."""

    def __init__(self, language: str) -> None:
        self._language = language
        self.vocabulary: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        stem = stem_of(word, self._language)
        column = self.vocabulary.setdefault(stem, len(self.vocabulary)) if stem else _STOP
        self[word] = column
        return column

    def of(self, text: str) -> list[int]:
        """Return the columns of a text's words, in order."""
        if text.isascii():
            found = _words if len(text) < _SHORT else words
            return list(map(self.__getitem__, found(text, self._language)))
        known = self.vocabulary
        return [known.setdefault(term, len(known)) for term in terms(text, self._language)]


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
        columns = _Columns(language)
        counts_of_words = np.zeros(len(texts), np.int64)
        ids: list[int] = []
        for document, text in enumerate(texts):
            found = columns.of(text)
            counts_of_words[document] = len(found)
            ids += found
        columns_of_words = np.asarray(ids, np.int64)
        documents = np.repeat(np.arange(len(texts)), counts_of_words)
        if _STOP in columns.values():
            kept = columns_of_words != _STOP
            columns_of_words, documents = columns_of_words[kept], documents[kept]
        sizes = np.bincount(documents, minlength=len(texts))
        vocabulary = columns.vocabulary
        self.language = language
        """Of the texts, as a code."""
        self.n = len(texts)
        """Number of texts."""
        self.lengths = sizes
        """Terms of every text, repeats counted, shape (n,)."""
        self.vocabulary = vocabulary
        """Column of every term."""
        keys = columns_of_words * max(self.n, 1) + documents
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
    def _telling(self) -> NDArray[np.bool_]:
        return self.document_frequency <= COMMON

    def nearby(self, document: int) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
        """Return the texts that share terms with one, and by how much: their cosine.

        A term that stands in more than a thousand texts tells none apart and counts for none;
        so the time for all texts grows with their number, and no matrix of pairs is made.

        Parameters
        ----------
        document : int
            The position of the text.

        Returns
        -------
        texts : ndarray of int
            Positions; one may stand twice, with the same value.
        values : ndarray of float
            The part of the cosine that the telling terms add up to: all of it, up to a thousand
            texts.

        Examples
        --------
        >>> [array.tolist() for array in TermIndex(["stall", "no", "stall"]).nearby(0)]
        [[0, 2], [1.0, 1.0]]
        """
        rows, by_term, scratch = self.tfidf, self._by_term, self._scratch
        at = slice(rows.indptr[document], rows.indptr[document + 1])
        found = []
        for column, weight in zip(rows.indices[at].tolist(), rows.data[at].tolist(), strict=True):
            if self._telling[column]:
                one = slice(self._starts[column], self._starts[column + 1])
                texts = self.documents[one]
                scratch[texts] += weight * by_term[one]
                found.append(texts)
        if not found:
            return np.zeros(0, np.int64), np.zeros(0)
        texts = np.concatenate(found)
        values = scratch[texts]
        scratch[texts] = 0.0
        return texts, values

    @cached_property
    def _by_term(self) -> NDArray[np.float64]:
        """The values of `tfidf` in the order of `documents`."""
        return np.asarray(self.tfidf.tocsc().data)

    @cached_property
    def _scratch(self) -> NDArray[np.float64]:
        return np.zeros(self.n)

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
    def held(self) -> csr_array:
        """1 where a text holds a term, shape (n, terms); made anew each time.

        Examples
        --------
        >>> TermIndex(["stall", "two stalls"]).held.toarray().tolist()
        [[1.0, 0.0], [1.0, 1.0]]
        """
        from scipy.sparse import csc_array

        shape = (self.n, len(self.vocabulary))
        ones = np.ones(len(self.documents))
        return csc_array((ones, self.documents, self._starts), shape=shape).tocsr()

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
