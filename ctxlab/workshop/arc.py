"""The six phases that every step goes through, and the rule that leads from one to the next.

========== ===================================================== ==========
phase      is left when                                          for
========== ===================================================== ==========
orient     somebody has answered                                 gather
gather     everything is gathered, the user says it is enough,   synthesize
           or `PATIENCE` turns have passed
synthesize there is a draft of the artifact                      refine
refine     the artifact obeys its schema, and the user agrees    validate
           or `PATIENCE` turns have passed
validate   the artifact is valid, the criteria are met, and the  complete
           user agrees
validate   the artifact is invalid; or a criterion is not met,   refine
           until that has happened `ROUNDS` times: from then on
           the user alone decides
complete   never by the rule; `move` may reopen it               refine
========== ===================================================== ==========

No phase is left before its first turn: one message of a user, and the reply to it.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import Field

from ctxlab.core.segments import Value
from ctxlab.errors import TransitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 8
"""Turns after which gathering and refining end without anybody saying so."""
ROUNDS = 2
"""How often a failed validation goes back to refining before the user alone decides."""


class ArcPhase(StrEnum):
    """A phase of a step's arc.

    Examples
    --------
    >>> [str(phase) for phase in ArcPhase]
    ['orient', 'gather', 'synthesize', 'refine', 'validate', 'complete']
    """

    ORIENT = "orient"
    GATHER = "gather"
    SYNTHESIZE = "synthesize"
    REFINE = "refine"
    VALIDATE = "validate"
    COMPLETE = "complete"

    @property
    def instruction(self) -> str:
        """What the facilitator does in this phase.

        Examples
        --------
        >>> ArcPhase.GATHER.instruction.split(".")[0]
        'Collect what the list above asks for, one question at a time'
        """
        return _INSTRUCTIONS[self]


_INSTRUCTIONS: Mapping[ArcPhase, str] = MappingProxyType(
    {
        ArcPhase.ORIENT: (
            "Open the step. Say in two or three sentences what it is for and what will be there "
            "at its end. If earlier results are given above, name the one or two that matter most "
            "now. Then ask one open question that is easy to answer. Propose nothing yet."
        ),
        ArcPhase.GATHER: (
            "Collect what the list above asks for, one question at a time. Follow up where an "
            "answer is vague: ask for a number, a name, a date or an example. Repeat a corrected "
            "figure once, so that everybody hears which one holds. Do not sum up before it is "
            "asked for. When every point is answered or known to be unknown, say so and ask "
            "whether anything is missing."
        ),
        ArcPhase.SYNTHESIZE: (
            "Write the first draft of the step's artifact from what was gathered. Use the "
            "participants' own words where they are good, the latest figure where one was "
            "corrected, and nothing that nobody said. Leave an optional field empty sooner than "
            "guess it. Show the draft and name the two places where you are least sure."
        ),
        ArcPhase.REFINE: (
            "Improve the draft with the participants. Ask what is wrong before you ask what is "
            "missing. Change only what they speak about, say what you changed, and keep the rest "
            "as it stands. When nothing more comes, ask whether they agree with it as it is."
        ),
        ArcPhase.VALIDATE: (
            "Answer each of the criteria with yes or no, and with the part of the artifact that "
            "shows it. Where the answer is no, say what would have to change and ask for it. Do "
            "not soften a no. When every answer is yes, ask the participants to close the step."
        ),
        ArcPhase.COMPLETE: (
            "The step is closed. Thank the participants, give its result in three sentences at "
            "most, and say which step comes next and what of this result it will use. Change the "
            "artifact only if a participant asks to open the step again."
        ),
    }
)

MOVES: Mapping[ArcPhase, frozenset[ArcPhase]] = MappingProxyType(
    {
        ArcPhase.ORIENT: frozenset({ArcPhase.GATHER}),
        ArcPhase.GATHER: frozenset({ArcPhase.SYNTHESIZE}),
        ArcPhase.SYNTHESIZE: frozenset({ArcPhase.REFINE}),
        ArcPhase.REFINE: frozenset({ArcPhase.VALIDATE}),
        ArcPhase.VALIDATE: frozenset({ArcPhase.COMPLETE, ArcPhase.REFINE}),
        ArcPhase.COMPLETE: frozenset({ArcPhase.REFINE}),
    }
)
"""Where each phase may lead; staying is always allowed."""

_NEEDS_DRAFT = frozenset({ArcPhase.REFINE, ArcPhase.VALIDATE, ArcPhase.COMPLETE})


class ArcState(Value):
    """What the rule looks at.

    Parameters
    ----------
    phase : ArcPhase
        Where the step is now.
    turns_in_phase : int
        User messages answered in this phase.
    rounds : int
        How often validation has led back to refining.
    gathered : bool
        Every point to gather is answered, or known to be unknown.
    has_artifact, artifact_valid : bool
        There is a draft; it obeys its schema.
    criteria_met : bool
        Every criterion was answered with yes.
    user_confirmed : bool
        In this phase, the user said that it may go on.

    Examples
    --------
    >>> ArcState().phase
    <ArcPhase.ORIENT: 'orient'>
    """

    phase: ArcPhase = ArcPhase.ORIENT
    turns_in_phase: int = Field(0, ge=0)
    rounds: int = Field(0, ge=0)
    gathered: bool = False
    has_artifact: bool = False
    artifact_valid: bool = False
    criteria_met: bool = False
    user_confirmed: bool = False


def next_phase(state: ArcState) -> ArcPhase:
    """Return the phase that follows a state, often the same one.

    Raises
    ------
    TransitionError
        When the state cannot be: a phase that works on a draft has none, or an artifact that
        is not there is called valid.

    Examples
    --------
    >>> str(next_phase(ArcState(turns_in_phase=1)))
    'gather'
    >>> failed = ArcState(phase="validate", turns_in_phase=1, has_artifact=True)
    >>> str(next_phase(failed))
    'refine'
    """
    _check(state)
    if state.turns_in_phase == 0:
        return state.phase
    agreed = state.user_confirmed
    tired = state.turns_in_phase >= PATIENCE
    match state.phase:
        case ArcPhase.ORIENT:
            return ArcPhase.GATHER
        case ArcPhase.GATHER if state.gathered or agreed or tired:
            return ArcPhase.SYNTHESIZE
        case ArcPhase.SYNTHESIZE if state.has_artifact:
            return ArcPhase.REFINE
        case ArcPhase.REFINE if state.artifact_valid and (agreed or tired):
            return ArcPhase.VALIDATE
        case ArcPhase.VALIDATE:
            return _after_validation(state)
    return state.phase


def _after_validation(state: ArcState) -> ArcPhase:
    last_word = state.rounds >= ROUNDS
    if not state.artifact_valid or not (state.criteria_met or last_word):
        return ArcPhase.REFINE
    return ArcPhase.COMPLETE if state.user_confirmed else ArcPhase.VALIDATE


def _check(state: ArcState) -> None:
    if state.phase in _NEEDS_DRAFT and not state.has_artifact:
        raise TransitionError(
            f"phase {state.phase.value!r} works on a draft and there is none; "
            "write the artifact in phase 'synthesize' first"
        )
    if state.artifact_valid and not state.has_artifact:
        raise TransitionError("an artifact that is not there is called valid; set has_artifact")


def move(phase: ArcPhase, to: ArcPhase) -> ArcPhase:
    """Return `to` if a step may go there from `phase`.

    Raises
    ------
    TransitionError
        When it may not; the message says where it may go.

    Examples
    --------
    >>> str(move(ArcPhase.COMPLETE, ArcPhase.REFINE))
    'refine'
    >>> move(ArcPhase.ORIENT, ArcPhase.COMPLETE)
    Traceback (most recent call last):
    ctxlab.errors.TransitionError: phase 'orient' does not lead to 'complete'; it leads to 'gather'
    """
    if to != phase and to not in MOVES[phase]:
        ways = " or ".join(repr(one.value) for one in ArcPhase if one in MOVES[phase])
        raise TransitionError(
            f"phase {phase.value!r} does not lead to {to.value!r}; it leads to {ways}"
        )
    return to


def advance(state: ArcState) -> ArcState:
    """Return the state that the rule leads to: on a move, turns and agreement begin anew.

    Raises
    ------
    TransitionError
        When the state cannot be.

    Examples
    --------
    >>> after = advance(ArcState(turns_in_phase=1))
    >>> str(after.phase), after.turns_in_phase
    ('gather', 0)
    """
    to = next_phase(state)
    if to == state.phase:
        return state
    back = state.phase == ArcPhase.VALIDATE and to == ArcPhase.REFINE
    return state.model_copy(
        update={
            "phase": to,
            "turns_in_phase": 0,
            "user_confirmed": False,
            # Refining changes the artifact, so its criteria have to be answered anew.
            "criteria_met": state.criteria_met and not back,
            "rounds": state.rounds + back,
        }
    )
