"""JSON that every reader takes: no NaN, no half of a surrogate pair, nothing that is not JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ctxlab.errors import NotJSONError
from ctxlab.text.json_numbers import ExactFloat, dumps

_DEPTH = 200
"""Levels of nesting that are looked into for faults."""


def json_text(value: object, what: str) -> str:
    r"""Return compact JSON, in which each character stands for itself.

    Parameters
    ----------
    value : object
        A tree of mappings with text keys, sequences, texts, numbers, booleans and None.
    what : str
        What it is, for the error.

    Returns
    -------
    str
        Text that has UTF-8, as RFC 8259 demands.

    Raises
    ------
    NotJSONError
        With the JSON path of everything that JSON cannot hold.

    Examples
    --------
    >>> json_text({"name": "Mira", "tags": ["🎉"]}, "artifact")
    '{"name":"Mira","tags":["🎉"]}'
    >>> json_text({"mood": "\ud83d", "age": [float("nan")]}, "artifact")
    Traceback (most recent call last):
    ctxlab.errors.NotJSONError: artifact is not JSON in 2 places: $.mood: has half of a surrogate
    pair, '\ud83d', at character 0; ...; $.age[0]: nan is no JSON number; use null or a text
    """
    try:
        text = dumps(value)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        faults = list(_faults(value, "$", 0)) or [("$", str(error))]
        raise NotJSONError(what, faults) from error
    return text


def _faults(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the path and the problem of everything that JSON cannot hold."""
    if depth > _DEPTH:
        yield f"{path[:40]}…", f"is nested deeper than {_DEPTH} levels, or holds itself"
    elif isinstance(value, str):
        yield from _halves(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value) and not isinstance(value, ExactFloat):
            yield path, f"{value} is no JSON number; use null or a text"
    elif isinstance(value, Mapping):
        if not isinstance(value, dict):
            yield path, f"is a {type(value).__name__}; use a dict"
        for key, item in value.items():
            place = f"{path}.{ascii(key)[1:-1] if isinstance(key, str) else key}"
            if isinstance(key, str):
                yield from _halves(key, f"{place} (the key)")
            elif not isinstance(key, int | float | bool | None):
                yield place, f"has a key of type {type(key).__name__}; use a text"
            yield from _faults(item, place, depth + 1)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _faults(item, f"{path}[{position}]", depth + 1)
    elif not isinstance(value, int | None):
        yield path, f"is a {type(value).__name__}; JSON has texts, numbers, lists and objects"


def _halves(text: str, path: str) -> Iterator[tuple[str, str]]:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        yield (
            path,
            f"has half of a surrogate pair, {text[error.start]!r}, at character {error.start}; "
            "put the whole character, or leave it out",
        )
