"""The codes of Delius, and our meanings.

Sources: address statuses and types are the lists of hmpps-person-record; the requirement categories W and 7 stand in
the test answers of court-case-service. Delius publishes its reference data nowhere: the codes of the drug
rehabilitation and the alcohol treatment requirement are not known to us. `DRR` and `ATR` stand in for them until an
installation names its own by an option. A code on no list is held until it is mapped.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.base import CodeTable
from schemas.base import AddressKind, Sex
from schemas.imprisonment import Substance
from schemas.supervision import Requirement


class Lodging(enum.StrEnum):
    """What sort of place an address is to live at."""

    RESIDENCE = "residence"
    INSTITUTION = "institution"
    """Approved premises, accommodation of the community accommodation service (CAS), custody: never a home."""
    NO_FIXED_ABODE = "no_fixed_abode"


ADDRESS_STATUSES: Final[Mapping[str, AddressKind]] = {
    "M": AddressKind.MAIN,
    "PM": AddressKind.MAIN,  # main and postal at once
    "P": AddressKind.PREVIOUS,
    "PR1": AddressKind.DISCHARGE,  # proposed for resettlement: a plan for after prison, confirmed by nobody
    "PR": AddressKind.OTHER,  # proposed
    "B": AddressKind.OTHER,  # bail
    "S": AddressKind.OTHER,  # secondary
    "MA": AddressKind.OTHER,  # postal
    "RJ": AddressKind.OTHER,  # rejected
    "RT": AddressKind.OTHER,  # release on temporary licence
}

LIVED_AT: Final = frozenset({"M", "PM", "B", "S"})
"""The statuses of places where the person is now. Of these the sort of place must be known, or the record is held."""

ADDRESS_TYPES: Final[Mapping[str, Lodging]] = {
    **dict.fromkeys(("A01A", "A01C", "A01D"), Lodging.RESIDENCE),  # householder, renting
    **dict.fromkeys(("A03", "A04", "A07A", "A07B"), Lodging.RESIDENCE),  # transient, supported, with friends or family
    "A99": Lodging.RESIDENCE,  # an old record that says nothing of the sort of place
    "A02": Lodging.INSTITUTION,  # approved premises
    **dict.fromkeys(("A10", "A11", "A17"), Lodging.INSTITUTION),  # CAS2, CAS3
    "CS05": Lodging.INSTITUTION,  # custody
    "A05": Lodging.NO_FIXED_ABODE,
    **dict.fromkeys(("A08", "A08A", "A08C"), Lodging.NO_FIXED_ABODE),  # squat, rough sleeping, shelter
}

REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    "DRR": Requirement.DRUG_REHABILITATION,
    "ATR": Requirement.ALCOHOL_TREATMENT,
    "W": Requirement.OTHER,  # unpaid work
    "7": Requirement.OTHER,  # court-accredited programme
}

GENDERS: Final[Mapping[str, Sex]] = {
    "male": Sex.MALE,
    "female": Sex.FEMALE,
    "other": Sex.OTHER,
    "not specified": Sex.NOT_KNOWN,
    "not known": Sex.NOT_KNOWN,
    "not known / not recorded": Sex.NOT_KNOWN,
}

SUBSTANCES: Final = CodeTable("probation.need.substance", {substance.value: substance for substance in Substance})

MERGED_FROM: Final = "MFCRN"
"""The type of an additional identifier that is a CRN merged into this case (hmpps-person-record)."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of Delius this installation knows."""

    requirements: CodeTable[Requirement]
    statuses: CodeTable[AddressKind]
    types: CodeTable[Lodging]


def codes(
    requirements: Mapping[str, Requirement], statuses: Mapping[str, AddressKind], types: Mapping[str, Lodging]
) -> Codes:
    """Our codes and those an installation adds; its own win."""
    return Codes(
        CodeTable("probation.requirementTypeMainCategory", {**REQUIREMENTS, **requirements}),
        CodeTable("probation.address.status", {**ADDRESS_STATUSES, **statuses}),
        CodeTable("probation.address.type", {**ADDRESS_TYPES, **types}),
    )
