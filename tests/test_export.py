"""Exports: applied to a real PostgreSQL and a real DuckDB, imported, and validated against."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import duckdb
import psycopg
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner

from ctxlab.chats.workshop_file import load_workshop
from ctxlab.cli import app
from ctxlab.errors import (
    DataError,
    MissingExtraError,
    NotFoundError,
    SpecError,
    StoreError,
    UnknownNameError,
)
from ctxlab.export import TARGETS, StepSchema, export
from ctxlab.export import pydantic_module as pydantic_target
from ctxlab.store import Store
from ctxlab.workshop import ARTIFACT_SCHEMAS
from ctxlab.workshop.production_ddl import column_names, table_names

ARTIFACTS = [
    (step.step, step.artifact)
    for path in sorted(Path("data/workshops").glob("*.json"))
    for step in load_workshop(path).steps
    if step.artifact is not None
]


def loaded(path: Path) -> ModuleType:
    """Import a generated module, as its user would."""
    name = f"generated_{path.parent.name}"
    spec = spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def add_schema(store: Store, step: str, version: int, schema: object) -> None:
    with store.db.write() as connection:
        connection.execute(
            "INSERT INTO artifact_schemas (step_id, schema_version, json_schema) VALUES (?, ?, ?)",
            [step, version, json.dumps(schema)],
        )


@pytest.fixture
def tables(database, tmp_path):
    (script,) = export(None, "postgres", tmp_path)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(script.read_text())
        yield connection


def a_workshop(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO workshops (id, title, protocol) VALUES ('w', 'W', 'design-thinking');"
        "INSERT INTO sessions (id, workshop_id, position) VALUES ('s', 'w', 0);"
        "INSERT INTO workshop_steps (id, workshop_id, step_id, position) "
        "VALUES ('t', 'w', 'persona', 0);"
        "INSERT INTO chat_messages VALUES ('w', 's', 'persona', 'm', 0, 'user', NULL, 'Hi', NULL, "
        "NULL, false, NULL, 1, 4, 0, 'o200k_base', NULL);"
        "INSERT INTO step_summaries VALUES ('u', 't', 'We met.', 3, 'o200k_base');"
        "INSERT INTO step_artifacts VALUES ('a', 't', '{\"name\": \"Mira\"}', 1, 1, true, 5, 'x');"
        "INSERT INTO step_artifact_versions VALUES ('t', 1, '{}', 1, true)"
    )


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "recipe"])
def test_every_export_is_the_same_byte_for_byte(target, tmp_path, monkeypatch):
    """Neither the second time nor another working folder changes a byte."""
    first = {path.name: path.read_bytes() for path in export(None, target, tmp_path / "a")}
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 60\n")
    monkeypatch.chdir(tmp_path)
    second = {path.name: path.read_bytes() for path in export(None, target, tmp_path / "b")}
    assert first == second
    assert all(b"\r" not in text and text.endswith(b"\n") for text in first.values())


def test_postgres_has_the_columns_of_the_store(tables):
    """PostgreSQL's catalogue lists what the migrations made, in the same order and nullability."""
    with Store(":memory:") as store:
        for table in table_names():
            ours = store.db.rows(
                "SELECT column_name, is_nullable FROM duckdb_columns() "
                "WHERE table_name = ? ORDER BY column_index",
                [table],
            )
            theirs = tables.execute(
                "SELECT column_name, is_nullable = 'YES' FROM information_schema.columns "
                "WHERE table_name = %s ORDER BY ordinal_position",
                [table],
            ).fetchall()
            assert theirs == ours, table
            assert [name for name, _ in ours] == column_names(table)


def test_json_is_jsonb_and_times_have_zones(tables):
    """What the store holds as JSON can be searched in PostgreSQL."""
    kinds = dict(
        tables.execute(
            "SELECT table_name || '.' || column_name, udt_name FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        ).fetchall()
    )
    jsonb = {name for name, kind in kinds.items() if kind == "jsonb"}
    assert jsonb == {
        "workshops.metadata", "step_definitions.depends_on", "step_definitions.definition",
        "chat_messages.tool_calls", "chat_messages.metadata", "step_artifacts.artifact",
        "step_artifact_versions.artifact", "artifact_schemas.json_schema",
        "artifact_schemas.migration",
    }  # fmt: skip
    assert kinds["step_artifacts.extracted_at"] == "timestamptz"
    assert "json" not in kinds.values()


def test_constraints_and_indexes_are_in_the_catalogue_by_name(tables):
    """Foreign keys cascade, unique columns and checks are named, and artifacts are indexed."""
    constraints = {
        name: (kind, action)
        for name, kind, action in tables.execute(
            "SELECT conname, contype::text, confdeltype::text FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace"
        ).fetchall()
    }
    foreign = {name: action for name, (kind, action) in constraints.items() if kind == "f"}
    assert set(foreign.values()) == {"c"}
    assert len(foreign) == 7
    for name, kind in {
        "workshops_pkey": "p",
        "chat_messages_pkey": "p",
        "chat_messages_workshop_id_step_id_fkey": "f",
        "workshop_steps_workshop_id_step_id_key": "u",
        "step_summaries_workshop_step_id_key": "u",
        "step_artifacts_workshop_step_id_key": "u",
        "step_artifacts_version_check": "c",
        "workshop_steps_status_check": "c",
        "workshop_steps_arc_phase_check": "c",
        "chat_messages_role_check": "c",
    }.items():
        assert constraints[name][0] == kind, name
    indexes = dict(tables.execute("SELECT indexname, indexdef FROM pg_indexes").fetchall())
    assert "gin (artifact jsonb_path_ops)" in indexes["step_artifacts_artifact_idx"]
    assert "chat_messages_workshop_id_position_idx" in indexes


def test_deleting_a_workshop_deletes_what_belongs_to_it(tables):
    """The cascade reaches messages, summaries, artifacts and their versions."""
    a_workshop(tables)
    tables.execute("DELETE FROM workshops")
    for table in set(table_names()) - {"artifact_schemas"}:
        assert tables.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE workshop_steps SET status = 'done'", "workshop_steps_status_check"),
        ("UPDATE workshop_steps SET arc_phase = 'x'", "workshop_steps_arc_phase_check"),
        ("UPDATE chat_messages SET role = 'robot'", "chat_messages_role_check"),
        ("UPDATE chat_messages SET tool_calls = '{}'", "chat_messages_tool_calls_check"),
        ("UPDATE step_artifacts SET artifact = '[]'", "step_artifacts_artifact_check"),
        ("UPDATE step_artifacts SET version = 0", "step_artifacts_version_check"),
        (
            "INSERT INTO step_summaries VALUES ('v', 't', 'Again', 1, 'x')",
            "step_summaries_workshop_step_id_key",
        ),
        (
            "INSERT INTO step_artifacts VALUES ('b', 'none', '{}', 1, 1, true, 1, 'x')",
            "step_artifacts_workshop_step_id_fkey",
        ),
        (
            "UPDATE chat_messages SET workshop_id = 'other'",
            "chat_messages_session_id_workshop_id_fkey",
        ),
    ],
)
def test_postgres_refuses_what_the_store_refuses(tables, statement, constraint):
    """A broken promise is an error that names the constraint."""
    a_workshop(tables)
    with pytest.raises(psycopg.IntegrityError) as caught:
        tables.execute(statement)
    assert caught.value.diag.constraint_name == constraint


def test_postgres_gets_the_chosen_schemas(database, tmp_path):
    """The script registers the schemas, quotes and all; a second run of the inserts is harmless."""
    schema = {"type": "object", "description": "It's a \\ test -- '; DROP TABLE workshops"}
    with Store(":memory:") as store:
        add_schema(store, "retro", 2, schema)
        (script,) = export(store, "postgres", tmp_path)
    text = script.read_text()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(text)
        connection.execute(text[text.index("INSERT INTO artifact_schemas") :])
        rows = connection.execute(
            "SELECT step_id, schema_version, json_schema FROM artifact_schemas"
        ).fetchall()
    assert rows == [("retro", 2, schema)]


def test_duckdb_script_makes_a_database_with_triggers(tmp_path):
    """The script runs on an empty DuckDB, cascades, refuses orphans, and carries the schemas."""
    (script,) = export(None, "duckdb", tmp_path)
    with duckdb.connect(":memory:") as connection:
        connection.execute(script.read_text())
        connection.execute("INSERT INTO workshops (id, title, protocol) VALUES ('w', 'W', 'chat')")
        connection.execute("INSERT INTO sessions (id, workshop_id, position) VALUES ('s', 'w', 0)")
        connection.execute("DELETE FROM workshops")
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM artifact_schemas").fetchone() == (10,)
        with pytest.raises(duckdb.Error, match="no workshop w"):
            connection.execute("INSERT INTO sessions VALUES ('s', 'w', NULL, 0, now())")


def test_json_schemas_validate_the_bundled_artifacts(tmp_path):
    """Every artifact of the bundled workshops obeys its step's file; a foreign field does not."""
    export(None, "jsonschema", tmp_path)
    assert len(ARTIFACTS) == 20
    for step, artifact in ARTIFACTS:
        schema = json.loads((tmp_path / f"{step}.schema.json").read_text())
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        assert validator.is_valid(artifact), step
        assert not validator.is_valid(artifact | {"canvas": {}}), step
        assert not validator.is_valid({}), step


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> ModuleType:
    (path,) = export(None, "pydantic", tmp_path_factory.mktemp("models"))
    return loaded(path)


def spoiled(artifact: dict[str, object]) -> list[object]:
    """Return an artifact with each field gone, null, or of another type."""
    variants: list[object] = [{}, None, artifact | {"canvas": {}}]
    for name in artifact:
        variants.append({key: value for key, value in artifact.items() if key != name})
        variants += [artifact | {name: value} for value in (None, "", [], {}, 7, -1, 2.5, True)]
        variants += [artifact | {name: [value]} for value in (None, "x", {}, 3)]
    return variants


def accepts(model: type[BaseModel], value: object) -> bool:
    try:
        model.model_validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("step", ARTIFACT_SCHEMAS)
def test_generated_models_accept_and_refuse_like_the_originals(generated, step):
    """Good artifacts come back equal; each of many spoiled ones meets the same verdict."""
    original, ours = ARTIFACT_SCHEMAS[step], generated.ARTIFACT_SCHEMAS[step]
    assert ours.__name__ == original.__name__
    verdicts = set()
    for name, artifact in ARTIFACTS:
        if name != step:
            continue
        assert ours.model_validate(artifact).model_dump() == original(**artifact).model_dump()
        for value in spoiled(artifact):
            verdict = accepts(original, value)
            assert accepts(ours, value) == verdict, value
            verdicts.add(verdict)
    assert verdicts == {True, False}


def test_generated_names_never_collide(tmp_path):
    """Steps called as Pydantic's names, and different definitions of one name, stay apart."""
    inner = {"type": "object", "properties": {"b": {"enum": ["x", "y"]}}, "required": ["b"]}
    other = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    reference = {"t": {"$ref": "#/$defs/Theme"}, "again": {"$ref": "#"}, "class": {"type": "null"}}
    with Store(":memory:") as store:
        for step, theme in (("field", inner), ("theme", other), ("Theme", inner)):
            whole = {"type": "object", "title": "Theme", "properties": reference}
            add_schema(store, step, 1, whole | {"$defs": {"Theme": theme}})
        (path,) = export(store, "pydantic", tmp_path)
    models = loaded(path).ARTIFACT_SCHEMAS
    assert len({model.__name__ for model in models.values()}) == 3
    assert models["field"](t={"b": "x"}, again={"t": {"b": "y"}}).model_dump()["t"] == {"b": "x"}
    assert models["theme"](t={"a": "z"}).t.a == "z"
    with pytest.raises(ValidationError):
        models["Theme"](t={"a": "z"})


def test_a_reference_to_elsewhere_is_refused():
    """A schema that is not whole in itself is named as the cause."""
    text = json.dumps({"type": "object", "properties": {"a": {"$ref": "https://x.test/a.json"}}})
    with pytest.raises(DataError, match=r"x\.test/a\.json"):
        pydantic_target.files([StepSchema("retro", 1, text)])


def test_the_store_s_schemas_go_before_the_bundled(tmp_path):
    """The latest version is taken, unless another is asked for."""
    with Store(":memory:") as store:
        for version in (1, 2, 10):
            add_schema(store, "persona", version, {"type": "object", "title": f"v{version}"})
        (latest,) = export(store, "jsonschema", tmp_path / "latest")
        (second,) = export(store, "jsonschema", tmp_path / "second", versions={"persona": 2})
        assert json.loads(latest.read_text())["title"] == "v10"
        assert json.loads(second.read_text())["title"] == "v2"
        with pytest.raises(NotFoundError, match="no schema version 3; choose one of: 1, 2, 10"):
            export(store, "jsonschema", tmp_path, versions={"persona": 3})
        with pytest.raises(UnknownNameError, match="persona"):
            export(store, "jsonschema", tmp_path, steps=["persna"])


def test_a_step_s_name_cannot_lead_out_of_the_folder(tmp_path):
    """An id with slashes names a file within."""
    with Store(":memory:") as store:
        add_schema(store, "../../etc/x", 1, {"type": "object"})
        (path,) = export(store, "jsonschema", tmp_path / "a")
    assert path.resolve().parent == (tmp_path / "a").resolve()


def test_an_unknown_target_is_refused_with_the_nearest(tmp_path):
    """The message offers the right name."""
    with pytest.raises(UnknownNameError, match="did you mean 'postgres'"):
        export(None, "postgresql", tmp_path)


def test_a_folder_that_cannot_be_is_an_error_with_its_name(tmp_path):
    """A file in the place of the folder is reported, not raised raw."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        export(None, "jsonschema", tmp_path / "file")


@pytest.mark.parametrize(
    ("target", "package"), [("postgres", "sqlalchemy"), ("pydantic", "datamodel_code_generator")]
)
def test_a_missing_package_is_named_with_its_install_line(target, package, tmp_path, monkeypatch):
    """The message is what to type."""
    for name in [n for n in sys.modules if n.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "ctxlab.workshop.production_tables", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r'pip install "ctxlab\[export\]"'):
        export(None, target, tmp_path)


def test_the_command_writes_files_and_lists_them(tmp_path):
    """One path a line, or JSON; a store is read but none is made."""
    options = ["--step", "persona=1", "--step", "concept", "--store", str(tmp_path / "no.duckdb")]
    command = ["export", "--target", "jsonschema", "--out", str(tmp_path / "out"), *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    names = [Path(line).name for line in done.stdout.split()]
    assert names == ["persona.schema.json", "concept.schema.json"]
    assert not (tmp_path / "no.duckdb").exists()
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [Path(path).name for path in found["files"]] == names
    failed = CliRunner().invoke(app, [*command, "--step", "persona=two"])
    assert isinstance(failed.exception, SpecError)


def test_steps_of_hostile_names_have_a_file_each(tmp_path):
    """300 characters, NUL, and names that differ in case or punctuation alone."""
    from ctxlab.export.chosen_schemas import StepSchema
    from ctxlab.export.json_schema import files

    steps = ["a/b", "a.b", "A.B", "x" * 300, "x" * 300 + "y", "nul\0", "..", "", "é", "plain-step"]
    names = list(files([StepSchema(step, 1, '{"type": "object"}') for step in steps]))
    assert len({name.casefold() for name in names}) == len(steps)
    for name in names:
        (tmp_path / name).write_text("{}")
    assert len(list(tmp_path.iterdir())) == len(steps)
    assert "plain-step.schema.json" in names
