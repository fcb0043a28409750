"""What a recipient may answer about a delivery, and what each answer does. Pure.

A first answer says whether the message is taken; it is given once. What happens afterwards (an assessment begun, kept
or missed, a case closed) is told by later answers. The same answer again is the same answer; one that contradicts an
earlier one is refused, so that what the sender was told stays true.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class Result(enum.StrEnum):
    """The results a recipient may tell."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_CHANGES = "accepted_with_changes"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    NOT_OUR_AREA = "not_our_area"
    ASSESSMENT_STARTED = "assessment_started"
    ASSESSMENT_ATTENDED = "assessment_attended"
    ASSESSMENT_MISSED = "assessment_missed"
    CLOSED = "closed"


class Rejection(enum.StrEnum):
    """Why a recipient rejects a message; a closed list, because a code stands in the clear."""

    NOT_UNDERSTOOD = "not_understood"
    INCOMPLETE = "incomplete"
    WRONG_PERSON = "wrong_person"
    NOT_ENTITLED = "not_entitled"
    OTHER = "other"


FIRST = frozenset(
    {Result.ACCEPTED, Result.ACCEPTED_WITH_CHANGES, Result.DUPLICATE, Result.REJECTED, Result.NOT_OUR_AREA}
)
_NEGATIVE = frozenset({Result.REJECTED, Result.NOT_OUR_AREA})
_ASSESSMENT = frozenset({Result.ASSESSMENT_STARTED, Result.ASSESSMENT_ATTENDED, Result.ASSESSMENT_MISSED})
_KEPT = frozenset({Result.ASSESSMENT_ATTENDED, Result.ASSESSMENT_MISSED})

ASSESSED_KINDS = frozenset(
    {"custody.drug-test.recorded", "custody.assessment.required", "custody.assessment.varied"}
    | {"custody.follow-up.required"}
)
"""The kinds that ask a person to an assessment (Drugs Act 2005 sections 9 and 10), which can be kept or missed."""

ANSWERABLE = frozenset({"queued", "offered", "parked", "acknowledged", "rejected", "superseded", "retracted"})
"""The states in which a delivery takes receipts."""

_MOVED = frozenset({"queued", "offered", "parked", "acknowledged"})
_ONE_WORKING_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One answer. code: the rejection's, or the area suggested with `not_our_area`."""

    result: Result
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same answer was given before; nothing changes. number: of that one."""

    number: int


@dataclass(frozen=True, slots=True)
class Contradicts:
    """The answer cannot stand beside what was answered before, or beside what the message is."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer is the next one. state, reason, owner: of the delivery from now on; due: until when its owner acts."""

    number: int
    state: str
    reason: str | None = None
    owner: str | None = None
    due: timedelta | None = None
    closes: bool = False


Step = Repeated | Contradicts | Taken


def step(kind: str, state: str, told: Sequence[Receipt], new: Receipt) -> Step:
    """What an answer does to a delivery of this kind and state, after what was told before, in order."""
    if new in told:
        return Repeated(told.index(new) + 1)
    fault = _fault(kind, [receipt.result for receipt in told], new.result)
    if fault is not None:
        return Contradicts(fault)
    number = len(told) + 1
    if state not in _MOVED:
        return Taken(number, state)
    if new.result is Result.REJECTED:
        owner = "sender" if new.code == Rejection.INCOMPLETE else "operations"
        return Taken(number, "rejected", "recipient_rejected_content", owner, _ONE_WORKING_DAY)
    if new.result is Result.NOT_OUR_AREA:
        return Taken(number, "rejected", "recipient_said_not_our_area", "operations", _ONE_WORKING_DAY)
    return Taken(number, "acknowledged", closes=new.result is Result.CLOSED)


def _fault(kind: str, told: Sequence[Result], new: Result) -> str | None:
    if new in _ASSESSMENT and kind not in ASSESSED_KINDS:
        return "This message asks nobody to an assessment."
    if Result.CLOSED in told:
        return "This message was answered with closed, which is the last answer."
    if _NEGATIVE.intersection(told):
        return "This message was answered with rejected or not_our_area, which are final."
    if new in told:
        return "This result was told before, with another code."
    if new in FIRST and told:
        return "This message was taken before; that cannot be answered again in another way."
    if new in _KEPT and _KEPT.intersection(told):
        return "This assessment was told as attended or missed before."
    return None
