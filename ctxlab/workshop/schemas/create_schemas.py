"""Artifacts of the steps that find out what to do: from the new question to the decision."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctxlab.workshop.artifact_schema import Artifact


class Reframe(Artifact):
    """The problem, asked anew from the persona's point of view.

    Examples
    --------
    >>> Reframe.model_json_schema()["required"]
    ['point_of_view', 'how_might_we', 'chosen_question']
    """

    point_of_view: str = Field(description="Who needs what, and the insight that says why.")
    how_might_we: list[str] = Field(description='Questions that begin with "How might we".')
    chosen_question: str = Field(description="The question that the ideas shall answer.")
    rejected_questions: list[str] = Field(
        [], description="Questions that were weighed and left, with the reason."
    )
    why_chosen: str | None = Field(None, description="Why this question and not another.")


class Idea(Artifact):
    """One idea as it hung on the wall.

    Examples
    --------
    >>> Idea(title="A bench", description="Somewhere to sit at the gate.", votes=3).votes
    3
    """

    title: str = Field(description="What everybody calls it.")
    description: str = Field(description="The idea in one sentence.")
    votes: int = Field(ge=0, description="Votes it got in the final count.")
    proposed_by: str | None = Field(None, description="Who brought it in.")


class Ideation(Artifact):
    """The ideas, the vote and what was selected.

    Examples
    --------
    >>> Ideation(ideas=[], selected=["A bench"]).parked
    []
    """

    ideas: list[Idea] = Field(description="Every idea that was kept for the vote.")
    selected: list[str] = Field(description="Ideas that go on, by title; also merged ones.")
    parked: list[str] = Field([], description="Titles of good ideas for another time.")
    selection_rule: str | None = Field(None, description="How the choice was made.")


class ConceptRole(Artifact):
    """Who does what in the concept.

    Examples
    --------
    >>> ConceptRole(role="Opener", person="Mira", duty="unlocks at six").person
    'Mira'
    """

    role: str = Field(description="Name of the role.")
    person: str = Field(description="Who takes it.")
    duty: str = Field(description="What the person does, and when.")


class Milestone(Artifact):
    """Something that will be done by a certain day.

    Examples
    --------
    >>> Milestone(what="Bench stands", when="4 May").when
    '4 May'
    """

    what: str = Field(description="What will be there.")
    when: str = Field(description="The day, as it was agreed.")


class Concept(Artifact):
    """The solution, described so that somebody who was not there could build it.

    Examples
    --------
    >>> Concept.model_json_schema()["required"]
    ['name', 'one_liner', 'how_it_works', 'value']
    """

    name: str = Field(description="What the concept is called.")
    one_liner: str = Field(description="The concept in one sentence.")
    how_it_works: list[str] = Field(description="What happens, one sentence a move, in order.")
    value: str = Field(description="What gets better, and for whom.")
    cost_estimate: float | None = Field(None, ge=0, description="What it costs, as a number.")
    currency: str | None = Field(None, description="Currency of the cost, such as EUR.")
    roles: list[ConceptRole] = Field([], description="Who does what.")
    risks: list[str] = Field([], description="What could go wrong.")
    resources: list[str] = Field([], description="Things, rooms, people and rights it needs.")
    milestones: list[Milestone] = Field([], description="What will be done by when.")


class AssumptionTest(Artifact):
    """One belief that the concept rests on, and how it was put to the test.

    Examples
    --------
    >>> AssumptionTest(
    ...     assumption="People sit down", method="counting", measure="sitters", threshold="10"
    ... ).result
    """

    assumption: str = Field(description="What must be true for the concept to work.")
    method: str = Field(description="How it is tested.")
    measure: str = Field(description="What is counted or timed.")
    threshold: str = Field(description="The result from which on the assumption holds.")
    result: str | None = Field(None, description="What came out, once it is known.")


class Validate(Artifact):
    """What the tests showed, and the decision that follows.

    Examples
    --------
    >>> Validate.model_json_schema()["properties"]["decision"]["enum"]
    ['go', 'iterate', 'stop']
    """

    tests: list[AssumptionTest] = Field(description="The tests, the riskiest belief first.")
    results: list[str] = Field(description="What came out, also where it hurts.")
    decision: Literal["go", "iterate", "stop"] = Field(description="What happens now.")
    decision_reason: str = Field(description="Why, with the results that decided it.")
    next_steps: list[str] = Field(description="What is done next, by whom and when.")
    learned: list[str] = Field([], description="What will be done differently another time.")
    owner: str | None = Field(None, description="Who answers for the next steps.")
    review_date: str | None = Field(None, description="When the decision is looked at again.")
