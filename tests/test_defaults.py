"""The defaults hold on kinds of conversations where weights learned on others fail."""

from __future__ import annotations

import pytest

from ctxlab.bench.grid import Grid
from ctxlab.datasets import read
from ctxlab.store import Store
from ctxlab.strategies import PassageBM25, Substance


@pytest.mark.parametrize(
    ("files", "aware", "floor"),
    [
        ("beam_100k.dev.jsonl.gz", False, 0.72),
        ("crosswoz_zh.dev.jsonl.gz", False, 0.19),
        ("friendsqa.dev.jsonl.gz", False, 0.13),
        ("beam_100k.dev.jsonl.gz", True, 0.72),
        ("taubench_retail.dev.jsonl.gz", True, 0.07),
    ],
)
def test_the_defaults_hold_where_the_learned_weights_failed(data_dir, files, aware, floor):
    """At 10 %, the same parameters everywhere: above what the best control reaches there."""
    cases = list(read(data_dir / files))
    strategy = PassageBM25() if aware else Substance()
    with Store(":memory:") as store:
        results = Grid([strategy], ["10%"], cases, metrics="AllEvidence").run(store)
        [row] = results.rows()
        assert row.metrics["AllEvidence"].mean > floor
