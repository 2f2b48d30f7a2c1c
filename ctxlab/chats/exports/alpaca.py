"""Alpaca: an instruction, its input and the output, with the turns before it where there are."""

from __future__ import annotations

from collections.abc import Iterator

from ctxlab.chats.any_chat import case_of, prompt
from ctxlab.chats.entries import Entry, converted
from ctxlab.chats.fields import Fields, expect
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.core.cases import Case
from ctxlab.errors import DataError


def is_alpaca(raw: object) -> bool:
    """Say whether a record looks like one of Alpaca's.

    Examples
    --------
    >>> is_alpaca({"instruction": "Add", "input": "1 2", "output": "3"})
    True
    """
    return isinstance(raw, dict) and "instruction" in raw and ("output" in raw or "input" in raw)


def read_alpaca(raw: object, name: str) -> Iterator[Case]:
    r"""Yield a record as a conversation; an input follows its instruction on a line of its own.

    Raises
    ------
    DataError
        With the field at fault.

    Examples
    --------
    >>> record = {"instruction": "Add", "input": "1 2", "output": "3"}
    >>> next(read_alpaca(record, "x")).messages[0].content
    'Add\n1 2'
    """
    fields = Fields(raw)
    entries = prompt(fields.optional("system"))
    for path, pair in fields.items("history") if fields.has("history") else ():
        turns = expect(pair, list, path)
        if len(turns) != 2:
            problem = f"holds {len(turns)} texts; expected a question and its answer"
            raise DataError(problem, field=path)
        for at, role in enumerate(("user", "assistant")):
            entries.append(Entry({"role": role, "content": turns[at]}, f"{path}[{at}]"))
    asked = [fields.text("instruction"), fields.optional("input") or ""]
    entries.append(Entry({"role": "user", "content": "\n".join(filter(None, asked))}, ""))
    if fields.has("output"):
        entries.append(Entry({"role": "assistant", "content": fields.text("output")}, ""))
    yield case_of(fields, name, "alpaca", converted(entries, messages_from_openai), "id")


FORMAT = Format(
    name="alpaca",
    description="Alpaca, instruction and output",
    recognises=is_alpaca,
    read=read_alpaca,
    example={
        "id": 7,
        "system": "Be brief.",
        "instruction": "Add",
        "input": "1 2",
        "output": "3",
        "history": [["Hi", "Hello"]],
    },
)
