"""Measures of one compressed context: plain functions."""

from __future__ import annotations

from ctxlab.metrics.availability import Availability, availability
from ctxlab.metrics.compression import budget_error, rate, ratio, saving, throughput

__all__ = [
    "Availability",
    "availability",
    "budget_error",
    "rate",
    "ratio",
    "saving",
    "throughput",
]
