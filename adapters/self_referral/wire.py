"""A self-referral as it is spelled: our own contract (self-referral.schema.json)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    StrictBool,
    StringConstraints,
    ValidationError,
)

from adapters import json_fields
from adapters.base import Finding
from adapters.json_fields import Day, InstantOrDay, MaybeText, RecordVersion, Text, Wire, empty_is_absent
from adapters.self_referral import rules

AreaId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,39}$")]
MaybeAreaId = Annotated[AreaId | None, BeforeValidator(empty_is_absent)]


class Asking(Wire):
    """Who asks for help, as they gave it."""

    forenames: MaybeText = None
    surname: Text
    date_of_birth: Day
    sex: MaybeText = None
    nhs_number: MaybeText = None


class Address(Wire):
    """Where the person says they live."""

    lines: tuple[Text, ...] = ()
    postcode: MaybeText = None
    no_fixed_address: StrictBool = False


class Contact(Wire):
    """How the person wants to be answered."""

    phone: MaybeText = None
    email: MaybeText = None


class SelfReferral(Wire):
    """A person asked for help at a LASARS."""

    reference: Text
    record_version: RecordVersion
    taken_at: AreaId
    taken_on: InstantOrDay
    person: Asking
    address: Address | None = None
    contact: Contact = Contact()
    stated_area: MaybeAreaId = None
    substances: tuple[Text, ...] = ()


class WithdrawnSelfReferral(Wire):
    """A self-referral that is taken back. It repeats nothing of what it takes back."""

    reference: Text
    record_version: RecordVersion
    taken_at: AreaId
    reason: Literal["entered_in_error", "person_withdrew", "duplicate"]


def faults(error: ValidationError) -> Iterator[Finding]:
    """What is wrong with a record, by rule and field."""
    return json_fields.faults(error, rules.MISSING, rules.MALFORMED)
