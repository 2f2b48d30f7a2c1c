"""Counts that no shipped vocabulary gives: estimates by a factor, and `tokenizers`' own files.

A name with a tilde asks for an estimate: ``~claude``, or ``~`` and a model's name. Since Claude 3
there is no public tokenizer. Reported measurements of October 2026 (small samples: an English
page, CSV, Python, JavaScript, Rust, Java) put the vocabulary of Claude 3 to 4.6 at 1.09 to 1.27
times o200k_base, and that of 4.7 and later at 1.45 to 1.59 times. Scripts other than Latin were
not measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any

from ctxlab.errors import EncodingUnavailableError, MissingExtraError

HF = "hf:"
"""What the name of a tokenizer of `tokenizers`' begins with."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How the tokens of a vocabulary that is not public are estimated.

    Parameters
    ----------
    encoding : str
        The encoding that is counted.
    factor : float
        By which its count is multiplied, and rounded up.
    error : float
        The share by which single texts were seen to differ.

    Examples
    --------
    >>> str(ESTIMATES["~claude"])
    'an estimate: o200k_base × 1.5, ±15 %'
    """

    encoding: str
    factor: float
    error: float

    def of(self, tokens: int) -> int:
        """Return the estimate for a text of so many tokens of the encoding.

        Examples
        --------
        >>> ESTIMATES["~claude"].of(3)
        5
        """
        return ceil(tokens * self.factor)

    def __str__(self) -> str:
        return f"an estimate: {self.encoding} × {self.factor:g}, ±{self.error:.0%}".replace(
            "%", " %"
        )


ESTIMATES = {
    "~claude": Estimate("o200k_base", 1.5, 0.15),
    "~claude-3": Estimate("o200k_base", 1.2, 0.15),
}
"""By name: Claude's vocabulary since 4.7, and that of 3 to 4.6."""

_OLD = re.compile(r"claude-(?:[23]|instant|(?:opus|sonnet|haiku)-4(?:$|-(?:[0-6]$|[0-6]\D|\d{8})))")
_OPEN = re.compile(r"llama|qwen|deepseek|mi[sx]tral|gemma|phi-|kimi|glm-")
_CLOSED = re.compile(r"gemini|grok|command-|nova-")


def estimate_named(name: str) -> str:
    """Return the name in `ESTIMATES` of an estimate by a model's name, ``~`` before it.

    Raises
    ------
    EncodingUnavailableError
        When no factor is known for such models.

    Examples
    --------
    >>> estimate_named("~claude-opus-4-8"), estimate_named("~claude-sonnet-4.5")
    ('~claude', '~claude-3')
    """
    model = _plain_name(name.removeprefix("~"))
    if "claude" in model:
        return "~claude-3" if _OLD.search(model) else "~claude"
    raise EncodingUnavailableError(
        f"no estimate is known for {name!r}, but {', '.join(ESTIMATES)}; the nearest encoding is "
        "o200k_base, and Tools(count=…) counts by any callable"
    )


def refuse(name: str) -> None:
    """Refuse a model whose tokenizer is neither shipped nor tiktoken's, and say what to do.

    Raises
    ------
    EncodingUnavailableError
        When it is such a model; any other name passes.

    Examples
    --------
    >>> refuse("claude-opus-4-8")
    Traceback (most recent call last):
    ctxlab.errors.EncodingUnavailableError: the tokenizer of 'claude-opus-4-8' is not public; ...
    >>> refuse("o200k_base")
    """
    model = _plain_name(name)
    if "claude" in model:
        near = estimate_named(name)
        remedy = f"the nearest is {near!r}, {ESTIMATES[near]}"
        raise EncodingUnavailableError(f"the tokenizer of {name!r} is not public; {remedy}")
    if _OPEN.search(model):
        raise EncodingUnavailableError(
            f"tiktoken does not count for {name!r}; 'hf:NAME' or 'hf:PATH' counts with its own "
            "tokenizer.json, and the nearest encoding is 'o200k_base'"
        )
    if _CLOSED.search(model):
        raise EncodingUnavailableError(
            f"the tokenizer of {name!r} is not public; the nearest encoding is 'o200k_base', by "
            "how much it differs is not known"
        )


def tokenizer(name: str) -> Callable[[Sequence[str]], list[int]]:
    """Return what counts with a tokenizer of `tokenizers`': ``hf:`` and a path or a hub's name.

    Parameters
    ----------
    name : str
        ``hf:PATH`` of a ``tokenizer.json`` or its folder; ``hf:NAME`` downloads it once.

    Raises
    ------
    MissingExtraError
        When `tokenizers` is not installed.
    EncodingUnavailableError
        When it cannot be read, or cannot be had.

    Examples
    --------
    >>> len(tokenizer("hf:Qwen/Qwen3-8B")(["two stalls", ""]))  # doctest: +SKIP
    2
    """
    if find_spec("tokenizers") is None:
        raise MissingExtraError(f"counting with {name}", "embed")
    from tokenizers import Tokenizer

    place = name.removeprefix(HF)
    path = Path(place).expanduser()
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        made: Any = Tokenizer.from_file(str(file)) if file.is_file() else None
        found = made or Tokenizer.from_pretrained(place)
    except Exception as error:
        raise EncodingUnavailableError(
            f"the tokenizer {name!r} could not be loaded ({type(error).__name__}: {error}); "
            "pass hf: and the path of a tokenizer.json or its folder, or a name on the hub"
        ) from error
    found.no_truncation()
    found.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        encoded = found.encode_batch(list(texts), add_special_tokens=False)
        return [len(one.ids) for one in encoded]

    return count


def _plain_name(model: str) -> str:
    return model.rpartition("/")[2].lower().replace(".", "-")
