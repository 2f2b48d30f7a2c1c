"""Vectors of texts, kept by model and by digest of the text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ctxlab.store.connection import Database


def read_vectors(db: Database, model: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
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


def add_vectors(db: Database, model: str, keys: Sequence[str], matrix: NDArray[np.float32]) -> None:
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


def vector_width(db: Database, model: str) -> int | None:
    """Return how many numbers the vectors of `model` have; None where none is kept.

    Examples
    --------
    >>> vector_width(Database(), "ones") is None
    True
    """
    kept = db.rows("SELECT len(vector) FROM vectors WHERE model = ? LIMIT 1", [model])
    return int(kept[0][0]) if kept else None
