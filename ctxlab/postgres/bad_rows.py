"""Rows that the lab cannot take: each told by table, key and column, so that one costs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ctxlab.errors import DataError
from ctxlab.postgres.production_reader import KEY
from ctxlab.postgres.rows import tool_calls
from ctxlab.store.tables import PRODUCTION


@dataclass
class RowCheck:
    """Takes out the rows that are at fault, or refuses the first of them.

    Parameters
    ----------
    skip_bad : bool
        Go on without them.

    Examples
    --------
    >>> check = RowCheck(skip_bad=True)
    >>> row = {"id": "t", "role": "robot", "their_key": "7"}
    >>> check._words("chat_messages", pl.DataFrame([row])).height
    0
    >>> print(check.skipped[0])
    field chat_messages.role: is 'robot' in row '7'; expected one of: system, user, assistant, tool
    """

    skip_bad: bool = False
    skipped: list[DataError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen: dict[str, set[tuple[object, ...]]] = {}
        self._parents: dict[str, set[tuple[object, ...]]] = {}

    def good(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that the store can take.

        Raises
        ------
        DataError
            With table, key and column of the first that it cannot, unless they are left out.

        Examples
        --------
        >>> row = {"id": "s", "workshop_id": "w", "label": None, "position": 0, "their_key": "s"}
        >>> RowCheck().good("sessions", pl.DataFrame([row]))
        Traceback (most recent call last):
        ctxlab.errors.DataError: field sessions.workshop_id: is 'w' in row 's', which is no row ...
        """
        for step in (self._words, self._nulls, self._json, self._orphans, self._twice):
            frame = step(table, frame)
        names = {"workshops": ["id"], "sessions": ["id", "workshop_id"]}
        for columns in (names.get(table, []), PRODUCTION[table].key):
            if columns and set(columns) <= set(frame.columns):
                self._note(table, tuple(columns), frame)
        if table == "workshop_steps":
            self._note(table, ("id",), frame)
            self._note(table, ("workshop_id", "step_id"), frame)
        return frame

    def _note(self, table: str, columns: tuple[str, ...], frame: pl.DataFrame) -> None:
        kept = self._parents.setdefault(f"{table} {' '.join(columns)}", set())
        kept.update(frame.select(columns).iter_rows())

    def _without(
        self,
        table: str,
        column: str,
        frame: pl.DataFrame,
        bad: pl.Series,
        why: Callable[[Mapping[str, object]], str],
    ) -> pl.DataFrame:
        if not bad.any():
            return frame
        for row in frame.filter(bad).iter_rows(named=True):
            error = DataError(why(row), field=f"{table}.{column}")
            if not self.skip_bad:
                raise error
            self.skipped.append(error)
        return frame.filter(~bad)

    def _words(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        for column in PRODUCTION[table].columns:
            words = column.check.words if column.check else ()
            if words and column.name in frame.columns:
                bad = ~frame[column.name].is_in(words).fill_null(True)
                frame = self._without(
                    table, column.name, frame, bad,
                    lambda row, name=column.name, words=words: (  # type: ignore[misc]
                        f"is {row[name]!r} in row {row[KEY]!r}; "
                        f"expected one of: {', '.join(words)}"
                    ),
                )  # fmt: skip
        return frame

    def _nulls(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        if table == "chat_messages":
            frame = self._without(
                table, "session_id", frame, frame["workshop_id"].is_null(),
                lambda row: f"is {row['session_id']!r} in message {row['message_id']!r}, "
                "which is no session; mend or remove it",
            )  # fmt: skip
        counted_here = ("position", "valid")
        for column in PRODUCTION[table].columns:
            if column.optional or column.counted or column.name in counted_here:
                continue
            if column.name in frame.columns:
                what = "whole number such as 1 or 1.0" if "version" in column.name else "value"
                frame = self._without(
                    table, column.name, frame, frame[column.name].is_null(),
                    lambda row, what=what: f"has no {what} in row {row[KEY]!r}",  # type: ignore[misc]
                )  # fmt: skip
        if "version" in frame.columns:
            frame = self._without(
                table, "version", frame, frame["version"] < 1,
                lambda row: f"is {row['version']} in row {row[KEY]!r}; versions begin at 1",
            )  # fmt: skip
        return frame

    def _json(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        if "artifact" in frame.columns:
            bad = pl.Series([text[:1] != "{" for text in frame["artifact"]], dtype=pl.Boolean)
            frame = self._without(
                table, "artifact", frame, bad,
                lambda row: f"is {str(row['artifact'])[:80]!r} in row {row[KEY]!r} of step "
                f"{row['workshop_step_id']!r}; expected a JSON object",
            )  # fmt: skip
        if table == "chat_messages":
            bad = pl.Series([_unreadable(text) for text in frame["tool_calls"]], dtype=pl.Boolean)
            frame = self._without(
                table, "tool_calls", frame, bad,
                lambda row: f"is {str(row['tool_calls'])[:80]!r} in message "
                f"{row['message_id']!r}; expected a list of calls, each with id, name and "
                "arguments",
            )  # fmt: skip
        return frame

    def _orphans(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        for parent in PRODUCTION[table].parents:
            there = self._parents.get(f"{parent.table} {' '.join(parent.key)}", set())
            rows = frame.select(parent.columns).iter_rows()
            bad = pl.Series([row not in there for row in rows], dtype=pl.Boolean)
            column = parent.columns[-1] if "step_id" in parent.columns else parent.columns[0]
            frame = self._without(
                table, column, frame, bad,
                lambda row, column=column, parent=parent: (  # type: ignore[misc]
                    f"is {row[column]!r} in row {row[KEY]!r}, which is no row of {parent.table}; "
                    "mend or remove it"
                ),
            )  # fmt: skip
        return frame

    def _twice(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        if table == "chat_messages":
            return self._renamed(frame)
        for key in PRODUCTION[table].keys:
            if not set(key) <= set(frame.columns):
                continue
            seen = self._seen.setdefault(f"{table} {' '.join(key)}", set())
            bad = pl.Series(_repeats(frame.select(key).rows(), seen), dtype=pl.Boolean)
            frame = self._without(
                table, key[-1], frame, bad,
                lambda row, key=key: (  # type: ignore[misc]
                    f"is {row[key[-1]]!r} in row {row[KEY]!r}, and in an earlier row, too"
                ),
            )  # fmt: skip
        return frame

    def _renamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give messages that share an id names of their own: nothing forbids it in production."""
        key = PRODUCTION["chat_messages"].key
        seen = self._seen.setdefault("chat_messages", set())
        again = _repeats(frame.select(key).rows(), seen)
        if not any(again):
            return frame
        names = [
            f"{name} ({theirs})" if twice else name
            for name, theirs, twice in zip(
                frame["message_id"], frame[KEY], again, strict=True
            )
        ]  # fmt: skip
        return frame.with_columns(pl.Series("message_id", names, pl.String))


def _repeats(rows: Sequence[tuple[object, ...]], seen: set[tuple[object, ...]]) -> list[bool]:
    found = []
    for row in rows:
        found.append(row in seen)
        seen.add(row)
    return found


def _unreadable(text: str | None) -> bool:
    if not text:
        return False
    try:
        tool_calls(text)
    except (ValueError, TypeError, KeyError, AttributeError):
        return True
    return False
