"""A need for drug treatment identified in prison: our own small contract, need.schema.json.

No public feed carries it. The drug team's own reference names the referral; its record version orders corrections.
"""

from datetime import datetime
from typing import Final

from adapters import claims, drift
from adapters.base import Accepted, Finding, Held, UnknownCode
from adapters.hmpps.envelope import Faulty, Opened
from adapters.hmpps.need import OUTSIDE, home, taken_back
from adapters.prison import codes, rules
from adapters.prison.record import CHECKS, lane_of
from adapters.prison.snapshot import name, sex
from adapters.prison.wire import Need, NeedAddress, WithdrawnNeed
from schemas.base import AddressClaim, AddressKind, Fact, Person, Sensitivity
from schemas.identifiers import Scheme, parse
from schemas.imprisonment import NeedIdentified

KIND: Final = "imprisonment.need-identified"


def identified(opened: Opened, received: datetime) -> Accepted | Held:
    """Tell a need, or hold it for a substance we do not know. Raises Faulty with every fault."""
    need = CHECKS.shaped(Need, opened.event)
    wrong = CHECKS.not_yet(need.identified_at, "identifiedAt", received)
    number = parse(Scheme.NOMS, need.person.prison_number).identifier.value
    if number is None:
        wrong.append(Finding(rules.PRISON_NUMBER_UNREADABLE, "person.prisonNumber"))
    if need.prison_id in codes.PSEUDO_AGENCIES:
        wrong.append(Finding(rules.NOT_A_PRISON, "prisonId"))
    if need.person.date_of_birth is None:
        wrong.append(Finding(rules.MISSING, "person.dateOfBirth"))
    wrong.extend(CHECKS.not_born_yet(need.person.date_of_birth, "person.dateOfBirth", received))
    if wrong or number is None:
        raise Faulty(wrong)
    try:
        substances = tuple(dict.fromkeys(codes.SUBSTANCES[substance] for substance in need.substances))
    except UnknownCode as unknown:
        return CHECKS.held_for(unknown, opened.findings, lane_of(number))
    found = [*opened.findings, *CHECKS.clock_doubts(need.identified_at, "identifiedAt")]
    found.extend(drift.besides(Need, opened.event, also=OUTSIDE))
    numbers = [claims.identifier(Scheme.NOMS, need.person.prison_number, "person.prisonNumber", found)]
    if need.person.pnc_number is not None:
        numbers.append(claims.identifier(Scheme.PNC, need.person.pnc_number, "person.pncNumber", found))
    event = NeedIdentified(
        occurred=need.identified_at.moment,
        person=Person(
            identifiers=tuple(numbers),
            name=name(
                need.person.first_name, need.person.middle_names, need.person.last_name, "person.lastName", found
            ),
            date_of_birth=claims.birth(need.person.date_of_birth, "person.dateOfBirth", found),
            sex=sex(need.person.gender, "person.gender", found),
            addresses=(_home(need.home_address, found),) if need.home_address is not None else (),
        ),
        sensitivity=frozenset({Sensitivity.HEALTH, Sensitivity.OFFENCE}),
        prison=need.prison_id,
        reference=need.reference,
        substances=substances,
        team=need.team,
    )
    fact = Fact(_key(need), lane_of(number), KIND, event, version=need.record_version)
    return Accepted((fact,), tuple(found))


def withdrawn(opened: Opened) -> Accepted:
    """Take a need back. Raises Faulty."""
    need = CHECKS.shaped(WithdrawnNeed, opened.event)
    number = parse(Scheme.NOMS, need.person.prison_number).identifier.value
    if number is None:
        raise Faulty([Finding(rules.PRISON_NUMBER_UNREADABLE, "person.prisonNumber")])
    return taken_back(need, opened, _key(need), lane_of(number), KIND)


def _key(need: Need | WithdrawnNeed) -> str:
    return f"prison:need:{need.prison_id}:{need.reference}"


def _home(address: NeedAddress, found: list[Finding]) -> AddressClaim:
    """The home before prison: what a person tells a drug team at reception is an address given at reception."""
    return home(address, address.no_fixed_address, AddressKind.RECEPTION, found)
