"""Splits of datasets: the same cases for everybody, from the publisher or from a mirror."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from threading import Thread

import pytest
from typer.testing import CliRunner

from ctxlab.cli import app
from ctxlab.datasets import PublicSource, cases_of, fetch, is_dataset, load, source, sources
from ctxlab.datasets.fetching import MIRROR, digest
from ctxlab.datasets.public_sources import MirrorFile, PublishedFile, source_and_split
from ctxlab.errors import DatasetError, UnknownNameError

DIGESTS = {
    "locomo:dev": "c6323c3979b3e6544845d8b0396df5975468dc823d88592419fbff420012ceff",
    "qmsum:dev": "0ebe0a3f17559a184bcdcbbdfd6c4c2651474e871bbb13c91518cdbf9888f98f",
    "explainmeetsum:dev": "7b07fcfa72172a06f4c0f50df4b87fc663c8aafb5fb21382c371629ab0c0544a",
    "taubench:dev": "d3b06396d6f617314c297056876fd1e0d65e67764b0e6321337a7e0d74cbc8a1",
}
"""Of what was said and asked in each split, as the published files have it."""


def digest_of(cases):
    """Return the digest of what was said and what is asked, whatever a reader makes of it."""
    lines = [
        [c.id, [[m.id, m.content] for m in c.messages], [[p.question, p.answer] for p in c.probes]]
        for c in cases
    ]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def talk(name):
    """Return a conversation as LoCoMo's file has it."""
    turn = {"speaker": "Ada", "dia_id": "D1:1", "text": f"This is {name}."}
    qa = {"question": "Who?", "answer": name, "evidence": ["D1:1"], "category": 4}
    return {"sample_id": name, "conversation": {"session_1": [turn]}, "qa": [qa]}


def declare(monkeypatch, own):
    """Make `own` the only dataset there is."""
    for module in ("ctxlab.datasets", "ctxlab.datasets.public_sources"):
        monkeypatch.setattr(f"{module}.sources", lambda: {own.name: own})


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Serve the folder ``served``, as a publisher would, with the cache in ``cache``."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (tmp_path / "served").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setattr("ctxlab.datasets.fetching._cache", lambda: tmp_path / "cache")
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def talks(address, tmp_path, monkeypatch):
    """Publish five conversations in one file, of which a mirror holds the two of `dev`."""
    whole, dev = tmp_path / "served/whole.json", tmp_path / "mirror/own/dev.json"
    dev.parent.mkdir(parents=True)
    names = ["conv-1", "conv-2", "conv-3", "conv-4", "conv-5"]
    whole.write_text(json.dumps([talk(name) for name in names]))
    dev.write_text(json.dumps([talk("conv-2"), talk("conv-4")]))
    own = PublicSource(
        "own",
        "Own",
        "locomo",
        "MIT",
        base=address,
        files=(PublishedFile("whole.json", whole.stat().st_size, digest(whole)),),
        splits={"dev": ("conv-2", "conv-4"), "seen": ("conv-5*",), "test": ()},
        cluster=r"(conv)-[1-3]|(rest)",
        mirror=(MirrorFile("own/dev.json", dev.stat().st_size, digest(dev), split="dev"),),
    )
    declare(monkeypatch, own)
    return tmp_path


def test_a_split_is_taken_from_the_whole_file(talks):
    """By its list of ids, in the file's order; one split is all that is in no other."""
    found = {name: [case.id for case in load(f"own:{name}")] for name in source("own").splits}
    assert found == {"dev": ["conv-2", "conv-4"], "seen": ["conv-5"], "test": ["conv-1", "conv-3"]}
    assert sorted(chain(*found.values())) == [case.id for case in load("own")]
    assert (talks / "cache/own/whole.json").is_file()


def test_what_belongs_together_is_found_in_the_ids(talks):
    """Where the file does not say what a case belongs to; else a case is its own."""
    assert {case.id: case.cluster for case in load("own:dev")} == {"conv-2": "conv", "conv-4": None}


def test_a_mirror_that_holds_a_split_gives_the_same_cases(talks, monkeypatch):
    """Whoever has the split's own file and whoever has the whole measure the same."""
    published = load("own:dev")
    monkeypatch.setenv(MIRROR, str(talks / "mirror"))
    assert fetch("own:dev") == [talks / "mirror/own/dev.json"]
    assert load("own:dev") == published


def test_a_mirror_of_a_split_is_never_taken_for_the_whole(talks, monkeypatch):
    """The whole is the published file; offline, the error says which split there is."""
    monkeypatch.setenv(MIRROR, str(talks / "mirror"))
    assert len(load("own")) == 5
    (talks / "served/whole.json").unlink()
    (talks / "cache/own/whole.json").unlink()
    with pytest.raises(DatasetError, match=r"own/whole\.json \(yours holds own:dev\)"):
        load("own")
    assert len(load("own:dev")) == 2


@pytest.fixture
def meetings(address, tmp_path, monkeypatch):
    """Publish three meetings, each in a file that is called as its case."""
    files = []
    for name in ("Bed1", "Bro2", "covid_3"):
        path = tmp_path / f"served/train/{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"meeting_transcripts": [{"speaker": "A", "content": name}]}))
        files.append(PublishedFile(f"train/{name}.json", path.stat().st_size, digest(path)))
    own = PublicSource(
        "own", "Own", "qmsum", "MIT", base=address, files=tuple(files), file_per_case=True,
        splits={"dev": ("Bro2",), "test": ()},
    )  # fmt: skip
    declare(monkeypatch, own)
    return tmp_path


def test_of_a_file_per_case_only_those_of_the_split_are_fetched(meetings):
    """The rest of the dataset is not downloaded for a split of it."""
    assert [case.id for case in load("own:dev")] == ["Bro2"]
    assert fetch("own:dev") == [meetings / "cache/own/train/Bro2.json"]
    assert [path.name for path in (meetings / "cache").rglob("*.json")] == ["Bro2.json"]
    assert [case.id for case in cases_of("own:test")] == ["Bed1", "covid_3"]
    assert [case.id for case in load("own")] == ["Bed1", "Bro2", "covid_3"]


def test_a_digest_of_ones_own_is_for_one_file(meetings):
    """Of many files the digests are known, and one cannot be that of all."""
    with pytest.raises(DatasetError, match=r"own is 3 files.*leave sha256 out"):
        fetch("own", sha256="0" * 64)
    with pytest.raises(DatasetError, match="hash"):
        fetch("own:dev", sha256="0" * 64)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("locomo:dve", "unknown split 'locomo:dve'; did you mean 'locomo:dev'"),
        ("locomo:", "unknown split 'locomo:'.*locomo:dev, locomo:test"),
        ("agent-run:dev", "unknown split 'agent-run:dev'.*none"),
        ("lokomo:dev", "unknown dataset 'lokomo'; did you mean 'locomo'"),
    ],
)
def test_a_misspelt_split_offers_the_nearest(name, words):
    """The error lists the splits of the dataset."""
    with pytest.raises(UnknownNameError, match=words):
        source_and_split(name)


def test_every_declared_case_is_in_one_split_alone():
    """And, where a file is a case, there is such a file."""
    for one in sources().values():
        ids = [case_id for declared in one.splits.values() for case_id in declared]
        assert len(set(ids)) == len(ids)
        if one.file_per_case:
            assert sum(len(one.files_of(split)) for split in one.splits) == len(one.files)
            assert set(ids) <= {
                file.file.split("/")[-1].removesuffix(".json") for file in one.files
            }


def test_a_split_of_meetings_shares_none_with_what_was_tuned_on():
    """QMSum's and ExplainMeetSum's meetings are the same, so their splits go together."""
    tuned = set(source("explainmeetsum").splits["dev"])
    names = {file.file.split("/")[-1].removesuffix(".json") for file in source("qmsum").files}
    assert tuned == {name for name in names if not source("qmsum").holds("test", name)}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_real_splits_are_those_of_the_published_files(name, data_dir, monkeypatch):
    """The digest of all cases, messages and probes is the one that the published files give."""
    monkeypatch.setenv(MIRROR, str(data_dir))
    assert digest_of(load(name)) == DIGESTS[name]


def test_the_command_takes_a_split_for_a_name(talks):
    """Listed with its dataset, fetched, and read like any file."""
    run = CliRunner().invoke
    listed = json.loads(run(app, ["datasets", "list", "--json"]).stdout)["rows"]
    assert listed[0]["splits"] == ["dev", "seen", "test"]
    assert "dev, seen, test" in run(app, ["datasets", "list"]).stdout
    assert run(app, ["datasets", "fetch", "own:dev"]).stdout.strip().endswith("whole.json")
    found = run(app, ["import", "own:dev", "--store", str(talks / "a.duckdb"), "--json"])
    assert json.loads(found.stdout)["cases"] == 2
    assert run(app, ["budget", "own:dev", "--json"]).exit_code == 0


def test_a_path_with_a_colon_is_no_dataset():
    """Nor is the address of a database."""
    assert is_dataset("own") is False
    for path in ("postgresql://host/db", "C:/chats.json", "a:b"):
        assert not is_dataset(path)
