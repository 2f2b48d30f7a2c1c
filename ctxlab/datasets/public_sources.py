"""Datasets by name: bundled ones, and those of others, fetched or found in a local mirror."""

from __future__ import annotations

import hashlib
import logging
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ctxlab.core.cases import Case
from ctxlab.datasets.case_files import read_all
from ctxlab.errors import DatasetError, UnknownNameError

MIRROR = "CTXLAB_DATA_DIR"
"""The environment variable that names a local mirror."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """A file of the local mirror: where it stands there, its bytes and their SHA-256.

    Examples
    --------
    >>> source("locomo").mirror[0].file
    'locomo/locomo10.dev.json'
    """

    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A dataset: what it is, whose licence it has, where it comes from.

    Examples
    --------
    >>> source("locomo").licence
    'CC BY-NC 4.0'
    """

    name: str
    title: str
    format: str
    licence: str
    home: str = ""
    address: str = ""
    size: int | None = None
    sha256: str | None = None
    mirror: tuple[MirrorFile, ...] = ()
    bundled: str = ""


_BUNDLED = {
    "market-surplus": ("workshops/market-surplus.json", "Food surplus at a market: a workshop"),
    "night-discharge": ("workshops/night-discharge.json", "Going home at night: a workshop"),
    "agent-run": ("agent-run.jsonl", "An operations agent at work: tool calls"),
}


@cache
def sources() -> dict[str, Source]:
    """Return every dataset that ctxlab knows by name, the bundled ones first.

    Examples
    --------
    >>> list(sources())[:3]
    ['market-surplus', 'night-discharge', 'agent-run']
    """
    text = (Path(__file__).parent / "sources.toml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = tomllib.loads(text)
    bundled = {
        name: Source(
            name, title, "cases" if file.endswith("l") else "workshop", "MIT", bundled=file
        )
        for name, (file, title) in _BUNDLED.items()
    }
    fetched = {
        name: Source(name, **{**e, "mirror": tuple(MirrorFile(**f) for f in e.get("mirror", ()))})
        for name, e in entries.items()
    }
    return bundled | fetched


def source(name: str) -> Source:
    """Return a dataset by its name.

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest.

    Examples
    --------
    >>> source("qmsum").format
    'qmsum'
    """
    if name not in sources():
        raise UnknownNameError("dataset", name, sources())
    return sources()[name]


def bundled_dir() -> Path:
    """Return the folder of the bundled data: in a checkout ``data``, else inside the package.

    Examples
    --------
    >>> bundled_dir().is_dir()
    True
    """
    package = Path(__file__).parents[1]
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def fetch(name: str, folder: str | Path | None = None, *, sha256: str | None = None) -> list[Path]:
    """Return the files of a dataset: bundled, of the local mirror, or downloaded once.

    Parameters
    ----------
    name : str
        One of `sources`.
    folder : str or Path, optional
        Where to download to; the user's cache folder when not given.
    sha256 : str, optional
        Digest that the download must have, where you know it. Where neither you nor ctxlab do,
        a logged warning says so and names the digest; later downloads must have the same.

    Raises
    ------
    DatasetError
        When the bytes are not the expected ones, or there is nowhere to fetch them from.

    Examples
    --------
    >>> [path.name for path in fetch("agent-run")]
    ['agent-run.jsonl']
    """
    wanted = source(name)
    if wanted.bundled:
        return [bundled_dir() / wanted.bundled]
    expected = sha256.lower() if sha256 else wanted.sha256
    return _in_mirror(wanted) or [_download(wanted, folder, expected)]


def load(name: str) -> list[Case]:
    """Return the cases of a dataset.

    Raises
    ------
    DatasetError
        When it cannot be had.

    Examples
    --------
    >>> load("agent-run")[0].dataset
    'ctxlab-agent'
    """
    return list(read_all(fetch(name), source(name).format))


def _in_mirror(wanted: Source) -> list[Path]:
    root = os.environ.get(MIRROR)
    if not root:
        return []
    paths = [Path(root) / one.file for one in wanted.mirror]
    if paths and all(path.exists() for path in paths):
        for path, expected in zip(paths, wanted.mirror, strict=True):
            _check(path, expected.sha256, expected.size)
        return paths
    published = Path(root) / wanted.name / _file_name(wanted)
    if not (wanted.address and published.is_file()):
        return []
    _check(published, wanted.sha256, wanted.size)
    return [published]


def _file_name(wanted: Source) -> str:
    return wanted.address.rsplit("/", 1)[-1]


def _download(wanted: Source, folder: str | Path | None, sha256: str | None) -> Path:
    if not wanted.address:
        raise DatasetError(
            f"{wanted.name} has no address to fetch from; set {MIRROR} to a folder that holds "
            + ", ".join(one.file for one in wanted.mirror)
        )
    import platformdirs
    import pooch

    # Its advice is about its own functions; ours, below, is about `fetch`.
    pooch.get_logger().setLevel(logging.WARNING)
    place = Path(folder or platformdirs.user_cache_dir("ctxlab")) / wanted.name
    file = _file_name(wanted)
    noted = place / f"{file}.sha256"
    expected = sha256 or (noted.read_text().strip() if noted.exists() else None)
    try:
        path = Path(pooch.retrieve(wanted.address, expected, file, place, progressbar=False))
    except ValueError as error:
        raise DatasetError(f"{wanted.name}: {error}") from error
    except Exception as error:
        raise DatasetError(
            f"{wanted.name} could not be fetched from {wanted.address} ({error}); go online, or "
            f"set {MIRROR} to a folder that holds {wanted.name}/{file}"
        ) from error
    if expected is None:
        found = digest(path)
        noted.write_text(found + "\n")
        _log.warning(
            "%s could not be checked: ctxlab knows no digest of %s. This one has SHA-256 %s; if "
            "you trust it, pin it with --sha256 (in Python, sha256=)",
            wanted.name,
            wanted.address,
            found,
        )
    _check(path, expected, wanted.size)
    return path


def _check(path: Path, sha256: str | None, size: int | None) -> None:
    if size is not None and path.stat().st_size != size:
        raise DatasetError(
            f"{path} has {path.stat().st_size} bytes, expected {size}; fetch it again"
        )
    if sha256 is not None and digest(path) != sha256:
        raise DatasetError(f"{path}: SHA-256 {digest(path)}, expected {sha256}; fetch it again")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Examples
    --------
    >>> len(digest(Path(__file__)))
    64
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
