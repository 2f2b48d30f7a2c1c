"""The adapters that there are, and which of them reads a chat."""

from __future__ import annotations

from importlib import import_module

from ctxlab.chats.adapter import Adapter
from ctxlab.errors import UnknownNameError

_PLACES = {
    "anthropic": "ctxlab.chats.anthropic:ANTHROPIC",
    "openai": "ctxlab.chats.openai:OPENAI",
}
"""Where each stands, in the order in which a chat is tried; the last is the most forgiving."""


def adapter_named(name: str) -> Adapter:
    """Return an adapter by its name.

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest.

    Examples
    --------
    >>> adapter_named("anthropic").user_first
    True
    """
    if name not in _PLACES:
        raise UnknownNameError("API", name, _PLACES)
    module, _, variable = _PLACES[name].partition(":")
    found: Adapter = getattr(import_module(module), variable)
    return found


def adapter_of(raw: object, name: str | None = None) -> Adapter:
    """Return the adapter named, or the one that recognises a chat; OpenAI's where none does.

    Examples
    --------
    >>> adapter_of([{"role": "user", "content": "Hi"}]).name
    'openai'
    """
    if name is not None:
        return adapter_named(name)
    found = (one for one in map(adapter_named, _PLACES) if one.recognises(raw))
    return next(found, None) or adapter_named("openai")


def adapter_names() -> tuple[str, ...]:
    """Return the names of all adapters.

    Examples
    --------
    >>> "openai" in adapter_names()
    True
    """
    return tuple(_PLACES)
