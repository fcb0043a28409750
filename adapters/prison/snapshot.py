"""What a prisoner search snapshot adds to an event: who it is, where they lived, when they may leave."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters import claims
from adapters.base import Finding
from adapters.prison import codes, rules
from adapters.prison.wire import Snapshot, SnapshotAddress
from schemas.base import AddressClaim, AddressKind, Name, Person, Sex
from schemas.identifiers import Scheme
from schemas.imprisonment import LegalStatus, ReleaseDates


@dataclass(frozen=True, slots=True)
class Filled:
    """Claims of a snapshot, and whatever was odd about them."""

    person: Person
    findings: tuple[Finding, ...]


def sex(gender: str | None, field: str, found: list[Finding]) -> Sex | None:
    """The sex NOMIS describes, or None where it says nothing we know."""
    if gender is None:
        return None
    meaning = codes.GENDERS.get(gender.casefold())
    if meaning is None:
        found.append(Finding(rules.GENDER_NOT_MAPPED, field))
    return meaning


def name(forename: str | None, middle: str | None, surname: str, field: str, found: list[Finding]) -> Name:
    """A name in one piece per half, as the source spells it."""
    forenames = " ".join(part for part in (forename, middle) if part) or None
    return claims.name(Name(forenames=forenames, surname=surname), field, found)


def person_of(snapshot: Snapshot) -> Filled:
    """The person as prison knows them. Raises UnknownCode for an address usage we do not know."""
    found: list[Finding] = []
    numbers = [claims.identifier(Scheme.NOMS, snapshot.prisoner_number, "snapshot.prisonerNumber", found)]
    if snapshot.pnc_number is not None:
        numbers.append(claims.identifier(Scheme.PNC, snapshot.pnc_number, "snapshot.pncNumber", found))
    if snapshot.cro_number is not None:
        numbers.append(claims.identifier(Scheme.CRO, snapshot.cro_number, "snapshot.croNumber", found))
    if snapshot.booking_id is not None:
        numbers.append(claims.identifier(Scheme.BOOKING, snapshot.booking_id, "snapshot.bookingId", found))
    addresses = tuple(
        claim
        for number, address in enumerate(snapshot.addresses)
        for claim in _claims(address, f"snapshot.addresses.{number}", found)
    )
    person = Person(
        identifiers=tuple(numbers),
        name=name(snapshot.first_name, snapshot.middle_names, snapshot.last_name, "snapshot.lastName", found)
        if snapshot.last_name
        else None,
        aliases=tuple(
            name(alias.first_name, alias.middle_names, alias.last_name, f"snapshot.aliases.{number}.lastName", found)
            for number, alias in enumerate(snapshot.aliases)
            if alias.last_name
        ),
        date_of_birth=claims.birth(snapshot.date_of_birth, "snapshot.dateOfBirth", found),
        sex=sex(snapshot.gender, "snapshot.gender", found),
        addresses=addresses,
    )
    return Filled(person, tuple(found))


def _claims(address: SnapshotAddress, field: str, found: list[Finding]) -> Iterator[AddressClaim]:
    """One claim for each use of an address that is in force; without a use, what kind it is follows from `primary`."""
    if address.start_date and address.end_date and address.end_date < address.start_date:
        found.append(Finding(rules.ADDRESS_ENDS_BEFORE_START, field))
        return
    place = claims.postcode(address.postal_code, f"{field}.postalCode", found)
    homeless = claims.homeless(place, address.no_fixed_address, field, found)
    usages = {usage.address_usage for usage in address.address_usages if usage.active_flag}
    if address.address_usages and not usages:
        kinds = [(AddressKind.PREVIOUS, homeless)]
    elif usages:
        kinds = [(codes.ADDRESS_USAGES[use], homeless or use == codes.DISCHARGED_WITHOUT_ADDRESS) for use in usages]
    else:
        # Prisoner search names no use. Its primary address is the home NOMIS keeps, which is the one before prison.
        kinds = [(AddressKind.RECEPTION if address.primary_address else AddressKind.OTHER, homeless)]
    for kind, no_fixed_abode in sorted(set(kinds)):
        yield AddressClaim(
            kind=kind,
            lines=(address.full_address,) if address.full_address and not no_fixed_abode else (),
            postcode=place.value,
            no_fixed_abode=no_fixed_abode,
            confirmed=address.confirmed and kind is AddressKind.DISCHARGE,
            start=address.start_date,
            end=address.end_date,
        )


def dates_of(snapshot: Snapshot) -> ReleaseDates:
    """Every release date the snapshot gives; one it does not give is one the prison does not stand by."""
    return ReleaseDates(
        expected=snapshot.release_date,
        confirmed=snapshot.confirmed_release_date,
        conditional=snapshot.conditional_release_date,
        automatic=snapshot.automatic_release_date,
        post_recall=snapshot.post_recall_release_date,
        hdc_eligibility=snapshot.home_detention_curfew_eligibility_date,
        hdc_actual=snapshot.home_detention_curfew_actual_date,
        sentence_expiry=snapshot.sentence_expiry_date,
        licence_expiry=snapshot.licence_expiry_date,
    )


def legal_status_of(snapshot: Snapshot) -> LegalStatus | None:
    """In what right the person is held. Raises UnknownCode."""
    return codes.LEGAL_STATUSES[snapshot.legal_status] if snapshot.legal_status is not None else None


def prison_of(snapshot: Snapshot) -> str | None:
    """The prison that holds the person, or None while none does."""
    prison = snapshot.prison_id
    return None if prison is None or prison in codes.PSEUDO_AGENCIES else prison
