"""A detail of the benefit extract as what happened to an award.

The reason of a decision and the amount of an award are not read: nobody who gets these events may know them.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Final

from adapters import claims
from adapters.base import Accepted, Finding, Message, Outcome, UnknownCode
from adapters.dwp import rules
from adapters.dwp.batch import Header, Record, Records, read_row
from adapters.dwp.codes import ACTIONS, BENEFITS, MARKERS, SEXES, Action, held_for
from adapters.dwp.layout import LENGTH, fields
from adapters.dwp.rules import Faulty
from adapters.local_time import day_moment
from schemas.base import AddressClaim, AddressKind, Fact, Name, Person, Sensitivity
from schemas.benefits import AwardAmended, AwardEnded, AwardEvent, AwardStarted
from schemas.identifiers import Identifier, Scheme

OPEN: Final = "00000000"
"""A date that says there is none."""

_SLACK: Final = timedelta(days=1)
"""How far the department's clock may run ahead before its file is taken for a mistake."""

_REQUIRED: Final = ("nino", "surname", "benefit", "action", "effective")
_TOLD: Final = {Action.START: "START", Action.END: "END", Action.AMEND: "AMEND"}
_KINDS: Final[Mapping[Action, type[AwardStarted | AwardEnded | AwardAmended]]] = {
    Action.START: AwardStarted,
    Action.END: AwardEnded,
    Action.AMEND: AwardAmended,
}


def read(records: Records, message: Message) -> Outcome:
    """Read one header with one detail. Raises Faulty."""
    told = read_row(records, BytesIO(message.body))
    if isinstance(told, Finding):
        raise Faulty([told])
    return _detail(*told, message.received)


def _detail(header: Header, record: Record, received: datetime) -> Outcome:
    if len(record.text) > LENGTH:
        raise Faulty([Finding(rules.DETAIL_TOO_LONG, "record", f"{len(record.text)} characters")])
    told = fields(record.text)
    found = [Finding(rules.MISSING, name) for name in _REQUIRED if not told[name]]
    effective = _date(told, "effective", found)
    born = _date(told, "date_of_birth", found)
    if born is not None and born > received.date():
        found.append(Finding(rules.BORN_IN_THE_FUTURE, "date_of_birth"))
    if header.made > received + _SLACK:
        found.append(Finding(rules.MALFORMED, "header.created", "more than a day from now"))
    if told["action"] == "S" and told["effective"] == OPEN:
        found.append(Finding(rules.START_WITHOUT_DAY, "effective"))
    if found:
        raise Faulty(found)
    nino = claims.identifier(Scheme.NINO, told["nino"], "nino", found)
    who = known_by(nino, told)
    lane = f"NINO:{nino.value}" if nino.value else f"DWP:{who}"
    try:
        event, about = _award(told, effective, _person(told, nino, born, found), header)
    except UnknownCode as unknown:
        return held_for(unknown, tuple(found), lane)
    key = f"dwp:{who}:{told['benefit']}:{about}"
    # The key says from which day on it holds, so that what is still to come is the same decision in the next file.
    fact = Fact(key, lane, event.kind, event, version=header.created, lasting=True)
    return Accepted((fact,), tuple(found))


def _award(told: Mapping[str, str], effective: date | None, person: Person, header: Header) -> tuple[AwardEvent, str]:
    """The event, and what of the award it is about. Raises UnknownCode."""
    benefit, action, office = BENEFITS[told["benefit"]], ACTIONS[told["action"]], told["office"] or None
    sensitivity = frozenset({Sensitivity.MAPPA}) if MARKERS[told["marker"]] else frozenset()
    said = header.made.date()
    if effective is None:
        # An end that is open takes back whatever end was told before; it is said on the day the file was made.
        event = AwardAmended(
            occurred=day_moment(said),
            person=person,
            sensitivity=sensitivity,
            benefit=benefit,
            office=office,
            effective=None,
        )
        return event, f"OPEN:{said:%Y%m%d}"
    told_event = _KINDS[action](
        occurred=day_moment(min(effective, said)),  # what is to come is said today, as is the address beside it
        person=person,
        sensitivity=sensitivity,
        benefit=benefit,
        office=office,
        effective=effective,
    )
    return told_event, f"{_TOLD[action]}:{told['effective']}"


def _person(told: Mapping[str, str], nino: Identifier, born: date | None, found: list[Finding]) -> Person:
    """Who the detail is about. Raises UnknownCode."""
    place = claims.postcode(told["postcode"], "postcode", found)
    homeless = claims.homeless(place, False, "postcode", found)
    protected = MARKERS[told["marker"]]
    if protected and told["postcode"]:
        found.append(Finding(rules.PROTECTED_ADDRESS, "postcode"))
    addresses: tuple[AddressClaim, ...] = ()
    if (place.value or homeless) and not protected:
        addresses = (AddressClaim(kind=AddressKind.DECLARED, postcode=place.value, no_fixed_abode=homeless),)
    return Person(
        identifiers=(nino,),
        name=claims.name(Name(forenames=told["forename"] or None, surname=told["surname"]), "surname", found),
        date_of_birth=claims.birth(born, "date_of_birth", found),
        sex=SEXES[told["sex"]] if told["sex"] else None,
        addresses=addresses,
    )


def known_by(nino: Identifier, told: Mapping[str, str]) -> str:
    """What tells the person from others: the number, or what stands in its place with name and birth date.

    A number that stands for an unknown one, or that an office gives to whoever is next, is shared by strangers.
    """
    if nino.value is not None:
        return nino.value
    return ":".join((nino.raw.strip(), *(told[name] for name in ("surname", "forename", "date_of_birth"))))


def _date(told: Mapping[str, str], name: str, found: list[Finding]) -> date | None:
    """A day as CCYYMMDD, or None where there is none; one that is no day is a fault."""
    if told[name] in ("", OPEN):
        return None
    try:
        return _day(told[name])
    except ValueError:
        found.append(Finding(rules.MALFORMED, name, "not CCYYMMDD"))
        return None


def _day(written: str) -> date:
    """Raises ValueError for what is no day written CCYYMMDD."""
    if len(written) != 8 or not (written.isascii() and written.isdigit()):
        raise ValueError
    return date(int(written[:4]), int(written[4:6]), int(written[6:]))
