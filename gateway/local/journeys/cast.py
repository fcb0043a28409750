"""The areas journeys go through, the people they are about, and the words they share."""

from gateway.local.cast import LASARS
from gateway.local.people import Person, person

BY_AREA = {lasars.area: lasars for lasars in LASARS}
BRACKNELL_FOREST = BY_AREA["bracknell-forest"]
ENFIELD = BY_AREA["enfield"]
KENT = BY_AREA["kent"]
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
REFERRED = "care.referred"
REGISTRATION = "care.registration-changed"
SELF_REFERRED = "care.self-referred"
LIVES = "supervision.address-changed"
ORDERED = "supervision.requirement-started"
BREACHED = "supervision.breached"
LICENCE_ACTIVATED = "supervision.licence-activated"
RECALLED = "supervision.recalled"
SENT_BY_JOBCENTRE = "benefits.referred"
BENEFIT_ENDED = "benefits.ended"

FACT, CORRECTION, RETRACTION = "fact", "correction", "retraction"
HOME, HOLDING = "home", "holding"


def somebody(number: int, home: str | None) -> Person:
    """The invented person of that number. Each is one that can be looked for wherever nobody may be found."""
    return person(number, home, canary=True)
