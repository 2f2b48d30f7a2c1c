"""What to say of a record that is in no format: its keys, the nearest format, how to convert."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxlab.datasets.formats import FORMATS
from ctxlab.errors import DataError

_DEPTH = 3
_YAML = re.compile(r"^[ -]*([A-Za-z_]+): ", re.MULTILINE)
_FROM_YAML = (
    "python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'"
    " < FILE > FILE.json"
)
_WRITE = '{"messages": [{"role": "user", "content": "…"}]}'


class UnknownFormatError(DataError):
    """A record that is in no format that is recognised.

    Examples
    --------
    >>> issubclass(UnknownFormatError, DataError)
    True
    """


def unknown(raw: object) -> UnknownFormatError:
    """Return the error of a record that no format recognises.

    Examples
    --------
    >>> print(unknown({"msgs": [{"role": "user", "txt": "Hi"}], "who": "Ada"}))
    is in no format that is recognised (keys msgs, role, txt, who); the nearest is ...
    """
    seen = list(dict.fromkeys(_keys(raw)))
    shown = f"keys {', '.join(sorted(seen)[:12])}" if seen else f"a {_kind(raw)} without keys"
    name = _nearest(set(seen))
    nearest = (
        f"the nearest is {name!r} ({FORMATS[name].description}), whose keys are "
        f"{', '.join(sorted(set(_keys(FORMATS[name].example)))[:8])}"
        if name
        else "none is near"
    )
    return UnknownFormatError(
        f"is in no format that is recognised ({shown}); {nearest}; {_remedy(raw)}, or name its "
        "format with --format NAME (`ctxlab formats` lists them with examples), or a reader of "
        "your own with --format module:reader"
    )


def _remedy(raw: object) -> str:
    if isinstance(raw, str) and _YAML.search(raw):
        return f"it looks like YAML: convert it with {_FROM_YAML}"
    return f"write a line {_WRITE} for each conversation"


def _kind(raw: object) -> str:
    kinds = {str: "text", list: "list", type(None): "null", bool: "boolean"}
    return kinds.get(type(raw), "number")


def _keys(raw: object, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the keys of a value and of the first that it holds, as far down as tells it."""
    if depth and isinstance(raw, dict):
        for key, value in list(raw.items())[:20]:
            yield str(key)
            yield from _keys(value, depth - 1)
    elif isinstance(raw, str):
        yield from _YAML.findall(raw[:2_000]) if depth == _DEPTH else ()
    elif isinstance(raw, list):
        for value in raw[:2]:
            yield from _keys(value, depth)


def _nearest(seen: set[str]) -> str | None:
    """Return the format whose example has most keys in common with what was seen."""
    known = {name: set(_keys(one.example, 2)) for name, one in FORMATS.items()}
    # A key that few formats have says more than one, such as role, that most have.
    weight = {key: 1 / sum(key in theirs for theirs in known.values())
              for theirs in known.values() for key in theirs}  # fmt: skip
    shares: dict[str, float] = {}
    for name, theirs in known.items():
        common = sum(weight[key] for key in theirs & seen)
        shares[name] = common / sum(weight[key] for key in theirs) if theirs else 0.0
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best and shares[best] else None
