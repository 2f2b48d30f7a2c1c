"""CompactJSON on real tool results, beside minified JSON and TOON: tokens, and nothing lost.

Run ``CTXLAB_DATA_DIR=… python tests/benchmarks/bench_json.py``; without the package
``toon-format`` that column is left out. Every rewritten text is inverted and compared.
"""

from __future__ import annotations

import json
import time
from importlib import import_module
from importlib.util import find_spec

from ctxlab.core.context import Context
from ctxlab.core.segments import Message
from ctxlab.core.task import Task
from ctxlab.datasets import load
from ctxlab.errors import DataError
from ctxlab.strategies import CompactJSON
from ctxlab.text.json_layout import minified
from ctxlab.text.json_layout_reader import restored
from ctxlab.text.json_tree import parsed

TASK = Task(budget=1)


def outputs(name: str) -> list[str]:
    """Return the tool results of a dataset that are JSON arrays or objects, each once."""
    texts = dict.fromkeys(
        m.content for case in load(name) for m in case.messages if m.role == "tool"
    )
    return [text for text in texts if text[:1] in "[{" and _is_json(text)]


def rows() -> list[str]:
    """Return tables of records as an interface gives them: 100 rows of 6 fields, indented."""
    records = [
        {
            "id": f"INV-{1000 + i}",
            "customer": f"Customer {i % 17}",
            "amount": round(19.9 + 1.37 * i, 2),
            "paid": i % 3 == 0,
            "due": f"2026-{1 + i % 12:02d}-15",
            "note": None,
        }
        for i in range(100)
    ]
    return [json.dumps(records, indent=2), json.dumps({"page": 1, "rows": records})]


def _is_json(text: str) -> bool:
    try:
        parsed(text)
    except DataError:
        return False
    return True


def compare(name: str, texts: list[str]) -> None:
    """Print one row: tokens as they came, minified, in TOON, by CompactJSON, and what it saves."""
    count = TASK.tools.count
    before = sum(map(count, texts))
    small = sum(count(minified(parsed(text))) for text in texts)
    context = Context.of(Message(f"m{i}", "tool", text) for i, text in enumerate(texts))
    start = time.perf_counter()
    compact = CompactJSON().compress(context, TASK)
    seconds = time.perf_counter() - start
    ours = sum(map(TASK.tokens, compact))
    for text, segment in zip(texts, compact, strict=True):
        assert restored(segment.text) == minified(parsed(text)) if not segment.verbatim else True
    toon = "–"
    if find_spec("toon_format"):
        encode = import_module("toon_format").encode
        tokens = sum(count(encode(json.loads(text))) for text in texts)
        toon = f"{tokens:,} ({tokens / before:.3f}×)"
    print(
        f"{name:12} {len(texts):4} {before:8,}   {small:,} ({small / before:.3f}×)   {toon}   "
        f"{ours:,} ({ours / before:.3f}×, {ours / small:.3f}× minified)   {1e3 * seconds:.0f} ms"
    )


def main() -> None:
    """Print the table."""
    print("set, texts, tokens   minified   TOON   CompactJSON   time; every text inverted exactly")
    compare("tau-bench", outputs("taubench"))
    compare("agent run", outputs("agent-run"))
    compare("records", rows())


if __name__ == "__main__":
    main()
