"""Encoders: from texts to a matrix, by a model that runs here or behind an endpoint."""

from __future__ import annotations

from collections.abc import Callable

from ctxlab.core.tools import Encoder
from ctxlab.errors import EncoderError, UnknownNameError
from ctxlab.models.encoder_names import NamedEncoder, encoder_name
from ctxlab.models.endpoint_encoder import OpenAIEncoder
from ctxlab.models.local_encoders import Model2VecEncoder, SentenceTransformerEncoder
from ctxlab.models.matrices import Matrix, as_matrix, unit_rows
from ctxlab.models.memo_encoder import MemoEncoder
from ctxlab.models.onnx_encoder import OnnxEncoder

__all__ = [
    "Matrix",
    "MemoEncoder",
    "Model2VecEncoder",
    "NamedEncoder",
    "OnnxEncoder",
    "OpenAIEncoder",
    "SentenceTransformerEncoder",
    "as_matrix",
    "encoder_name",
    "load_encoder",
    "unit_rows",
]

_KINDS: dict[str, Callable[[str], Encoder]] = {
    "sentence-transformers": SentenceTransformerEncoder,
    "model2vec": Model2VecEncoder,
    "onnx": OnnxEncoder,
    "openai": OpenAIEncoder,
}


def load_encoder(text: str | Encoder) -> Encoder:
    """Return the encoder that a text such as ``"onnx:models/minilm"`` names.

    The text is a kind and a model: ``sentence-transformers:NAME``, ``model2vec:NAME``,
    ``onnx:FOLDER`` or ``openai:MODEL``; for OpenAI's protocol at another address,
    ``openai:MODEL@https://host/v1``. What is an encoder already is returned as it is.

    Raises
    ------
    UnknownNameError
        When there is no such kind.
    EncoderError
        When no model is named.

    Examples
    --------
    >>> load_encoder("model2vec:minishlab/potion-base-8M")
    Model2VecEncoder(model='minishlab/potion-base-8M')
    >>> load_encoder("openai:e5@http://localhost:8080/v1").name
    'openai:e5 at http://localhost:8080/v1'
    """
    if not isinstance(text, str):
        return text
    kind, _, model = text.partition(":")
    if kind not in _KINDS:
        raise UnknownNameError("encoder", kind, _KINDS)
    if not model:
        raise EncoderError(f"encoder {text!r} names no model; write it as {kind}:MODEL")
    named, at, address = model.partition("@http")
    if kind == "openai" and at:
        return OpenAIEncoder(named, base_url=f"http{address}")
    return _KINDS[kind](model)
