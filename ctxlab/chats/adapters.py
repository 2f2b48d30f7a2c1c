"""The adapters that there are, and which of them reads a chat."""

from __future__ import annotations

from importlib import import_module

from ctxlab.chats.adapter import Adapter
from ctxlab.errors import UnknownNameError

_PLACES = {
    "responses": "ctxlab.chats.responses:RESPONSES",
    "assistants": "ctxlab.chats.assistants:ASSISTANTS",
    "langchain": "ctxlab.chats.langchain_json:LANGCHAIN",
    "pydantic-ai": "ctxlab.chats.pydantic_ai_json:PYDANTIC_AI",
    "llama-index": "ctxlab.chats.llama_index:LLAMA_INDEX",
    "gemini": "ctxlab.chats.gemini:GEMINI",
    "ai-sdk": "ctxlab.chats.ai_sdk:AI_SDK",
    "ai-sdk-ui": "ctxlab.chats.ai_sdk_ui:AI_SDK_UI",
    "bedrock": "ctxlab.chats.bedrock:BEDROCK",
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


def adapter_of(raw: object, api: str | None = None) -> Adapter:
    """Return the adapter named, or the one that recognises a chat; OpenAI's where none does.

    Examples
    --------
    >>> adapter_of([{"role": "user", "content": "Hi"}]).name
    'openai'
    """
    if api is not None:
        return adapter_named(api)
    found = (one for one in map(adapter_named, _PLACES) if one.recognises(raw))
    return next(found, None) or adapter_named("openai")


def adapter_names() -> tuple[str, ...]:
    """Return the names of all adapters.

    Examples
    --------
    >>> "gemini" in adapter_names()
    True
    """
    return tuple(_PLACES)
