"""An encoder that remembers: no text is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ctxlab.core.tools import Encoder
from ctxlab.models.encoder_names import encoder_name
from ctxlab.models.matrices import Matrix, as_matrix


class MemoEncoder:
    """An encoder with the vectors of some texts at hand; others it asks for once.

    Parameters
    ----------
    encoder : Encoder
        Encodes what is not known yet. It needs a name.
    texts, matrix : sequence of str, ndarray of shape (texts, width)
        What is known from the start.

    Raises
    ------
    EncoderError
        When the encoder has no name.

    Examples
    --------
    >>> from ctxlab.models import NamedEncoder
    >>> memo = MemoEncoder(NamedEncoder("lengths", lambda texts: [[len(text)] for text in texts]))
    >>> memo(["four", "two", "four"]).tolist()
    [[4.0], [3.0], [4.0]]
    """

    def __init__(
        self, encoder: Encoder, texts: Sequence[str] = (), matrix: Matrix | None = None
    ) -> None:
        self.encoder, self.name = encoder, encoder_name(encoder)
        self._rows = {} if matrix is None else dict(zip(texts, matrix, strict=True))

    def __call__(self, texts: Sequence[str], /) -> Matrix:
        """Return one vector per text, encoding only what is new."""
        rows = self._rows
        new = list(dict.fromkeys(text for text in texts if text not in rows))
        if new:
            width = len(next(iter(rows.values()))) if rows else None
            rows.update(zip(new, as_matrix(self.vectors(new), len(new), width), strict=True))
        return np.stack([rows[text] for text in texts]) if texts else np.zeros((0, 0), np.float32)

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return one vector per text, without a look at what is remembered.

        Examples
        --------
        >>> from ctxlab.models import NamedEncoder
        >>> MemoEncoder(NamedEncoder("ones", lambda texts: [[1.0]] * len(texts))).vectors(["a"])
        array([[1.]], dtype=float32)
        """
        return as_matrix(self.encoder(texts), len(texts))
