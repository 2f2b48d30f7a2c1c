"""The workshop: ten steps with their schemas, the arc of a step, prompts, and your own protocols.

`DESIGN_THINKING` is one `Protocol`; `Protocol.from_toml` and `StepDefinition` make others.
"""

from __future__ import annotations

from ctxlab.workshop.arc import (
    MOVES,
    PATIENCE,
    ROUNDS,
    ArcPhase,
    ArcState,
    advance,
    move,
    next_phase,
)
from ctxlab.workshop.artifact_schema import Artifact, ArtifactSchema
from ctxlab.workshop.prompts import NOTHING_BEFORE, build_prompt, step_prompt
from ctxlab.workshop.protocol import Protocol, StepDefinition
from ctxlab.workshop.schemas import ARTIFACT_SCHEMAS
from ctxlab.workshop.steps import DESIGN_THINKING

__all__ = [
    "ARTIFACT_SCHEMAS",
    "DESIGN_THINKING",
    "MOVES",
    "NOTHING_BEFORE",
    "PATIENCE",
    "ROUNDS",
    "ArcPhase",
    "ArcState",
    "Artifact",
    "ArtifactSchema",
    "Protocol",
    "StepDefinition",
    "advance",
    "build_prompt",
    "move",
    "next_phase",
    "step_prompt",
]
