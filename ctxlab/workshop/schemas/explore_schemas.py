"""Artifacts of the steps that find out what is the case: from the challenge to the journey."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctxlab.workshop.artifact_schema import Artifact


class Challenge(Artifact):
    """What the workshop is to solve, and how everybody will see that it is solved.

    Examples
    --------
    >>> Challenge.model_json_schema()["required"]
    ['statement', 'background', 'goal', 'success_measures']
    """

    statement: str = Field(description="The problem as one question that a solution answers.")
    background: str = Field(description="What is known of the situation, with its numbers.")
    goal: str = Field(description="What shall be true at the end, in one sentence.")
    success_measures: list[str] = Field(
        description="What will be measured, with a target or a comparison for each."
    )
    deadline: str | None = Field(None, description="When a result is due, and to whom.")
    budget: str | None = Field(None, description="What may be spent, with its currency.")
    constraints: list[str] = Field([], description="Limits that nobody in the room can move.")
    assumptions: list[str] = Field([], description="What is believed and not yet known.")
    out_of_scope: list[str] = Field([], description="What was left out on purpose.")


class Stakeholder(Artifact):
    """A person or group that the challenge touches.

    Examples
    --------
    >>> Stakeholder(name="Porters", role="carry", interest="no detour", influence="low").attitude
    """

    name: str = Field(description="The person's or the group's name.")
    role: str = Field(description="What they do in the situation.")
    interest: str = Field(description="What they want from it, or want to keep.")
    influence: Literal["low", "medium", "high"] = Field(
        description="How much they can make happen or prevent."
    )
    attitude: Literal["supportive", "neutral", "skeptical", "opposed"] | None = Field(
        None, description="Where they stand today."
    )
    need: str | None = Field(None, description="What they need before they can go along.")


class StakeholderMapping(Artifact):
    """Who is touched by the challenge, what they want and how much they can decide.

    Examples
    --------
    >>> StakeholderMapping(stakeholders=[], key_stakeholders=["Porters"]).tensions
    []
    """

    stakeholders: list[Stakeholder] = Field(description="Everybody who was named.")
    key_stakeholders: list[str] = Field(
        description="Names of those without whom nothing will work."
    )
    tensions: list[str] = Field([], description="Interests that pull against each other.")
    missing_voices: list[str] = Field([], description="Who is touched but was not heard.")


class Finding(Artifact):
    """One observation and what supports it.

    Examples
    --------
    >>> Finding(finding="Talks are short", evidence="41 talks timed").source
    """

    finding: str = Field(description="What was seen or heard, without an explanation.")
    evidence: str = Field(description="What shows it: how often, how many, by whom.")
    source: str | None = Field(None, description="Where it comes from: a visit, a log, a survey.")


class Quote(Artifact):
    """A sentence somebody said, word for word.

    Examples
    --------
    >>> Quote(speaker="A porter", text="I walk it twice.").speaker
    'A porter'
    """

    speaker: str = Field(description="Who said it, as they agreed to be named.")
    text: str = Field(description="The words as they were spoken.")


class Measure(Artifact):
    """A number from the field.

    Examples
    --------
    >>> Measure(what="length of a talk", value=94, unit="seconds").value
    94.0
    """

    what: str = Field(description="What was measured.")
    value: float = Field(description="The number, after all corrections.")
    unit: str | None = Field(None, description="The unit of the number.")
    source: str | None = Field(None, description="Who measured it, or where it is written.")


class UserResearch(Artifact):
    """What was seen and heard in the field, not yet what it means.

    Examples
    --------
    >>> UserResearch(method="visits", participants=9, findings=[], quotes=[]).numbers
    []
    """

    method: str = Field(description="How it was found out: interviews, visits, counting.")
    participants: int = Field(ge=0, description="How many people took part.")
    findings: list[Finding] = Field(description="Observations with their evidence.")
    quotes: list[Quote] = Field(description="Sentences worth keeping word for word.")
    numbers: list[Measure] = Field([], description="What was counted or measured.")
    open_questions: list[str] = Field([], description="What was not found out.")


class Theme(Artifact):
    """Findings that belong together.

    Examples
    --------
    >>> Theme(name="Nobody is there", summary="...", supported_by=["Five visits"]).supported_by
    ['Five visits']
    """

    name: str = Field(description="A short title that says something.")
    summary: str = Field(description="What the findings of this theme have in common.")
    supported_by: list[str] = Field(description="Findings, quotes or numbers that support it.")


class SenseMaking(Artifact):
    """What the findings mean.

    Examples
    --------
    >>> SenseMaking(themes=[], insights=["People hide that they are tired."]).root_causes
    []
    """

    themes: list[Theme] = Field(description="The groups that the findings fell into.")
    insights: list[str] = Field(description="What is understood now that was not before.")
    contradictions: list[str] = Field([], description="Findings that do not agree.")
    root_causes: list[str] = Field([], description="Causes that were left after asking why.")


class Persona(Artifact):
    """One person who stands for many of those that the research met.

    Examples
    --------
    >>> "quote" in Persona.model_json_schema()["required"]
    True
    """

    name: str = Field(description="A name that could be real and is nobody's in the room.")
    age: int = Field(ge=0, description="Age in years.")
    occupation: str = Field(description="What the person does all day.")
    context: str = Field(description="The person's situation, in two or three sentences.")
    goals: list[str] = Field(description="What the person wants to reach.")
    pains: list[str] = Field(description="What is in the way, hurts or frightens.")
    quote: str = Field(description="One sentence that the person could have said.")
    behaviors: list[str] = Field([], description="What the person does, again and again.")
    tools: list[str] = Field([], description="Things and services the person uses.")
    based_on: list[str] = Field([], description="Findings and people that the traits come from.")


class Stage(Artifact):
    """One stretch of the persona's way.

    Examples
    --------
    >>> Stage(name="Queue", action="Waits at the gate", feeling="cold").duration_minutes
    """

    name: str = Field(description="A short title of the stage.")
    action: str = Field(description="What the persona does.")
    feeling: str = Field(description="What the persona feels while doing it.")
    pain: str | None = Field(None, description="Where it hurts.")
    opportunity: str | None = Field(None, description="What could be better here.")
    duration_minutes: float | None = Field(None, ge=0, description="How long it takes.")


class JourneyMapping(Artifact):
    """The persona's way through the situation as it is today, stage by stage.

    Examples
    --------
    >>> "total_minutes" in JourneyMapping.model_json_schema()["required"]
    False
    """

    persona: str = Field(description="Name of the persona who goes this way.")
    scenario: str = Field(description="When and where the journey begins and ends.")
    stages: list[Stage] = Field(description="The stages in the order in which they happen.")
    critical_moment: str = Field(description="The stage that decides how it all ends, and why.")
    total_minutes: float | None = Field(None, ge=0, description="How long all of it takes.")
