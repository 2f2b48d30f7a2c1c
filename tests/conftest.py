"""Fixtures that several tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", parent=settings.get_profile("default"), max_examples=5000)
settings.load_profile(os.environ.get("CTXLAB_HYPOTHESIS", "default"))


def absent(reason: str) -> None:
    """Skip, saying why; where everything is provided, as in CI, absence is a failure."""
    if os.environ.get("CTXLAB_REQUIRE"):
        pytest.fail(f"{reason}, and CTXLAB_REQUIRE is set")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the real conversations."""
    root = os.environ.get("CTXLAB_DATA_DIR")
    if not root:
        if not Path("../shared/data").exists() and os.environ.get("CTXLAB_REQUIRE"):
            pytest.skip("the real conversations are not on this machine")
        absent("CTXLAB_DATA_DIR names no folder of real conversations")
    return Path(str(root))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return the path of a Chromium."""
    found = os.environ.get("CTXLAB_BROWSER") or shutil.which("chromium")
    if not found:
        absent("there is no chromium")
    return str(found)
