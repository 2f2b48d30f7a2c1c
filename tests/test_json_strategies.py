"""JSON strategies: compact and back, samples that keep what stands out, pruning by need."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab.bench.explaining import explain
from ctxlab.core.context import Context
from ctxlab.core.segments import Message, Segment
from ctxlab.core.task import Task
from ctxlab.core.tools import Tools
from ctxlab.datasets import load, read
from ctxlab.errors import DataError
from ctxlab.strategies import CompactJSON, PruneFields, SampleRows
from ctxlab.testing import check_laws
from ctxlab.text.json_layout import minified, written
from ctxlab.text.json_layout_reader import restored
from ctxlab.text.json_tree import parsed
from ctxlab.workshop import DESIGN_THINKING

TASK = Task(budget=1)
TRICKY = [
    *("true", "NULL", "12", "1e5", "a,b", "x:y", "-", "0x", "é", "NaN", "infinity", "[1]", "{}"),
    *("007", "1_000", "14:00:00", "|", "😀", "", " a", "a b", '"', "\n", "\ud800"),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(TRICKY)
)
KEYS = st.text(max_size=4) | st.sampled_from(["a", "b", "a b", "a,b", "1", ""])


def _nested(inner):
    row = st.fixed_dictionaries({"a": inner, "b c": inner}, optional={"d": inner})
    below = st.fixed_dictionaries({"x": inner, "y": st.fixed_dictionaries({"z": inner})})
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.lists(row, max_size=4)
        | st.lists(st.fixed_dictionaries({"a": inner, "n": below}), max_size=4)
    )


VALUES = st.recursive(SCALARS, _nested, max_leaves=20)


def tool(text: str) -> Context:
    """Return a context of one tool result."""
    return Context.of([Message("m1", "tool", text)])


@given(VALUES, st.booleans(), st.booleans(), st.sampled_from([None, 2]))
def test_every_form_is_inverted_exactly(value, tables, bare, indent):
    """Whatever the JSON and the form, the very same JSON comes back, digit by digit."""
    tree = parsed(json.dumps(value, indent=indent))
    text = written(tree, tables=tables, bare=bare)
    assert restored(text) == minified(tree)
    assert json.loads(restored(text)) == value
    assert restored(minified(tree)) == minified(tree)


@pytest.mark.parametrize(
    "text", ["1e400", "-0", "-0.0", "1.10", "12345678901234567890.10", '"\\ud800"', "1E+2"]
)
def test_numbers_and_odd_strings_keep_their_writing(text):
    """No number is rounded, and a lone surrogate stays an escape that can be sent."""
    row = f'[{{"a":{text}}},{{"a":{text}}}]'
    assert restored(written(parsed(row))) == row
    written(parsed(row)).encode()


@given(VALUES)
def test_the_strategy_is_lossless_and_never_longer(value):
    """What is rewritten can be restored, and takes fewer tokens than it did."""
    text = json.dumps(value)
    [segment] = CompactJSON().compress(tool(text), TASK)
    if segment.verbatim:
        assert segment.text == text
    else:
        assert json.loads(restored(segment.text)) == value
        assert TASK.tokens(segment) < TASK.tools.count(text)
    assert CompactJSON().traits.lossless


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        "[NaN]",
        "plain words",
        "[1, 2",
        "[" * 1000 + "]" * 1000,
        "[" * 100_000,
        "12   ",
        "",
    ],
    ids=range(8),
)
def test_what_cannot_be_kept_exactly_is_left_alone(text):
    """Keys that stand twice, NaN, broken or abysmal JSON: the text stays as it is."""
    for strategy in (CompactJSON(), SampleRows(rows=1), PruneFields(cap=1)):
        assert strategy.compress(tool(text), Task(budget=10**9)) == tool(text)


def test_only_the_named_roles_and_no_pins_are_rewritten():
    """A user's JSON is the user's; a pinned result stays as it is."""
    rows = json.dumps([{"a": 1, "b": 2}] * 9, indent=2)
    messages = [Message("u", "user", rows), Message("p", "tool", rows, pinned=True)]
    context = Context.of(messages)
    assert CompactJSON().compress(context, TASK) == context
    assert CompactJSON(roles=("user",)).compress(context, TASK)[0].verbatim is False


def test_dropping_is_lossy_and_said():
    """Nulls and defaults go only when asked for, and the catalogue says that this loses."""
    text = json.dumps([{"a": None, "b": False, "c": 1.0, "d": "x"}] * 3)
    strategy = CompactJSON(drop_nulls=True, defaults=(("b", False), ("c", 1.0)))
    assert not strategy.traits.lossless
    [segment] = strategy.compress(tool(text), TASK)
    assert json.loads(restored(segment.text)) == [{"d": "x"}] * 3


@pytest.mark.parametrize("text", ["{a", "[{a,b}\n1", "[1,,2]", "{a:1}x", '{"a:1}', "[{a}\n1,2]"])
def test_what_is_not_in_the_notation_is_an_error_with_its_place(text):
    """The reader names the character at which it stops."""
    with pytest.raises(DataError, match="at character"):
        restored(text)


def test_real_tool_results_come_back(data_dir):
    """Every JSON result of the real runs is restored, and they get a quarter smaller or more."""
    cases = [*read(data_dir / "taubench_airline.dev.jsonl.gz"), *load("agent-run")]
    before = after = 0
    for case in cases[:20]:
        context = case.context()
        compact = CompactJSON().compress(context, TASK)
        for old, new in zip(context, compact, strict=True):
            if not new.verbatim:
                assert restored(new.text) == minified(parsed(old.text))
                before += TASK.tokens(old)
                after += TASK.tokens(new)
    assert 0 < after < 0.75 * before


def rows_of(n: int) -> list[dict[str, object]]:
    """Return uneventful rows."""
    return [{"i": i, "ms": 20 + i % 3, "state": "done"} for i in range(n)]


def sampled(records: list, **options) -> list:
    """Return what is left of rows."""
    [segment] = SampleRows(**options).compress(tool(json.dumps(records)), TASK)
    return json.loads(segment.text)


def test_sampling_keeps_ends_errors_outliers_and_changes():
    """What a reader would look for in the rows is still there, and it is JSON."""
    rows = rows_of(200)
    rows[70]["error"] = "disk full"
    rows[90]["status"] = 503
    rows[110]["exit_code"] = 1
    rows[130]["ms"] = 9000
    for i in range(160, 200):
        rows[i]["state"] = "queued"
    left = sampled(rows, rows=20)
    kept = [row["i"] for row in left if isinstance(row, dict)]
    assert {0, 5, 199, 70, 90, 110, 130, 160} <= set(kept)
    assert len(kept) == 20
    notes = [item for item in left if isinstance(item, str)]
    assert sum(int(note[1:].split()[0]) for note in notes) == 180
    assert kept == sorted(kept)


def test_a_shift_of_the_mean_is_a_change():
    """Where a number settles at another level, the first row of the new level stays."""
    rows = [{"i": i, "kg": (10 if i < 57 else 14) + i % 2} for i in range(100)]
    kept = [row["i"] for row in sampled(rows, rows=4, head=0, tail=0) if isinstance(row, dict)]
    assert 57 in kept


@pytest.mark.parametrize(
    "row", [{"error": None}, {"errors": []}, {"failed": False}, {"status": 200}, {"exit_code": 0}]
)
def test_no_error_is_no_error(row):
    """A field that says that nothing went wrong is not an error."""
    rows = [{**row, "i": i, "pad": "some words to make it long"} for i in range(50)]
    assert len([r for r in sampled(rows, rows=5) if isinstance(r, dict)]) == 5


def test_all_errors_stay_even_beyond_the_limit():
    """Errors are never sampled away."""
    rows = [{"i": i, "error": "denied" if i % 2 else None} for i in range(60)]
    kept = [row["i"] for row in sampled(rows, rows=5) if isinstance(row, dict)]
    assert set(range(1, 60, 2)) <= set(kept)


def test_sampling_goes_into_objects_and_tells_why():
    """Arrays within objects are sampled; the ledger says how many rows went."""
    text = json.dumps({"page": 1, "rows": rows_of(80), "points": list(range(50))})
    context = tool(text)
    [entry] = explain(SampleRows(rows=10), context, 10**6).entries
    assert entry.reason == "110 rows like the others left out"


def artifact(**fields: object) -> Context:
    """Return a context of one artifact."""
    return Context((Segment.of("artifact:a", json.dumps(fields), role="user"),))


def test_pruning_goes_by_need_before_size():
    """Optional fields go first, dear ones last, though they are larger."""
    fields = {"goal": "g" * 60, "note": "n" * 20, "plain": "p" * 30}
    strategy = PruneFields(optional=("note",), priority=("goal",))
    tools = Tools(count=len)
    size = Task(budget=1, tools=tools).size(artifact(**fields))
    left = []
    for budget in (size - 20, size - 50, 5):
        text = strategy.compress(artifact(**fields), Task(budget=budget, tools=tools)).text
        left.append(list(json.loads(text)) if text else [])
    assert left == [["goal", "plain"], ["goal"], []]


def test_a_schema_says_what_is_optional():
    """Required and optional come from the JSON Schema; the ten artifact schemas have both."""
    schemas = [step.artifact_schema for step in DESIGN_THINKING.steps]
    strategy = PruneFields.from_schema(*schemas)
    assert strategy.optional
    required = {name for schema in schemas for name in schema["required"]}
    assert required.isdisjoint(strategy.optional)


def test_a_cap_holds_for_every_field():
    """Long texts and lists are cut with a word, whatever the budget; short ones stay."""
    context = artifact(name="Mira", canvas="word " * 500, rows=list(range(500)))
    [segment] = PruneFields(cap=30).compress(context, Task(budget=10**6))
    left = json.loads(segment.text)
    assert left["name"] == "Mira"
    assert left["canvas"].endswith(" …")
    assert left["rows"][-1].endswith("more")
    assert TASK.tools.count(json.dumps(left["canvas"])) < 40
    assert "$.canvas" in segment.note


@pytest.mark.parametrize(
    "strategy",
    [CompactJSON(roles=("user", "tool", "assistant")), SampleRows(rows=1), PruneFields(cap=2)],
    ids=str,
)
def test_variants_keep_the_laws(strategy):
    """Not only defaults are lawful."""
    check_laws(strategy, examples=60)


def test_megabytes_are_no_trouble():
    """A result of three megabytes is handled in seconds."""
    text = json.dumps([{"id": i, "text": f"row {i} of many", "kg": i % 7} for i in range(50_000)])
    start = time.process_time()
    CompactJSON().compress(tool(text), TASK)
    SampleRows().compress(tool(text), TASK)
    assert time.process_time() - start < 30
