"""Dates and times that DuckDB has and Python has not: infinity, and years beyond 1 to 9999."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_DAYS = (-719_162, 2_932_896)
"""0001-01-01 and 9999-12-31, in days since 1970."""
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ENDS = (-(2**63) + 2, 2**63 - 2)
"""What nanoseconds can hold beside infinity: 1677 to 2262."""


def beyond_python(column: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    """Say whether a column of Arrow, however nested, holds a time that Python cannot.

    Examples
    --------
    >>> beyond_python(pa.array([0, 2**31 - 1], pa.date32()))
    True
    """
    kind = column.type
    if pa.types.is_date32(kind):
        return _outside(column.cast(pa.int32()), *_DAYS)
    if pa.types.is_time64(kind):
        return _outside(column.cast(pa.int64()), 0, 86_400 * _PER_SECOND[kind.unit] - 1)
    if pa.types.is_timestamp(kind):
        if kind.unit == "ns":
            return _outside(column.cast(pa.int64()), *_ENDS)
        per_day = 86_400 * _PER_SECOND[kind.unit]
        return _outside(column.cast(pa.int64()), _DAYS[0] * per_day, (_DAYS[1] + 1) * per_day - 1)
    if pa.types.is_struct(kind):
        return any(beyond_python(pc.struct_field(column, i)) for i in range(kind.num_fields))
    if pa.types.is_map(kind):
        chunks = getattr(column, "chunks", [column])
        return any(beyond_python(part) for c in chunks for part in (c.keys, c.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return beyond_python(pc.list_flatten(column))
    return False


def _outside(numbers: Any, low: int, high: int) -> bool:  # noqa: ANN401
    ends = pc.min_max(numbers).as_py()
    return ends["min"] is not None and (ends["min"] < low or ends["max"] > high)
