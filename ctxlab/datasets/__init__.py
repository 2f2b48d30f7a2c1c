"""Conversations from files: one reader a format, and datasets by name."""

from __future__ import annotations

from ctxlab.chats.anthropic_reader import messages_from_anthropic
from ctxlab.chats.case_format import case_to_dict, write_cases
from ctxlab.chats.file_format import Format
from ctxlab.chats.openai_reader import messages_from_openai
from ctxlab.chats.workshop_file import WorkshopFile, load_workshop
from ctxlab.datasets.case_files import read, read_all
from ctxlab.datasets.fetching import bundled_dir, cases_of, fetch, load, read_workshop
from ctxlab.datasets.formats import FORMATS, find_format, register_format, sniff
from ctxlab.datasets.public_sources import PublicSource, is_dataset, source, sources

__all__ = [
    "FORMATS",
    "Format",
    "PublicSource",
    "WorkshopFile",
    "bundled_dir",
    "case_to_dict",
    "cases_of",
    "fetch",
    "find_format",
    "is_dataset",
    "load",
    "load_workshop",
    "messages_from_anthropic",
    "messages_from_openai",
    "read",
    "read_all",
    "read_workshop",
    "register_format",
    "sniff",
    "source",
    "sources",
    "write_cases",
]
