"""Exports judged by the tools that read them: tsc, drizzle-kit, Zod and ajv, in CI."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import psycopg
import pytest
from pydantic import ValidationError

from ctxlab import Store, Workshops
from ctxlab.datasets import bundled_dir, load_workshop
from ctxlab.export import export
from ctxlab.workshop import ARTIFACT_SCHEMAS

HERE = Path(__file__).parent / "exports"
NODE = os.environ.get("CTXLAB_NODE")
pytestmark = pytest.mark.skipif(
    not NODE, reason="CTXLAB_NODE names no folder with the packages of tests/packages/exports"
)


def module(path: Path):
    spec = spec_from_file_location(path.stem, path)
    made = sys.modules[path.stem] = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


HARD = module(HERE / "hard_models.py")
GOOD = {
    "tree": {"name": "a", "kids": [{"name": "b", "kids": [{"name": "c"}]}]},
    "pets": {"pets": [{"kind": "cat", "lives": 7}, {"kind": "dog", "tricks": ["sit"]}]},
    "constrained": {"code": "AB12", "share": 0.5, "note": "x", "step": 9},
    "times": {"day": "2026-11-02", "at": "2026-11-02T10:00:00Z", "pair": [1, "a"]},
    "maps": {"counts": {"a": 1}, "nested": {"x": [True]}},
}
ODD = [None, "", "x", "zzzzzzzz", 0, -1, 2, 2.5, 10**6, True, [], ["x"], [1, "a"], {}, {"a": 1}]


def spoiled(value: object, chance: random.Random) -> object:
    """Return a document with one thing changed, dropped, added or repeated, at any depth."""
    new = copy.deepcopy(value)
    node, parent, key = new, None, None
    while isinstance(node, dict | list) and node and chance.random() < 0.8:
        parent = node
        key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        node = node[key]
    action = chance.choice(["keep", "change", "drop", "add", "repeat"])
    if parent is None or action == "keep":
        return new
    if action == "change":
        parent[key] = copy.deepcopy(chance.choice(ODD))
    elif action == "drop":
        del parent[key]
    elif action == "add" and isinstance(parent, dict):
        parent["extra"] = copy.deepcopy(chance.choice(ODD))
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[0]))
    return new


def node(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=NODE, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def generated():
    """Write every target for the ten steps, the harder models and hostile names; compile them."""
    root = Path(NODE) / "generated"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("tsconfig.json", "verdicts.mjs"):
        shutil.copy(HERE / name, Path(NODE) / name)
    with Store(":memory:") as store:
        lab = Workshops(store)
        for step, model in {**ARTIFACT_SCHEMAS, **HARD.HARD}.items():
            lab.register_schema(step, 1, model)
        export(store, "all", root / "main", strict_rewrite=True)
    with Store(":memory:") as store:
        for step in HARD.HOSTILE:
            Workshops(store).register_schema(
                step, 1,
                {"type": "object", "description": f"*/ {step} ${{x}}", "properties": {
                    step: {"enum": [step, 1]}, "Name": {}, "name": {}}},
            )  # fmt: skip
        export(store, "all", root / "hostile")
    done = node("npx", "tsc", "-p", ".")
    assert done.returncode == 0, done.stdout
    return root


def test_everything_type_checks_hostile_names_too(generated):
    """`tsc --strict` has no word to say, and the hostile module runs."""
    assert (Path(NODE) / "built" / "hostile" / "artifacts.js").exists()
    code = "import('./built/hostile/artifacts.js').then(m=>console.log(Object.keys(m.artifactSchemas).length))"  # noqa: E501
    assert node("node", "-e", code).stdout.strip() == str(len(HARD.HOSTILE))


def test_zod_ajv_and_pydantic_agree(generated):
    """A thousand documents a schema: at least 99 in 100 meet the same three verdicts.

    Pydantic reads strictly: by default it takes true for 1, and a number for a time.
    """
    chance = random.Random(7)
    models = {**ARTIFACT_SCHEMAS, **HARD.HARD}
    good: dict[str, list[object]] = {step: [value] for step, value in GOOD.items()}
    for path in sorted((bundled_dir() / "workshops").glob("*.json")):
        for step in load_workshop(path).steps:
            good.setdefault(step.step, []).append(step.artifact)
    documents = {
        step: [json.dumps(spoiled(chance.choice(values), chance)) for _ in range(1000)]
        for step, values in good.items()
    }
    schemas = {step: model.model_json_schema() for step, model in models.items()}
    (generated / "main" / "documents.json").write_text(json.dumps(documents))
    (generated / "main" / "schemas.json").write_text(json.dumps(schemas))
    done = node("node", "verdicts.mjs", "main")
    assert done.returncode == 0, done.stderr
    verdicts = json.loads((generated / "main" / "verdicts.json").read_text())
    for step, model in models.items():
        differ = []
        for text, (zod, ajv) in zip(documents[step], verdicts[step], strict=True):
            try:
                model.model_validate_json(text, strict=True)
                pydantic = True
            except ValidationError:
                pydantic = False
            if not zod == ajv == pydantic:
                differ.append((pydantic, zod, ajv, text[:300]))
        assert len(differ) <= 10, (step, len(differ), differ[:5])


def catalogue(address: str) -> list[tuple]:
    """Return columns, constraints and indexes as PostgreSQL lists them."""
    with psycopg.connect(address) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, udt_name, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace "
            "AND contype <> 'n' ORDER BY 1, 2"
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
    return [*columns, *constraints, *indexes]


def test_drizzle_makes_the_tables_that_the_ddl_makes(generated, postgres):
    """Applied to PostgreSQL, the two catalogues are equal."""
    schema = "--schema=generated/main/schema.ts"
    done = node("npx", "drizzle-kit", "export", "--dialect=postgresql", schema)
    assert "CREATE TABLE" in done.stdout, done.stderr
    found = []
    for sql in (done.stdout, (generated / "main" / "postgres.sql").read_text()):
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS by_node WITH (FORCE)")
            connection.execute("CREATE DATABASE by_node")
        address = psycopg.conninfo.make_conninfo(postgres, dbname="by_node")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql)
        found.append(catalogue(address))
    assert len(found[0]) > 80
    assert found[0] == found[1]
