"""A template agency's records as they are spelled, in CSV and in JSON alike."""

from adapters._template.codes import SexCode, UrgencyCode, WithdrawnCode
from adapters.flat import Record, fields


class Referral(Record):
    """Somebody was referred."""

    provider: fields.Key
    reference: fields.Key
    record_version: fields.Version
    referred_on: fields.When
    urgency: UrgencyCode
    surname: fields.Surname
    forenames: fields.Forenames | None = None
    date_of_birth: fields.Born
    sex: SexCode | None = None
    nhs_number: fields.NhsNumber | None = None
    address: fields.Text | None = None
    postcode: fields.Postcode | None = None
    no_fixed_abode: fields.NoFixedAbode = False
    withdrawn: WithdrawnCode | None = None
