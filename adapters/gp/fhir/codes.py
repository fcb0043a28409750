"""The codes of BaRS messages and of FHIR, and our meanings.

Sources: the code systems message-events-bars, message-reason-bars and message-category-servicerequest of the Booking
and Referral Standard; the required value sets request-status, request-priority, administrative-gender and address-use
of FHIR R4; UKCore-NHSNumberVerificationStatus of FHIR UK Core. A code on no list is held until it is mapped.
"""

import enum
from collections.abc import Mapping
from typing import Final

from adapters.base import CodeTable
from schemas.base import AddressKind, Sex
from schemas.care import Urgency

REQUEST: Final = "servicerequest-request"
EVENTS: Final = frozenset({REQUEST, "servicerequest-response", "booking-request", "booking-response"})
"""What a BaRS message may be about. Only a request for a service is a referral."""

REFERRAL: Final = "referral"
CATEGORIES: Final = frozenset({REFERRAL, "validation", "casetransfer"})
"""What a request may ask for. A validation asks for a call back, and a case transfer moves an emergency call."""

FOLLOWS: Final = CodeTable("gp.MessageHeader.reason", {"new": False, "update": True})
"""Whether something was told of the referral before. A cancellation is an update."""


class Step(enum.Enum):
    """What the status of a referral means."""

    STANDS = enum.auto()
    REVOKED = enum.auto()
    ENTERED_IN_ERROR = enum.auto()


STATUSES: Final = CodeTable(
    "gp.ServiceRequest.status",
    {"active": Step.STANDS, "revoked": Step.REVOKED, "entered-in-error": Step.ENTERED_IN_ERROR},
)
"""BaRS sends no draft, on-hold, completed or unknown; what a sender means by them is for it to say."""

WITHDRAWN: Final[Mapping[Step, str]] = {Step.REVOKED: "revoked", Step.ENTERED_IN_ERROR: "entered_in_error"}

URGENCIES: Final = CodeTable("gp.ServiceRequest.priority", {urgency.value: urgency for urgency in Urgency})

GENDERS: Final = CodeTable(
    "gp.Patient.gender",
    {"male": Sex.MALE, "female": Sex.FEMALE, "other": Sex.OTHER, "unknown": Sex.NOT_KNOWN},
)

ADDRESS_USES: Final = CodeTable(
    "gp.Patient.address.use",
    {
        "home": AddressKind.DECLARED,
        "temp": AddressKind.OTHER,
        "work": AddressKind.OTHER,
        "billing": AddressKind.OTHER,
        "old": AddressKind.PREVIOUS,
    },
)
"""A home in a referral is an address the patient stated. A temporary one is where they are, and not where they live."""

POSTAL: Final = "postal"
"""An address of this type receives letters; nobody need live there."""

FORMER_NAMES: Final = frozenset({"old", "maiden"})
NICKNAMES: Final = frozenset({"nickname", "anonymous"})

VERIFIED: Final = "number-present-and-verified"
"""The one verification status that says the number was found in the national register and is this person's."""

CONFIDENTIALITY: Final = CodeTable(
    "gp.Patient.meta.security",
    {**dict.fromkeys(("U", "L", "M", "N"), False), **dict.fromkeys(("R", "V"), True)},
)
"""HL7 v3 Confidentiality, by which the Personal Demographics Service marks whose whereabouts are protected. What else
stands there (the service has a code for a record it withdrew) is no no: who must not be found is never guessed."""

TERMINOLOGIES: Final[Mapping[str, str]] = {
    "http://snomed.info/sct": "snomed",
    "http://hl7.org/fhir/sid/icd-10": "icd-10",
    "http://read.info/readv2": "read-v2",
    "http://read.info/ctv3": "ctv3",
}
"""The systems reasons are told in, by the addresses FHIR UK Core gives them."""
