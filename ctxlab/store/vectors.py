"""Vectors of texts, kept by model and by digest of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.store.connection import Database


@dataclass(frozen=True)
class Vectors:
    """The vectors of a store.

    Parameters
    ----------
    db : Database
        The store's database.

    Examples
    --------
    >>> vectors = Vectors(Database())
    >>> vectors.add("ones", ["9f"], np.ones((1, 2), np.float32))
    >>> vectors.width("ones"), vectors.read("ones", ["9f", "a0"])
    (2, {'9f': array([1., 1.], dtype=float32)})
    """

    db: Database

    def read(self, model: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors that are kept under `model` for some digests of texts.

        Examples
        --------
        >>> Vectors(Database()).read("ones", ["9f"])
        {}
        """
        found = self.db.frame(
            "SELECT text_hash, vector FROM vectors "
            "JOIN (SELECT unnest(?::VARCHAR[]) AS text_hash) USING (text_hash) WHERE model = ?",
            [list(keys), model],
        )
        if not found.height:
            return {}
        numbers = found["vector"].explode().to_numpy().astype(np.float32, copy=False)
        return dict(zip(found["text_hash"], numbers.reshape(found.height, -1), strict=True))

    def add(self, model: str, keys: Sequence[str], matrix: NDArray[np.float32]) -> None:
        """Keep one row of `matrix` for every digest of a text; what is kept already stays.

        Parameters
        ----------
        model : str
            The name that they are kept under.
        keys : sequence of str
            Digests of the texts.
        matrix : array of shape (texts, width)
            Their vectors.

        Examples
        --------
        >>> vectors = Vectors(Database())
        >>> vectors.add("ones", ["9f"], np.ones((1, 1), np.float32))
        >>> vectors.read("ones", ["9f"])["9f"].tolist()
        [1.0]
        """
        frame = pl.DataFrame({"text_hash": keys, "vector": matrix})
        with self.db.write() as connection:
            connection.register("_vectors", frame.to_arrow())
            connection.execute(
                "INSERT INTO vectors (model, text_hash, vector) "
                "SELECT ?, text_hash, vector FROM _vectors ON CONFLICT DO NOTHING",
                [model],
            )
            connection.unregister("_vectors")

    def width(self, model: str) -> int | None:
        """Return how many numbers the vectors of `model` have; None where none is kept.

        Examples
        --------
        >>> Vectors(Database()).width("ones") is None
        True
        """
        kept = self.db.rows("SELECT len(vector) FROM vectors WHERE model = ? LIMIT 1", [model])
        return int(kept[0][0]) if kept else None
