"""The documents of Universal Credit, decrypted, as who a claimant is and what became of a claim.

Universal Credit publishes a whole document at every change of it. What of it matters here changes seldom, so most
messages tell what is known and make no event. A claim is one fact of each of its people: open, closed, or open again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from adapters import claims
from adapters.base import Accepted, Finding, Ignored
from adapters.dwp import rules
from adapters.dwp.rules import Faulty
from adapters.dwp.wire import Change, Claimant, Contract, Document, Statement, faults
from adapters.local_time import Told, day_moment
from schemas.base import Event, Fact, Name, Person
from schemas.benefits import AwardAssessed, AwardEnded, AwardStarted, Benefit, ClaimantRecorded
from schemas.identifiers import Identifier, Scheme, parse

_DELETED: Final = "MONGO_DELETE"
_GONE: Final = "deleted"

Shape = TypeVar("Shape", bound=Document)


def read(told: Mapping[str, Any]) -> Accepted | Ignored:
    """Read one message whose `dbObject` is in the clear. Raises Faulty with every fault."""
    message = told["message"]
    try:
        change = Change.model_validate(message)
    except ValidationError as error:
        raise Faulty(faults(error, "message")) from None
    match change.collection:
        case "claimant":
            return _claimant(change)
        case "contract":
            return _contract(change)
        case "statement":
            return _statement(change)
    return Ignored(f"universal-credit.{change.collection}")


def _claimant(change: Change) -> Accepted:
    claimant = _document(Claimant, change)
    found: list[Finding] = []

    def tell(citizen: Identifier) -> Event:
        return ClaimantRecorded(
            occurred=_since(claimant, change).moment,
            person=Person(identifiers=(citizen, *_numbers(claimant, found)), name=_name(claimant, found)),
        )

    citizen = _citizen(claimant.id.citizen_id)
    fact = _fact("claimant", "benefits.claimant-recorded", citizen, change, claimant, tell)
    return Accepted((fact,), tuple(found))


def _contract(change: Change) -> Accepted | Ignored:
    contract = _document(Contract, change)
    started, closed = contract.start_date, contract.closed_date
    if started is None:
        if change.type != _DELETED:
            return Ignored("universal-credit.contract:not-started")
        tell = None  # what is left of a deleted claim need not say when it began
    elif closed is not None and closed < started:
        raise Faulty([Finding(rules.ENDS_BEFORE_START, "message.dbObject.closedDate")])
    else:
        tell = partial(_award, started, closed)
    kind = "benefits.started" if closed is None else "benefits.ended"
    about = f"contract:{contract.id.contract_id}"
    people = [_citizen(number) for number in dict.fromkeys(contract.people)]
    return Accepted(tuple(_fact(about, kind, citizen, change, contract, tell) for citizen in people))


def _award(started: date, closed: date | None, citizen: Identifier) -> Event:
    person, benefit = Person(identifiers=(citizen,)), Benefit.UNIVERSAL_CREDIT
    if closed is None:
        return AwardStarted(occurred=day_moment(started), person=person, benefit=benefit, effective=started)
    return AwardEnded(occurred=day_moment(closed), person=person, benefit=benefit, effective=closed, started=started)


def _statement(change: Change) -> Accepted:
    statement = _document(Statement, change)
    period = statement.assessment_period
    if period.end_date < period.start_date:
        raise Faulty([Finding(rules.ENDS_BEFORE_START, "message.dbObject.assessmentPeriod.endDate")])

    def tell(citizen: Identifier) -> Event:
        return AwardAssessed(
            occurred=day_moment(period.end_date),
            person=Person(identifiers=(citizen,)),
            benefit=Benefit.UNIVERSAL_CREDIT,
            period_start=period.start_date,
            period_end=period.end_date,
        )

    about = f"statement:{statement.id.statement_id}"
    people = [_citizen(number) for number in dict.fromkeys(one.citizen_id for one in statement.people)]
    return Accepted(tuple(_fact(about, "benefits.assessed", citizen, change, statement, tell) for citizen in people))


def _fact(
    about: str,
    kind: str,
    citizen: Identifier,
    change: Change,
    document: Document,
    tell: Callable[[Identifier], Event] | None,
) -> Fact:
    """What a document tells of one person; a document that is deleted takes it back, whatever is left in it."""
    gone = change.type == _DELETED
    return Fact(
        key=f"dwp:universal-credit:{about}:{citizen.value}",
        lane=f"CITIZEN:{citizen.value}",
        kind=kind,
        event=None if gone or tell is None else tell(citizen),
        version=document.version,
        withdrawn=_GONE if gone else None,
    )


def _numbers(claimant: Claimant, found: list[Finding]) -> Iterator[Identifier]:
    """The National Insurance number: the verified one, else the one the claimant gave."""
    if claimant.nino is not None:
        yield claims.identifier(Scheme.NINO, claimant.nino, "message.dbObject.nino", found)
    elif claimant.claimant_provided_nino is not None:
        field = "message.dbObject.claimantProvidedNino"
        yield claims.identifier(Scheme.NINO, claimant.claimant_provided_nino, field, found)


def _name(claimant: Claimant, found: list[Finding]) -> Name | None:
    if claimant.last_name is None:
        return None
    written = Name(forenames=claimant.first_name, surname=claimant.last_name)
    return claims.name(written, "message.dbObject.lastName", found)


def _document(shape: type[Shape], change: Change) -> Shape:
    """The document in its shape. Raises Faulty."""
    try:
        return shape.model_validate(change.db_object)
    except ValidationError as error:
        raise Faulty(faults(error, "message", "dbObject")) from None


def _since(document: Document, change: Change) -> Told:
    """When the document came to be; only where nobody says, when it was last changed. Raises Faulty for neither.

    Not when it was changed, where it can be helped: every change of anything in it would be a correction.
    """
    since = document.created or document.modified or change.last_modified
    if since is None:
        raise Faulty([Finding(rules.MISSING, "message.dbObject.createdDateTime")])
    return since


def _citizen(number: str) -> Identifier:
    citizen = parse(Scheme.CITIZEN, number).identifier
    if citizen.value is None:
        raise Faulty([Finding(rules.MALFORMED, "message.dbObject.citizenId")])
    return citizen
