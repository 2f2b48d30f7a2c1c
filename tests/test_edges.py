"""The edges: whatever a file, a path or a value is, the error is one of ours, in a line."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from contextlib import suppress
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlab import AutoSaver, Case, Message, Recipe, Workshops, compress, read
from ctxlab.core.budgets import Budget
from ctxlab.core.specs import from_spec, parse
from ctxlab.errors import (
    CtxlabError,
    DataError,
    InvalidArtifactError,
    NotJSONError,
    SpecError,
    StoreError,
    ViewError,
)
from ctxlab.store import Store
from ctxlab.store.backup import restore
from ctxlab.testing import sample_results

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(ANYTHING)
def test_compress_takes_a_chat_or_says_what_is_wrong(value):
    """Any JSON in place of the messages, of one message, of a content."""
    for messages in (value, [value], [{"role": "user", "content": value}]):
        with suppress(CtxlabError):
            compress(messages, budget=50)


@given(st.text(max_size=60) | st.floats() | st.integers() | st.none())
def test_a_budget_is_one_or_an_error_of_ours(value):
    """Also 400 digits, NaN and infinities."""
    with suppress(CtxlabError):
        Budget.parse(value)


@given(ANYTHING)
def test_a_recipe_is_one_or_an_error_of_ours(value):
    """Whatever JSON stands for it, or for its strategy."""
    for text in (json.dumps(value), json.dumps({"strategy": value, "budget": "10%"})):
        with suppress(CtxlabError):
            Recipe.from_json(text)


@pytest.mark.parametrize(
    "text", ["9" * 400 + "k", "9" * 5000, "9" * 400 + "%", "-1", "nan%", "inf", "1e999", "\0"]
)
def test_budgets_beyond_numbers_are_told(text):
    """No OverflowError, no ValueError of Python's own."""
    with pytest.raises(CtxlabError):
        Budget.parse(text)


def test_what_is_nested_too_deeply_is_told(tmp_path):
    """Recipes in three notations, specs and expressions."""
    deep = reduce(lambda inner, _: {"Pipeline": {"stages": [inner]}}, range(3000), {"BM25": {}})
    with pytest.raises(CtxlabError):
        from_spec(deep)
    many = '{"Pipeline":{"stages":[' * 3000 + '{"BM25":{}}' + "]}}" * 3000
    (tmp_path / "r.json").write_text('{"strategy":' + many + "}")
    (tmp_path / "r.toml").write_text("strategy = " + "[" * 5000 + "]" * 5000)
    (tmp_path / "r.py").write_text("RECIPE = " + "[" * 5000 + "]" * 5000)
    for name in ("r.json", "r.toml", "r.py"):
        with pytest.raises(SpecError, match=r"deep|not Python|not understood|not TOML"):
            Recipe.load(tmp_path / name)
    with pytest.raises(SpecError):
        parse("(" * 5000 + "BM25()" + ")" * 5000)
    with pytest.raises(SpecError):
        parse(" >> ".join(["BM25()"] * 5000))


def test_a_nul_in_a_path_is_told(tmp_path):
    """By whatever takes a path."""
    with pytest.raises(StoreError, match="NUL"):
        Store("a\0b")
    with pytest.raises(CtxlabError, match="null byte"):
        list(read("a\0b"))
    with Store(":memory:") as store:
        with pytest.raises(StoreError, match="NUL"):
            store.backup("a\0b")
        with pytest.raises(StoreError, match="NUL"):
            restore("a\0b", tmp_path / "c.duckdb")
    with pytest.raises(ViewError, match="NUL"):
        sample_results().report("a\0b")


def test_a_report_that_cannot_be_written_leaves_nothing_and_replaces_no_device(tmp_path):
    """On a full disk, in place of a folder, under a file, with too long a name."""
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(ViewError, match="no space left"):
        sample_results().report(full)
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "report.html", tmp_path / ("x" * 300)):
        with pytest.raises(ViewError, match="; "):
            sample_results().report(place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


@pytest.mark.parametrize("value", [None, 3, "text"])
def test_what_is_no_conversation_and_no_query_is_told(value):
    """The store says what it was given."""
    with Store(":memory:") as store:
        with pytest.raises(CtxlabError, match="no conversation"):
            store.add_cases([value])
        with pytest.raises(StoreError):
            store.query(value)
        assert list(store.cases()) == []


def test_every_json_column_refuses_what_is_not_json():
    """NaN and half a surrogate pair, with their path."""
    with Store(":memory:") as store:
        for spec, path in (({"a": [float("nan")]}, r"\$\.a\[0\]"), ({"a": "\ud83d"}, r"\$\.a")):
            with pytest.raises(NotJSONError, match=path):
                store.runs.add_experiment("x", spec, {}, [])
            with pytest.raises(NotJSONError, match=path):
                store.runs.add_experiment("x", {}, spec, [])
        assert store.runs.frame().height == 0


def test_the_command_line_shows_no_traceback_unless_asked(tmp_path):
    """What nobody foresaw is a line, too; CTXLAB_TRACEBACK=1 shows where it was."""
    code = (
        "import sys, ctxlab.cli as c\n"
        "def broken(): raise ZeroDivisionError('division by zero')\n"
        "c.app = broken\nc.main()"
    )
    for more, seen in (({}, False), ({"CTXLAB_TRACEBACK": "1"}, True)):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
            env={**os.environ, **more},
        )  # fmt: skip
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) is seen
        assert "division by zero" in done.stderr


def test_cases_of_nothing_are_cases():
    """An empty conversation is one."""
    assert len(Case("c", "d", ()).context()) == 0


@pytest.mark.parametrize("content", [None, 3, ["Hi"], b"Hi"])
def test_a_message_without_text_is_told(content):
    """The field, the message and what to do; not an error of Python's own, much later."""
    with pytest.raises(DataError, match=r"field content: of message 'm7' is a .*; give text"):
        Message("m7", "user", content)


@pytest.mark.parametrize("artifact", [None, [1], "text", 3])
@pytest.mark.parametrize("validate", [True, False])
def test_an_artifact_that_is_no_object_is_told(artifact, validate):
    """Before it reaches the database, saved at once or by the auto-saver."""
    with Store(":memory:") as store:
        workshop = Workshops(store).create("Retro")
        with pytest.raises(InvalidArtifactError, match=r"\$: is a .*, not an object; pass a dict"):
            workshop.save_artifact("persona", artifact, validate=validate)
        with AutoSaver(store) as saver, pytest.raises(InvalidArtifactError, match="pass a dict"):
            saver.edit(workshop.id, "persona", artifact, validate=validate)
        assert workshop.artifact("persona") is None
