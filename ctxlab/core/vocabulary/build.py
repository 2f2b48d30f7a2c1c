"""Build the packed vocabularies from tiktoken's own rank files.

Run ``python -m ctxlab.core.vocabulary.build DIRECTORY`` on a machine that has the files
``o200k_base.tiktoken`` and ``cl100k_base.tiktoken`` (plain or ``.gz``) in DIRECTORY.
Each is refused unless its SHA-256 is the one that tiktoken itself expects.
"""

from __future__ import annotations

import base64
import gzip
import sys
from pathlib import Path

from ctxlab.core.vocabulary import SHIPPED, blob_path, check_ranks
from ctxlab.errors import DatasetError


def pack(rank_file: bytes) -> bytes:
    r"""Pack a rank file: one length byte a token, then all tokens, gzipped.

    The ranks of both files are dense and sorted, so that a token's position is its rank.

    Parameters
    ----------
    rank_file : bytes
        Lines of a base64 token, a space and its rank.

    Returns
    -------
    bytes
        The gzipped blob, the same for the same input.

    Examples
    --------
    >>> from ctxlab.core.vocabulary import unpack
    >>> unpack(pack(b"YQ== 0\nYmM= 1\n"))
    [b'a', b'bc']
    """
    tokens = []
    for position, line in enumerate(rank_file.splitlines()):
        token, rank = line.split()
        if int(rank) != position:
            raise DatasetError(f"rank {int(rank)} stands at line {position}; expected dense ranks")
        tokens.append(base64.b64decode(token))
    lengths = bytes(len(token) for token in tokens)
    return gzip.compress(
        len(tokens).to_bytes(4, "big") + lengths + b"".join(tokens), compresslevel=9, mtime=0
    )


def main(directory: str) -> None:
    """Read the rank files in `directory`, check them, and write the blobs.

    Examples
    --------
    >>> main("/nowhere")
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    for name in SHIPPED:
        plain = Path(directory) / f"{name}.tiktoken"
        content = (
            plain.read_bytes()
            if plain.exists()
            else gzip.decompress(plain.with_name(plain.name + ".gz").read_bytes())
        )
        check_ranks(name, content)
        blob_path(name).write_bytes(pack(content))


if __name__ == "__main__":
    main(sys.argv[1])
