"""Importing a peer's package at the moment it is needed, or saying how to install it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ctxlab.errors import MissingExtraError


def load(module: str, feature: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        What is imported.
    feature : str
        What needs it, for the error.
    extra : str
        The extra of ctxlab that brings it.

    Raises
    ------
    MissingExtraError
        When the package is absent, with the line that installs it.

    Examples
    --------
    >>> load("no_such_package.messages", "trimming for LangChain", "langchain")
    Traceback (most recent call last):
    ctxlab.errors.MissingExtraError: trimming for LangChain needs an optional package:
    pip install "ctxlab[langchain]"
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(feature, extra) from error
