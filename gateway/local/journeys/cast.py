"""The areas journeys go through, the people they are about, and the words they share."""

from gateway.local.cast import LASARS
from gateway.local.people import Person, person

BY_AREA = {lasars.area: lasars for lasars in LASARS}
ENFIELD = BY_AREA["enfield"]
LINCOLNSHIRE = BY_AREA["lincolnshire"]
OXFORDSHIRE = BY_AREA["oxfordshire"]
STOCKPORT = BY_AREA["stockport"]
WAKEFIELD = BY_AREA["wakefield"]
WIGAN = BY_AREA["wigan"]

TEST = "custody.drug-test.recorded"
REQUIRED = "custody.assessment.required"
VARIED = "custody.assessment.varied"
NEED = "imprisonment.need-identified"
DATES = "imprisonment.dates-changed"
RELEASED = "imprisonment.released"

FACT, CORRECTION, RETRACTION = "fact", "correction", "retraction"
HOME, HOLDING = "home", "holding"


def somebody(number: int, home: str | None) -> Person:
    """The invented person of that number. Each is one that can be looked for wherever nobody may be found."""
    return person(number, home, canary=True)
