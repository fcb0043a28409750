"""The codes of registration messages (FHSREG), and our meanings.

Sources: NHS Digital's NHAIS adaptor for the transaction types and the qualifiers; the sex codes are the NHS Data
Dictionary's. The reasons for a deduction are Appendix G of the GP Links specification, which is not public: here they
stand in the order in which suppliers' guides list them, which the adaptor's examples bear out (2 comes with the new
health authority). An installation that holds the list checks it, and says otherwise by option.
"""

import enum
from typing import Final

from adapters.base import CodeTable
from schemas.base import Sex
from schemas.care import EndReason

MESSAGE: Final = "FHSREG"
VERSION: Final = "0:1:FH:FHS001"


class Kind(enum.StrEnum):
    """The transactions that are taken (RFF+950)."""

    AMENDMENT = "F1"
    DEDUCTION = "F2"
    APPROVAL = "F4"


NOT_TAKEN: Final = frozenset({"F3", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "G1", "G2", "G3", "G4", "G5"})
"""Known transactions that tell no place and no end: rejections, close of quarter, address queries (FP69), and what a
practice only asks for (G). What the registration authority decides on it comes back as F1, F2 or F4."""

DEDUCTION_REASONS: Final = {
    "1": EndReason.DIED,
    "2": EndReason.MOVED,  # to the area of a new health authority
    "3": EndReason.REGISTERED_ELSEWHERE,  # internal transfer
    "4": EndReason.OTHER,  # mental hospital
    "5": EndReason.LEFT_COUNTRY,
    "6": EndReason.MOVED,  # new health authority, same doctor
    "7": EndReason.OTHER,  # adopted child: the registration goes on under another number
    "8": EndReason.OTHER,  # armed services
    "9": EndReason.AT_PRACTICES_REQUEST,
    "10": EndReason.OTHER,  # registration cancelled
    "11": EndReason.OTHER,  # dependant of the services
    "12": EndReason.AT_PERSONS_REQUEST,
    "13": EndReason.OTHER,
    "14": EndReason.CANNOT_BE_FOUND,  # letters came back undelivered
    "15": EndReason.REGISTERED_ELSEWHERE,  # internal transfer after a change of address
}

SEXES: Final = CodeTable("gp.FHSREG.PDI", {"0": Sex.NOT_KNOWN, "1": Sex.MALE, "2": Sex.FEMALE, "9": Sex.OTHER})
"""9 is "not specified": neither male nor female, which is another thing than not known."""

ERASED: Final = "%"
"""What stands where a value is taken back."""
