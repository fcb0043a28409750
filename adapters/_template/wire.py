"""A template agency's records as they are spelled, in CSV and in JSON alike."""

from typing import Literal

from adapters.fields import Day, Flag, Record, Text, Version, When


class Referral(Record):
    """Somebody was referred."""

    provider: Text
    reference: Text
    record_version: Version
    referred_on: When
    urgency: Text
    surname: Text
    forenames: Text | None = None
    date_of_birth: Day
    sex: Text | None = None
    nhs_number: Text | None = None
    address: Text | None = None
    postcode: Text | None = None
    no_fixed_abode: Flag = False
    withdrawn: Literal["entered_in_error", "person_withdrew"] | None = None
