"""Prison messages as they are spelled, and no field more than the canonical events carry.

What is not named here is dropped while the bytes are read, so the rest of a snapshot never becomes a value of ours.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from adapters.hmpps import need
from adapters.hmpps.wire import MessageVersion, Number, PersonReference
from adapters.json_fields import Instant, MaybeDay, MaybeText, Text, Wire, empty_is_absent

BookingId = Number
AgencyId = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9]{3,6}$")]
MaybeAgencyId = Annotated[AgencyId | None, BeforeValidator(empty_is_absent)]


class AdditionalInformation(Wire):
    """What an event of any kind says beyond its type, of the fields we read. `prisonerId` is a prison number too."""

    noms_number: MaybeText = None
    prisoner_id: MaybeText = None
    booking_id: BookingId = None


class DomainEvent(Wire):
    """What every HMPPS domain event has. Its prison number stands in up to three places."""

    version: MessageVersion
    occurred_at: Instant
    additional_information: AdditionalInformation = AdditionalInformation()
    person_reference: PersonReference = PersonReference()

    @property
    def prison_numbers(self) -> tuple[tuple[str, str], ...]:
        """Every prison number the event gives for its person, with the field it stands in."""
        said = self.additional_information
        given = [
            ("additionalInformation.nomsNumber", said.noms_number),
            ("additionalInformation.prisonerId", said.prisoner_id),
            *(
                ("personReference.identifiers", identifier.value)
                for identifier in self.person_reference.identifiers
                if identifier.type.upper() == "NOMS"
            ),
        ]
        return tuple((field, number) for field, number in given if number is not None)


class MovementInformation(AdditionalInformation):
    """What a `received` or a `released` says. The immediate family has no nomisMovementReasonCode."""

    reason: Text
    prison_id: AgencyId
    nomis_movement_reason_code: MaybeText = None


class MovementEvent(DomainEvent):
    """`received` or `released`, of either family."""

    additional_information: MovementInformation


class MergeInformation(AdditionalInformation):
    """What a `merged` says: the number that is gone."""

    removed_noms_number: Text


class MergeEvent(DomainEvent):
    """Two prison records became one."""

    additional_information: MergeInformation


class SnapshotAlias(Wire):
    """Another name of a prisoner."""

    first_name: MaybeText = None
    middle_names: MaybeText = None
    last_name: MaybeText = None


class AddressUsage(Wire):
    """What an address is used for (prison-api); a usage that is not active says nothing any more."""

    address_usage: Text
    active_flag: bool = True


class SnapshotAddress(Wire):
    """An address of a prisoner: prisoner search's own fields, prison-api's usages and end, and our `confirmed`."""

    full_address: MaybeText = None
    postal_code: MaybeText = None
    start_date: MaybeDay = None
    end_date: MaybeDay = None
    primary_address: bool = False
    no_fixed_address: bool = False
    address_usages: tuple[AddressUsage, ...] = ()
    confirmed: bool = False


class Snapshot(Wire):
    """A prisoner as prisoner search gives them, reduced to what we may carry."""

    prisoner_number: Text
    pnc_number: MaybeText = None
    cro_number: MaybeText = None
    booking_id: BookingId = None
    first_name: MaybeText = None
    middle_names: MaybeText = None
    last_name: MaybeText = None
    date_of_birth: MaybeDay = None
    gender: MaybeText = None
    aliases: tuple[SnapshotAlias, ...] = ()
    last_movement_type_code: MaybeText = None
    last_movement_reason_code: MaybeText = None
    prison_id: MaybeAgencyId = None
    legal_status: MaybeText = None
    recall: bool | None = None
    release_date: MaybeDay = None
    confirmed_release_date: MaybeDay = None
    conditional_release_date: MaybeDay = None
    automatic_release_date: MaybeDay = None
    post_recall_release_date: MaybeDay = None
    home_detention_curfew_eligibility_date: MaybeDay = None
    home_detention_curfew_actual_date: MaybeDay = None
    sentence_expiry_date: MaybeDay = None
    licence_expiry_date: MaybeDay = None
    addresses: tuple[SnapshotAddress, ...] = ()


class NeedPerson(Wire):
    """Whom a prison's drug team refers."""

    prison_number: Text
    pnc_number: MaybeText = None
    first_name: Text
    middle_names: MaybeText = None
    last_name: Text
    date_of_birth: MaybeDay = Field()
    gender: MaybeText = None


class NeedAddress(need.NeedAddress):
    """Where the person lived before prison, as they told the drug team."""

    no_fixed_address: bool = False


class Need(need.Need):
    """A need for drug treatment identified in prison: our own contract (need.schema.json)."""

    prison_id: AgencyId
    person: NeedPerson
    home_address: NeedAddress | None = None


class WithdrawnPerson(Wire):
    """Whose referral is taken back: the number alone."""

    prison_number: Text


class WithdrawnNeed(need.WithdrawnNeed):
    """A referral the drug team takes back. It repeats nothing of what it takes back."""

    prison_id: AgencyId
    person: WithdrawnPerson
