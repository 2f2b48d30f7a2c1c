"""Names of encoders: what tells the vectors of one model from those of another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ctxlab.errors import EncoderError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ctxlab.core.tools import Encoder


@dataclass(frozen=True)
class NamedEncoder:
    """Any callable from texts to a matrix, with the name that its vectors are kept under.

    Parameters
    ----------
    name : str
        Of the model, with whatever else changes its vectors.
    encode : Encoder
        The callable.

    Examples
    --------
    >>> NamedEncoder("lengths", lambda texts: [[float(len(text))] for text in texts])(["four"])
    [[4.0]]
    """

    name: str
    encode: Encoder

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return what the callable gives."""
        return self.encode(texts)


def encoder_name(encoder: Encoder) -> str:
    """Return the name of an encoder.

    Raises
    ------
    EncoderError
        When it has none: its vectors could not be told from those of another model.

    Examples
    --------
    >>> encoder_name(NamedEncoder("lengths", lambda texts: [[float(len(text))] for text in texts]))
    'lengths'
    """
    name = getattr(encoder, "name", None)
    if isinstance(name, str) and name:
        return name
    raise EncoderError(
        f"the encoder {getattr(encoder, '__qualname__', type(encoder).__qualname__)} has no name "
        "to keep its vectors under; wrap it: NamedEncoder('my-model', encode)"
    )


def weights_name(model: str) -> str:
    """Return the name of a model: that of the hub, or a folder's with a digest of its files.

    A folder is not named by its path, which says nothing about the weights in it.

    Examples
    --------
    >>> weights_name("all-MiniLM-L6-v2")
    'all-MiniLM-L6-v2'
    """
    folder = Path(model)
    if not folder.is_dir():
        return model
    return f"{folder.resolve().name}@{digest(tuple(sorted(folder.rglob('*'))))}"


@cache
def digest(files: Iterable[Path]) -> str:
    """Return twelve digits that tell the contents of some files from others'.

    Examples
    --------
    >>> digest(())
    'e3b0c44298fc'
    """
    whole = hashlib.sha256()
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:12]


def readable(texts: Sequence[str]) -> list[str]:
    r"""Return texts that every tokenizer takes: lone surrogates become replacement characters.

    Examples
    --------
    >>> readable(["a\ud800"])
    ['a?']
    """
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
