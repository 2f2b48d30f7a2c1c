"""Language models for real: tiny ones, made here, with their tokenizers' own peculiarities."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ctxlab import compress
from ctxlab.bench.grid import Grid
from ctxlab.errors import MissingToolError
from ctxlab.models.language_models import CausalScorer, TokenClassifier
from ctxlab.strategies import LLMLingua2, LongLLMLingua, SelectiveContext
from ctxlab.testing import check_laws, sample_case

TEXTS = [
    "The fish stall opens at six.",
    "naïve café, 40 €",
    "👩‍👩‍👧 emoji 😀 and flags 🇩🇪",
    "雨だった。市場は休み。",
    "e\u0301 combining, supercalifragilisticexpialidocious",
    "  leading and   inner blanks\n\nand lines\t.",
    "<|endoftext|> [SEP] <s>",
    "\ud800 alone",
    "x",
    " ",
]
CORPUS = [*TEXTS[:6], "stall seventeen sells bread and fish until noon, today and tomorrow"] * 3


@pytest.fixture(scope="module")
def causal(package, tmp_path_factory) -> str:
    """Return the folder of a GPT of 64 positions with a byte-level BPE."""
    torch, transformers = package("torch"), package("transformers")
    tokenizers = package("tokenizers")
    folder = str(tmp_path_factory.mktemp("gpt"))
    bpe = tokenizers.ByteLevelBPETokenizer()
    bpe.train_from_iterator(CORPUS, vocab_size=400, special_tokens=["<|endoftext|>"])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=16, n_layer=2, n_head=2
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(package, tmp_path_factory) -> str:
    """Return the folder of a BERT of 48 positions with WordPiece and two classes."""
    torch, transformers = package("torch"), package("transformers")
    tokenizers = package("tokenizers")
    folder = Path(tmp_path_factory.mktemp("bert"))
    pieces = tokenizers.BertWordPieceTokenizer()
    pieces.train_from_iterator(CORPUS, vocab_size=300)
    ends = [(token, pieces.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    pieces.post_processor = tokenizers.processors.BertProcessing(*ends)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces._tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=300,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=48,
        num_labels=2,
    )
    transformers.BertForTokenClassification(config).save_pretrained(folder)
    return str(folder)


def assert_tiles(pieces, text: str) -> None:
    """Assert that the ranges of pieces are ascending, not empty, and cover the text once."""
    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert all(piece.start < piece.end for piece in pieces)
    assert pieces[-1].end == len(text)


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_tile_every_text(text, causal, classifier):
    """Emoji, combining marks, scripts, blanks, special tokens: each character in one piece."""
    for model in (CausalScorer(causal), TokenClassifier(classifier)):
        pieces = model(text)
        assert_tiles(pieces, text)
        assert all(math.isfinite(piece.value) for piece in pieces)


def test_no_text_has_no_pieces(causal, classifier):
    """The empty text is nothing."""
    assert CausalScorer(causal)("") == []
    assert TokenClassifier(classifier)("") == []


def test_nats_are_those_of_the_model(causal, package):
    """−log p equals a direct computation, with the start token before and the prefix in place."""
    torch, transformers = package("torch"), package("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(causal)
    model = transformers.AutoModelForCausalLM.from_pretrained(causal).eval()
    text, prefix = "fish at six", "bread and"
    for before in ("", prefix):
        lead = [tokenizer.bos_token_id, *tokenizer(before)["input_ids"]]
        ids = tokenizer(text)["input_ids"]
        with torch.inference_mode():
            shares = model(torch.tensor([[*lead, *ids]])).logits[0].log_softmax(-1)
        direct = [-float(shares[len(lead) - 1 + i, token]) for i, token in enumerate(ids)]
        found = CausalScorer(causal)(text, before)
        assert sum(piece.value for piece in found) == pytest.approx(sum(direct), rel=1e-5)


def test_windows_agree_where_they_see_the_same(causal):
    """The first window scores as the whole text does; all tokens are scored once."""
    text = " ".join(f"stall {i} sells bread and fish" for i in range(40))
    pieces = CausalScorer(causal)(text)
    assert_tiles(pieces, text)
    short = CausalScorer(causal)(text[:60])
    same = [(a.value, b.value) for a, b in zip(pieces, short, strict=False)][:15]
    assert all(a == pytest.approx(b, rel=1e-4) for a, b in same)
    narrow = CausalScorer(causal, window=16)(text)
    assert [(p.start, p.end) for p in narrow] == [(p.start, p.end) for p in pieces]


def test_a_long_prefix_is_cut(causal):
    """A question longer than the window leaves room for the text."""
    pieces = CausalScorer(causal)("fish at six", "why " * 500)
    assert_tiles(pieces, "fish at six")


def test_probabilities_are_those_of_the_model(classifier, package):
    """They equal a direct computation; chunks and batches do not change them."""
    torch, transformers = package("torch"), package("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier)
    model = transformers.AutoModelForTokenClassification.from_pretrained(classifier).eval()
    text = "The fish stall opens at six."
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    row = [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]
    with torch.inference_mode():
        direct = model(torch.tensor([row])).logits.softmax(-1)[0, 1:-1, 1].tolist()
    pieces = TokenClassifier(classifier)(text)
    assert [piece.value for piece in pieces] == pytest.approx(direct, abs=1e-5)
    long = f"{text} " * 30
    by_one, by_many = (TokenClassifier(classifier, batch_size=n)(long) for n in (1, 16))
    assert_tiles(by_one, long)
    assert [p.value for p in by_one] == pytest.approx([p.value for p in by_many], abs=1e-5)
    # A chunk ends with a sentence: each begins anew, as the text alone does.
    assert by_one[0].value == pytest.approx(pieces[0].value, abs=0.2)


def strategies(causal: str, classifier: str) -> list:
    """Return the three strategies over the tiny models."""
    return [
        SelectiveContext(model=causal, unit="phrase"),
        LLMLingua2(model=classifier, force_tokens=("gate",)),
        LongLLMLingua(model=causal),
    ]


def test_they_compress_conversations(causal, classifier):
    """End to end, by name of a model: chats stay valid and verbatim, and the budget holds."""
    messages = [{"role": "user", "content": m.content} for m in sample_case().messages]
    for strategy in strategies(causal, classifier):
        short = compress(messages, budget=120, query="Who has the key?", strategy=strategy)
        assert 0 < len(short) <= len(messages)
        originals = [message["content"] for message in messages]
        for message in short:
            words = message["content"].split()
            assert any(all(word in text for word in words) for text in originals)
        assert len("".join(m["content"] for m in short)) < len("".join(originals))


def test_forced_words_survive(classifier):
    """Digits and forced words are there as long as the budget holds them."""
    case = sample_case()
    messages = [{"role": "user", "content": m.content} for m in case.messages]
    short = compress(messages, budget=150, strategy=LLMLingua2(model=classifier))
    text = " ".join(message["content"] for message in short)
    for number in ("63", "14", "90", "40"):
        assert number in text


def test_they_run_in_worker_processes(causal, classifier):
    """A grid loads the models in its workers, by name, and no trial fails."""
    grid = Grid(strategies(causal, classifier), ["50%"], [sample_case()])
    results = grid.run()
    assert results.failures() == []
    assert all(row.rate <= 0.51 for row in results.rows())


def test_they_keep_the_laws(causal, classifier):
    """With a real model behind them, the laws hold."""
    for strategy in strategies(causal, classifier):
        check_laws(strategy, examples=15)


def test_a_model_that_is_not_there_is_a_clear_error(package, tmp_path):
    """The error names the model and what to do."""
    package("transformers")
    with pytest.raises(MissingToolError, match="cannot be loaded"):
        CausalScorer(str(tmp_path / "absent"))("text")
