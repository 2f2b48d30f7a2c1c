"""Vectors of texts, kept by model and text: what was encoded once is read from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ctxlab.encoders.matrix import Matrix, as_matrix
from ctxlab.encoders.memo import MemoEncoder
from ctxlab.errors import EncoderError
from ctxlab.store.connection import Database
from ctxlab.task import Encoder

if TYPE_CHECKING:
    from ctxlab.store import Store

# What is encoded is stored after so many texts, so that little is lost when a run is ended.
_BATCH = 2048


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
    >>> from ctxlab.encoders import NamedEncoder
    >>> from ctxlab.store import Store
    >>> lengths = NamedEncoder("lengths", lambda texts: [[float(len(text))] for text in texts])
    >>> with Store(":memory:") as store:
    ...     CachedEncoder(lengths, store)(["four"]).tolist(), store.counts()
    ([[4.0]], {'vectors': 1})
    """

    def __init__(self, encoder: Encoder, store: Store) -> None:
        super().__init__(encoder)
        self.store = store

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return one vector a text from the store, encoding and keeping what it does not hold.

        Examples
        --------
        >>> from ctxlab.encoders import NamedEncoder
        >>> from ctxlab.store import Store
        >>> ones = NamedEncoder("ones", lambda texts: [[1.0]] * len(texts))
        >>> CachedEncoder(ones, Store(":memory:")).vectors(["a", "a"]).tolist()
        [[1.0], [1.0]]
        """
        return kept_vectors(self.store.db, self.name, texts, self.encoder)

    def __reduce__(self) -> tuple[Callable[[Encoder], Encoder], tuple[Encoder]]:
        return _itself, (self.encoder,)


def _itself(encoder: Encoder) -> Encoder:
    return encoder


def kept_vectors(db: Database, model: str, texts: Sequence[str], encoder: Encoder) -> Matrix:
    """Return one vector a text; what is not kept under `model` is encoded once, and kept.

    Raises
    ------
    EncoderError
        When new vectors have another length than those that are kept.

    Examples
    --------
    >>> kept_vectors(Database(), "ones", ["a"], lambda texts: [[1.0]] * len(texts)).tolist()
    [[1.0]]
    """
    if not texts:
        return np.zeros((0, 0), np.float32)
    by_key = {_key(text): text for text in texts}
    rows = read_vectors(db, model, list(by_key))
    missing = [key for key in by_key if key not in rows]
    for start in range(0, len(missing), _BATCH):
        keys = missing[start : start + _BATCH]
        found = as_matrix(encoder([by_key[key] for key in keys]), len(keys))
        _check_width(db, model, found.shape[1])
        add_vectors(db, model, keys, found)
        rows.update(zip(keys, found, strict=True))
    return np.stack([rows[_key(text)] for text in texts])


def read_vectors(db: Database, model: str, keys: Sequence[str]) -> dict[str, Matrix]:
    """Return the vectors that are kept under `model` for some digests of texts.

    Examples
    --------
    >>> read_vectors(Database(), "ones", ["9f"])
    {}
    """
    found = db.frame(
        "SELECT text_hash, vector FROM vectors JOIN (SELECT unnest(?::VARCHAR[]) AS text_hash) "
        "USING (text_hash) WHERE model = ?",
        [list(keys), model],
    )
    if not found.height:
        return {}
    numbers = found["vector"].explode().to_numpy().astype(np.float32, copy=False)
    return dict(zip(found["text_hash"], numbers.reshape(found.height, -1), strict=True))


def add_vectors(db: Database, model: str, keys: Sequence[str], matrix: Matrix) -> None:
    """Keep one row of `matrix` for every digest of a text; what is kept already stays.

    Examples
    --------
    >>> with Database() as db:
    ...     add_vectors(db, "ones", ["9f"], np.ones((1, 1), np.float32))
    ...     read_vectors(db, "ones", ["9f"])["9f"].tolist()
    [1.0]
    """
    frame = pl.DataFrame({"text_hash": keys, "vector": matrix})
    with db.write() as connection:
        connection.register("_vectors", frame.to_arrow())
        connection.execute(
            "INSERT INTO vectors (model, text_hash, vector) "
            "SELECT ?, text_hash, vector FROM _vectors ON CONFLICT DO NOTHING",
            [model],
        )
        connection.unregister("_vectors")


def _check_width(db: Database, model: str, width: int) -> None:
    kept = db.rows("SELECT len(vector) FROM vectors WHERE model = ? LIMIT 1", [model])
    if kept and kept[0][0] != width:
        raise EncoderError(
            f"the encoder {model!r} gives {width} numbers a text, and {db.path} keeps vectors of "
            f"{kept[0][0]} under that name; give the encoder another name"
        )


def _key(text: str) -> str:
    # Lone surrogates have no UTF-8 of their own, and still tell texts apart.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
