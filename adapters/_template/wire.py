"""A template agency's records as they are spelled, in CSV and in JSON alike."""

from adapters._template.codes import SexCode, UrgencyCode, WithdrawnCode
from adapters.fields import Born, Forenames, Key, NhsNumber, NoFixedAbode, Postcode, Surname, Text, Version, When
from adapters.record import Record


class Referral(Record):
    """Somebody was referred."""

    provider: Key
    reference: Key
    record_version: Version
    referred_on: When
    urgency: UrgencyCode
    surname: Surname
    forenames: Forenames | None = None
    date_of_birth: Born
    sex: SexCode | None = None
    nhs_number: NhsNumber | None = None
    address: Text | None = None
    postcode: Postcode | None = None
    no_fixed_abode: NoFixedAbode = False
    withdrawn: WithdrawnCode | None = None
