"""OpenTelemetry: spans of models by the semantic conventions for generative AI.

Every span repeats the history: the conversation of a trace is its longest span. Read are the
attributes of 2025 and later, and the flat ones of instrumentations before them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ctxlab.chats.any_chat import chat_of
from ctxlab.chats.case_building import build_case
from ctxlab.chats.entries import Entry
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.table_rows import parsed
from ctxlab.core.cases import Case
from ctxlab.errors import DataError

_INPUT, _OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
_SYSTEM = "gen_ai.system_instructions"
_FLAT = re.compile(
    r"^(?:gen_ai|llm)\.(prompt|completion|input_messages|output_messages)\.(\d+)\."
    r"(?:message\.)?(role|content)$"
)


def is_otel(raw: object) -> bool:
    """Say whether a record is spans, or one, with the messages of a model.

    Examples
    --------
    >>> is_otel({"resourceSpans": []}), is_otel({"attributes": {"gen_ai.input.messages": "[]"}})
    (True, True)
    """
    if not isinstance(raw, dict):
        return False
    if isinstance(raw.get("resourceSpans"), list):
        return True
    held = raw.get("attributes")
    names = _attributes(held) if isinstance(held, dict | list) else {}
    return any(name.startswith(("gen_ai.", "llm.input_messages")) for name in names)


def read_otel(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of every trace among the spans.

    Raises
    ------
    DataError
        With the field at fault, or when no span holds a prompt.

    Examples
    --------
    >>> said = '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]'
    >>> next(read_otel({"attributes": {"gen_ai.input.messages": said}}, "span")).id
    'span'
    """
    traces: dict[str, list[Entry]] = {}
    for span in _spans(Fields(raw)):
        found = _chat(_attributes(span.raw.get("attributes")), span.at("attributes"))
        key = span.optional("traceId") or ""
        if found and len(found) >= len(traces.get(key, ())):
            traces[key] = found
    if not traces:
        problem = "no span holds a prompt; record gen_ai.input.messages (content capture is opt-in)"
        raise DataError(problem, field="attributes")
    for key, entries in traces.items():
        messages = chat_of([entry.raw for entry in entries], entries[0].path)
        yield build_case(f"{name}/{key}" if key and len(traces) > 1 else name, "otel", messages)


def _spans(fields: Fields) -> Iterator[Fields]:
    if not fields.has("resourceSpans"):
        yield fields
        return
    for resource in fields.objects("resourceSpans"):
        for scope in resource.objects("scopeSpans") if resource.has("scopeSpans") else ():
            yield from scope.objects("spans") if scope.has("spans") else ()


def _attributes(held: object) -> dict[str, Any]:
    """Return attributes by name, be they an object or OTLP's list of keys and typed values."""
    if isinstance(held, dict):
        return {str(name): value for name, value in held.items()}
    found: dict[str, Any] = {}
    for one in held if isinstance(held, list) else ():
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            value = one.get("value")
            typed = isinstance(value, dict) and len(value) == 1
            found[one["key"]] = next(iter(value.values())) if typed else value  # type: ignore[union-attr]
    return found


def _chat(attributes: dict[str, Any], path: str) -> list[Entry]:
    found: list[dict[str, Any]] = []
    system = parsed(attributes.get(_SYSTEM))
    if system:
        parts = system if isinstance(system, list) else [{"content": system}]
        found.append({"role": "system", "content": "\n".join(map(_text, parts))})
    for name in (_INPUT, _OUTPUT):
        held = parsed(attributes.get(name))
        if held is None:
            continue
        messages = Fields({name: held}, path)
        for message in messages.objects(name):
            found += _message(message)
    flat: dict[tuple[bool, int], dict[str, Any]] = {}
    for name, value in attributes.items():
        match = _FLAT.match(name)
        if match:
            answer = match[1] in ("completion", "output_messages")
            flat.setdefault((answer, int(match[2])), {})[match[3]] = value
    found += [{"role": "assistant" if key[0] else "user", "content": "", **flat[key]}
              for key in sorted(flat)]  # fmt: skip
    return [Entry(one, path) for one in found]


def _message(message: Fields) -> Iterator[dict[str, Any]]:
    """Yield a message, every response of a tool within it as one of its own."""
    role = message.text("role")
    if not message.has("parts"):
        yield {"role": role, "content": message.raw.get("content", "")}
        return
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for part in message.objects("parts"):
        kind = part.optional("type") or "text"
        if kind == "tool_call":
            function = {"name": part.text("name"), "arguments": part.raw.get("arguments", {})}
            calls.append({"id": part.optional("id") or part.path, "function": function})
        elif kind == "tool_call_response":
            held = part.raw.get("response", part.raw.get("result"))
            text = held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)
            results.append({"role": "tool", "tool_call_id": part.optional("id"), "content": text})
        else:
            texts.append(_text(part.raw))
    if texts or calls or not results:
        shown: dict[str, Any] = {"role": role, "content": "\n".join(texts)}
        yield shown | ({"tool_calls": calls} if calls else {})
    yield from results


def _text(part: object) -> str:
    held = part.get("content", part.get("text")) if isinstance(part, dict) else part
    return held if isinstance(held, str) else json.dumps(part, ensure_ascii=False)


FORMAT = Format(
    name="otel",
    description="OpenTelemetry, spans of generative AI",
    recognises=is_otel,
    read=read_otel,
    priority=1,
    example={
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "t1",
                                "name": "chat gpt-4o",
                                "attributes": [
                                    {
                                        "key": _INPUT,
                                        "value": {
                                            "stringValue": json.dumps(
                                                [
                                                    {
                                                        "role": "user",
                                                        "parts": [
                                                            {"type": "text", "content": "Hi"}
                                                        ],
                                                    }
                                                ]
                                            )
                                        },
                                    }
                                ],
                            }
                        ]
                    }
                ]
            }
        ]
    },
)
