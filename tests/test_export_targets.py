"""Targets for other languages and tools, bundles, and the way from one bundle to the next."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from ctxlab import Recipe, Store, Workshops, compress
from ctxlab.chats.workshop_file import load_workshop
from ctxlab.cli import app
from ctxlab.datasets import bundled_dir
from ctxlab.errors import DataError, SpecError
from ctxlab.export import StepSchema, export
from ctxlab.export.strict_schemas import strict_problems, strict_rewrite
from ctxlab.strategies import BM25, KeepLast
from ctxlab.workshop import ARTIFACT_SCHEMAS

PRICE = {"type": "object", "properties": {"price": {"type": "number"}}}
COST = {"type": "object", "properties": {"cents": {"type": "integer"}}, "required": ["cents"]}


def schema(step: str, content: object) -> StepSchema:
    return StepSchema(step, 1, json.dumps(content))


@pytest.mark.parametrize("step", ARTIFACT_SCHEMAS)
def test_every_step_schema_is_strict_after_the_rewrite(step):
    """By the published rules; the artifacts of the bundled workshops still obey it."""
    rewritten = strict_rewrite(ARTIFACT_SCHEMAS[step].model_json_schema(), step)
    assert strict_problems(rewritten) == []
    for path in sorted((bundled_dir() / "workshops").glob("*.json")):
        for one in load_workshop(path).steps:
            if one.step == step and one.artifact:
                whole = ARTIFACT_SCHEMAS[step].model_validate(one.artifact).model_dump(mode="json")
                assert Draft202012Validator(rewritten).is_valid(whole)


@pytest.mark.parametrize(
    ("part", "path", "change"),
    [
        ({"type": "string", "maxLength": 3}, "$.a", "say it in the description"),
        ({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}, "$.a",
         "list of keys and values"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "$.a", "a field for each place"),
        ({"oneOf": [{"type": "string"}]}, "$.a", "write anyOf"),
        ({"type": "array"}, "$.a", "describe the items"),
        ({}, "$.a", "give it a type"),
    ],
)  # fmt: skip
def test_what_the_strict_subset_forbids_is_named(part, path, change):
    """Path, problem, and the change that would allow it."""
    whole = {"type": "object", "properties": {"a": part}, "required": ["a"],
             "additionalProperties": False}  # fmt: skip
    found = strict_problems(whole)
    assert any(one.path == path and change in one.change for one in found), found


def test_a_bundle_says_what_it_is_made_of(tmp_path):
    """Every file with its digest, every schema with its version; a changed file is found."""
    recipe = Recipe(strategy=BM25(neighbours=2) >> KeepLast(), budget="10%")
    files = export(
        None, "all", tmp_path / "a", recipe=recipe, origin={"experiment": "e1", "skill": 0.4}
    )
    found = json.loads((tmp_path / "a" / "manifest.json").read_text())
    names = {path.name for path in files}
    assert set(found["files"]) == names - {"manifest.json"}
    assert {"schema.ts", "artifacts.ts", "recipe.py", "postgres.sql", "openai-tools.json"} <= names
    assert found["chosen"] == {"experiment": "e1", "skill": 0.4}
    assert len(found["schemas"]) == 10
    (tmp_path / "a" / "schema.ts").write_text("changed")
    with pytest.raises(DataError, match=r"schema\.ts was changed"):
        export(None, "all", tmp_path / "b", since=tmp_path / "a")


def test_the_recipe_module_compresses_as_the_recipe_does(tmp_path):
    """Byte for byte the same context."""
    recipe = Recipe(strategy=BM25(neighbours=1), budget="40%")
    export(None, "recipe", tmp_path, recipe=recipe)
    case = load_workshop(bundled_dir() / "workshops/market-surplus.json").case()
    messages = [{"role": m.role, "content": m.content} for m in case.messages]
    scope: dict[str, object] = {}
    exec((tmp_path / "recipe.py").read_text(), scope)
    query = case.probes[0].question
    ours = compress(messages, budget="40%", strategy=BM25(neighbours=1), query=query)
    theirs = scope["compress"](messages, query=query)
    assert json.dumps(theirs) == json.dumps(ours)
    for name in ("recipe.json", "recipe.toml", "recipe.py"):
        assert Recipe.load(tmp_path / name) == recipe
    with pytest.raises(SpecError, match="--recipe"):
        export(None, "recipe", tmp_path)


def test_only_what_the_product_lacks_is_written(tmp_path, database):
    """Its own tables stay; applied to them, the rest fits."""
    like = "CREATE TABLE workshops (id text PRIMARY KEY, title text NOT NULL, kind text NOT NULL);"
    (script,) = export(None, "postgres", tmp_path, steps=["persona"], like=like)
    text = script.read_text()
    assert "CREATE TABLE workshops" not in text
    assert "ALTER TABLE workshops ADD COLUMN IF NOT EXISTS metadata jsonb" in text
    assert "ADD COLUMN IF NOT EXISTS protocol text" not in text
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(like)
        connection.execute("INSERT INTO workshops VALUES ('w', 'W', 'design-thinking')")
        connection.execute(text)
        connection.execute("INSERT INTO sessions (id, workshop_id, position) VALUES ('s', 'w', 0)")
        row = connection.execute("SELECT protocol_version, metadata FROM workshops").fetchone()
    assert row == (1, {})
    names = [path.name for path in export(None, "drizzle", tmp_path, like=like)]
    drizzle = (tmp_path / "schema.ts").read_text()
    assert names[0] == "schema.ts"
    assert 'pgTable("workshops"' not in drizzle
    assert 'pgTable("sessions"' in drizzle


def test_two_bundles_give_the_way_forward(tmp_path, database):
    """Schemas and data move in one transaction; what cannot be said in SQL is listed."""
    steps = [
        {"op": "rename", "path": "/price", "to": "cents"},
        {"op": "scale", "path": "/cents", "factor": 100},
        {"op": "default", "path": "/currency", "value": "EUR"},
    ]
    with Store(":memory:") as store:
        lab = Workshops(store)
        lab.register_schema("persona", 1, PRICE)
        lab.register_schema("concept", 1, PRICE)
        export(store, "all", tmp_path / "one")
        lab.register_schema("persona", 2, COST, migrate=steps)
        lab.register_schema("concept", 2, COST, migrate=lambda old: old)
        export(store, "all", tmp_path / "two", since=tmp_path / "one")
        wanted = {"cents": 1234, "currency": "EUR"}
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute((tmp_path / "one" / "postgres.sql").read_text())
            connection.execute(
                "INSERT INTO workshops (id, title, protocol) VALUES ('w', 'W', 'design-thinking');"
                "INSERT INTO workshop_steps (id, workshop_id, step_id, position) "
                "VALUES ('t', 'w', 'persona', 0), ('u', 'w', 'concept', 1);"
                "INSERT INTO step_artifacts VALUES ('a', 't', '{\"price\": 12.34}', 1, 3, true, 5, "
                "'x'), ('b', 'u', '{\"price\": 1}', 1, 1, true, 5, 'x')"
            )
            connection.execute((tmp_path / "two" / "forward.sql").read_text())
            rows = connection.execute(
                "SELECT artifact, schema_version, version FROM step_artifacts ORDER BY id"
            ).fetchall()
            history = connection.execute("SELECT max(version) FROM step_artifact_versions")
            assert history.fetchone() == (4,)
            known = connection.execute("SELECT count(*) FROM artifact_schemas").fetchone()
    assert rows == [(wanted, 2, 4), ({"price": 1}, 1, 1)]
    assert known == (4,)
    left = (tmp_path / "two" / "forward.txt").read_text()
    assert left.startswith("artifacts of step concept, version 1 to 2: the migration is a function")


def test_types_say_what_schemas_say(tmp_path):
    """Optional, nullable, unions, tuples, maps, recursion; comments cannot be left."""
    kinds = {
        "type": "object",
        "description": "Ends */ here",
        "properties": {
            "a": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "b": {"enum": ["x", 1, None]},
            "c": {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 1,
                  "maxItems": 1},
            "d": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "e": {"$ref": "#"},
        },
        "required": ["a"],
        "additionalProperties": False,
    }  # fmt: skip
    with Store(":memory:") as store:
        Workshops(store).register_schema("kinds", 1, kinds)
        (path,) = export(store, "typescript", tmp_path)
    lines = path.read_text().splitlines()
    for line in (
        '  "a": string | null;', '  "b"?: "x" | 1 | null;', '  "c"?: [number];',
        "    [key: string]: boolean;", '  "e"?: Kinds;',
    ):  # fmt: skip
        assert line in lines, lines
    assert "[key: string]: unknown" not in path.read_text()


def test_names_that_differ_by_case_alone_have_files_of_their_own(tmp_path):
    """On a disk that does not tell cases apart, none replaces another."""
    with Store(":memory:") as store:
        for step in ("Note", "note", "NOTE"):
            Workshops(store).register_schema(step, 1, {"type": "object", "title": step})
        names = [path.name.casefold() for path in export(store, "jsonschema", tmp_path)]
    assert len(set(names)) == 3


def test_a_nul_is_refused_where_a_target_cannot_hold_it(tmp_path):
    """SQL cannot; the message says so."""
    with Store(":memory:") as store:
        Workshops(store).register_schema(
            "note", 1, {"type": "object", "description": "a\x00b"}
        )  # fmt: skip
        with pytest.raises(DataError, match="NUL"):
            export(store, "postgres", tmp_path)


def test_the_command_takes_the_options(tmp_path):
    """A recipe, tables that exist, strict tools and an earlier bundle."""
    recipe = Recipe(strategy=KeepLast(), budget="8k").save(tmp_path / "r.toml")
    like = tmp_path / "like.sql"
    like.write_text("CREATE TABLE workshops (id text PRIMARY KEY);")
    store = ["--store", str(tmp_path / "no.duckdb")]
    command = ["export", "--target", "all", "--out", str(tmp_path / "a"), *store]
    done = CliRunner().invoke(app, [*command, "--recipe", str(recipe), "--strict-rewrite"])
    assert done.exit_code == 0, done.output
    report = (tmp_path / "a" / "openai-tools.report.txt").read_text()
    assert report == "every schema is within the strict subset\n"
    command[4] = str(tmp_path / "b")
    more = ["--like", str(like), "--since", str(tmp_path / "a")]
    done = CliRunner().invoke(app, [*command, *more])
    assert done.exit_code == 0, done.output
    assert Path(tmp_path / "b" / "forward.sql").read_text() == (
        "BEGIN;\n-- nothing has changed\nCOMMIT;\n"
    )
