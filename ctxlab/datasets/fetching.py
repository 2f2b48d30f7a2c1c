"""Cases of datasets by name, from bundled files, a local mirror or the publisher."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ctxlab.chats.workshop_file import WorkshopFile, load_workshop
from ctxlab.core.cases import Case
from ctxlab.datasets.case_files import OnSkip, read_all
from ctxlab.datasets.errata import SUFFIX, corrected, errata
from ctxlab.datasets.public_sources import PublicSource, PublishedFile, is_dataset, source_and_split
from ctxlab.errors import DatasetError

MIRROR = "CTXLAB_DATA_DIR"
"""The environment variable that names a local mirror."""

_log = logging.getLogger(__name__)


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


def read_workshop(source: str | Path) -> WorkshopFile:
    """Return a workshop with all that its file holds: a bundled one by its name, or a file.

    Raises
    ------
    DataError
        When it is no workshop, with the file and the field at fault.

    Examples
    --------
    >>> read_workshop("market-surplus").title
    'Food surplus at the covered market of Varnhem'
    """
    named = is_dataset(str(source)) and not Path(source).exists()
    return load_workshop(fetch(str(source))[0] if named else source)


def load(name: str) -> list[Case]:
    """Return the cases of a dataset, or of one split of it.

    Parameters
    ----------
    name : str
        ``"locomo"`` for all of a dataset, ``"locomo:dev"`` for a split. A split is the same cases
        for everybody: those of the published files, or of a local mirror that holds the split.
        With ``+errata`` at its end, gold that is known to be wrong is corrected, in a dataset of
        that name: figures on both tell what the errors are worth.

    Raises
    ------
    DatasetError
        When it cannot be had.
    UnknownNameError
        When there is no such dataset or split; the message offers the nearest.

    Examples
    --------
    >>> load("agent-run")[0].dataset
    'ctxlab-agent'
    """
    return list(cases_of(name))


def cases_of(name: str, *, skip_bad: bool = False, on_skip: OnSkip | None = None) -> Iterator[Case]:
    """Yield the cases of a dataset, or of one split of it, as they are read.

    Raises
    ------
    DatasetError, UnknownNameError
        As for `load`.
    DataError
        As for `ctxlab.read`.

    Examples
    --------
    >>> next(cases_of("agent-run")).id
    'agent-run'
    """
    wanted, split = source_and_split(name)
    files = fetch(name)
    prepared = {Path(one.file).name: one.format for one in wanted.mirror if one.split == split}
    format_name = prepared.get(files[0].name) or wanted.format
    held = (
        replace(case, cluster=case.cluster or _cluster(wanted, case.id))
        for case in read_all(files, format_name, skip_bad=skip_bad, on_skip=on_skip)
        if wanted.holds(split, case.id)
    )
    yield from corrected(held, errata(wanted.name)) if name.endswith(SUFFIX) else held


def _cluster(wanted: PublicSource, case_id: str) -> str | None:
    found = re.fullmatch(wanted.cluster, case_id) if wanted.cluster else None
    return next(filter(None, found.groups())) if found else None


def fetch(name: str, folder: str | Path | None = None, *, sha256: str | None = None) -> list[Path]:
    """Return the files of a dataset: bundled, of the local mirror, or downloaded once.

    Parameters
    ----------
    name : str
        One of `sources`, or ``name:split`` for the files that the split stands in.
    folder : str or Path, optional
        Where to download to; the user's cache folder when not given.
    sha256 : str, optional
        Digest that the one file must have, where you know it. Where neither you nor ctxlab do,
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
    wanted, split = source_and_split(name)
    if wanted.bundled:
        return [bundled_dir() / wanted.bundled]
    files = wanted.files_of(split)
    if sha256:
        if len(files) > 1:
            problem = f"{name} is {len(files)} files, whose digests ctxlab knows"
            raise DatasetError(f"{problem}; leave sha256 out")
        files = (replace(files[0], sha256=sha256.lower()),)
    place = Path(folder) if folder else _cache()
    return _in_mirror(wanted, split, files) or [
        _download(wanted, one, place / wanted.name) for one in files
    ]


def _cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("ctxlab"))


def _in_mirror(wanted: PublicSource, split: str, files: Sequence[PublishedFile]) -> list[Path]:
    root = os.environ.get(MIRROR)
    if not root:
        return []
    prepared = {Path(root) / one.file: one for one in wanted.mirror if one.split == split}
    published = {Path(root) / wanted.name / one.file: one for one in files}
    for expected in (prepared, published):
        if expected and all(path.is_file() for path in expected):
            for path, one in expected.items():
                _check(path, one.sha256, one.size)
            return list(expected)
    return []


def _download(wanted: PublicSource, one: PublishedFile, place: Path) -> Path:
    import pooch

    # Its advice is about its own functions; ours, below, is about `fetch`.
    pooch.get_logger().setLevel(logging.WARNING)
    address, file = wanted.base + one.file, PurePosixPath(one.file)
    place = place / file.parent
    noted = place / f"{file.name}.sha256"
    expected = one.sha256 or (noted.read_text().strip() if noted.exists() else None)
    try:
        path = Path(pooch.retrieve(address, expected, file.name, place, progressbar=False))
    except ValueError as error:
        raise DatasetError(f"{wanted.name}: {error}") from error
    except Exception as error:
        raise DatasetError(
            f"{wanted.name} could not be fetched from {address} ({error}); go online, or set "
            f"{MIRROR} to a folder that holds {wanted.name}/{one.file}{_held(wanted)}"
        ) from error
    if expected is None:
        found = digest(path)
        noted.write_text(found + "\n")
        _log.warning(
            "%s could not be checked: ctxlab knows no digest of %s. This one has SHA-256 %s; if "
            "you trust it, pin it with --sha256 (in Python, sha256=)",
            wanted.name,
            address,
            found,
        )
    _check(path, expected, one.size)
    return path


def _held(wanted: PublicSource) -> str:
    """Return what to ask for instead: the splits that the local mirror does hold."""
    found = dict.fromkeys(one.split for one in wanted.mirror)
    names = [f"{wanted.name}:{s}" for s in found if s and _in_mirror(wanted, s, wanted.files_of(s))]
    return f" (yours holds {', '.join(names)})" if names else ""


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
