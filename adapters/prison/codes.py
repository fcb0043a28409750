"""The codes of prison events and of NOMIS, and our meanings.

Sources: the reasons of `received` and `released` are the closed lists of the published HMPPS domain event
specifications. Movement reasons and the uses of addresses are NOMIS reference data (domains MOVE_RSN and
ADDRESS_TYPE), which HMPPS warns may change: here stand those whose meaning HMPPS's public services state (prison-api
with its reference codes, welcome to prison, prison custody status to Delius). A code on no list is held until it is
mapped, here or by an option of the installation.
"""

import enum
from collections.abc import Mapping
from typing import Final

from adapters.base import CodeTable
from schemas.base import AddressKind, Sex
from schemas.imprisonment import LegalStatus, ReceptionReason, ReleaseReason, Substance


class Arrival(enum.Enum):
    """What a `received` event means."""

    ADMITTED = enum.auto()
    READMITTED = enum.auto()
    TRANSFERRED = enum.auto()
    BACK_FROM_COURT = enum.auto()
    BACK_FROM_ABSENCE = enum.auto()


ARRIVALS: Final = CodeTable(
    "prison.received.reason",
    {
        "ADMISSION": Arrival.ADMITTED,
        "NEW_ADMISSION": Arrival.ADMITTED,
        "READMISSION": Arrival.READMITTED,
        "READMISSION_SWITCH_BOOKING": Arrival.READMITTED,
        "POST_MERGE_ADMISSION": Arrival.READMITTED,
        "TRANSFERRED": Arrival.TRANSFERRED,
        "RETURN_FROM_COURT": Arrival.BACK_FROM_COURT,
        "TEMPORARY_ABSENCE_RETURN": Arrival.BACK_FROM_ABSENCE,
    },
)

NOT_ADMISSIONS: Final[Mapping[str, Arrival]] = {
    "TRNCRT": Arrival.BACK_FROM_COURT,
    "TRNTAP": Arrival.BACK_FROM_ABSENCE,
    "INT": Arrival.TRANSFERRED,
}
"""Movement reasons that stand beside type ADM and are no admission: back by way of court or leave, or a move."""

ADMISSION_REASONS: Final[Mapping[str, ReceptionReason]] = {
    **dict.fromkeys(
        (
            *("24", "B", "H", "L", "Y"),  # recalls: intermittent custody, curfew, home leave, licence, training order
            *("ETB", "ETRB", "ETRLR", "ETRRIE"),  # recalls: removal schemes, emergency temporary release
            "ELR",  # recall from end of custody licence
        ),
        ReceptionReason.RECALL,
    ),
    **dict.fromkeys(("A", "R", "RECA", "U"), ReceptionReason.BACK_IN_CUSTODY),  # late returns, returns, recapture
    **dict.fromkeys(
        (
            *("N", "V"),  # unconvicted remand, convicted unsentenced
            *("I", "INTER", "P", "W", "25", "26", "27", "29", "G", "J", "K"),  # sentences
            *("C", "E", "F", "O"),  # civil committal, immigration, fine default, awaiting hospital
            *("Q", "S", "T", "Z"),  # stopovers, transfer in from a foreign prison
        ),
        ReceptionReason.ADMISSION,
    ),
}


class Departure(enum.Enum):
    """What a `released` event means."""

    LET_GO = enum.auto()
    COURT = enum.auto()
    ABSENCE = enum.auto()
    HOSPITAL = enum.auto()
    TRANSFER = enum.auto()


DEPARTURES: Final = CodeTable(
    "prison.released.reason",
    {
        "RELEASED": Departure.LET_GO,
        "SENT_TO_COURT": Departure.COURT,
        "TEMPORARY_ABSENCE_RELEASE": Departure.ABSENCE,
        "RELEASED_TO_HOSPITAL": Departure.HOSPITAL,
        "TRANSFERRED": Departure.TRANSFER,
    },
)
"""UNKNOWN ("not sure why the prisoner has been released") is not on the list on purpose: nobody can act on it."""

DIED: Final = "DEC"
MERGED: Final = "MRG"
HOSPITAL: Final = frozenset({"HO", "HP", "HQ"})
AT_LARGE: Final = frozenset({"ESCP", "UAL", "UAL_ECL"})

RELEASE_REASONS: Final[Mapping[str, ReleaseReason]] = {
    **dict.fromkeys(
        (
            *("CR", "CE", "NP"),  # on licence: at half, extended sentence, at the non-parole date
            *("PD", "ECSL"),  # on licence again after a recall, end of custody supervised licence
            *("D1", "D2", "D3", "D4", "D5", "D6"),  # detention and training orders: the community half begins
        ),
        ReleaseReason.CONDITIONAL,
    ),
    **dict.fromkeys(("HR", "HU", "HD", "HE"), ReleaseReason.HOME_DETENTION_CURFEW),
    **dict.fromkeys(("BD", "BL"), ReleaseReason.BAIL),
    **dict.fromkeys(
        (
            *("DD", "DE", "DL", "ETR", "EX", "RE"),  # deported, removed under a scheme, extradited, repatriated
            *("DEIRC", "ECSLIRC"),  # handed over to an immigration removal centre
        ),
        ReleaseReason.DEPORTED,
    ),
    **dict.fromkeys(
        (
            *("DS", "AU", "DA"),  # charges withdrawn, appeal upheld, discharged on appeal
            *("HC", "ER", "RW"),  # habeas corpus, executive release, royal warrant
            "IF",  # the last release from intermittent custody
        ),
        ReleaseReason.OTHER,
    ),
    "PX": ReleaseReason.PAROLE,
    "SC": ReleaseReason.SENTENCE_END,
    "NCS": ReleaseReason.NON_CUSTODIAL_SENTENCE,
    "NG": ReleaseReason.NOT_GUILTY,
    "PF": ReleaseReason.FINE_PAID,
}
"""Not on the list on purpose: AS and AV (to another prison for visits) and IR (out until the next weekend in custody)
stand beside type REL and are no release, and 99, AR and REL are closed. They are held, so that somebody looks.
"""

TOLD_BY_CODE: Final = frozenset(
    {"ADMISSION", "NEW_ADMISSION", "READMISSION", "READMISSION_SWITCH_BOOKING", "TRANSFERRED", "RELEASED"}
)
"""The reasons of either event that leave open what only the movement reason code tells."""

UNDOES: Final[Mapping[str, str]] = {
    "READMISSION": "imprisonment.released",
    "READMISSION_SWITCH_BOOKING": "imprisonment.released",
    "POST_MERGE_ADMISSION": "imprisonment.released",
    "RETURN_FROM_COURT": "imprisonment.temporarily-out",
    "TEMPORARY_ABSENCE_RETURN": "imprisonment.temporarily-out",
    "RELEASED": "imprisonment.received",
}
"""Which movement an immediate movement undoes while that one still settles; README.md says why these and no others."""

LEGAL_STATUSES: Final = CodeTable(
    "prison.legalStatus",
    {
        "REMAND": LegalStatus.REMAND,
        "CONVICTED_UNSENTENCED": LegalStatus.CONVICTED_UNSENTENCED,
        "SENTENCED": LegalStatus.SENTENCED,
        "INDETERMINATE_SENTENCE": LegalStatus.INDETERMINATE_SENTENCE,
        "RECALL": LegalStatus.RECALL,
        "CIVIL_PRISONER": LegalStatus.CIVIL_PRISONER,
        "IMMIGRATION_DETAINEE": LegalStatus.IMMIGRATION_DETAINEE,
        "DEAD": LegalStatus.DEAD,
        "OTHER": LegalStatus.OTHER,
        "UNKNOWN": LegalStatus.UNKNOWN,
    },
)

GENDERS: Final[Mapping[str, Sex]] = {
    "male": Sex.MALE,
    "female": Sex.FEMALE,
    "other": Sex.OTHER,
    "not specified (indeterminate)": Sex.OTHER,
    "not known / not recorded": Sex.NOT_KNOWN,
    "refused": Sex.NOT_KNOWN,
}

ADDRESS_USAGES: Final = CodeTable(
    "prison.addressUsage",
    {
        "RECEP": AddressKind.RECEPTION,
        "HOME": AddressKind.RECEPTION,
        "RELEASE": AddressKind.DISCHARGE,
        "DPH": AddressKind.DISCHARGE,
        "DST": AddressKind.DISCHARGE,
        "DNF": AddressKind.DISCHARGE,
        "DSH": AddressKind.DISCHARGE,
        "DUT": AddressKind.DISCHARGE,
        "HDC": AddressKind.DISCHARGE,
        "HDC2": AddressKind.DISCHARGE,
        "CURFEW": AddressKind.DISCHARGE,
        "DAP": AddressKind.INSTITUTION,
        "DBA": AddressKind.INSTITUTION,
        "DBH": AddressKind.INSTITUTION,
        "DOH": AddressKind.INSTITUTION,
        "HOST": AddressKind.INSTITUTION,
        "HOSP": AddressKind.INSTITUTION,
        "CARE": AddressKind.OTHER,
        "RES": AddressKind.OTHER,
        "ROTL": AddressKind.OTHER,
        "OTHER": AddressKind.OTHER,
    },
)
DISCHARGED_WITHOUT_ADDRESS: Final = "DNF"

PSEUDO_AGENCIES: Final = frozenset({"OUT", "TRN", "GHI"})
"""Outside, on transfer, unknown: NOMIS agencies that hold nobody."""

SUBSTANCES: Final = CodeTable("prison.need.substance", {substance.value: substance for substance in Substance})
