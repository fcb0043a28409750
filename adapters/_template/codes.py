"""The codes of a template agency, and our meanings."""

from typing import Final

from adapters.base import CodeTable
from schemas.base import Sex
from schemas.care import Urgency

URGENCIES: Final = CodeTable("_template.urgency", {"R": Urgency.ROUTINE, "U": Urgency.URGENT})

SEXES: Final = CodeTable("_template.sex", {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.OTHER, "U": Sex.NOT_KNOWN})
