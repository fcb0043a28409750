"""What a custody suite's codes mean to us.

The record's own codes are those of our published contract. Of the LIBRA message's codes only C has been seen in real
messages for how a case began and for custody; the others are the Common Platform's, and a code that is on neither list
is held until somebody who knows has mapped it.
"""

import enum
from typing import Final

from adapters.base import CodeTable
from schemas.base import Sex
from schemas.custody import Assessment, CeaseReason, CustodyStatus, DrugResult, TestReason


class FormStatus(enum.StrEnum):
    """Whether the force still stands by a form."""

    CURRENT = "current"
    WITHDRAWN = "withdrawn"


class Laboratory(enum.StrEnum):
    """What the laboratory answered about a disputed test."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class Attendance(enum.StrEnum):
    """What became of an appointment."""

    ATTENDED = "attended"
    MISSED = "missed"
    LEFT_EARLY = "left_early"


class Initiation(enum.StrEnum):
    """How a prosecution began. Only a charge has anything to do with custody."""

    CHARGE = "charge"
    SUMMONS = "summons"
    REQUISITION = "requisition"
    SINGLE_JUSTICE = "single-justice"


FORM_STATUSES: Final = CodeTable(
    "police_custody.status", {"CURRENT": FormStatus.CURRENT, "WITHDRAWN": FormStatus.WITHDRAWN}
)
SEXES: Final = CodeTable("police_custody.sex", {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.OTHER, "U": Sex.NOT_KNOWN})
TEST_REASONS: Final = CodeTable(
    "police_custody.test_reason",
    {"ARREST": TestReason.ARREST, "CHARGE": TestReason.CHARGE, "INSPECTOR": TestReason.INSPECTOR},
)
RESULTS: Final = CodeTable(
    "police_custody.result",
    {
        "POS": DrugResult.POSITIVE,
        "NEG": DrugResult.NEGATIVE,
        "INVALID": DrugResult.INVALID,
        "REFUSED": DrugResult.REFUSED,
    },
)
LABORATORY: Final = CodeTable(
    "police_custody.laboratory", {"CONFIRMED": Laboratory.CONFIRMED, "NOT_CONFIRMED": Laboratory.NOT_CONFIRMED}
)
ASSESSMENTS: Final = CodeTable(
    "police_custody.assessment", {"INITIAL": Assessment.INITIAL, "FOLLOW_UP": Assessment.FOLLOW_UP}
)
ATTENDANCES: Final = CodeTable(
    "police_custody.attendance",
    {"ATTENDED": Attendance.ATTENDED, "MISSED": Attendance.MISSED, "LEFT_EARLY": Attendance.LEFT_EARLY},
)
CEASE_REASONS: Final = CodeTable(
    "police_custody.cease_reason", {"NOT_NEEDED": CeaseReason.NOT_NEEDED, "OTHER": CeaseReason.OTHER}
)

FORCES_RENAMED: Final = {"02": "01"}
"""Force codes still in use for another force's: 02 still means the Metropolitan Police (criminaljusticehub.org.uk)."""

UNSUBSCRIBED_FORMS: Final = {"DT2": "form.dt2"}
"""Forms that exist and are none of ours, by the name they are counted under. DT2 goes to the prosecutor."""

LIBRA_GENDERS: Final = CodeTable("libra.gender", {"0": Sex.NOT_KNOWN, "1": Sex.MALE, "2": Sex.FEMALE, "9": Sex.OTHER})
"""Source: the e-GIF person gender codes, which LIBRA uses (ISO 5218)."""

LIBRA_INITIATIONS: Final = CodeTable(
    "libra.case_initiation",
    {
        "C": Initiation.CHARGE,
        "J": Initiation.SINGLE_JUSTICE,
        "Q": Initiation.REQUISITION,
        "S": Initiation.SUMMONS,
    },
)

LIBRA_CUSTODY_STATUSES: Final = CodeTable(
    "libra.custody_status", {"B": CustodyStatus.ON_BAIL, "C": CustodyStatus.IN_CUSTODY}
)
