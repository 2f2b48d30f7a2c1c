"""The workshop tables for PostgreSQL, as SQLAlchemy metadata.

Columns are the store's; what DuckDB keeps by triggers is kept here by foreign keys that
cascade. Every constraint has a name, so that a later migration can address it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

_STATUSES = ("not_started", "in_progress", "complete", "needs_regeneration")
_PHASES = ("orient", "gather", "synthesize", "refine", "validate", "complete")
_ROLES = ("system", "user", "assistant", "tool")

METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
"""All tables, parents before children."""


def _text(name: str, default: str | None = None, *, optional: bool = False) -> Column[str]:
    return Column(name, Text, nullable=optional, server_default=default)


def _number(name: str, default: str | None = None, *, optional: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=optional, server_default=default and text(default))


def _time(name: str, *, optional: bool = False) -> Column[object]:
    now = None if optional else text("now()")
    return Column(name, TIMESTAMP(timezone=True), nullable=optional, server_default=now)


def _json(name: str, default: str | None = None, *, optional: bool = False) -> Column[object]:
    return Column(name, JSONB, nullable=optional, server_default=default)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listing = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listing})", name=column)


def _json_is(column: str, kind: str) -> CheckConstraint:
    return CheckConstraint(f"jsonb_typeof({column}) = '{kind}'", name=column)


def _at_least_one(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} >= 1", name=column)


def _belongs_to(parent: str, *columns: str, key: tuple[str, ...] = ("id",)) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(columns, [f"{parent}.{name}" for name in key], ondelete="CASCADE")


def _key(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns)


Table(
    "workshops", METADATA,
    _text("id"), _text("title"), _text("protocol"), _json("metadata", "{}"), _time("created_at"),
    _key("id"), _json_is("metadata", "object"),
)  # fmt: skip
Table(
    "sessions", METADATA,
    _text("id"), _text("workshop_id"), _text("label", optional=True), _number("position"),
    _time("created_at"),
    _key("id"), _belongs_to("workshops", "workshop_id"),
    # A message names its session and its workshop; this key lets both be checked at once.
    UniqueConstraint("id", "workshop_id"),
    Index(None, "workshop_id"),
)  # fmt: skip
Table(
    "step_definitions", METADATA,
    _text("protocol"), _text("step_id"), _number("position"), _text("name"), _text("description"),
    _json("depends_on"), _text("prompt_template"), _json("definition"),
    _key("protocol", "step_id"), _json_is("depends_on", "array"),
    _json_is("definition", "object"),
)  # fmt: skip
Table(
    "workshop_steps", METADATA,
    _text("id"), _text("workshop_id"), _text("step_id"), _number("position"),
    _text("status", "not_started"), _text("arc_phase", "orient"),
    _time("started_at", optional=True), _time("completed_at", optional=True),
    _key("id"), _belongs_to("workshops", "workshop_id"),
    UniqueConstraint("workshop_id", "step_id"),
    _one_of("status", _STATUSES), _one_of("arc_phase", _PHASES),
)  # fmt: skip
Table(
    "chat_messages", METADATA,
    _text("workshop_id"), _text("session_id"), _text("step_id"), _text("message_id"),
    _number("position"), _text("role"), _text("name", optional=True), _text("content"),
    _json("tool_calls", optional=True), _text("tool_call_id", optional=True),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    _json("metadata", optional=True), _number("token_count"), _number("overhead"),
    Column("running_total", BigInteger, nullable=False), _text("encoding"),
    _text("created_at", optional=True),
    _key("session_id", "step_id", "message_id"),
    _belongs_to("sessions", "session_id", "workshop_id", key=("id", "workshop_id")),
    _belongs_to("workshop_steps", "workshop_id", "step_id", key=("workshop_id", "step_id")),
    _one_of("role", _ROLES), _json_is("tool_calls", "array"),
    Index(None, "workshop_id", "position"), Index(None, "workshop_id", "step_id", "position"),
)  # fmt: skip
Table(
    "step_summaries", METADATA,
    _text("id"), _text("workshop_step_id"), _text("summary"), _number("token_count"),
    _text("encoding"), _number("revision", "1"), _time("generated_at"),
    _key("id"), _belongs_to("workshop_steps", "workshop_step_id"),
    UniqueConstraint("workshop_step_id"),
)  # fmt: skip
Table(
    "step_artifacts", METADATA,
    _text("id"), _text("workshop_step_id"), _json("artifact"), _number("schema_version"),
    _number("version"), Column("valid", Boolean, nullable=False), _number("token_count"),
    _text("encoding"), _time("extracted_at"),
    _key("id"), _belongs_to("workshop_steps", "workshop_step_id"),
    UniqueConstraint("workshop_step_id"), _json_is("artifact", "object"), _at_least_one("version"),
    Index(None, "artifact", postgresql_using="gin", postgresql_ops={"artifact": "jsonb_path_ops"}),
)  # fmt: skip
Table(
    "step_artifact_versions", METADATA,
    _text("workshop_step_id"), _number("version"), _json("artifact"), _number("schema_version"),
    Column("valid", Boolean, nullable=False), _time("extracted_at"),
    _key("workshop_step_id", "version"), _belongs_to("workshop_steps", "workshop_step_id"),
    _json_is("artifact", "object"),
)  # fmt: skip
Table(
    "artifact_schemas", METADATA,
    _text("step_id"), _number("schema_version"), _json("json_schema"),
    _text("migration", optional=True), _time("registered_at"),
    _key("step_id", "schema_version"), _at_least_one("schema_version"),
    _json_is("json_schema", "object"),
)  # fmt: skip
