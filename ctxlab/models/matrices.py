"""What an encoder gives, checked: one row of finite numbers per text."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctxlab.errors import EncoderError

Matrix = NDArray[np.float32]
"""One row per text."""


def as_matrix(found: ArrayLike, rows: int, width: int | None = None) -> Matrix:
    """Return what an encoder gave as a matrix of shape (rows, width).

    Parameters
    ----------
    found : array_like
        What the encoder gave.
    rows : int
        Number of texts it was given.
    width : int, optional
        Numbers per text that the same encoder gave before.

    Raises
    ------
    EncoderError
        When the shape is another, or a number is not finite.

    Examples
    --------
    >>> as_matrix([[1.0, 0.0]], rows=1).shape
    (1, 2)
    >>> as_matrix([1.0, 0.0], rows=1)
    Traceback (most recent call last):
    ctxlab.errors.EncoderError: the encoder gave shape (2,) for 1 text; expected one row of ...
    """
    texts = f"{rows} text" + ("" if rows == 1 else "s")
    try:
        matrix = np.asarray(found, np.float32)
    except (TypeError, ValueError) as error:
        raise EncoderError(f"the encoder gave no matrix for {texts}: {error}") from error
    if matrix.ndim != 2 or len(matrix) != rows or (rows and not matrix.shape[1]):
        raise EncoderError(
            f"the encoder gave shape {matrix.shape} for {texts}; "
            "expected one row of numbers per text"
        )
    if width is not None and rows and matrix.shape[1] != width:
        raise EncoderError(
            f"the encoder gives {matrix.shape[1]} numbers per text and gave {width} before; "
            "vectors of two models do not mix: give each encoder a name of its own"
        )
    if not np.isfinite(matrix).all():
        row = int(np.argmin(np.isfinite(matrix).all(axis=1)))
        raise EncoderError(f"the encoder gave a number that is not finite for text {row} of {rows}")
    return matrix


def unit_rows(matrix: Matrix) -> Matrix:
    """Return the rows at unit length, so that products are cosines; rows of zeros stay.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    units: Matrix = np.divide(matrix, norms, where=norms > 0, out=np.zeros_like(matrix))
    return units
