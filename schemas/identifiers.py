"""Identifiers as types: parsing gives a value and its validity, and never raises."""

import enum

from pydantic import BaseModel, ConfigDict


class Scheme(enum.StrEnum):
    """The identifier schemes agencies use."""

    NHS = "nhs"
    PNC = "pnc"
    CRO = "cro"
    ASN = "asn"
    NOMS = "noms"
    CRN = "crn"
    NINO = "nino"
    CUSTODY = "custody"
    BOOKING = "booking"


class Identifier(BaseModel):
    """An identifier as one source claimed it: raw as written, and its canonical value if it is valid, else None."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    scheme: Scheme
    raw: str
    value: str | None
