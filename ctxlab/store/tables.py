"""Every table of the store, declared once: columns, types, checks, keys, our names elsewhere.

Frames, SELECT lists, rows as values, PostgreSQL and exports derive from what stands here. The
numbered migrations are history; a test compares what they make with what is declared, and
``python -m ctxlab.store.table_changes`` writes the migration that a new column needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ctxlab.store.column import (
    BIGINT,
    BOOLEAN,
    FLOATS,
    INTEGER,
    JSON,
    REAL,
    TEXT,
    TEXTS,
    TIME,
    Column,
    at_least,
    json_is,
    one_of,
)
from ctxlab.store.forms import ABOUT, CALLS, ESCAPED, ESCAPED_TEXTS
from ctxlab.store.run_tables import RUN_TABLES
from ctxlab.store.table import Parent, Table

_OF_STEP = (Parent("workshop_steps", ("workshop_step_id",)),)

WORKSHOPS = Table(
    "workshops",
    (
        Column("id", TEXT),
        Column("title", TEXT, ("name",), form=ESCAPED),
        Column("protocol", TEXT, ("kind",)),
        Column("protocol_version", INTEGER, default="1", check=at_least(1)),
        Column("metadata", JSON, ("meta",), default="'{}'", check=json_is("object")),
        Column("created_at", TIME, default="now()"),
    ),
    primary=("id",),
    production=True,
)
SESSIONS = Table(
    "sessions",
    (
        Column("id", TEXT),
        Column("workshop_id", TEXT),
        Column("label", TEXT, ("name", "title"), optional=True, form=ESCAPED),
        Column("position", INTEGER, ("session_number", "sort_order", "order")),
        Column("created_at", TIME, ("started_at",), default="now()"),
    ),
    primary=("id",),
    parents=(Parent("workshops", ("workshop_id",)),),
    indexes=(("workshop_id",),),
    production=True,
)
STEP_DEFINITIONS = Table(
    "step_definitions",
    (
        Column("protocol", TEXT),
        Column("protocol_version", INTEGER, default="1", check=at_least(1)),
        Column("step_id", TEXT),
        Column("position", INTEGER),
        Column("name", TEXT),
        Column("description", TEXT),
        Column("depends_on", JSON, check=json_is("array")),
        Column("prompt_template", TEXT),
        Column("definition", JSON, check=json_is("object")),
    ),
    primary=("protocol", "protocol_version", "step_id"),
    production=True,
)
WORKSHOP_STEPS = Table(
    "workshop_steps",
    (
        Column("id", TEXT, field="row"),
        Column("workshop_id", TEXT),
        Column("step_id", TEXT, ("step", "step_key", "step_slug", "slug"), field="step"),
        Column(
            "position",
            INTEGER,
            ("step_order", "step_number", "step_index", "sort_order", "order"),
        ),
        Column(
            "status",
            TEXT,
            ("state",),
            default="'not_started'",
            check=one_of("not_started", "in_progress", "complete", "needs_regeneration"),
        ),
        Column(
            "arc_phase",
            TEXT,
            ("phase",),
            default="'orient'",
            check=one_of("orient", "gather", "synthesize", "refine", "validate", "complete"),
        ),
        Column("started_at", TIME, optional=True),
        Column("completed_at", TIME, optional=True),
    ),
    primary=("id",),
    unique=(("workshop_id", "step_id"),),
    parents=(Parent("workshops", ("workshop_id",)),),
    production=True,
)
CHAT_MESSAGES = Table(
    "chat_messages",
    (
        Column("workshop_id", TEXT),
        Column("session_id", TEXT),
        Column("step_id", TEXT, ("workshop_step_id", "step")),
        Column("message_id", TEXT, ("id",), field="id", form=ESCAPED),
        Column("position", INTEGER, ("sequence", "sequence_number", "sort_order", "order")),
        Column("role", TEXT, ("sender",), check=one_of("system", "user", "assistant", "tool")),
        Column("name", TEXT, ("author", "speaker"), optional=True, form=ESCAPED),
        Column("content", TEXT, ("text", "body", "message"), form=ESCAPED),
        Column("tool_calls", JSON, optional=True, check=json_is("array"), form=CALLS),
        Column("tool_call_id", TEXT, optional=True, form=ESCAPED),
        Column("pinned", BOOLEAN, ("is_pinned",), default="false"),
        Column("metadata", JSON, ("meta",), optional=True, field="about", form=ABOUT),
        Column("token_count", INTEGER, counted=True),
        Column("overhead", INTEGER, counted=True),
        Column("running_total", BIGINT, counted=True),
        Column("encoding", TEXT, counted=True),
        Column("created_at", TEXT, ("timestamp", "sent_at"), optional=True, form=ESCAPED),
    ),
    unique=(("session_id", "step_id", "message_id"),),
    parents=(
        Parent("sessions", ("session_id", "workshop_id"), ("id", "workshop_id")),
        Parent("workshop_steps", ("workshop_id", "step_id"), ("workshop_id", "step_id")),
    ),
    indexes=(("workshop_id", "position"), ("workshop_id", "step_id", "position")),
    production=True,
)
CASES = Table(
    "cases",
    (
        Column("id", TEXT),
        Column("dataset", TEXT),
        Column("case_id", TEXT, form=ESCAPED),
        Column("workshop_id", TEXT),
    ),
    primary=("id",),
    unique=(("workshop_id",), ("dataset", "case_id")),
    parents=(Parent("workshops", ("workshop_id",)),),
)
PROBES = Table(
    "probes",
    (
        Column("case_id", TEXT),
        Column("position", INTEGER),
        Column("probe_id", TEXT, field="id", form=ESCAPED),
        Column("question", TEXT, form=ESCAPED),
        Column("answer", TEXT, form=ESCAPED),
        Column("evidence", TEXTS, form=ESCAPED_TEXTS),
        Column("category", TEXT, form=ESCAPED),
        Column("evidence_mode", TEXT, check=one_of("all", "any")),
        Column("asked_at", TEXT, optional=True, field="at", form=ESCAPED),
    ),
    parents=(Parent("cases", ("case_id",)),),
)
STEP_SUMMARIES = Table(
    "step_summaries",
    (
        Column("id", TEXT),
        Column("workshop_step_id", TEXT, ("step_id",)),
        Column("summary", TEXT, ("content", "text"), field="text", form=ESCAPED),
        Column("token_count", INTEGER, counted=True),
        Column("encoding", TEXT, counted=True),
        Column("revision", INTEGER, ("version",), default="1"),
        Column("generated_at", TIME, ("created_at",), default="now()"),
    ),
    primary=("id",),
    unique=(("workshop_step_id",),),
    identity=("workshop_step_id",),
    parents=_OF_STEP,
    production=True,
)
STEP_SUMMARY_HISTORY = Table(
    "step_summary_history",
    (
        Column("workshop_step_id", TEXT),
        Column("revision", INTEGER, optional=True),
        Column("summary", TEXT, optional=True, field="text", form=ESCAPED),
        Column("error", TEXT, optional=True, form=ESCAPED),
        Column("noted_at", TIME, default="now()"),
    ),
    checks=("(summary IS NULL) <> (error IS NULL)",),
    parents=_OF_STEP,
)
STEP_ARTIFACTS = Table(
    "step_artifacts",
    (
        Column("id", TEXT),
        Column("workshop_step_id", TEXT, ("step_id",)),
        Column(
            "artifact",
            JSON,
            ("artifact_data", "data", "content", "payload"),
            check=json_is("object"),
            field="text",
        ),
        Column("schema_version", INTEGER),
        Column("version", INTEGER, ("lock_version", "revision"), check=at_least(1)),
        Column("valid", BOOLEAN, ("is_valid",)),
        Column("token_count", INTEGER, counted=True),
        Column("encoding", TEXT, counted=True),
        Column("extracted_at", TIME, ("created_at", "updated_at"), default="now()"),
    ),
    primary=("id",),
    unique=(("workshop_step_id",),),
    identity=("workshop_step_id",),
    parents=_OF_STEP,
    indexes=(("artifact",),),
    production=True,
)
STEP_ARTIFACT_VERSIONS = Table(
    "step_artifact_versions",
    (
        Column("workshop_step_id", TEXT),
        Column("version", INTEGER),
        Column("artifact", JSON, check=json_is("object"), field="text"),
        Column("schema_version", INTEGER),
        Column("valid", BOOLEAN),
        Column("extracted_at", TIME, default="now()"),
    ),
    primary=("workshop_step_id", "version"),
    parents=_OF_STEP,
    production=True,
)
ARTIFACT_SCHEMAS = Table(
    "artifact_schemas",
    (
        Column("protocol", TEXT, default="'design-thinking'"),
        Column("step_id", TEXT),
        Column("schema_version", INTEGER, check=at_least(1)),
        Column("protocol_version", INTEGER, default="1", check=at_least(1)),
        Column("json_schema", JSON, ("schema",), check=json_is("object")),
        Column("migration", JSON, optional=True, check=json_is("object")),
        Column("chosen", BOOLEAN, default="false"),
        Column("registered_at", TIME, ("created_at",), default="now()"),
    ),
    primary=("protocol", "step_id", "schema_version"),
    production=True,
)
PRODUCTION_ROWS = Table(
    "production_rows",
    (
        Column("place", TEXT),
        Column("table_name", TEXT),
        Column("row_key", TEXT),
        Column("workshop_id", TEXT),
        Column("their_key", TEXT),
        Column("ours", TEXT),
        Column("theirs", TEXT),
    ),
    primary=("place", "table_name", "row_key"),
    parents=(Parent("workshops", ("workshop_id",)),),
)
VECTORS = Table(
    "vectors",
    (Column("model", TEXT), Column("text_hash", TEXT), Column("vector", FLOATS)),
    unique=(("model", "text_hash"),),
)
LLM_CALLS = Table(
    "llm_calls",
    (
        Column("request_hash", TEXT),
        Column("model", TEXT),
        Column("request", JSON),
        Column("response", JSON),
        Column("usage", JSON),
        Column("cost", REAL, optional=True),
        Column("created_at", TIME, default="now()"),
    ),
    primary=("request_hash",),
)

_ALL = (
    WORKSHOPS, SESSIONS, STEP_DEFINITIONS, WORKSHOP_STEPS, CHAT_MESSAGES, CASES, PROBES,
    STEP_SUMMARIES, STEP_SUMMARY_HISTORY, STEP_ARTIFACTS, STEP_ARTIFACT_VERSIONS,
    ARTIFACT_SCHEMAS, PRODUCTION_ROWS, VECTORS, LLM_CALLS, *RUN_TABLES,
)  # fmt: skip
TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _ALL})
"""The declared tables by name, parents before children."""
PRODUCTION: Mapping[str, Table] = MappingProxyType(
    {name: table for name, table in TABLES.items() if table.production}
)
"""Those that production has, too."""
