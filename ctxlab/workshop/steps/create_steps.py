"""The steps that find out what to do: from the new question to the decision."""

from __future__ import annotations

from ctxlab.workshop.protocol import StepDefinition
from ctxlab.workshop.schemas import ARTIFACT_SCHEMAS

CREATE = (
    StepDefinition(
        id="reframe",
        order=7,
        name="Reframe",
        description="Ask the question anew, from the persona's point of view.",
        goal="One question, chosen with reasons, that invites many answers and rules some out.",
        principles=(
            "A point of view has three parts: who, what they need, and the insight that says why.",
            "A need is a verb; a thing that somebody should get is already a solution.",
            "Too wide a question inspires nobody, too narrow a one has a single answer.",
            "Record why questions were left: the reasons will be asked for.",
        ),
        gather=(
            "One sentence on who needs what, and because of which insight.",
            'Several questions that begin with "How might we", each from another side.',
            "Which question pulls most, and what speaks against it.",
            "What the new question leaves out of the old one.",
        ),
        use_of_prior_context=(
            "Put the critical moment of the journey and the strongest insight beside the first "
            "statement of the challenge, and look for what that statement missed. Its constraints "
            "and measures of success still hold."
        ),
        criteria=(
            "Does the point of view name the persona, a need and the insight behind it?",
            "Does the chosen question begin with 'How might we' and contain no solution?",
            "Can at least three different ideas be imagined as answers to it?",
            "Does the chosen question still serve the goal of the challenge?",
            "Is there a reason why this question was chosen and another was not?",
        ),
        depends_on=("challenge", "sense-making", "persona", "journey-mapping"),
        artifact=ARTIFACT_SCHEMAS["reframe"],
    ),
    StepDefinition(
        id="ideation",
        order=8,
        name="Ideation",
        description="Collect many ideas, then choose by a rule that was fixed beforehand.",
        goal="A wall full of ideas with a title each, and a few that go on because of a fair vote.",
        principles=(
            "First quantity, then choice; until the vote nobody argues against an idea.",
            "Build on one another: a second idea may begin with the first one's end.",
            "Invite the absurd; it shows which limits are real.",
            "Fix the rule of the choice before anybody knows how it would come out.",
        ),
        gather=(
            "Ideas, with a title, one sentence, and who brought them in.",
            "Combinations of ideas that are better together.",
            "The rule of the choice, and the votes by that rule.",
            "Good ideas for another time.",
        ),
        use_of_prior_context=(
            "Hold up the chosen question whenever ideas drift. Read the persona's pains aloud when "
            "they run dry: each pain is a place to begin."
        ),
        criteria=(
            "Does every idea have a title and one sentence that a stranger would understand?",
            "Does each selected idea answer the chosen question?",
            "Do the selected ideas follow from the votes and the rule?",
            "Do the votes stand as they were counted last?",
            "Are good ideas that were not selected parked, instead of lost?",
        ),
        depends_on=("persona", "reframe"),
        artifact=ARTIFACT_SCHEMAS["ideation"],
    ),
    StepDefinition(
        id="concept",
        order=9,
        name="Concept",
        description="Describe the solution so that somebody who was not there could build it.",
        goal="A concept with its mechanics, its people, its cost and its risks on one page.",
        principles=(
            "Tell it as a story in time: first this happens, then that, and who does it.",
            "Every task has a person, every thing a place, every cost a source.",
            "Name what could go wrong while it is still cheap to change.",
            "Small enough to begin soon, whole enough to help the persona once.",
        ),
        gather=(
            "What happens, move by move, on an ordinary day.",
            "Who does what, and who stands in for them.",
            "What it costs, once and again, in which currency.",
            "What could go wrong, and what is needed that is not there yet.",
            "What will be done by when.",
        ),
        use_of_prior_context=(
            "Build on the selected ideas and nothing else; check each move with the persona's day. "
            "Deadline, budget and constraints of the challenge bind, also those mentioned once. "
            "The chosen question decides what may be left out."
        ),
        criteria=(
            "Could somebody who was not in the room carry out each move?",
            "Does the concept keep to every constraint of the challenge?",
            "Is the cost within the budget, or is the gap named?",
            "Does it relieve at least one pain of the persona?",
            "Does each role have a person who has agreed to it?",
            "Is at least one risk named that would end the concept?",
        ),
        depends_on=("challenge", "persona", "reframe", "ideation"),
        artifact=ARTIFACT_SCHEMAS["concept"],
    ),
    StepDefinition(
        id="validate",
        order=10,
        name="Validate",
        description="Test what the concept rests on, report what came out, and decide.",
        goal="A decision to go on, to change or to stop, that the results carry.",
        principles=(
            "Test the belief that would hurt most if it were wrong, and test it first.",
            "Set the threshold before the test; a threshold set afterwards is a wish.",
            "Report what failed as plainly as what worked.",
            "To stop is a good result when the evidence says so.",
        ),
        gather=(
            "What must be true for the concept to work.",
            "How each belief is tested, what is counted, and from which result on it holds.",
            "What came out, also where it hurts.",
            "The decision, its reason, and who answers for what comes next.",
            "When the decision is looked at again.",
        ),
        use_of_prior_context=(
            "Take the beliefs from the concept's moves and risks and from the assumptions of the "
            "challenge, and the thresholds from its measures of success. Test with people like the "
            "persona. Tell every key stakeholder what the decision means for them."
        ),
        criteria=(
            "Does each test have a measure and a threshold that can be missed?",
            "Is the riskiest belief of the concept among the tests?",
            "Is every result that missed its threshold reported as missed?",
            "Does the reason for the decision cite results?",
            "Does each next step say who does it?",
            "Do the results speak to the challenge's measures of success?",
        ),
        depends_on=("challenge", "stakeholder-mapping", "persona", "concept"),
        artifact=ARTIFACT_SCHEMAS["validate"],
    ),
)
"""Steps 7 to 10."""
