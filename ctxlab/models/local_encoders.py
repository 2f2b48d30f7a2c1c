"""Models that run here: sentence-transformers and model2vec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from ctxlab.errors import EncoderError, MissingExtraError
from ctxlab.models.encoder_names import readable, weights_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SENTENCE_TRANSFORMERS = "sentence-transformers>=5,<7"


@dataclass(frozen=True)
class SentenceTransformerEncoder:
    """A model of sentence-transformers (Reimers & Gurevych, "Sentence-BERT", 2019).

    The package brings torch, gigabytes of it, and belongs to no extra; the error that says it
    is missing prints the line that installs it. The model is loaded once a process.

    Parameters
    ----------
    model : str
        A model's folder, or its name on the Hugging Face hub.
    batch_size : int
        Texts encoded together.

    Examples
    --------
    >>> SentenceTransformerEncoder("all-MiniLM-L6-v2").name
    'sentence-transformers:all-MiniLM-L6-v2'
    """

    model: str
    batch_size: int = 32

    @property
    def name(self) -> str:
        """What its vectors are kept under.

        Examples
        --------
        >>> SentenceTransformerEncoder("e5").name
        'sentence-transformers:e5'
        """
        return f"sentence-transformers:{weights_name(self.model)}"

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return one vector per text."""
        model = _sentence_transformer(self.model)
        return model.encode(readable(texts), batch_size=self.batch_size, show_progress_bar=False)


@dataclass(frozen=True)
class Model2VecEncoder:
    """A static model of model2vec (Tulkens & van Dongen, "Model2Vec", 2024): no network, fast.

    The model is loaded once a process.

    Parameters
    ----------
    model : str
        A model's folder, or its name on the Hugging Face hub.

    Examples
    --------
    >>> Model2VecEncoder("minishlab/potion-base-8M").name
    'model2vec:minishlab/potion-base-8M'
    """

    model: str

    @property
    def name(self) -> str:
        """What its vectors are kept under.

        Examples
        --------
        >>> Model2VecEncoder("potion").name
        'model2vec:potion'
        """
        return f"model2vec:{weights_name(self.model)}"

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return one vector per text."""
        return _static_model(self.model).encode(readable(texts))


class _Batched(Protocol):
    def encode(
        self, sentences: list[str], /, *, batch_size: int, show_progress_bar: bool
    ) -> ArrayLike: ...


class _Static(Protocol):
    def encode(self, sentences: list[str], /) -> ArrayLike: ...


@cache
def _sentence_transformer(model: str) -> _Batched:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise MissingExtraError(
            "an encoder of sentence-transformers", package=SENTENCE_TRANSFORMERS
        ) from error
    try:
        loaded: _Batched = SentenceTransformer(model)
    except (OSError, ValueError) as error:
        raise _not_loaded(model, error) from error
    return loaded


@cache
def _static_model(model: str) -> _Static:
    try:
        from model2vec import StaticModel
    except ImportError as error:
        raise MissingExtraError("an encoder of model2vec", "embed") from error
    try:
        loaded: _Static = StaticModel.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise _not_loaded(model, error) from error
    return loaded


def _not_loaded(model: str, error: Exception) -> EncoderError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return EncoderError(
        f"the model {model!r} cannot be loaded ({reason}); name a model's folder, or a model of "
        "the Hugging Face hub that is cached or can be reached"
    )
