"""Which datasets there are by name: bundled ones, and published ones with their splits."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from ctxlab.datasets.errata import SUFFIX
from ctxlab.errors import UnknownNameError

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that a dataset's publisher offers; size in bytes and SHA-256, where known.

    Examples
    --------
    >>> source("locomo").files[0].size
    2805274
    """

    file: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """A file of the local mirror, with its bytes and SHA-256: all of a dataset, or one split.

    Examples
    --------
    >>> source("locomo").mirror[0].file, source("locomo").mirror[0].split
    ('locomo/locomo10.dev.json', 'dev')
    """

    file: str
    size: int
    sha256: str
    split: str = ""
    format: str = ""


@dataclass(frozen=True)
class PublicSource:
    """A dataset: what it is, whose licence it has, where it comes from, how it is split.

    Parameters
    ----------
    base, files
        The address of a folder, and the published files in it.
    file_per_case : bool
        A file is one case, and is called as the case is.
    cluster : str
        A regular expression whose group finds in a case's id what it belongs to, where the file
        does not say.
    splits : mapping of str to tuple of str
        The ids of the cases of each split, literally or with ``*``; of one split, none, for all
        that are in no other.
    mirror : tuple of MirrorFile
        Files of the local mirror that hold a split.
    bundled : str
        The file of ctxlab's own that it is.

    Examples
    --------
    >>> source("locomo").licence, sorted(source("locomo").splits)
    ('CC BY-NC 4.0', ['dev', 'test'])
    """

    name: str
    title: str
    format: str
    licence: str
    home: str = ""
    base: str = ""
    files: tuple[PublishedFile, ...] = ()
    file_per_case: bool = False
    cluster: str = ""
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mirror: tuple[MirrorFile, ...] = ()
    bundled: str = ""

    @property
    def address(self) -> str:
        """Where it is published: the one file, or the folder of its files."""
        return self.base + (self.files[0].file if len(self.files) == 1 else "")

    def holds(self, split: str, case_id: str) -> bool:
        """Say whether a case is of a split; all are of ``""``, the whole."""
        if not split:
            return True
        if self.splits[split]:
            return _matches(case_id, self.splits[split])
        return not any(_matches(case_id, patterns) for patterns in self.splits.values())

    def files_of(self, split: str) -> tuple[PublishedFile, ...]:
        """Return the published files that the cases of a split stand in."""
        if not self.file_per_case:
            return self.files
        return tuple(one for one in self.files if self.holds(split, PurePosixPath(one.file).stem))


def _matches(case_id: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(case_id, pattern) for pattern in patterns)


_BUNDLED = {
    "market-surplus": ("workshops/market-surplus.json", "Food surplus at a market: a workshop"),
    "night-discharge": ("workshops/night-discharge.json", "Going home at night: a workshop"),
    "agent-run": ("agent-run.jsonl", "An operations agent at work: tool calls"),
}


@cache
def sources() -> dict[str, PublicSource]:
    """Return every dataset that ctxlab knows by name, the bundled ones first.

    Examples
    --------
    >>> list(sources())[:3]
    ['market-surplus', 'night-discharge', 'agent-run']
    """
    entries = tomllib.loads((_HERE / "sources.toml").read_text(encoding="utf-8"))
    bundled = {
        name: PublicSource(
            name, title, "cases" if file.endswith("l") else "workshop", "MIT", bundled=file
        )
        for name, (file, title) in _BUNDLED.items()
    }
    return bundled | {name: _published(name, entry) for name, entry in entries.items()}


def _published(name: str, entry: Mapping[str, Any]) -> PublicSource:
    files = entry["files"]
    if isinstance(files, str):
        with (_HERE / "published" / files).open(encoding="utf-8", newline="") as table:
            files = [{**row, "size": int(row["size"])} for row in csv.DictReader(table)]
    splits = {split: tuple(ids) for split, ids in entry.get("splits", {}).items()}
    return PublicSource(
        name,
        **{
            **entry,
            "files": tuple(PublishedFile(**one) for one in files),
            "splits": splits,
            "mirror": tuple(MirrorFile(**one) for one in entry.get("mirror", ())),
        },
    )


def source(name: str) -> PublicSource:
    """Return a dataset by its name, or by that of one of its splits.

    Raises
    ------
    UnknownNameError
        When there is none; the message offers the nearest.

    Examples
    --------
    >>> source("qmsum:dev").format
    'qmsum'
    """
    return source_and_split(name)[0]


def source_and_split(name: str) -> tuple[PublicSource, str]:
    """Return a dataset, and the split that ``name:split`` names; ``""`` is the whole.

    ``+errata`` at the end of a name says how its gold is read, not what it is.

    Raises
    ------
    UnknownNameError
        When there is no such dataset, or no such split of it; the message offers the nearest.

    Examples
    --------
    >>> source_and_split("locomo:dev")[1]
    'dev'
    """
    name = name.removesuffix(SUFFIX)
    dataset, _, split = name.partition(":")
    if dataset not in sources():
        raise UnknownNameError("dataset", dataset, sources())
    found = sources()[dataset]
    if split not in found.splits and name != dataset:
        known = (f"{dataset}:{one}" for one in found.splits)
        raise UnknownNameError("split", name, known)
    return found, split


def is_dataset(name: str) -> bool:
    """Say whether a name is one of a dataset or of a split, rather than of a file.

    Examples
    --------
    >>> is_dataset("locomo:dev"), is_dataset("chats/locomo.json")
    (True, False)
    """
    return name.removesuffix(SUFFIX).partition(":")[0] in sources()
