"""Models of Hugging Face as tools: how unexpected a text is, and which words it can spare.

Both give pieces whose ranges tile the text, so that whatever is cut by them can be traced to
its characters. Nothing is downloaded that is not asked for: a model is a folder, or a name that
is cached or can be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ctxlab.core.tools import TokenScore
from ctxlab.errors import MissingExtraError, MissingToolError
from ctxlab.text.sentences import sentence_ranges

Offsets = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class CausalScorer:
    """A causal language model that says how unexpected each of its tokens is.

    A text longer than the model's window is read in windows that overlap by half, so that
    every token but the first has at least half a window before it, and none is scored twice.
    The prefix stands before every window, cut to its last quarter window.

    Parameters
    ----------
    model : str
        A model's folder, or its name on the Hugging Face hub.
    window : int, optional
        Tokens of a window; the model's own limit, 2,048 at most, when not given.
    device : str
        Where it runs, as torch names it.

    Raises
    ------
    MissingExtraError
        When torch or transformers is not installed.
    MissingToolError
        When the model cannot be loaded.

    Examples
    --------
    >>> CausalScorer("gpt2").window is None
    True
    """

    model: str
    window: int | None = None
    device: str = "cpu"

    def __call__(self, text: str, prefix: str = "", /) -> list[TokenScore]:
        """Return the tokens of `text` with −ln p(token | prefix and what stands before it)."""
        if not text:
            return []
        model, tokenizer = _loaded("AutoModelForCausalLM", self.model, self.device)
        ids, offsets = _encoded(tokenizer, text)
        start = _start_of_text(tokenizer)
        window = self.window or min(_limit(model), 2048)
        before = (
            [*start, *_encoded(tokenizer, prefix)[0][-max(1, window // 4) :]] if prefix else start
        )
        size = max(2, window - len(before))
        nats: list[float] = []
        while len(nats) < len(ids):
            # The first window has nothing to overlap with.
            begin = max(0, len(nats) - size // 2)
            part = ids[begin : begin + size]
            scores = _nats(model, [*before, *part], len(before), self.device)
            nats += scores[len(nats) - begin :]
        return tiled(text, offsets, nats, sum)


@dataclass(frozen=True)
class TokenClassifier:
    """A token-classification model that says how likely each of its tokens is to be kept.

    A text is read in chunks of at most the model's window, 512 tokens as a rule, that end with
    a sentence where one does (Pan et al., "LLMLingua-2", 2024).

    Parameters
    ----------
    model : str
        A model's folder, or its name on the Hugging Face hub.
    label : int
        The class that means keep.
    window : int
        Tokens of a chunk, those that the model adds included.
    batch_size : int
        Chunks read at once.
    device : str
        Where it runs, as torch names it.

    Raises
    ------
    MissingExtraError
        When torch or transformers is not installed.
    MissingToolError
        When the model cannot be loaded.

    Examples
    --------
    >>> TokenClassifier("microsoft/llmlingua-2-xlm-roberta-large-meetingbank").label
    1
    """

    model: str
    label: int = 1
    window: int = 512
    batch_size: int = 8
    device: str = "cpu"

    def __call__(self, text: str, /) -> list[TokenScore]:
        """Return the tokens of `text` with the probability of the class `label`."""
        if not text:
            return []
        model, tokenizer = _loaded("AutoModelForTokenClassification", self.model, self.device)
        ids, offsets = _encoded(tokenizer, text)
        lead, tail = _frame(tokenizer)
        size = max(1, min(self.window, _limit(model)) - len(lead) - len(tail))
        stops = [end for _, end in sentence_ranges(text)]
        rows = [[*lead, *ids[a:b], *tail] for a, b in chunked(offsets, stops, size)]
        kept: list[float] = []
        for i in range(0, len(rows), self.batch_size):
            batch = rows[i : i + self.batch_size]
            shares = _shares(model, batch, tokenizer.pad_token_id or 0, self.label, self.device)
            for row, values in zip(batch, shares, strict=True):
                kept += values[len(lead) : len(row) - len(tail)]
        return tiled(text, offsets, kept, lambda values: sum(values) / len(values))


def tiled(
    text: str,
    offsets: Offsets,
    values: Sequence[float],
    together: Callable[[list[float]], float],
) -> list[TokenScore]:
    """Return pieces that tile `text`, of tokens that may leave gaps or share characters.

    A gap, such as a blank that a tokenizer leaves out, goes to the token after it. Tokens that
    share a character, such as the bytes of an emoji, become one piece.

    Parameters
    ----------
    text : str
        The text.
    offsets : sequence of (int, int)
        Half-open ranges of characters, ascending.
    values : sequence of float
        One a token.
    together : callable
        The value of a piece that several tokens make.

    Examples
    --------
    >>> pieces = tiled("ab c", [(0, 1), (0, 1), (1, 2), (3, 4)], [1.0, 2.0, 3.0, 4.0], sum)
    >>> [(piece.start, piece.end, piece.value) for piece in pieces]
    [(0, 1, 3.0), (1, 2, 3.0), (2, 4, 4.0)]
    """
    ends: list[int] = []
    groups: list[list[float]] = []
    for (_, end), value in zip(offsets, values, strict=True):
        if ends and end <= ends[-1]:
            groups[-1].append(value)
        elif end > 0:
            ends.append(end)
            groups.append([value])
    if not ends:
        return [TokenScore(0, len(text), together(list(values) or [0.0]))] if text else []
    ends[-1] = len(text)
    starts = [0, *ends[:-1]]
    return [TokenScore(a, b, together(v)) for a, b, v in zip(starts, ends, groups, strict=True)]


def chunked(offsets: Offsets, stops: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of at most `size` tokens that end where a sentence does, if one does.

    Parameters
    ----------
    offsets : sequence of (int, int)
        The characters of every token.
    stops : sequence of int
        Characters at which a sentence ends.
    size : int
        Most tokens of a chunk.

    Examples
    --------
    >>> list(chunked([(i, i + 1) for i in range(7)], [2, 5, 7], 4))
    [(0, 2), (2, 5), (5, 7)]
    """
    ends = set(stops)
    start = 0
    while start < len(offsets):
        stop = min(start + size, len(offsets))
        if stop < len(offsets):
            inside = (i for i in range(stop, start, -1) if offsets[i - 1][1] in ends)
            stop = next(inside, stop)
        yield start, stop
        start = stop


def _encoded(tokenizer: Any, text: str) -> tuple[list[int], list[tuple[int, int]]]:  # noqa: ANN401
    """Return the token ids of a text and their characters; lone surrogates read as U+FFFD."""
    readable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found = tokenizer(
        readable if len(readable) == len(text) else text.encode("utf-8", "replace").decode(),
        add_special_tokens=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    return list(found["input_ids"]), list(found["offset_mapping"])


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:  # noqa: ANN401
    """Return the tokens that a model wants before and after a text."""
    plain, framed = (
        list(tokenizer("a", add_special_tokens=added)["input_ids"]) for added in (False, True)
    )
    size = len(plain)
    starts = (i for i in range(len(framed) - size + 1) if framed[i : i + size] == plain)
    start = next(starts, 0)
    return framed[:start], framed[start + size :]


def _shares(
    model: Any,  # noqa: ANN401
    rows: Sequence[list[int]],
    padding: int,
    label: int,
    device: str,
) -> list[list[float]]:
    """Return the probability of a class for every token of rows, padded to the longest."""
    import torch

    longest = max(map(len, rows))
    ids = [[*row, *[padding] * (longest - len(row))] for row in rows]
    seen = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(seen, device=device),
        ).logits
        shares: list[list[float]] = logits.float().softmax(-1)[..., label].tolist()
    return shares


def _start_of_text(tokenizer: Any) -> list[int]:  # noqa: ANN401
    """Return the token that stands before any text, so that the first one is scored too."""
    ids = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id, 0)
    return [next(found for found in ids if found is not None)]


def _limit(model: Any) -> int:  # noqa: ANN401
    config = model.config
    for name in ("max_position_embeddings", "n_positions"):
        limit = getattr(config, name, None)
        if limit:
            # Models of RoBERTa's kind count positions from beyond the padding's.
            shifted = config.model_type in {"roberta", "xlm-roberta", "camembert"}
            return int(limit) - (2 if shifted else 0)
    return 512


def _nats(model: Any, ids: list[int], skip: int, device: str) -> list[float]:  # noqa: ANN401
    """Return −ln p of every token after the first `skip`, of which there is at least one."""
    import torch

    with torch.inference_mode():
        row = torch.tensor([ids], device=device)
        shares = model(input_ids=row).logits[0, skip - 1 : -1].float().log_softmax(-1)
        found = -shares.gather(-1, row[0, skip:, None])[:, 0]
    return [float(x) for x in found]


@cache
def _loaded(kind: str, model: str, device: str) -> tuple[Any, Any]:
    """Return a model and its tokenizer, loaded once a process."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("a language model of Hugging Face", "models") from error
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        loaded = getattr(transformers, kind).from_pretrained(model, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MissingToolError(
            f"the model {model!r} cannot be loaded ({reason}); name a model's folder, or a model "
            "of the Hugging Face hub that is cached or can be reached"
        ) from error
    if not tokenizer.is_fast:
        raise MissingToolError(
            f"the tokenizer of {model!r} does not say where its tokens stand; take a model with a "
            "fast tokenizer"
        )
    return loaded.eval().to(device), tokenizer
