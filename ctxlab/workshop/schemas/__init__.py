"""The ten artifact schemas, one flat Pydantic model a step, every field described."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ctxlab.workshop.schemas.create_schemas import (
    AssumptionTest,
    Concept,
    ConceptRole,
    Idea,
    Ideation,
    Milestone,
    Reframe,
    Validate,
)
from ctxlab.workshop.schemas.explore_schemas import (
    Challenge,
    Finding,
    JourneyMapping,
    Measure,
    Persona,
    Quote,
    SenseMaking,
    Stage,
    Stakeholder,
    StakeholderMapping,
    Theme,
    UserResearch,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

__all__ = [
    "ARTIFACT_SCHEMAS",
    "AssumptionTest",
    "Challenge",
    "Concept",
    "ConceptRole",
    "Finding",
    "Idea",
    "Ideation",
    "JourneyMapping",
    "Measure",
    "Milestone",
    "Persona",
    "Quote",
    "Reframe",
    "SenseMaking",
    "Stage",
    "Stakeholder",
    "StakeholderMapping",
    "Theme",
    "UserResearch",
    "Validate",
]

ARTIFACT_SCHEMAS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "challenge": Challenge,
        "stakeholder-mapping": StakeholderMapping,
        "user-research": UserResearch,
        "sense-making": SenseMaking,
        "persona": Persona,
        "journey-mapping": JourneyMapping,
        "reframe": Reframe,
        "ideation": Ideation,
        "concept": Concept,
        "validate": Validate,
    }
)
"""The schema of every step's artifact, by step id, in the order of the steps."""
