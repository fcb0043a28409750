"""The codes of a template agency, and our meanings."""

from typing import Annotated

from adapters.flat import Part, coded
from schemas.base import Sex
from schemas.care import Urgency

UrgencyCode = Annotated[
    Urgency,
    coded("_template.urgency", {"R": Urgency.ROUTINE, "U": Urgency.URGENT}),
]
SexCode = Annotated[
    Sex,
    coded("_template.sex", {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.OTHER, "U": Sex.NOT_KNOWN}),
]
WithdrawnCode = Annotated[
    str,
    coded("_template.withdrawn", {"E": "entered_in_error", "W": "person_withdrew"}),
    Part.WITHDRAWN,
]
