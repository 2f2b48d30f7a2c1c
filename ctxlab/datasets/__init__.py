"""Conversations from files: one reader a format, and datasets by name."""

from __future__ import annotations

from ctxlab.datasets.anthropic import messages_from_anthropic
from ctxlab.datasets.cases import case_to_dict, write_cases
from ctxlab.datasets.catalogue import Source, bundled_dir, fetch, load, source, sources
from ctxlab.datasets.formats import FORMATS, Format, find_format, read, read_all, sniff
from ctxlab.datasets.openai_chat import messages_from_openai
from ctxlab.datasets.workshop import WorkshopFile, load_workshop

__all__ = [
    "FORMATS",
    "Format",
    "Source",
    "WorkshopFile",
    "bundled_dir",
    "case_to_dict",
    "fetch",
    "find_format",
    "load",
    "load_workshop",
    "messages_from_anthropic",
    "messages_from_openai",
    "read",
    "read_all",
    "sniff",
    "source",
    "sources",
    "write_cases",
]
