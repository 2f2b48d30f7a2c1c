"""An encoder whose vectors are kept in a store: what was encoded once is read from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from ctxlab.core.tools import Encoder
from ctxlab.errors import EncoderError
from ctxlab.models.matrices import Matrix, as_matrix
from ctxlab.models.memo_encoder import MemoEncoder

# What is encoded is stored after so many texts, so that little is lost when a run is ended.
_BATCH = 2048


class VectorCache(Protocol):
    """VectorCache of texts by model and by digest of the text, as a store keeps them.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> vectors: VectorCache = Store(":memory:").vectors
    """

    def read(self, model: str, keys: Sequence[str], /) -> Mapping[str, Matrix]:
        """Return the vectors that are kept for some digests."""

    def add(self, model: str, keys: Sequence[str], matrix: Matrix, /) -> None:
        """Keep one vector a digest."""

    def width(self, model: str, /) -> int | None:
        """Return how many numbers a vector has; None where none is kept."""


class KeepsVectors(Protocol):
    """What a cached encoder needs of a store.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> store: KeepsVectors = Store(":memory:")
    """

    @property
    def path(self) -> str:
        """The file, for messages."""

    @property
    def vectors(self) -> VectorCache:
        """The vectors that it keeps."""


class CachedEncoder(MemoEncoder):
    """An encoder whose vectors are kept in a store, and in this process once they were asked for.

    A store does not travel to other processes: there, the encoder itself is what remains.

    Parameters
    ----------
    encoder : Encoder
        Its name tells its vectors from those of other models.
    store : Store
        Where they are kept.

    Raises
    ------
    EncoderError
        When the encoder has no name, or gives vectors of another length than those that are
        kept under it.

    Examples
    --------
    >>> from ctxlab.models import NamedEncoder
    >>> from ctxlab.store import Store
    >>> lengths = NamedEncoder("lengths", lambda texts: [[float(len(text))] for text in texts])
    >>> with Store(":memory:") as store:
    ...     CachedEncoder(lengths, store)(["four"]).tolist(), store.counts()
    ([[4.0]], {'vectors': 1})
    """

    def __init__(self, encoder: Encoder, store: KeepsVectors) -> None:
        super().__init__(encoder)
        self.store = store

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return one vector per text from the store, encoding and keeping what it does not hold.

        Examples
        --------
        >>> from ctxlab.models import NamedEncoder
        >>> from ctxlab.store import Store
        >>> ones = NamedEncoder("ones", lambda texts: [[1.0]] * len(texts))
        >>> CachedEncoder(ones, Store(":memory:")).vectors(["a", "a"]).tolist()
        [[1.0], [1.0]]
        """
        return kept_vectors(self.store, self.name, texts, self.encoder)

    def __reduce__(self) -> tuple[Callable[[Encoder], Encoder], tuple[Encoder]]:
        return _itself, (self.encoder,)


def _itself(encoder: Encoder) -> Encoder:
    return encoder


def kept_vectors(store: KeepsVectors, model: str, texts: Sequence[str], encoder: Encoder) -> Matrix:
    """Return one vector per text; what is not kept under `model` is encoded once, and kept.

    Raises
    ------
    EncoderError
        When new vectors have another length than those that are kept.

    Examples
    --------
    >>> from ctxlab.store import Store
    >>> store = Store(":memory:")
    >>> kept_vectors(store, "ones", ["a"], lambda texts: [[1.0]] * len(texts)).tolist()
    [[1.0]]
    """
    if not texts:
        return np.zeros((0, 0), np.float32)
    by_key = {_key(text): text for text in texts}
    rows = dict(store.vectors.read(model, list(by_key)))
    missing = [key for key in by_key if key not in rows]
    for start in range(0, len(missing), _BATCH):
        keys = missing[start : start + _BATCH]
        found = as_matrix(encoder([by_key[key] for key in keys]), len(keys))
        _check_width(store, model, found.shape[1])
        store.vectors.add(model, keys, found)
        rows.update(zip(keys, found, strict=True))
    return np.stack([rows[_key(text)] for text in texts])


def _check_width(store: KeepsVectors, model: str, width: int) -> None:
    kept = store.vectors.width(model)
    if kept is not None and kept != width:
        raise EncoderError(
            f"the encoder {model!r} gives {width} numbers per text, and {store.path} keeps vectors "
            f"of {kept} under that name; give the encoder another name"
        )


def _key(text: str) -> str:
    # Lone surrogates have no UTF-8 of their own, and still tell texts apart.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
