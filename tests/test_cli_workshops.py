"""Workshops, schemas and protocols on the command line, as their users type it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ctxlab.cli import app
from ctxlab.errors import DataError, SpecError, StaleVersionError, StoreError, UnknownNameError

RETRO = """
name = "retro"
[[steps]]
id = "facts"
name = "Facts"
description = "What happened."
goal = "One timeline."
fields = { facts = "list[str]: what happened" }
[[steps]]
id = "change"
name = "Change"
description = "What to change."
goal = "One change."
depends_on = ["facts"]
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command on a store of its own."""
    (tmp_path / "retro.toml").write_text(RETRO)

    def call(*words: str, **more: str):
        store = ["--store", str(tmp_path / "lab.duckdb")]
        done = CliRunner().invoke(app, [*words, *store], **more)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout.strip()

    call.folder = tmp_path
    return call


def test_a_workshop_from_its_making_to_its_end(run):
    """Made, stepped through, saved under the lock, compared, deleted."""
    folder = run.folder
    made = run("workshop", "create", "Market", "--protocol", str(folder / "retro.toml"))
    run("workshop", "step", made, "facts", "start")
    file = folder / "facts.json"
    file.write_text('{"facts": ["a"]}')
    run("workshop", "artifact", made, "facts", "--save", str(file))
    file.write_text('{"facts": ["b"]}')
    with pytest.raises(StaleVersionError):
        run("workshop", "artifact", made, "facts", "--save", str(file))
    run("workshop", "artifact", made, "facts", "--save", "-", "--expected", "1",
        input='{"facts": ["c"]}')  # fmt: skip
    assert run("workshop", "artifact", made, "facts") == '{"facts":["c"]}'
    assert run("workshop", "diff", made, "facts", "1", "2") == '{"facts":["c"]}'
    rows = json.loads(run("workshop", "history", made, "facts", "--json"))["rows"]
    assert [row["version"] for row in rows] == [1, 2]
    with pytest.raises(SpecError, match="--summary"):
        run("workshop", "step", made, "facts", "complete")
    assert run("workshop", "step", made, "facts", "complete", "--summary", "Done.") == "complete"
    assert "Done." in run("workshop", "step", made, "change", "prompt")
    with pytest.raises(UnknownNameError, match="did you mean 'start'"):
        run("workshop", "step", made, "change", "strat")
    (row,) = json.loads(run("workshop", "list", "--json"))["rows"]
    assert (row["title"], row["complete"], row["protocol"]) == ("Market", 1, "retro 1")
    shown = json.loads(run("workshop", "show", made, "--json"))["rows"]
    assert (shown[0]["artifact"], shown[0]["summary"]) == (2, 1)
    assert "Market" in run("workshop", "show", made)
    run("workshop", "delete", made, input="n\n")
    assert made in run("workshop", "list")
    run("workshop", "delete", made, "--yes")
    assert made not in run("workshop", "list")


def test_schemas_are_listed_compared_inferred_and_chosen(run):
    """What is chosen is what an export takes."""
    run("workshop", "create", "Market", "--protocol", str(run.folder / "retro.toml"))
    rows = json.loads(run("schema", "list", "--json"))["rows"]
    assert {row["step"] for row in rows} == {"facts", "change"}
    assert json.loads(run("schema", "show", "facts"))["required"] == ["facts"]
    assert "compatible; 0 of 0" in run("schema", "diff", "facts", "1", "1")
    run("schema", "choose", "facts", "1")
    assert json.loads(run("schema", "list", "--json"))["rows"][1]["chosen"] is True
    samples = run.folder / "samples.json"
    samples.write_text('[{"a": 1, "b": [{"c": null}]}, {"a": 2.5, "b": []}]')
    done = CliRunner().invoke(app, ["schema", "infer", str(samples)])
    assert json.loads(done.stdout)["properties"] == {
        "a": {"type": "number"},
        "b": {"type": "array", "items": {
            "type": "object", "properties": {"c": {"type": "null"}}, "required": ["c"],
            "additionalProperties": False}},
    }  # fmt: skip


def test_a_protocol_is_checked_before_it_is_used(run):
    """What is wrong is named with its place."""
    done = CliRunner().invoke(app, ["protocol", "check", str(run.folder / "retro.toml"), "--json"])
    assert json.loads(done.stdout)["rows"][1]["needs"] == ["facts"]
    (run.folder / "bad.toml").write_text(RETRO.replace('["facts"]', '["fact"]'))
    done = CliRunner().invoke(app, ["protocol", "check", str(run.folder / "bad.toml")])
    assert isinstance(done.exception, DataError)
    assert "did you mean 'facts'" in str(done.exception)


def test_a_store_that_is_not_there_is_not_made_by_looking(run):
    """Only create makes one."""
    with pytest.raises(StoreError, match="there is no store"):
        run("workshop", "list")
    assert not (run.folder / "lab.duckdb").exists()
