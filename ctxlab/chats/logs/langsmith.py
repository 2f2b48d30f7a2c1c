"""LangSmith: runs of models, and the examples of its data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctxlab.chats.any_chat import case_of, chat_of, definitions
from ctxlab.chats.fields import Fields
from ctxlab.chats.file_format import Format
from ctxlab.chats.logs.langchain_shapes import as_openai
from ctxlab.core.cases import Case
from ctxlab.errors import DataError


def is_langsmith(raw: object) -> bool:
    """Say whether a record is a run, or an example, with messages among its inputs.

    Examples
    --------
    >>> is_langsmith({"run_type": "llm", "inputs": {"messages": []}, "outputs": {}})
    True
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("inputs"), dict):
        return False
    return "run_type" in raw or "dotted_order" in raw or "messages" in raw["inputs"]


def read_langsmith(raw: object, name: str) -> Iterator[Case]:
    """Yield the conversation of a run: its messages, then what the model answered.

    Every run of a model repeats the history before it: the last run of a trace is the whole.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> inputs = {"messages": [{"role": "user", "content": "Hi"}]}
    >>> next(read_langsmith({"id": "r", "run_type": "llm", "inputs": inputs}, "x")).id
    'r'
    """
    fields = Fields(raw)
    if not fields.child("inputs").raw and fields.has("inputs_s3_urls"):
        problem = "is empty: the payload stands elsewhere; export the run with its inputs"
        raise DataError(problem, field="inputs")
    inputs = fields.child("inputs")
    asked = inputs.raw.get("messages")
    if isinstance(asked, list) and asked and isinstance(asked[0], list):
        asked = asked[0]
    if not isinstance(asked, list):
        text = next((inputs.raw[k] for k in ("input", "question", "prompt", "query")
                     if isinstance(inputs.raw.get(k), str)), None)  # fmt: skip
        if text is None:
            raise DataError("is missing; expected a list", field=inputs.at("messages"))
        asked = [{"role": "user", "content": text}]
    outputs = fields.child("outputs") if fields.has("outputs") else Fields({}, "outputs")
    answered = [one for one in _answers(outputs) if one not in asked]
    chat = [as_openai(one) for one in [*asked, *answered]]
    before = definitions(inputs.raw.get("tools"))
    yield case_of(fields, name, "langsmith", chat_of(chat, inputs.at("messages"), before), "id")


def _answers(outputs: Fields) -> Sequence[object]:
    generations = outputs.raw.get("generations")
    while isinstance(generations, list) and generations:
        generations = generations[0]
    if isinstance(generations, dict):
        message = generations.get("message")
        if isinstance(message, dict):
            held = message.get("kwargs")
            typed = isinstance(held, dict) and "type" not in held and "id" not in message
            return [{**message, "kwargs": {**held, "type": "ai"}} if typed else message]  # type: ignore[dict-item]
        return [{"role": "assistant", "content": generations.get("text", "")}]
    messages = outputs.raw.get("messages")
    if isinstance(messages, list):
        return messages
    choices = outputs.raw.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return [choices[0].get("message")]
    text = next((outputs.raw[k] for k in ("output", "answer", "text")
                 if isinstance(outputs.raw.get(k), str)), None)  # fmt: skip
    return [] if text is None else [{"role": "assistant", "content": text}]


FORMAT = Format(
    name="langsmith",
    description="LangSmith, runs and examples",
    recognises=is_langsmith,
    read=read_langsmith,
    example={
        "id": "r",
        "run_type": "llm",
        "inputs": {"messages": [[{"role": "user", "content": "Hi"}]]},
        "outputs": {"generations": [[{"text": "Hello"}]]},
    },
)
