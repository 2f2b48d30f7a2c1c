"""What a grid's trials and metrics are known by in the store, taken once for each grid."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from ctxlab.core.digests import CodeDigest, code_digest
from ctxlab.core.named import NamedValue


def code_digests(values: Iterable[NamedValue]) -> dict[NamedValue, CodeDigest]:
    """Return the digest of the code of strategies or metrics; warn of what has no certain one.

    What cannot be digested is computed anew in every process and never answered from the store
    of another.

    Examples
    --------
    >>> from ctxlab.strategies.windows import KeepLast
    >>> code_digests([KeepLast()])[KeepLast()].certain
    True
    """
    found = {value: code_digest(value) for value in values}
    for value, digest in found.items():
        if not digest.certain:
            warnings.warn(
                f"{value} is computed anew each time and never answered from the store: "
                f"{digest.reason}; define what it uses in a module to have it kept",
                stacklevel=3,
            )
    return found
