"""tiktoken's vocabularies as package data, so that counting works without a network.

Only the merge ranks are shipped; patterns and special tokens come from tiktoken itself.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from ctxlab.errors import DatasetError, EncodingUnavailableError, UnknownNameError

if TYPE_CHECKING:
    from tiktoken import Encoding

SHIPPED = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
"""SHA-256 of the rank file of every encoding shipped, as tiktoken expects it."""

_RANKS_OF = {
    "o200k_harmony": "o200k_base",
    "o200k_base": "o200k_base",
    "cl100k_base": "cl100k_base",
}
_encodings: dict[str, Encoding] = {}
_lock = Lock()


def blob_path(name: str) -> Path:
    """Return where the packed vocabulary of the encoding `name` stands.

    Examples
    --------
    >>> blob_path("o200k_base").name
    'o200k_base.bin.gz'
    """
    return Path(__file__).with_name(f"{name}.bin.gz")


def unpack(blob: bytes) -> list[bytes]:
    """Return the tokens of a packed vocabulary, by rank.

    Examples
    --------
    >>> unpack(blob_path("cl100k_base").read_bytes())[1000]
    b'indow'
    """
    raw = gzip.decompress(blob)
    count = int.from_bytes(raw[:4], "big")
    tokens, at = [], 4 + count
    for length in raw[4 : 4 + count]:
        tokens.append(raw[at : at + length])
        at += length
    return tokens


def rank_file(name: str) -> bytes:
    r"""Rebuild tiktoken's own rank file of a shipped encoding, byte for byte.

    Examples
    --------
    >>> rank_file("cl100k_base")[:14]
    b'IQ== 0\nIg== 1\n'
    """
    tokens = unpack(blob_path(_RANKS_OF[name]).read_bytes())
    return b"".join(b"%s %d\n" % (base64.b64encode(t), rank) for rank, t in enumerate(tokens))


def check_ranks(name: str, content: bytes) -> None:
    """Refuse a rank file whose bytes are not those that tiktoken expects.

    Raises
    ------
    DatasetError
        When the SHA-256 differs.

    Examples
    --------
    >>> check_ranks("cl100k_base", b"")
    Traceback (most recent call last):
    ctxlab.errors.DatasetError: ...
    """
    found = hashlib.sha256(content).hexdigest()
    if found != SHIPPED[name]:
        raise DatasetError(f"{name}: SHA-256 {found}, expected {SHIPPED[name]}; fetch it again")


def load(name: str) -> Encoding:
    """Return tiktoken's encoding `name`: shipped ones offline, others tiktoken's usual way.

    Raises
    ------
    UnknownNameError
        When tiktoken knows no encoding of that name.
    EncodingUnavailableError
        When its vocabulary is neither shipped, nor cached, nor reachable.

    Examples
    --------
    >>> load("o200k_base").encode_ordinary("Hello world")
    [13225, 2375]
    """
    with _lock:
        if name not in _encodings:
            _encodings[name] = _shipped(name) if name in _RANKS_OF else _elsewhere(name)
        return _encodings[name]


def _shipped(name: str) -> Encoding:
    from tiktoken import Encoding
    from tiktoken_ext import openai_public

    tokens = unpack(blob_path(_RANKS_OF[name]).read_bytes())
    ranks = {token: rank for rank, token in enumerate(tokens)}
    constructor = openai_public.ENCODING_CONSTRUCTORS[name]
    with patch.object(openai_public, "load_tiktoken_bpe", lambda *_, **__: ranks):
        arguments: dict[str, Any] = constructor()
    return Encoding(**arguments)


def _elsewhere(name: str) -> Encoding:
    import tiktoken

    known = tiktoken.list_encoding_names()
    if name not in known:
        raise UnknownNameError("encoding", name, known)
    try:
        return tiktoken.get_encoding(name)
    except Exception as error:
        raise EncodingUnavailableError(
            f"the vocabulary of {name!r} could not be loaded ({type(error).__name__}); "
            f"use one that is shipped ({', '.join(_RANKS_OF)}), go online once so that tiktoken "
            "caches it, or set TIKTOKEN_CACHE_DIR to a folder that holds it"
        ) from error
