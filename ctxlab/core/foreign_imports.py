"""Whose code a text may bring in: nothing outside ctxlab, unless its user says so."""

from __future__ import annotations

import sys
from collections.abc import Container

from ctxlab.errors import SpecError


def refuse_import(
    place: str, kind: str, *, allow_import: bool, installed: Container[str] = ()
) -> None:
    """Refuse ``module:name`` where that would import a module from outside ctxlab.

    What is loaded needs no import, and a package that names its classes under an entry point was
    installed to be used.

    Parameters
    ----------
    place : str
        What is named.
    kind : str
        What it is to be, for the error.
    allow_import : bool
        Refuse nothing.
    installed : container of str
        The places that installed packages name.

    Raises
    ------
    SpecError
        With the module, and how to allow it.

    Examples
    --------
    >>> refuse_import("ctxlab.strategies.windows:KeepLast", "strategy", allow_import=False)
    >>> refuse_import("this:X", "strategy", allow_import=False)
    Traceback (most recent call last):
    ctxlab.errors.SpecError: strategy 'this:X' would import the module 'this', ... allow_import=True
    """
    module, _, path = place.partition(":")
    if allow_import or is_own(module) or place in installed or _is_loaded(module, path):
        return
    raise SpecError(
        f"{kind} {place!r} would import the module {module!r}, code outside ctxlab; look at it, "
        "then say --allow-import, in Python import the module yourself or pass allow_import=True"
    )


def is_own(module: str) -> bool:
    """Say whether a module is one of ctxlab's.

    Examples
    --------
    >>> is_own("ctxlab.core"), is_own("ctxlab_more")
    (True, False)
    """
    return module.partition(".")[0] == "ctxlab"


def _is_loaded(module: str, path: str) -> bool:
    found = sys.modules.get(module)
    # A module with a `__getattr__` may import others for a name that it does not hold yet.
    lazy = found is not None and "__getattr__" in vars(found)
    return found is not None and (not lazy or path.partition(".")[0] in vars(found))
