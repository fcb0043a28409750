"""The department's JSON as it is spelled, and no field more than the canonical events carry.

What is not named here is dropped while the bytes are read: no amount, journey, work coach, phone or e-mail address
becomes a value of ours.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from adapters import json_fields
from adapters.base import Finding
from adapters.dwp import rules
from adapters.json_fields import InstantOrDay, MaybeDay, MaybeText, RecordVersion, Text, Wire, malformed
from adapters.local_time import Told, read_day, read_moment

_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$", re.ASCII)
_COMPACT = re.compile(r"\d{8}", re.ASCII)


def _compact_day(value: Any) -> Any:
    """A day as Universal Credit writes it: the number 20260131."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None:
        return None
    if not isinstance(text, str) or _COMPACT.fullmatch(text) is None:
        raise malformed()
    day = read_day(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    if day is None:
        raise malformed()
    return day


def _stamp(value: Any) -> Any:
    """An instant as Universal Credit writes it: in `$date` or bare, its offset with a colon, without, or missing."""
    text = value.get("$date") if isinstance(value, dict) else value
    if text is None:
        return None
    told = read_moment(_OFFSET.sub(r"\1:\2", text)) if isinstance(text, str) else None
    if told is None:
        raise malformed()
    return told


def _named(value: Any) -> Any:
    """What a document is called by: a text, or an object of its own fields; neither may be empty."""
    if not isinstance(value, str | dict):
        raise malformed()
    if not value:
        raise PydanticCustomError("missing", "empty")
    return value


CompactDay = Annotated[date, BeforeValidator(_compact_day)]
MaybeCompactDay = Annotated[date | None, BeforeValidator(_compact_day)]
Stamp = Annotated[Told | None, BeforeValidator(_stamp)]


# --- Referrals -------------------------------------------------------------------------------------------------------


class ReferredPerson(Wire):
    """Whom a Jobcentre refers."""

    nino: Text
    forenames: MaybeText = None
    surname: Text
    date_of_birth: MaybeDay = None
    sex: MaybeText = None


class Address(Wire):
    """Where the person lives, as they told the Jobcentre."""

    lines: tuple[Text, ...] = ()
    postcode: MaybeText = None
    no_fixed_address: StrictBool = False


class Referral(Wire):
    """A referral: our own contract (referral.schema.json) over the minimum data of the department's guidance.

    `mappa` is never assumed: a mark that was left out would read as leave to tell where the person lives.
    """

    referral_id: Text
    record_version: RecordVersion
    provision_id: Text
    referred_at: InstantOrDay
    office_code: MaybeText = None
    mandated: StrictBool
    incident_marker: StrictBool
    mappa: StrictBool
    special_customer_record: StrictBool = False
    person: ReferredPerson
    address: Address | None = None


class WithdrawnPerson(Wire):
    """Whose referral is taken back: the number alone."""

    nino: Text


class WithdrawnReferral(Wire):
    """A referral that is taken back. It repeats nothing of what it takes back."""

    referral_id: Text
    record_version: RecordVersion
    person: WithdrawnPerson
    reason: Literal["sent_in_error", "person_declined", "claim_ended"]


# --- Universal Credit ------------------------------------------------------------------------------------------------


class Change(Wire):
    """What every message of Universal Credit's topics says: what was changed, in which collection."""

    type: Annotated[Text, Field(alias="@type")]
    id: Annotated[Any, BeforeValidator(_named), Field(alias="_id")]
    collection: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z-]{0,39}$")]
    db_object: dict[str, Any]
    last_modified: Annotated[Stamp, Field(alias="_lastModifiedDateTime")] = None


class CitizenId(Wire):
    """The number of a claimant's account."""

    citizen_id: Text


class ContractId(Wire):
    """The number of a claim."""

    contract_id: Text


class StatementId(Wire):
    """The number of a statement."""

    statement_id: Text


class Document(Wire):
    """What every document has: the number of its version, and when it was made and changed."""

    version: Annotated[int | None, Field(alias="_version", ge=0, le=2**62)] = None
    created: Annotated[Stamp, Field(alias="createdDateTime")] = None
    modified: Annotated[Stamp, Field(alias="_lastModifiedDateTime")] = None


class Claimant(Document):
    """A claimant: no birth date and no address is told. `nino` is the verified one."""

    id: Annotated[CitizenId, Field(alias="_id")]
    first_name: MaybeText = None
    last_name: MaybeText = None
    nino: MaybeText = None
    claimant_provided_nino: MaybeText = None


class Contract(Document):
    """A claim, of one person or a couple. It has no `start_date` until it begins, no `closed_date` while it goes on."""

    id: Annotated[ContractId, Field(alias="_id")]
    people: Annotated[tuple[Text, ...], Field(min_length=1, max_length=2)]
    start_date: MaybeCompactDay = None
    closed_date: MaybeCompactDay = None


class StatementPerson(Wire):
    """Whom a statement is for."""

    citizen_id: Text


class AssessmentPeriod(Wire):
    """The days a statement is for."""

    start_date: CompactDay
    end_date: CompactDay


class Statement(Document):
    """What was worked out for a period. It has no National Insurance number; the claimant's account joins it."""

    id: Annotated[StatementId, Field(alias="_id")]
    people: Annotated[tuple[StatementPerson, ...], Field(min_length=1, max_length=2)]
    assessment_period: AssessmentPeriod


def faults(error: ValidationError, *under: str) -> Iterator[Finding]:
    """What is wrong with a message, by rule and field. `under` is where it stands in the record."""
    return json_fields.faults(error, rules.MISSING, rules.MALFORMED, *under)
