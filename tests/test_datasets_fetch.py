"""Datasets by name: mirror first, then the publisher; bytes checked, licence shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ctxlab.datasets import PublicSource, bundled_dir, fetch, load, source, sources
from ctxlab.datasets import public_sources as catalogue
from ctxlab.datasets.fetching import MIRROR, digest
from ctxlab.datasets.public_sources import MirrorFile, PublishedFile
from ctxlab.errors import DatasetError, UnknownNameError

LINE = {"id": "c1", "dataset": "d", "messages": [{"id": "m1", "role": "user", "content": "Hi"}]}
TEXT = json.dumps(LINE) + "\n"


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """Serve ``data.jsonl`` and make it the dataset `own`; nothing else is known."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    served = tmp_path / "served"
    served.mkdir()
    (served / "data.jsonl").write_text(TEXT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.delenv(MIRROR, raising=False)
    base = f"http://127.0.0.1:{server.server_port}/"
    declare(monkeypatch, base=base, files=(PublishedFile("data.jsonl"),))
    yield served / "data.jsonl"
    server.shutdown()
    server.server_close()


def declare(monkeypatch, **fields):
    """Make `own` the only dataset there is, with these fields beside those it must have."""
    own = PublicSource("own", "Own", "cases", "MIT", **fields)
    monkeypatch.setattr(catalogue, "sources", lambda: {"own": own})


def mirrored(folder, name, text=TEXT):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return MirrorFile(name, path.stat().st_size, digest(path))


def published(file="data.jsonl", size=None, sha256=None):
    return (PublishedFile(file, size, sha256),)


def test_every_source_says_its_licence_and_format():
    """Names, licences and formats of the list are there, and the formats exist."""
    assert {"locomo", "qmsum", "longmemeval", "taubench"} < set(sources())
    from ctxlab.datasets import FORMATS

    for one in sources().values():
        assert one.licence
        assert one.title
        assert one.format in FORMATS
        assert bool(one.bundled) != bool(one.base and one.files)
        assert one.base.startswith("https://") or one.bundled
        assert one.base.endswith("/") or one.bundled
        assert {mirrored.split for mirrored in one.mirror} <= set(one.splits)
        assert sum(not ids for ids in one.splits.values()) <= 1


def test_what_is_published_is_pinned():
    """Each address names a commit, each file its bytes and digest; of one file they are unknown."""
    loose = [name for name, one in sources().items() for f in one.files if f.sha256 is None]
    assert loose == ["longmemeval"]
    for name, one in sources().items():
        for file in one.files:
            assert name in loose or (file.size and re.fullmatch("[0-9a-f]{64}", str(file.sha256)))
        assert one.bundled or name in loose or re.search("/[0-9a-f]{40}/", one.base)
        assert len({file.file for file in one.files}) == len(one.files)


def test_a_misspelt_dataset_offers_the_nearest():
    """The error lists what there is."""
    with pytest.raises(UnknownNameError, match="did you mean 'longmemeval'"):
        source("longmem-eval")


def test_bundled_datasets_need_no_mirror_and_no_network(monkeypatch):
    """They are in the package's own folder."""
    monkeypatch.setenv(MIRROR, "/nowhere")
    for one in sources().values():
        if one.bundled:
            assert fetch(one.name) == [bundled_dir() / one.bundled]
            assert load(one.name)


def test_the_mirror_is_what_the_list_promises(data_dir, monkeypatch):
    """Every file of every entry has the size and the digest that are written down for it."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    for one in sources().values():
        for split in dict.fromkeys(mirrored.split for mirrored in one.mirror):
            paths = fetch(f"{one.name}:{split}")
            for path, expected in zip(paths, one.mirror, strict=True):
                assert path == data_dir / expected.file
                assert (path.stat().st_size, digest(path)) == (expected.size, expected.sha256)


def test_a_mirror_comes_before_the_publisher(publisher, tmp_path, monkeypatch):
    """With all files in the mirror nothing is downloaded; with one missing, all of it is."""
    here = tmp_path / "mirror"
    files = (mirrored(here, "own/a.jsonl"), mirrored(here, "own/b.jsonl"))
    declare(monkeypatch, base=source("own").base, files=published(), mirror=files)
    monkeypatch.setenv(MIRROR, str(here))
    assert fetch("own", tmp_path / "cache") == [here / "own/a.jsonl", here / "own/b.jsonl"]
    assert not (tmp_path / "cache").exists()
    (here / "own/b.jsonl").unlink()
    assert fetch("own", tmp_path / "cache") == [tmp_path / "cache/own/data.jsonl"]


def test_a_mirror_may_hold_the_published_file(tmp_path, monkeypatch):
    """Who fetched the file by hand puts it where the error said, and is served offline."""
    monkeypatch.setenv(MIRROR, str(tmp_path))
    declare(monkeypatch, base="http://127.0.0.1:9/", files=published())
    with pytest.raises(DatasetError, match=r"own/data\.jsonl"):
        fetch("own", tmp_path / "cache")
    mirrored(tmp_path, "own/data.jsonl")
    assert fetch("own") == [tmp_path / "own/data.jsonl"]
    assert [case.id for case in load("own")] == ["c1"]


@pytest.mark.parametrize("fault", ["size", "sha256"])
def test_a_mirror_file_is_checked(fault, tmp_path, monkeypatch):
    """A file of another size or digest is refused, and named."""
    file = mirrored(tmp_path, "own/a.jsonl")
    text = TEXT + "\n" if fault == "size" else TEXT.replace("Hi", "Ho")
    (tmp_path / "own/a.jsonl").write_text(text)
    monkeypatch.setenv(MIRROR, str(tmp_path))
    for fields in (
        {"mirror": (file,)},
        {"base": "https://example.org/", "files": published("a.jsonl", file.size, file.sha256)},
    ):
        declare(monkeypatch, **fields)
        with pytest.raises(DatasetError, match=r"own/a\.jsonl.*expected"):
            fetch("own")


def test_a_download_that_cannot_be_checked_says_so_once(publisher, tmp_path, caplog):
    """The warning names the digest and how to pin it; later downloads must have the same."""
    [path] = fetch("own", tmp_path / "cache")
    [warning] = [r.getMessage() for r in caplog.records if r.name.startswith("ctxlab")]
    for words in ("could not be checked", digest(path), "--sha256"):
        assert words in warning
    caplog.clear()
    assert fetch("own", tmp_path / "cache") == [path]
    path.write_text("damaged")
    assert fetch("own", tmp_path / "cache") == [path]
    assert path.read_text() == TEXT
    assert not caplog.records
    publisher.write_text(TEXT.replace("Hi", "Ho"))
    path.unlink()
    with pytest.raises(DatasetError, match="hash"):
        fetch("own", tmp_path / "cache")


def test_a_digest_that_is_known_is_checked_in_silence(publisher, tmp_path, caplog):
    """Given in either case, it is compared and nothing is said."""
    for number, sha256 in enumerate((digest(publisher), digest(publisher).upper())):
        assert fetch("own", tmp_path / f"cache{number}", sha256=sha256)
    assert not caplog.records
    with pytest.raises(DatasetError, match="hash"):
        fetch("own", tmp_path / "other", sha256="0" * 64)
    assert not list((tmp_path / "other").rglob("*.jsonl"))


def test_a_download_is_checked_against_the_list(publisher, tmp_path, monkeypatch):
    """Size and digest of an entry bind its download."""
    base, size, sha256 = source("own").base, publisher.stat().st_size, digest(publisher)
    declare(monkeypatch, base=base, files=published(size=size, sha256=sha256))
    assert fetch("own", tmp_path / "good")
    declare(monkeypatch, base=base, files=published(size=size + 1, sha256=sha256))
    with pytest.raises(DatasetError, match=f"has {size} bytes, expected {size + 1}"):
        fetch("own", tmp_path / "short")
    declare(monkeypatch, base=base, files=published(size=size, sha256="0" * 64))
    with pytest.raises(DatasetError, match="hash"):
        fetch("own", tmp_path / "other")


def test_a_file_that_the_publisher_moved_is_explained(publisher, tmp_path):
    """The error has the address, the cause and the way to do without."""
    publisher.unlink()
    with pytest.raises(DatasetError, match=rf"127\.0\.0\.1.*404.*{MIRROR}"):
        fetch("own", tmp_path / "cache")


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, "-c", *command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1", **environment},
    )


def test_the_command_shows_the_licence(data_dir):
    """`datasets fetch` says it on stderr; stdout has the paths alone."""
    code = "from ctxlab.cli import main; main()"
    done = run(code, "datasets", "fetch", "locomo:dev", **{MIRROR: str(data_dir)})
    assert "CC BY-NC 4.0" in done.stderr
    assert done.stdout.split() == [str(data_dir / "locomo/locomo10.dev.json")]


def test_importing_the_readers_is_light():
    """No frame, no database, no downloader before one is needed."""
    heavy = "altair duckdb numpy platformdirs polars pooch pyarrow scipy tiktoken"
    code = f"import sys, ctxlab.datasets; print(set({heavy.split()}) & set(sys.modules))"
    assert run(code).stdout.strip() == "set()"
