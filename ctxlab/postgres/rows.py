"""What the store adds to rows from elsewhere: token counts, running sums, verdicts."""

from __future__ import annotations

import json
from functools import lru_cache

import polars as pl

from ctxlab.core.segments import Message, Role, ToolCall
from ctxlab.core.tokens import TokenCounter
from ctxlab.store.connection import Database
from ctxlab.store.forms import CALLS
from ctxlab.store.records import fetch
from ctxlab.store.tables import ARTIFACT_SCHEMAS
from ctxlab.text.json_numbers import compact
from ctxlab.workshop.schema_versions import faults


class Messages:
    """Counts messages that arrive in batches, ordered by workshop.

    Parameters
    ----------
    counter : TokenCounter
        Whose tokens are counted.

    Examples
    --------
    >>> row = {"workshop_id": "w", "message_id": "m", "role": "user", "content": "Hi"}
    >>> rest = {"position": None, "name": None, "tool_calls": None}
    >>> Messages(TokenCounter()).counted(pl.DataFrame([row | rest])).select(
    ...     "position", "token_count", "overhead", "running_total").rows()
    [(0, 1, 4, 0)]
    """

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        self._workshop = ""
        self._position = self._total = 0
        self._overhead = lru_cache(maxsize=4096)(self._overhead_of)

    def counted(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return a batch with positions, tokens, running sums, and tool calls in our form.

        Examples
        --------
        >>> row = {"workshop_id": "w", "message_id": "m", "role": "user", "content": "Hi"}
        >>> rest = {"position": 7, "name": "Ada", "tool_calls": None}
        >>> Messages(TokenCounter()).counted(pl.DataFrame([row | rest]))["position"].item()
        7
        """
        calls = [text and tool_calls(text) for text in batch["tool_calls"]]
        overheads = [
            self._overhead(role, name, text)
            for (role, name), text in zip(
                batch.select("role", "name").iter_rows(), calls, strict=True
            )
        ]
        frame = batch.with_columns(
            pl.Series("tool_calls", calls, pl.String),
            pl.Series(
                "token_count", self._counter.count_many(batch["content"].to_list()), pl.Int32
            ),
            pl.Series("overhead", overheads, pl.Int32),
            pl.lit(self._counter.encoding).alias("encoding"),
        )
        # The batch before may have ended within the workshop that this one begins with.
        goes_on = pl.col("workshop_id") == self._workshop
        place = pl.int_range(pl.len()).over("workshop_id")
        place += pl.when(goes_on).then(self._position).otherwise(0)
        cost = (pl.col("token_count") + pl.col("overhead")).cast(pl.Int64)
        before = cost.cum_sum().over("workshop_id") - cost
        before += pl.when(goes_on).then(self._total).otherwise(0)
        frame = frame.with_columns(
            place.cast(pl.Int32).alias("_place"), before.alias("running_total")
        )
        last = frame.row(-1, named=True)
        self._workshop, self._position = last["workshop_id"], last["_place"] + 1
        self._total = last["running_total"] + last["token_count"] + last["overhead"]
        position = pl.coalesce(pl.col("position"), pl.col("_place")).cast(pl.Int32)
        return frame.with_columns(position.alias("position")).drop("_place")

    def _overhead_of(self, role: Role, name: str | None, calls: str | None) -> int:
        [made] = CALLS.read([calls])
        return self._counter.overhead(Message("", role, "", name=name, tool_calls=made))


def tool_calls(text: str) -> str | None:
    """Return tool calls as the store keeps them, be they in its form or in OpenAI's.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        When they are neither.

    Examples
    --------
    >>> tool_calls('[{"id": "c1", "function": {"name": "find", "arguments": "{}"}}]')
    '[{"id": "c1", "name": "find", "arguments": "{}"}]'
    """
    calls = [_call(call) for call in json.loads(text) or ()]
    return str(CALLS.write([calls])[0]) if calls else None


def _call(call: dict[str, object]) -> ToolCall:
    body = call.get("function", call)
    if not isinstance(body, dict):
        raise TypeError(body)
    arguments = body.get("arguments", "")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(str(call["id"]), str(body["name"]), text)


def with_summary_tokens(frame: pl.DataFrame, counter: TokenCounter) -> pl.DataFrame:
    """Return summaries with the tokens of their own text.

    Examples
    --------
    >>> frame = pl.DataFrame({"summary": ["We chose bread."]})
    >>> with_summary_tokens(frame, TokenCounter())["token_count"].item()
    4
    """
    return _with_tokens(frame, "summary", counter)


def with_artifact_tokens(db: Database, frame: pl.DataFrame, counter: TokenCounter) -> pl.DataFrame:
    """Return artifacts as compact JSON, counted, and judged where nobody has judged them yet.

    Examples
    --------
    >>> row = {"workshop_step_id": "t", "artifact": '{"a": 1}', "schema_version": 1, "valid": None}
    >>> frame = with_artifact_tokens(Database(), pl.DataFrame([row]), TokenCounter())
    >>> frame.select("artifact", "valid").rows()
    [('{"a":1}', True)]
    """
    steps = {
        row: (protocol, step)
        for row, protocol, step in db.rows(
            "SELECT t.id, w.protocol, t.step_id FROM workshop_steps t "
            "JOIN workshops w ON w.id = t.workshop_id"
        )
    }
    names = ["protocol", "step_id", "schema_version", "json_schema"]
    known = fetch(db, ARTIFACT_SCHEMAS, names, "")
    versions = zip(*(known[name] for name in names[:3]), strict=True)
    schemas = dict(zip(versions, known["json_schema"], strict=True))
    frame = compacted(frame)
    verdicts = []
    for row in frame.iter_rows(named=True):
        valid = row["valid"]
        if valid is None:
            key = (*steps.get(row["workshop_step_id"], ("", "")), row["schema_version"])
            schema = schemas.get(key)
            valid = not schema or not faults(schema, json.loads(row["artifact"]))
        verdicts.append(valid)
    judged = frame.with_columns(pl.Series("valid", verdicts, pl.Boolean))
    return _with_tokens(judged, "artifact", counter)


def compacted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return artifacts as the store writes their JSON; numbers keep their digits.

    Examples
    --------
    >>> row = {"workshop_step_id": "t", "artifact": '{"a": 1.50}'}
    >>> compacted(pl.DataFrame([row]))["artifact"].item()
    '{"a":1.50}'
    """
    texts = [compact(text) for text in frame["artifact"]]
    return frame.with_columns(pl.Series("artifact", texts, pl.String))


def _with_tokens(frame: pl.DataFrame, column: str, counter: TokenCounter) -> pl.DataFrame:
    tokens = counter.count_many(frame[column].to_list())
    return frame.with_columns(
        pl.Series("token_count", tokens, pl.Int32), pl.lit(counter.encoding).alias("encoding")
    )
