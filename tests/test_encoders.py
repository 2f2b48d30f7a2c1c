"""Encoders: matrices are checked, vectors are kept by model and text, keys stay secret."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time

import numpy as np
import pytest

from ctxlab.datasets import write_cases
from ctxlab.errors import CtxlabError, EncoderError, MissingExtraError, UnknownNameError
from ctxlab.models import (
    MemoEncoder,
    Model2VecEncoder,
    NamedEncoder,
    OnnxEncoder,
    OpenAIEncoder,
    SentenceTransformerEncoder,
    as_matrix,
    encoder_name,
    load_encoder,
)
from ctxlab.models.cached_encoder import CachedEncoder
from ctxlab.store import Store
from ctxlab.testing import sample_case

KEY = "sk-very-secret-0123456789"


class Letters:
    """Counts letters; remembers what it was asked."""

    def __init__(self, name: str = "letters", letters: str = "abcde"):
        self.name, self.letters = name, letters
        self.asked: list[str] = []

    def __call__(self, texts):
        self.asked += texts
        return [[float(text.count(letter)) for letter in self.letters] for text in texts]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([1.0, 2.0], r"shape \(2,\) for 2 texts"),
        ([[1.0], [2.0], [3.0]], r"shape \(3, 1\) for 2 texts"),
        ([[], []], r"shape \(2, 0\) for 2 texts"),
        ([[1.0], [1.0, 2.0]], "no matrix for 2 texts"),
        ([["a"], ["b"]], "no matrix for 2 texts"),
        ([[1.0], [float("nan")]], "not finite for text 1 of 2"),
    ],
)
def test_what_is_no_matrix_is_refused_with_its_shape(found, words):
    """One row of finite numbers per text, or an error that says what came instead."""
    with pytest.raises(EncoderError, match=words):
        as_matrix(found, rows=2)


def test_an_encoder_that_changes_its_width_is_refused():
    """Vectors of two lengths do not mix in one process either."""
    widths = iter([3, 4])
    memo = MemoEncoder(NamedEncoder("odd", lambda texts: [[1.0] * next(widths)] * len(texts)))
    memo(["a"])
    with pytest.raises(EncoderError, match="gives 4 numbers per text and gave 3 before"):
        memo(["b"])


def test_a_memo_asks_for_each_text_once_and_pickles_with_what_it_knows():
    """A worker that is sent vectors does not ask the model for them again."""
    letters = Letters()
    memo = MemoEncoder(letters, ["abc"], as_matrix([[9.0] * 5], 1))
    copy = pickle.loads(pickle.dumps(memo))
    assert copy(["abc", "bad", "bad"]).tolist() == [[9.0] * 5, *[[1.0, 1.0, 0.0, 1.0, 0.0]] * 2]
    assert copy(["bad"]).tolist() == [[1.0, 1.0, 0.0, 1.0, 0.0]]
    assert copy.encoder.asked == ["bad"]
    assert memo([]).shape == (0, 0)


def test_an_encoder_without_a_name_is_not_cached():
    """Two closures over two models look the same: a name must tell them apart."""
    with pytest.raises(EncoderError, match=r"<lambda> has no name .* NamedEncoder\('my-model'"):
        encoder_name(lambda texts: [[1.0]] * len(texts))


def test_a_second_run_reads_every_vector_from_the_file(tmp_path):
    """Only what is missing is encoded, once each, and it outlives the process."""
    texts = ["a cab", "a bed", "", "a cab", "lone \ud800 surrogate"]
    first, second = Letters(), Letters()
    with Store(tmp_path / "lab.duckdb") as store:
        before = CachedEncoder(first, store)(texts[:2])
        after = CachedEncoder(first, store)(texts)
    assert first.asked == ["a cab", "a bed", "", "lone \ud800 surrogate"]
    with Store(tmp_path / "lab.duckdb") as store:
        again = CachedEncoder(second, store)(texts)
        assert store.counts() == {"vectors": 4}
        digest = hashlib.sha256(b"a cab").hexdigest()
        [(kept,)] = store.query(
            "SELECT vector FROM vectors WHERE model = 'letters' AND text_hash = ?", [digest]
        ).rows()
    assert second.asked == []
    assert again.dtype == np.float32
    assert np.array_equal(after, again)
    assert np.array_equal(before, again[:2])
    assert kept == [2.0, 1.0, 1.0, 0.0, 0.0]


def test_two_encoders_never_share_a_vector(tmp_path):
    """The name is part of the key; one name with another length is refused, nothing is lost."""
    with Store(tmp_path / "lab.duckdb") as store:
        one = CachedEncoder(Letters("one", "ab"), store)
        two = CachedEncoder(Letters("two", "xyz"), store)
        assert one(["abx"]).tolist() == [[1.0, 1.0]]
        assert two(["abx"]).tolist() == [[1.0, 0.0, 0.0]]
        with pytest.raises(EncoderError, match=r"'one' gives 3 .* keeps vectors of 2 .* name"):
            CachedEncoder(Letters("one", "xyz"), store)(["new"])
        assert store.counts() == {"vectors": 2}


def test_vectors_are_kept_batch_by_batch(tmp_path, monkeypatch):
    """What was encoded before a failure is not encoded, or paid for, again."""
    monkeypatch.setattr("ctxlab.models.cached_encoder._BATCH", 2)
    letters = Letters()

    def fails_late(texts):
        if "stop" in texts:
            raise ConnectionError("gone")
        return letters(texts)

    with Store(tmp_path / "lab.duckdb") as store:
        with pytest.raises(ConnectionError):
            CachedEncoder(NamedEncoder("letters", fails_late), store)(["a", "b", "c", "stop"])
        assert store.counts() == {"vectors": 2}
        CachedEncoder(letters, store)(["a", "b", "c", "stop"])
    assert Counter(letters.asked) == Counter(["a", "b", "c", "stop"])


def test_thousands_of_vectors_come_back_in_the_order_they_are_asked_for(tmp_path):
    """Bulk in and bulk out, whatever the order."""
    texts = [f"message {i}" for i in range(5000)]
    by_hash = NamedEncoder("hash", lambda batch: [[float(text.split()[1]), 1.0] for text in batch])
    with Store(tmp_path / "lab.duckdb") as store:
        CachedEncoder(by_hash, store)(texts)
        found = CachedEncoder(Letters("hash"), store)(texts[::-3])
    assert found[:, 0].tolist() == [float(i) for i in range(5000)][::-3]


def test_a_cached_encoder_travels_without_its_store():
    """A worker cannot open the file: it gets the encoder alone."""
    cached = CachedEncoder(Letters("mine"), Store(":memory:"))
    assert encoder_name(pickle.loads(pickle.dumps(cached))) == "mine"


@pytest.mark.parametrize(
    ("text", "encoder"),
    [
        ("sentence-transformers:all-MiniLM-L6-v2", SentenceTransformerEncoder("all-MiniLM-L6-v2")),
        ("model2vec:minishlab/potion", Model2VecEncoder("minishlab/potion")),
        ("onnx:models/mini", OnnxEncoder("models/mini")),
        ("openai:te-3", OpenAIEncoder("te-3")),
        ("openai:e5@http://h:1/v1", OpenAIEncoder("e5", base_url="http://h:1/v1")),
    ],
)
def test_a_text_names_an_encoder(text, encoder):
    """What the command line takes is a value that pickles, compares and hashes."""
    assert load_encoder(text) == encoder
    assert pickle.loads(pickle.dumps(encoder)) == encoder
    assert hash(encoder) == hash(load_encoder(text))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("onxx:models", UnknownNameError, "did you mean 'onnx'"),
        ("minilm", UnknownNameError, "Known: model2vec, onnx, openai, sentence-transformers"),
        ("onnx:", EncoderError, "names no model; write it as onnx:MODEL"),
    ],
)
def test_a_text_that_names_none_is_refused(text, error, words):
    """The nearest kind is offered."""
    with pytest.raises(error, match=words):
        load_encoder(text)


@pytest.mark.parametrize(
    ("module", "encoder", "line"),
    [
        ("sentence_transformers", SentenceTransformerEncoder("m"), "sentence-transformers>="),
        ("model2vec", Model2VecEncoder("m"), r"ctxlab\[embed\]"),
    ],
)
def test_a_missing_package_prints_its_install_line(monkeypatch, module, encoder, line):
    """What is not installed says how to install it."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=f'pip install "{line}') as caught:
        encoder(["a"])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_onnx_folder_is_checked_before_anything_is_loaded(tmp_path, monkeypatch):
    """Which file is missing is said; without the packages, the install line."""
    with pytest.raises(EncoderError, match=r"no tokenizer\.json"):
        OnnxEncoder(str(tmp_path))(["a"])
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(EncoderError, match=r"holds no model\.onnx .*found: none"):
        OnnxEncoder(str(tmp_path))(["a"])
    (tmp_path / "model.onnx").write_bytes(b"no model")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r'pip install "ctxlab\[embed\]"'):
        OnnxEncoder(str(tmp_path))(["a"])


def test_a_folder_is_named_by_its_weights(tmp_path):
    """Weights that changed are another model, wherever the folder stands."""
    for folder, weights in (("a/m", b"1"), ("b/m", b"1"), ("c/m", b"2")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.safetensors").write_bytes(weights)
    a, b, c = (Model2VecEncoder(str(tmp_path / one / "m")).name for one in "abc")
    assert a == b != c
    assert a.startswith("model2vec:m@")


class Server(ThreadingHTTPServer):
    """Answers with a script, then with vectors; records every request."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.script: list[tuple[int, dict[str, str], bytes] | str] = []
        self.requests: list[dict] = []
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({"path": self.path, **body})
        self.server.keys.append(self.headers.get("Authorization"))
        step = self.server.script.pop(0) if self.server.script else _vectors(body["input"])
        if step == "drop":
            self.connection.close()
            return
        status, headers, answer = step
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            return

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def log_message(self, *_):
        return


def _vectors(texts):
    rows = [{"index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate(texts)]
    return 200, {}, json.dumps({"data": rows[::-1]}).encode()


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Server() as one:
        Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield one
        one.shutdown()


def test_an_endpoint_gives_vectors_in_the_order_of_the_texts(server):
    """Batches, whatever the order of the answer; an empty text is not sent empty."""
    encoder = OpenAIEncoder("m", base_url=server.url, batch_size=2, dimensions=2)
    assert encoder(["four", "", "lone \ud800"])[:, 0].tolist() == [4.0, 1.0, 6.0]
    assert [one["input"] for one in server.requests] == [["four", " "], ["lone ?"]]
    assert server.requests[0]["path"] == "/v1/embeddings"
    assert server.requests[0]["dimensions"] == 2
    assert server.keys == [f"Bearer {KEY}"] * 2


@pytest.mark.parametrize(
    "step",
    [
        (429, {"Retry-After": "0.01"}, b"slow down"),
        (429, {"Retry-After": formatdate(time() - 60, usegmt=True)}, b""),
        (500, {}, b"oops"),
        (503, {}, b""),
        "drop",
    ],
    ids=["429", "429 with a date", "500", "503", "dropped"],
)
def test_what_passes_is_tried_again(server, step):
    """A limit, a failing server and a dropped connection are waited out."""
    server.script = [step, step]
    encoder = OpenAIEncoder("m", base_url=server.url, wait=0.01)
    assert encoder(["four"]).tolist() == [[4.0, 1.0]]
    assert len(server.requests) == 3


def test_retry_after_is_honoured(server, monkeypatch):
    """The server says how long; where it says nothing, the wait doubles."""
    waits: list[float] = []
    monkeypatch.setattr("ctxlab.models.endpoint_encoder.sleep", waits.append)
    server.script = [(429, {"Retry-After": "7"}, b""), (500, {}, b""), (500, {}, b"")]
    OpenAIEncoder("m", base_url=server.url)(["a"])
    assert waits == [7.0, 1.0, 2.0]
    server.script = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(EncoderError, match=r"status 429 .*left alone for 3,600 seconds"):
        OpenAIEncoder("m", base_url=server.url)(["a"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "status 400 .* check the model's name"),
        (401, "status 401 .* check the key"),
        (404, "status 404 .* check base_url"),
        (302, "status 302 .* it moved to http://elsewhere.example"),
    ],
)
def test_a_refusal_names_status_and_remedy_at_once(server, status, words):
    """What will not pass is not tried again, and a redirect does not take the key along."""
    body = f"Incorrect API key provided: {KEY}".encode()
    server.script = [(status, {"Location": "http://elsewhere.example"}, body)]
    with pytest.raises(EncoderError, match=words) as caught:
        OpenAIEncoder("m", base_url=server.url)(["a"])
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)


def test_a_failure_that_stays_is_given_up(server):
    """The number of attempts is said."""
    server.script = [(500, {}, b"oops")] * 9
    with pytest.raises(EncoderError, match=r"status 500 .*'oops'.*given up after 3 attempts"):
        OpenAIEncoder("m", base_url=server.url, retries=2, wait=0.001)(["a"])
    assert len(server.requests) == 3


def test_a_server_that_is_not_there_is_said_to_be_unreachable():
    """The address and the network are what to check."""
    with pytest.raises(EncoderError, match=r"cannot be reached .*given up after 2 attempts"):
        OpenAIEncoder("m", base_url="http://127.0.0.1:9/v1", retries=1, wait=0.001)(["a"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "instead of data"),
        (b"[1]", "instead of data"),
        (b'{"data": [{"index": 0}]}', "instead of data"),
        (b'{"data": null}', "instead of data"),
        (b'{"data": [{"index": 0, "embedding": "AAAA"}]}', "instead of data"),
        (b'{"data": []}', "0 vectors .* for 1 text"),
        (b'{"data": [{"index": 0, "embedding": 1.5}]}', "1 vectors of shape"),
    ],
)
def test_an_answer_of_another_shape_is_refused(server, answer, words):
    """Never a matrix that was not asked for."""
    server.script = [(200, {}, answer)]
    with pytest.raises(EncoderError, match=words):
        OpenAIEncoder("m", base_url=server.url)(["a"])


def test_the_key_stands_nowhere_but_in_the_request(server, tmp_path):
    """Not in repr, name, pickle or store."""
    encoder = OpenAIEncoder("m", base_url=server.url)
    with Store(tmp_path / "lab.duckdb") as store:
        CachedEncoder(encoder, store)(["a"])
        shown = f"{store.query('SELECT * FROM vectors').rows()}"
    for text in (repr(encoder), encoder.name, shown, repr(pickle.dumps(encoder))):
        assert KEY not in text
    assert KEY.encode() not in (tmp_path / "lab.duckdb").read_bytes()


def test_a_key_is_asked_for_where_one_is_needed(server, monkeypatch):
    """OpenAI itself wants one; a server of one's own may do without; a broken one is not shown."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(EncoderError, match="environment variable OPENAI_API_KEY; set it"):
        OpenAIEncoder("m")(["a"])
    OpenAIEncoder("m", base_url=server.url)(["a"])
    assert server.keys == [None]
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX-Evil: 1")
    with pytest.raises(EncoderError, match="a character that no key has") as caught:
        OpenAIEncoder("m", base_url=server.url)(["a"])
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["ftp://host/v1", "host/v1", "https://me:pass@host/v1", "https://host/v1?key=pass"]
)
def test_an_address_that_is_none_or_carries_a_password_is_refused(address):
    """An address is shown in names and errors; a password must not be."""
    with pytest.raises(CtxlabError) as caught:
        OpenAIEncoder("m", base_url=address)
    assert "pass@" not in str(caught.value)
    assert "key=pass" not in str(caught.value)


def test_the_command_line_takes_an_encoder_and_keeps_its_vectors(server, tmp_path):
    """Compare and show encode by way of the store; a further run asks the server nothing."""
    write_cases([sample_case()], tmp_path / "chats.jsonl")
    encoder = f"openai:m@{server.url}"
    compare = "compare", "chats.jsonl", "--budget", "40%", "--encoder", encoder, "--json"
    done = ctxlab(*compare, "--strategy", "Fusion", "--strategy", "BM25", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {(row["strategy"], row["failed"]) for row in rows} == {("Fusion()", 0), ("BM25()", 0)}
    sent = [text for request in server.requests for text in request["input"]]
    assert len(sent) == len(set(sent)) == 12 + 3
    asked = "show", "chats.jsonl", "--strategy", "EmbeddingTopK", "--budget", "40%"
    shown = ctxlab(*asked, "--probe", "p1", "--encoder", encoder, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "by EmbeddingTopK()" in shown.stdout
    assert sum(len(request["input"]) for request in server.requests) == 12 + 3


def ctxlab(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from ctxlab.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)
