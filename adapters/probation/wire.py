"""Probation messages as they are spelled, and no field more than the canonical events carry.

What is not named here is dropped while the bytes are read, so the rest of a case never becomes a value of ours.
"""

from datetime import date
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from adapters.hmpps import need
from adapters.hmpps.wire import MessageVersion, Number, PersonReference
from adapters.json_fields import Instant, MaybeDay, MaybeText, Text, Wire


def _day_of(value: Any) -> Any:
    """The day of a local time; whatever is not one is left for the field to refuse."""
    return value[:10] if isinstance(value, str) and value[10:11] in ("T", " ") else value


def _one_or_many(value: Any) -> Any:
    """Middle names come as a list or as one text."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    return value


DayOf = Annotated[MaybeDay, BeforeValidator(_day_of)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_one_or_many)]
RegionCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9]{1,6}$")]


class AdditionalInformation(Wire):
    """What an event says beyond its type, of the fields we read; each kind has its own few."""

    event_number: Number = None
    requirement_id: Number = None
    licence_id: Number = None
    source_crn: MaybeText = Field(default=None, alias="sourceCRN")
    target_crn: MaybeText = Field(default=None, alias="targetCRN")
    reactivated_crn: MaybeText = Field(default=None, alias="reactivatedCRN")
    unmerged_crn: MaybeText = Field(default=None, alias="unmergedCRN")


class DomainEvent(Wire):
    """What every probation event has."""

    version: MessageVersion
    occurred_at: Instant
    additional_information: AdditionalInformation = AdditionalInformation()
    person_reference: PersonReference = PersonReference()

    def identifiers(self, type_: str) -> tuple[str, ...]:
        """The identifiers of one type that the event gives for its person."""
        return tuple(one.value for one in self.person_reference.identifiers if one.type.upper() == type_)


class Kept(Wire):
    """Part of a case as Delius keeps it, where null says what absence says."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        return {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value


class Coded(Kept):
    """A value of Delius's reference data. Only the code is read: descriptions change."""

    code: MaybeText = None


class OtherIds(Kept):
    """The numbers of a case."""

    crn: Text
    pnc_number: MaybeText = None
    cro_number: MaybeText = None
    noms_number: MaybeText = None
    ni_number: MaybeText = None


class AdditionalIdentifier(Kept):
    """A number that belonged to the case once."""

    type: Coded
    value: Text


class Alias(Kept):
    """Another name of a person."""

    first_name: MaybeText = None
    middle_names: Names = ()
    surname: MaybeText = None


class Address(Kept):
    """An address of a case, as the case API spells it, and as the core person record does."""

    status: Coded = Coded()
    type: Coded = Coded()
    no_fixed_abode: bool = False
    building_name: MaybeText = None
    address_number: MaybeText = None
    street_name: MaybeText = None
    district: MaybeText = None
    town: MaybeText = Field(default=None, validation_alias=AliasChoices("town", "townCity"))
    county: MaybeText = None
    postcode: MaybeText = None
    start: DayOf = Field(default=None, validation_alias=AliasChoices("from", "startDate", "startDateTime"))
    end: DayOf = Field(default=None, validation_alias=AliasChoices("to", "endDate", "endDateTime"))


class ContactDetails(Kept):
    """How to reach a person; only where they live is read."""

    addresses: tuple[Address, ...] = ()


class Team(Kept):
    """A team of practitioners."""

    description: MaybeText = None


class Manager(Kept):
    """Who supervises a person, or did. A soft-deleted entry never was."""

    active: bool = False
    soft_deleted: bool = False
    probation_area: Coded = Coded()
    team: Team = Team()


class Requirement(Kept):
    """A requirement of a sentence. Its category stands in one of two fields, depending on the age of the order."""

    requirement_id: Number
    category: Coded = Field(
        default=Coded(),
        validation_alias=AliasChoices("requirementTypeMainCategory", "adRequirementTypeMainCategory"),
    )
    start_date: MaybeDay = None
    commencement_date: MaybeDay = None
    termination_date: MaybeDay = None
    expected_end_date: MaybeDay = None
    length: int | None = None
    length_unit: MaybeText = None

    @property
    def began(self) -> date | None:
        """When it began: as it was taken up, else as it was ordered."""
        return self.commencement_date or self.start_date


class Sentence(Kept):
    """A sentence that probation manages."""

    description: MaybeText = None
    start_date: MaybeDay = None
    termination_date: MaybeDay = None


class Conviction(Kept):
    """A conviction and its sentence. `index` is the event number."""

    index: Number = None
    active: bool = True
    sentence: Sentence | None = None
    requirements: tuple[Requirement, ...] = ()


class Snapshot(Kept):
    """A probation case as the case API gives it, with its convictions and requirements, reduced to what we may carry.

    `restrictionMessage` and `exclusionMessage` are not read: they are set where nothing is restricted.
    """

    other_ids: OtherIds
    additional_identifiers: tuple[AdditionalIdentifier, ...] = ()
    first_name: MaybeText = None
    middle_names: Names = ()
    surname: MaybeText = None
    date_of_birth: MaybeDay = None
    gender: MaybeText = None
    offender_aliases: tuple[Alias, ...] = ()
    contact_details: ContactDetails = ContactDetails()
    offender_managers: tuple[Manager, ...] = ()
    convictions: tuple[Conviction, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    current_restriction: bool | None = None
    current_exclusion: bool | None = None

    @property
    def limited_access(self) -> bool:
        """Whether some or all practitioners may not look at this case (a limited access offender, LAO)."""
        return bool(self.current_restriction or self.current_exclusion)

    @property
    def says_access(self) -> bool:
        """Whether it says at all who may look at this case: a mark that is not there must not read as no mark."""
        return self.current_restriction is not None and self.current_exclusion is not None


class NeedPerson(Wire):
    """Whom a probation team refers. restricted: access to the case is limited; never assumed not to be."""

    crn: Text
    noms_number: MaybeText = None
    pnc_number: MaybeText = None
    first_name: Text
    middle_names: Names = ()
    last_name: Text
    date_of_birth: MaybeDay = Field()
    gender: MaybeText = None
    restricted: StrictBool


class NeedAddress(need.NeedAddress):
    """Where the person lives, as they told the team."""

    no_fixed_abode: bool = False


class Need(need.Need):
    """A need for drug treatment identified on probation: our own contract (need.schema.json)."""

    region: RegionCode
    person: NeedPerson
    home_address: NeedAddress | None = None


class WithdrawnPerson(Wire):
    """Whose referral is taken back: the number alone."""

    crn: Text


class WithdrawnNeed(need.WithdrawnNeed):
    """A referral the team takes back. It repeats nothing of what it takes back."""

    region: RegionCode
    person: WithdrawnPerson
