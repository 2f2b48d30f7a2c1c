"""Protocols and schemas in versions: nothing is replaced under a workshop that lives."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ctxlab import Store, Workshops
from ctxlab.errors import ConflictError, DataError, NotFoundError, NotJSONError, SpecError
from ctxlab.errors import UnknownNameError as Unknown
from ctxlab.store.migrate import migrations
from ctxlab.workshop import Protocol
from ctxlab.workshop.assembly import assemble
from ctxlab.workshop.schema_changes import changes


def protocol(version: int, *steps: str, fields: str = '{ facts = "list[str]" }') -> Protocol:
    """Return a protocol whose every step needs the one before."""
    text = f'name = "retro"\nversion = {version}\n'
    for before, step in zip([None, *steps], steps, strict=False):
        needs = f'depends_on = ["{before}"]\n' if before else ""
        text += f'[[steps]]\nid = "{step}"\nname = "{step}"\ndescription = "x"\ngoal = "x"\n'
        text += f"{needs}fields = {fields}\n"
    return Protocol.from_toml(text)


ONE = protocol(1, "facts", "change")
TWO = protocol(2, "events", "facts", "decision", fields='{ owner = "str" }')


@pytest.fixture
def lab():
    with Store(":memory:") as store:
        yield Workshops(store)


def test_a_second_version_leaves_the_first_ones_workshops_alone(lab):
    """Assembling, revising and saving go by the version that the workshop was made with."""
    old = lab.create("Old", ONE)
    old.start("facts")
    old.save_artifact("facts", {"facts": ["a"]})
    old.complete("facts", "One fact.")
    new = lab.create("New", TWO)
    assert (old.protocol, new.protocol) == (ONE, TWO)
    assert "One fact." in assemble(lab.store, old.id, "change").context.text
    old.revise("facts")
    assert old.save_artifact("facts", {"facts": ["b"]}, expected_version=1).schema_version == 1
    assert new.save_artifact("facts", {"owner": "Mira"}).schema_version == 2
    assert lab.protocol("retro") == TWO
    assert lab.protocol("retro", 1) == ONE
    with pytest.raises(NotFoundError, match=r"version 3 of protocol 'retro'.*\[1, 2\]"):
        lab.protocol("retro", 3)


def test_another_content_under_a_live_version_is_refused(lab):
    """The message says which version to give it; without workshops it may be replaced."""
    workshop = lab.create("Old", ONE)
    changed = protocol(1, "facts", "change", "more")
    with pytest.raises(ConflictError, match="give the change version 2"):
        lab.create("New", changed)
    assert lab.protocol("retro") == ONE
    with lab.db.write() as connection:
        connection.execute("DELETE FROM workshops WHERE id = ?", [workshop.id])
    assert lab.create("New", changed).protocol == changed


def test_two_protocols_share_a_step_id_and_no_schema(lab):
    """Each has its own versions; who names neither is asked which."""
    lab.create("A", ONE)
    other = protocol(1, "facts", fields='{ owner = "str" }').model_copy(update={"name": "review"})
    lab.create("B", other)
    rows = lab.db.rows(
        "SELECT protocol, schema_version FROM artifact_schemas WHERE step_id='facts'"
    )
    assert sorted(rows) == [("retro", 1), ("review", 1)]
    with pytest.raises(NotFoundError, match="'retro', 'review'"):
        lab.register_schema("facts", 2, {"type": "object"})
    lab.register_schema("facts", 2, {"type": "object"}, protocol="review")
    assert lab.compatibility("facts", 1, 2, protocol="review").kind == "compatible"


def test_a_chosen_schema_is_the_one_that_new_artifacts_obey(lab):
    """Whatever is registered later, until another is chosen."""
    workshop = lab.create("A", ONE)
    lab.register_schema("facts", 2, {"type": "object"})
    lab.choose_schema("facts", 1)
    assert workshop.save_artifact("facts", {"facts": []}).schema_version == 1
    lab.choose_schema("facts", 2)
    assert workshop.save_artifact("facts", {}, expected_version=1).schema_version == 2


PRICE = {"type": "object", "properties": {"price": {"type": "integer"}}, "required": ["price"]}
FUNCTION = """
def to_cents(old):
    return {**old, "price": old["price"] * FACTOR}
FACTOR = 100
"""


def priced(path) -> None:
    with Store(path) as store:
        lab = Workshops(store)
        lab.create("A", ONE).save_artifact("facts", {"price": 12}, validate=False)
        lab.register_schema("facts", 2, PRICE)


def test_a_migration_as_data_survives_the_process(tmp_path):
    """Twelve euros become 1200 cents in whatever process does it."""
    priced(tmp_path / "lab.duckdb")
    steps = [{"op": "scale", "path": "/price", "factor": 100}]
    with Store(tmp_path / "lab.duckdb") as store:
        Workshops(store).register_schema("facts", 3, PRICE, migrate=steps)
    with Store(tmp_path / "lab.duckdb") as store:
        Workshops(store).migrate_artifacts("facts", 3, dry_run=False)
        assert store.db.rows("SELECT artifact->>'price' FROM step_artifacts") == [("1200",)]


def test_a_migration_by_function_is_found_by_name_and_code(tmp_path):
    """What cannot be imported, or was changed since, is named; no artifact is stamped."""
    path = tmp_path / "lab.duckdb"
    priced(path)
    module = tmp_path / "shop_changes.py"
    register = (
        "import sys; from ctxlab import Store, Workshops\nimport shop_changes\n"
        "with Store(sys.argv[1]) as store:\n"
        "    Workshops(store).register_schema('facts', 3, {'type': 'object'},"
        " migrate=shop_changes.to_cents)\n"
    )
    move = (
        "import sys; from ctxlab import Store, Workshops\n"
        "with Store(sys.argv[1]) as store:\n"
        "    Workshops(store).migrate_artifacts('facts', 3, dry_run=False)\n"
        "    rows = store.db.rows('SELECT artifact, schema_version FROM step_artifacts')\n"
        "    print(rows)\n"
    )

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(path)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    module.write_text(FUNCTION)
    assert run(register).returncode == 0
    module.write_text(FUNCTION.replace("= 100", "= 1000"))
    changed = run(move)
    assert "whose code is not the one that was registered" in changed.stderr
    module.unlink()
    assert "'shop_changes:to_cents', which cannot be imported" in run(move).stderr
    module.write_text(FUNCTION)
    assert run(move).stdout.strip() == """[('{"price":1200}', 3)]"""


def test_a_lambda_is_refused_in_another_process(tmp_path):
    """Identity is never applied in its place."""
    priced(tmp_path / "lab.duckdb")
    with Store(tmp_path / "lab.duckdb") as store:
        Workshops(store).register_schema("facts", 3, PRICE, migrate=lambda old: old)
    with Store(tmp_path / "lab.duckdb") as store:
        with pytest.raises(NotFoundError, match="register the version again"):
            Workshops(store).migrate_artifacts("facts", 3, dry_run=False)
        assert store.db.rows("SELECT schema_version FROM step_artifacts") == [(1,)]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ({"op": "scael", "path": "/a", "factor": 1}, Unknown),
        ({"op": "scale", "path": "/a"}, SpecError),
        ({"op": "scale", "path": "/a", "factor": "x"}, SpecError),
        ({"op": "remove", "path": "a"}, SpecError),
    ],
)
def test_a_step_that_is_not_understood_is_refused_when_it_is_registered(lab, step, error):
    """Not in the middle of a migration."""
    with pytest.raises(error):
        lab.register_schema("note", 2, {"type": "object"}, migrate=[step])


def test_a_store_of_before_keeps_schemas_and_the_names_of_its_migrations(tmp_path):
    """A schema goes to every protocol that has the step; a lost function is named when needed."""
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        for migration in migrations()[:3]:
            connection.execute(migration.sql)
        connection.execute(
            "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, "
            "sha256 VARCHAR NOT NULL, written_by VARCHAR NOT NULL, applied_at TIMESTAMPTZ)"
        )
        for one in migrations()[:3]:
            row = [one.number, one.name, one.sha256, "0.1.0"]
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?, now())", row)
        connection.execute(
            "INSERT INTO workshops (id, title, protocol) VALUES ('w', 'W', 'retro');"
            "INSERT INTO step_definitions VALUES ('retro', 'facts', 1, 'F', 'd', '[]', '', '{}');"
            "INSERT INTO artifact_schemas VALUES "
            "('facts', 1, '{\"type\": \"object\"}', NULL, now()),"
            '(\'facts\', 2, \'{"type": "object", "title": "x"}\', \'to_cents\', now());'
        )
    with Store(path) as store:
        rows = store.db.rows("SELECT protocol, schema_version, migration FROM artifact_schemas")
        assert sorted(rows, key=str) == [
            ("retro", 1, None), ("retro", 2, '{"function":"to_cents"}'),
        ]  # fmt: skip
        assert Workshops(store).titles() == {"w": "W"}


SCALARS = st.sampled_from([None, True, 0, 1, -3, 2.5, "", "a", "bb"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["string", "integer", "number", "null", "array", "object", ["string", "null"]]
        ),
        "maxLength": st.integers(0, 2), "minimum": st.integers(-3, 2),
        "enum": st.lists(SCALARS, min_size=1, max_size=3), "uniqueItems": st.booleans(),
        "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        "dependentRequired": st.just({"a": ["b"]}), "minProperties": st.integers(0, 2),
        "propertyNames": st.sampled_from([{"maxLength": 0}, {"enum": ["a"]}]),
    },
)  # fmt: skip
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.tuples(
        PLAIN,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
                "additionalProperties": inner | st.booleans(), "items": inner,
                "anyOf": st.lists(inner, min_size=1, max_size=3),
                "oneOf": st.lists(inner, min_size=1, max_size=3),
                "not": inner, "if": inner, "then": inner, "contains": inner,
                "allOf": st.lists(inner, min_size=1, max_size=2),
                "unevaluatedProperties": st.booleans(),
                "patternProperties": st.dictionaries(st.just("^a"), inner, max_size=1),
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
            },
        ),
    ).map(lambda pair: pair[0] | pair[1]),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, min_size=4, max_size=8))
def test_compatible_means_that_no_artifact_is_refused(old, new, values):
    """Whatever the old schema accepts, the new one does, or the verdict is another."""
    kinds = {change.kind for change in changes(old, new)}
    if kinds <= {"compatible"}:
        before, after = map(jsonschema.Draft202012Validator, (old, new))
        for value in values:
            assert not before.is_valid(value) or after.is_valid(value), (old, new, value)


@pytest.mark.parametrize(
    "word",
    [
        {"not": {"required": ["a"]}},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
        {"dependentRequired": {"a": ["b"]}},
        {"propertyNames": {"maxLength": 3}},
        {"unevaluatedProperties": False},
    ],
    ids=lambda word: next(iter(word)),
)
def test_what_is_not_understood_is_unknown_and_what_is_stored_decides(lab, word):
    """Unknown while nothing is refused, a migration as soon as one artifact is."""
    workshop = lab.create("A", protocol(1, "facts", fields='{ a = "int?", z = "int?" }'))
    schema = {"type": "object", "properties": {"a": {}, "z": {}}}
    lab.register_schema("facts", 2, schema)
    lab.register_schema("facts", 3, {**schema, **word})
    assert lab.compatibility("facts", 2, 3).kind == "unknown"
    refused = {"longer": 1} if {"propertyNames", "unevaluatedProperties"} & set(word) else {"a": 1}
    workshop.save_artifact("facts", refused, schema_version=2)
    found = lab.compatibility("facts", 2, 3)
    assert (found.kind, found.replayed) == ("needs migration", 1)


def test_a_choice_that_may_overlap_is_unknown():
    """Of oneOf exactly one must fit: an artifact that fits both was good under anyOf."""
    kinds = [{"type": "integer"}, {"minimum": 3}]
    found = changes({"anyOf": kinds}, {"oneOf": kinds})
    assert [change.kind for change in found] == ["unknown"]
    apart = [{"type": "integer"}, {"type": "string"}]
    assert list(changes({"anyOf": apart}, {"oneOf": apart})) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_json_is_refused_with_its_path(lab, number):
    """In an artifact and in a schema."""
    workshop = lab.create("A", ONE)
    with pytest.raises(NotJSONError, match=r"\$\.facts\[0\]"):
        workshop.save_artifact("facts", {"facts": [number]}, validate=False)
    with pytest.raises(DataError, match=r"\$\.maximum"):
        lab.register_schema("facts", 2, {"type": "object", "maximum": number})


class Tree(BaseModel):
    kids: list[Tree] = []


def test_a_recursive_model_registers_and_an_instance_saves(lab):
    """The schema's root is a reference; the artifact is a Pydantic value."""
    workshop = lab.create("A", ONE)
    lab.register_schema("facts", 2, Tree)
    saved = workshop.save_artifact("facts", Tree(kids=[Tree()]))
    assert saved.artifact == {"kids": [{"kids": []}]}


def test_numbers_keep_their_digits(lab):
    """An artifact that is read, edited elsewhere and saved holds the same digits."""
    workshop = lab.create("A", ONE)
    digits = "0.12345678901234567890123"
    text = f'{{"facts":["a"],"n":{digits},"big":1e400}}'
    with lab.db.write() as connection:
        workshop.save_artifact("facts", {}, validate=False)
        connection.execute("UPDATE step_artifacts SET artifact = ?", [text])
    read = lab.open(workshop.id).artifact("facts").artifact
    lab.artifacts._cache.clear()
    read = workshop.artifact("facts").artifact
    saved = workshop.save_artifact(
        "facts", {**read, "facts": ["b"]}, expected_version=1, validate=False
    )
    assert saved.text == text.replace('"a"', '"b"')
    assert json.loads(saved.text)["n"] == float(digits)
