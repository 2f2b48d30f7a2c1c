"""Conversations from files: one reader a format, and datasets by name."""

from __future__ import annotations

from ctxlab.chats.anthropic_reader import messages_from_anthropic
from ctxlab.chats.case_format import case_to_dict, write_cases
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.chats.workshop_file import WorkshopFile, load_workshop
from ctxlab.datasets.formats import FORMATS, Format, find_format, read, read_all, sniff
from ctxlab.datasets.public_sources import (
    Source,
    bundled_dir,
    fetch,
    is_dataset,
    load,
    of_split,
    source,
    sources,
)

__all__ = [
    "FORMATS",
    "Format",
    "Source",
    "WorkshopFile",
    "bundled_dir",
    "case_to_dict",
    "fetch",
    "find_format",
    "is_dataset",
    "load",
    "load_workshop",
    "messages_from_anthropic",
    "messages_from_openai",
    "of_split",
    "read",
    "read_all",
    "sniff",
    "source",
    "sources",
    "write_cases",
]
