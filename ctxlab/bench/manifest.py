"""The manifest: under which conditions an experiment ran, so that it can be run again."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ctxlab.core.result_keys import versions
from ctxlab.redaction import redacted


@cache
def conditions() -> Mapping[str, Any]:
    """Return versions and machine, read once a process.

    Examples
    --------
    >>> sorted(conditions())
    ['ctxlab', 'libraries', 'machine', 'python']
    """
    found = dict(versions())
    return {
        "ctxlab": found.pop("ctxlab"),
        "python": found.pop("python"),
        "machine": f"{found.pop('platform')}, {os.cpu_count()} cores",
        "libraries": found,
    }


def manifest(
    trials: Iterable[str], cases: Iterable[str], metrics: Iterable[str], **asked: object
) -> dict[str, Any]:
    """Return the manifest of an experiment.

    Parameters
    ----------
    trials, cases, metrics : iterable of str
        Keys; their digests do not depend on the order.
    **asked
        What was asked for: encoding, encoder, seeds.

    Examples
    --------
    >>> one, other = (manifest(order, [], [])["trials"] for order in (["a", "b"], ["b", "a"]))
    >>> one == other
    True
    """
    return {
        **conditions(),
        **asked,
        "command": shlex.join(map(redacted, [Path(sys.argv[0]).name, *sys.argv[1:]])),
        "trials": digest(trials),
        "cases": digest(cases),
        "metrics": digest(metrics),
    }


def digest(keys: Iterable[str]) -> str:
    """Return one digest of keys, whatever their order.

    Examples
    --------
    >>> digest(["a", "b"]) == digest(["b", "a"])
    True
    """
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()
