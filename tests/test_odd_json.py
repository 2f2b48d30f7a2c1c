"""What JSON of Python's carries and a database refuses comes back equal, or is told by its path."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxlab import Case, Grid, Message, Select, Store
from ctxlab.bench.case_documents import from_document, to_document
from ctxlab.core.cases import Probe
from ctxlab.core.metric import as_metric
from ctxlab.core.segments import About, Compaction, Payload, ToolCall
from ctxlab.errors import NotJSONError
from ctxlab.postgres.rows import tool_calls
from ctxlab.store.forms import CALLS
from ctxlab.store.json_marks import storable_json, stored_json
from ctxlab.store.runs import Trial

HALF = "\ud83d"
TEXTS = (
    st.text(alphabet="ab é🎉\ud83d\udc4d\x00", max_size=6)
    # Two halves in a row that make a pair are one sign in JSON: no JSON tells them apart.
    .filter(lambda text: "\ud83d\udc4d" not in text)
    | st.sampled_from(['\x00json:"x"', "NaN", "\\ud83d"])
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def odd_case(case="c", dataset="d"):
    """Return a conversation with halves of pairs wherever there is text."""
    call = ToolCall("t" + HALF, "find", '{"q": "' + HALF + '"}')
    messages = [Message(f"m{HALF}{i}", "user", f"hello {HALF} number {i} " * 6) for i in range(6)]
    messages[1] = replace(messages[1], payload=(Payload("image", HALF, 3),), role="assistant")
    messages[2] = replace(
        messages[2], about=About(f"summary{HALF}", Compaction("auto", 9, 3, (f"m{HALF}1",)))
    )
    messages[3] = replace(messages[3], role="assistant", tool_calls=(call,))
    messages[4] = replace(messages[4], role="tool", tool_call_id="t" + HALF)
    probe = Probe(f"p{HALF}", f"what {HALF}", "number 1", (f"m{HALF}0", f"m{HALF}3"))
    return Case(case, dataset, tuple(messages), (probe,))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXTS, TREES, max_size=3))
def test_any_ledger_comes_back_equal(tree):
    """From a JSON column of DuckDB, which takes neither NaN nor halves itself."""
    text = json.dumps(tree)
    marked = storable_json(text)
    assert repr(json.loads(stored_json(marked))) == repr(json.loads(text))
    with Store(":memory:") as store:
        store.runs.add([Trial("9f", "S()", {}, {}, "1", "d", "c", "c", 0, "e", "0", ledger=text)])
        assert repr(json.loads(store.runs.ledger("9f"))) == repr(json.loads(text))


@settings(max_examples=30, deadline=None)
@given(TEXTS, TEXTS)
def test_documents_and_rows_come_back_equal(one, other):
    """A case as a document, tool calls as the rows of another database hold them."""
    case = Case(one, other, (Message("m" + other, "user", one),))
    assert from_document(to_document(case)) == case
    rows = json.dumps([{"id": one, "function": {"name": other, "arguments": {"q": one}}}])
    [calls] = CALLS.read([tool_calls(rows)])
    assert calls == (ToolCall(one, other, json.dumps({"q": one})),)
    with Store(":memory:") as store:
        assert store.db.rows("SELECT ?::JSON IS NULL", [tool_calls(rows)]) == [(False,)]


def test_a_conversation_of_halves_is_stored_and_compared(tmp_path):
    """Imported and run; the file gives both back as they were, the ledger too."""
    case = odd_case()
    with Store(tmp_path / "odd.duckdb") as store:
        assert store.add_cases([case]) == 1
        results = Grid(["KeepLast()", "HeadTail()"], ["40%"], [case], seeds=[1]).run(store)
        assert not results.failures()
    with Store(tmp_path / "odd.duckdb") as store:
        found = store.runs.experiment("experiment")
        assert list(store.cases()) == [case]
        assert [from_document(one) for one in store.runs.cases(found.id)] == [case]
        rows = store.db.rows("SELECT trial_hash FROM trials")
        spans = {tuple(json.loads(store.runs.ledger(one))["spans"]) for (one,) in rows}
        assert spans == {tuple(f"message:m{HALF}{i}" for i in range(6))}


@pytest.mark.parametrize(("names", "path"), [((f"c{HALF}", "d"), 1), (("c", f"d{HALF}"), 0)])
def test_names_of_halves_are_told_by_their_path(names, path):
    """An experiment's spec names its conversations, for others to read."""
    with Store(":memory:") as store, pytest.raises(NotJSONError, match=rf"\$.cases\[0\]\[{path}\]"):
        Grid(["KeepLast()"], ["40%"], [odd_case(*names)], seeds=[1]).run(store)


class Odd(Select):
    """Scores what is no number."""

    def score(self, context, task):
        """Return NaN, the infinities, and zeros."""
        return [[math.nan, math.inf, -math.inf, 0.0][at % 4] for at in range(len(context))]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_figures_that_are_no_numbers_are_failures(value):
    """A metric's are told for each strategy, whatever that scores; none is stored."""
    metric = as_metric(lambda run: value)
    case = replace(odd_case(), cluster="c")
    with Store(":memory:") as store:
        with pytest.warns(match="failed"):
            results = Grid([Odd(), "KeepLast()"], ["40%"], [case], metrics=[metric]).run(store)
        told = {strategy: error for strategy, _, error in results.failures()}
        assert len(told) == 2
        assert all(f"it gave {value}; give a finite number" in one for one in told.values())
        assert not store.db.rows("SELECT * FROM measurements WHERE NOT isfinite(value)")
