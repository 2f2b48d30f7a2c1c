"""Models exported to ONNX, with nothing but onnxruntime and tokenizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ctxlab.errors import EncoderError, MissingExtraError
from ctxlab.models.encoder_names import digest, readable
from ctxlab.models.matrices import Matrix, unit_rows

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class OnnxEncoder:
    """A transformer in an ONNX file with its ``tokenizer.json``, mean-pooled, at unit length.

    Pooling is the mean over the tokens that the attention mask lets through (Reimers &
    Gurevych, "Sentence-BERT", 2019). A model whose output is one vector per text is not pooled.
    Texts of like length are encoded together, so that little is padded. The model is loaded
    once a process.

    Parameters
    ----------
    folder : str
        Holds one ``.onnx`` file, or several of which one is ``model.onnx``, and
        ``tokenizer.json``; the layout of the Hugging Face hub, with a folder ``onnx``, will do.
    max_tokens : int
        Longer texts are cut.
    batch_size : int
        Texts encoded together.

    Examples
    --------
    >>> OnnxEncoder("nowhere")(["a text"])
    Traceback (most recent call last):
    ctxlab.errors.EncoderError: there is no tokenizer.json in 'nowhere'; name a folder with ...
    """

    folder: str
    max_tokens: int = 256
    batch_size: int = 32

    @property
    def name(self) -> str:
        """What its vectors are kept under: the folder's name, a digest of its files, the cut.

        Examples
        --------
        >>> OnnxEncoder("nowhere").name
        Traceback (most recent call last):
        ctxlab.errors.EncoderError: there is no tokenizer.json in 'nowhere'; ...
        """
        tokenizer, model = _files(self.folder)
        weights = sorted(model.parent.glob(f"{model.name}*"))
        folder = Path(self.folder).resolve().name
        return f"onnx:{folder}@{digest((tokenizer, *weights))}/{self.max_tokens}"

    def __call__(self, texts: Sequence[str], /) -> Matrix:
        """Return one vector of unit length per text."""
        model = _loaded(self.folder, self.max_tokens)
        tokens = model.tokens(readable(texts))
        by_length = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        vectors: list[Matrix] = []
        for start in range(0, len(by_length), self.batch_size):
            batch = by_length[start : start + self.batch_size]
            vectors.append(model.vectors([tokens[i] for i in batch]))
        if not vectors:
            return np.zeros((0, 0), np.float32)
        return np.concatenate(vectors)[np.argsort(by_length)]


class _Encoding(Protocol):
    ids: list[int]


class _Tokenizer(Protocol):
    def encode_batch(self, texts: list[str], /) -> list[_Encoding]: ...


class _Session(Protocol):
    def run(self, outputs: None, inputs: Mapping[str, Ids], /) -> Sequence[NDArray[np.float32]]: ...


@dataclass(frozen=True)
class _Model:
    tokenizer: _Tokenizer
    session: _Session
    inputs: frozenset[str]

    def tokens(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    def vectors(self, batch: Sequence[Sequence[int]]) -> Matrix:
        ids = np.zeros((len(batch), max(1, *map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        found = self.session.run(None, {k: v for k, v in given.items() if k in self.inputs})[0]
        if found.ndim == 3:
            weights = mask[:, :, None].astype(np.float32)
            found = (found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        return unit_rows(found.astype(np.float32))


@cache
def _loaded(folder: str, max_tokens: int) -> _Model:
    tokenizer_file, model_file = _files(folder)
    try:
        from onnxruntime import InferenceSession
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError("an encoder of an ONNX file", "embed") from error
    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        session = InferenceSession(str(model_file), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime and tokenizers raise classes of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(f"the model in {folder!r} cannot be loaded: {reason}") from error
    # Packaged tokenizers may pad all texts to one length, which costs several times the work.
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return _Model(tokenizer, session, frozenset(one.name for one in session.get_inputs()))


def _files(folder: str) -> tuple[Path, Path]:
    """Return the tokenizer's file and the model's."""
    home = Path(folder)
    tokenizer = home / "tokenizer.json"
    if not tokenizer.is_file():
        raise EncoderError(
            f"there is no tokenizer.json in {folder!r}; name a folder with it and an ONNX file"
        )
    models = sorted([*home.glob("*.onnx"), *home.glob("onnx/*.onnx")])
    named = [model for model in models if model.name == "model.onnx"] or models
    if len(named) != 1:
        found = ", ".join(model.name for model in models) or "none"
        raise EncoderError(
            f"{folder!r} holds no model.onnx and not exactly one other ONNX file (found: {found}); "
            "leave one there"
        )
    return tokenizer, named[0]
