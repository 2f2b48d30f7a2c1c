"""Langfuse: traces with their observations, of which the last generation holds the whole chat."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.any_chat import case_of, chat_of, definitions, is_chat
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case

_KEYS = ("observations", "traceId", "parentObservationId", "projectId", "htmlPath")


def is_langfuse(raw: object) -> bool:
    """Say whether a record is a trace, or an observation of one.

    Examples
    --------
    >>> is_langfuse({"id": "t", "observations": [], "input": "Hi", "output": "Hello"})
    True
    """
    return (
        isinstance(raw, dict)
        and any(key in raw for key in _KEYS)
        and ("input" in raw or isinstance(raw.get("observations"), list))
    )


def read_langfuse(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a trace.

    Every generation repeats the history: read is the one with the longest input, the last of
    those, with its output.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> trace = {"id": "t", "observations": [], "input": "Hi", "output": "Hello"}
    >>> [m.content for m in next(read_langfuse(trace, "x")).messages]
    ['Hi', 'Hello']
    """
    trace = Fields(raw)
    spans = [
        one
        for one in (trace.objects("observations") if trace.has("observations") else ())
        if one.raw.get("type") == "GENERATION" and one.has("input")
    ]
    span = max(reversed(spans), key=lambda one: len(_messages(one)), default=trace)
    asked = _messages(span)
    held = parsed(span.raw.get("input"))
    tools = held.get("tools") if isinstance(held, dict) else None
    answer = parsed(span.raw.get("output"))
    if isinstance(answer, dict) and "role" in answer:
        answered: list[object] = [answer]
    elif is_chat(answer):
        answered = list(answer)  # type: ignore[call-overload]
    elif answer is None:
        answered = []
    else:
        text = answer if isinstance(answer, str) else str(answer)
        answered = [{"role": "assistant", "content": text}]
    messages = chat_of([*asked, *answered], span.at("input"), definitions(tools))
    yield case_of(trace, name, "langfuse", messages, "id")


def _messages(span: Fields) -> list[object]:
    held = parsed(span.raw.get("input"))
    if isinstance(held, dict):
        held = parsed(held.get("messages", held.get("prompt", held)))
    if isinstance(held, list):
        return held
    if isinstance(held, dict) and "role" in held:
        return [held]
    return [] if held is None else [{"role": "user", "content": str(held)}]


FORMAT = Format(
    name="langfuse",
    description="Langfuse, traces",
    recognises=is_langfuse,
    read=read_langfuse,
    priority=1,
    example={
        "id": "t",
        "name": "chat",
        "observations": [
            {
                "type": "GENERATION",
                "model": "gpt-4o",
                "input": {"messages": [{"role": "user", "content": "Hi"}]},
                "output": {"role": "assistant", "content": "Hello"},
            }
        ],
    },
)
