"""A need for drug treatment identified on probation: our own small contract, need.schema.json.

No public feed carries it. The team's own reference names the referral; its record version orders corrections.
"""

from datetime import datetime
from typing import Final

from adapters import claims, drift
from adapters.base import Accepted, Finding, Held, UnknownCode
from adapters.hmpps.envelope import Faulty, Opened
from adapters.hmpps.need import OUTSIDE, home, taken_back
from adapters.probation import codes, rules
from adapters.probation.record import CHECKS, lane_of
from adapters.probation.snapshot import name, sex
from adapters.probation.wire import Need, NeedAddress, WithdrawnNeed
from schemas.base import AddressClaim, AddressKind, Fact, Person, Sensitivity
from schemas.identifiers import Scheme, parse
from schemas.supervision import NeedIdentified

KIND: Final = "supervision.need-identified"


def identified(opened: Opened, received: datetime) -> Accepted | Held:
    """Tell a need, or hold it for a substance we do not know. Raises Faulty with every fault."""
    need = CHECKS.shaped(Need, opened.event)
    wrong = CHECKS.not_yet(need.identified_at, "identifiedAt", received)
    crn = parse(Scheme.CRN, need.person.crn).identifier.value
    if crn is None:
        wrong.append(Finding(rules.CRN_UNREADABLE, "person.crn"))
    if need.person.date_of_birth is None:
        wrong.append(Finding(rules.MISSING, "person.dateOfBirth"))
    wrong.extend(CHECKS.not_born_yet(need.person.date_of_birth, "person.dateOfBirth", received))
    if wrong or crn is None:
        raise Faulty(wrong)
    try:
        substances = tuple(dict.fromkeys(codes.SUBSTANCES[substance] for substance in need.substances))
    except UnknownCode as unknown:
        return CHECKS.held_for(unknown, opened.findings, lane_of(crn))
    found = [*opened.findings, *CHECKS.clock_doubts(need.identified_at, "identifiedAt")]
    found.extend(drift.besides(Need, opened.event, also=OUTSIDE))
    restricted = {Sensitivity.LAO} if need.person.restricted else set()
    event = NeedIdentified(
        occurred=need.identified_at.moment,
        person=_person(need, found),
        sensitivity=frozenset({Sensitivity.HEALTH, Sensitivity.OFFENCE} | restricted),
        region=need.region,
        reference=need.reference,
        substances=substances,
        team=need.team,
    )
    fact = Fact(_key(need), lane_of(crn), KIND, event, version=need.record_version)
    return Accepted((fact,), tuple(found))


def withdrawn(opened: Opened) -> Accepted:
    """Take a need back. Raises Faulty."""
    need = CHECKS.shaped(WithdrawnNeed, opened.event)
    crn = parse(Scheme.CRN, need.person.crn).identifier.value
    if crn is None:
        raise Faulty([Finding(rules.CRN_UNREADABLE, "person.crn")])
    return taken_back(need, opened, _key(need), lane_of(crn), KIND)


def _key(need: Need | WithdrawnNeed) -> str:
    return f"probation:need:{need.region}:{need.reference}"


def _person(need: Need, found: list[Finding]) -> Person:
    person = need.person
    numbers = [claims.identifier(Scheme.CRN, person.crn, "person.crn", found)]
    if person.noms_number is not None:
        numbers.append(claims.identifier(Scheme.NOMS, person.noms_number, "person.nomsNumber", found))
    if person.pnc_number is not None:
        numbers.append(claims.identifier(Scheme.PNC, person.pnc_number, "person.pncNumber", found))
    return Person(
        identifiers=tuple(numbers),
        name=name(person.first_name, person.middle_names, person.last_name, "person.lastName", found),
        date_of_birth=claims.birth(person.date_of_birth, "person.dateOfBirth", found),
        sex=sex(person.gender, "person.gender", found),
        addresses=(_home(need.home_address, found),) if need.home_address is not None else (),
    )


def _home(address: NeedAddress, found: list[Finding]) -> AddressClaim:
    """Where the person says they live."""
    return home(address, address.no_fixed_abode, AddressKind.DECLARED, found)
