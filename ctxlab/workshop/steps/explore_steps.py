"""The steps that find out what is the case: from the challenge to the journey."""

from __future__ import annotations

from ctxlab.workshop.protocol import StepDefinition
from ctxlab.workshop.schemas import ARTIFACT_SCHEMAS

EXPLORE = (
    StepDefinition(
        id="challenge",
        order=1,
        name="Challenge",
        description="Agree on the problem, the goal, and how everybody will see that it is met.",
        goal=(
            "One question that the whole room wants answered, with a measurable goal and with the "
            "limits that nobody present can move."
        ),
        principles=(
            "Ask for facts before opinions: what happens, how often, to whom, since when.",
            "Keep solutions off the table; write them down for later and come back to the problem.",
            "Separate what is known from what is believed, and say which is which.",
            "A question is good when it names somebody and leaves several answers open.",
        ),
        gather=(
            "What happens today, told by somebody who sees it happen.",
            "Numbers: how much, how many, how long, and who counted.",
            "What would be different if the workshop succeeds, and how that is measured.",
            "Deadline, budget, and rules that cannot be bent.",
            "What is taken for granted, and what is left out on purpose.",
        ),
        criteria=(
            "Does the statement ask one question without containing its solution?",
            "Does each measure of success say what is counted and what it is compared with?",
            "Are the background's numbers the latest ones that were given?",
            "Is every limit that a participant called fixed among the constraints?",
            "Would two people who read the goal agree on whether it was reached?",
        ),
        artifact=ARTIFACT_SCHEMAS["challenge"],
    ),
    StepDefinition(
        id="stakeholder-mapping",
        order=2,
        name="Stakeholder mapping",
        description="Name everybody whom the challenge touches, and where each of them stands.",
        goal=(
            "A list of people and groups with interest, influence and attitude, so that nobody "
            "who can stop the work, and nobody who bears it, is forgotten."
        ),
        principles=(
            "Look for those who are not in the room: who cleans up, who pays, who waits.",
            "An interest is what people want to keep or gain, not the position they defend.",
            "Influence and being affected are two things; ask about both.",
            "Write about absent people as if they were to read it.",
        ),
        gather=(
            "Who gives, carries, receives, pays, allows or suffers.",
            "What each of them wants, and what they fear to lose.",
            "Who can decide, delay or prevent, and by what means.",
            "Where each stands today, and what they would need to go along.",
            "Where interests collide, and whom nobody has asked.",
        ),
        use_of_prior_context=(
            "Go through the challenge sentence by sentence and ask whom it touches. Take its "
            "constraints as hints: behind each stands somebody who set it."
        ),
        criteria=(
            "Is everybody who can stop the work on the list?",
            "Is at least one of those who are affected without having a say on the list?",
            "Does every stakeholder have an interest of their own, not a copy of the goal?",
            "Is every key stakeholder also described in the list of stakeholders?",
            "Are conflicts named between those who have them, instead of in general?",
        ),
        depends_on=("challenge",),
        artifact=ARTIFACT_SCHEMAS["stakeholder-mapping"],
    ),
    StepDefinition(
        id="user-research",
        order=3,
        name="User research",
        description="Report what was seen, heard and counted, not yet what it means.",
        goal="Findings that rest on evidence, sentences word for word, and honest gaps.",
        principles=(
            "What people did weighs more than what they say they would do.",
            "Keep quotes as they were spoken, with the person as they agreed to be named.",
            "A number comes with its unit, its source and its date, or it is a rumor.",
            "Surprises are worth more than confirmations; ask what nobody expected.",
            "Hold back causes and solutions; they have steps of their own.",
        ),
        gather=(
            "Who was visited, asked or watched, how many, when and how.",
            "What was observed more than once, and what only once.",
            "Quotes that somebody remembers a day later.",
            "Counts and times, and corrections of earlier counts.",
            "What was not found out, and why.",
        ),
        use_of_prior_context=(
            "Hold the findings against the challenge: which of its numbers and assumptions do they "
            "confirm, and which do they break? Use the stakeholders to see who was not asked yet."
        ),
        criteria=(
            "Does every finding say what supports it?",
            "Are observations kept apart from explanations?",
            "Is every quote attributed to somebody, in words that this person said?",
            "Does each number appear in its corrected form, with a unit where there is one?",
            "Are the open questions written down, rather than filled with guesses?",
        ),
        depends_on=("challenge", "stakeholder-mapping"),
        artifact=ARTIFACT_SCHEMAS["user-research"],
    ),
    StepDefinition(
        id="sense-making",
        order=4,
        name="Sense-making",
        description="Group what was found, find what does not fit, and ask why until it hurts.",
        goal="A few themes with their support, and insights that change how the problem is seen.",
        principles=(
            "Start from the findings and let themes grow; do not sort into drawers made before.",
            "A theme's title is a sentence that could be wrong, not a word.",
            "Contradictions are material: keep both sides until something explains them.",
            "Ask why at least three times before you believe a cause.",
        ),
        gather=(
            "Which findings belong together, and what they share.",
            "What was expected and did not show up.",
            "Where people's words and people's deeds differ.",
            "Which causes remain when symptoms are taken away.",
        ),
        use_of_prior_context=(
            "Work with the findings, quotes and numbers of the research, and cite them. Measure "
            "each insight by the challenge: does it tell you something about that question?"
        ),
        criteria=(
            "Is each theme supported by at least two findings, quotes or numbers?",
            "Does each insight say something that the challenge did not say already?",
            "Are findings that do not fit named as contradictions, instead of left out?",
            "Is every root cause one that somebody could do something about?",
            "Is the artifact free of solutions?",
        ),
        depends_on=("challenge", "user-research"),
        artifact=ARTIFACT_SCHEMAS["sense-making"],
    ),
    StepDefinition(
        id="persona",
        order=5,
        name="Persona",
        description="Make one believable person out of what was found.",
        goal=(
            "One person with a name, a day, wishes and troubles, whom everybody in the room "
            "recognizes and in whose name later choices can be made."
        ),
        principles=(
            "Every trait comes from somebody who was met; what cannot be traced goes out.",
            "Be concrete: a time of day, a tool in the hand, a sentence on the lips.",
            "No hero and no victim: the person is good at something and stuck at something.",
            "One persona that is true beats three that are tidy.",
        ),
        gather=(
            "Age, occupation, and how an ordinary day goes.",
            "What the person wants to reach, in their own words.",
            "What is in the way, and what the person does about it today.",
            "Things and services the person uses.",
            "Whom and which findings the traits were taken from.",
        ),
        use_of_prior_context=(
            "Take behavior, quotes and numbers from the research, and motives from the insights. "
            "If two findings contradict each other, choose the side that this one person lives."
        ),
        criteria=(
            "Can every trait be traced to a finding, a quote or a person of the research?",
            "Would somebody from the field say that they know such a person?",
            "Do the pains include one that is about feeling, not only about time or money?",
            "Is the quote a sentence that a person would speak aloud?",
            "Is the name one that nobody in the room bears?",
        ),
        depends_on=("user-research", "sense-making"),
        artifact=ARTIFACT_SCHEMAS["persona"],
    ),
    StepDefinition(
        id="journey-mapping",
        order=6,
        name="Journey mapping",
        description="Follow the persona through the situation as it is today, stage by stage.",
        goal="A timeline of doing and feeling that shows the moment which decides how it ends.",
        principles=(
            "Map today, not the future: no stage that does not exist yet.",
            "Give each stage one action, one feeling, and a duration if somebody measured it.",
            "Begin earlier and end later than seems needed; trouble often sits at the edges.",
            "Look for waiting, repeating, searching and hiding.",
        ),
        gather=(
            "Where the journey begins, where it ends, and on what kind of day.",
            "Each stage in order, and what the persona does and feels in it.",
            "How long stages take, and whether that was measured or estimated.",
            "Where it hurts, and where a small change would help.",
            "The moment at which it turns out well or badly.",
        ),
        use_of_prior_context=(
            "Walk in the persona's shoes: goals and pains explain the feelings. Take durations and "
            "events from the research, and mark what is only supposed."
        ),
        criteria=(
            "Are the stages in the order in which they happen, without a gap?",
            "Does each stage tell what the persona feels, besides what the persona does?",
            "Do the durations agree with the total, where both are given?",
            "Is the critical moment one of the stages, with a reason why it decides?",
            "Does every pain on the map come from the persona or the research?",
        ),
        depends_on=("user-research", "persona"),
        artifact=ARTIFACT_SCHEMAS["journey-mapping"],
    ),
)
"""Steps 1 to 6."""
