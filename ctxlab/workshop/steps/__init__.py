"""The ten steps of a design-thinking workshop: one instance of a protocol."""

from __future__ import annotations

from ctxlab.workshop.protocol import Protocol
from ctxlab.workshop.steps.create_steps import CREATE
from ctxlab.workshop.steps.explore_steps import EXPLORE

__all__ = ["DESIGN_THINKING"]

DESIGN_THINKING = Protocol(name="design-thinking", version=1, steps=EXPLORE + CREATE)
"""From the challenge to a validated concept, in ten steps."""
