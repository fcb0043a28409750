"""Who takes part in a local system: seven agencies that send, and the LASARS of the eight areas."""

from dataclasses import dataclass
from typing import Final

from gateway.parties import Body


@dataclass(frozen=True, slots=True)
class Agency:
    """One that sends. id: of its party and of its one client. short: in at most seven characters.

    tells: a kind of event that is its to tell.
    """

    id: str
    name: str
    short: str
    feed: str
    tells: str


@dataclass(frozen=True, slots=True)
class Lasars:
    """The LASARS of an area. push: what is posted to it; None where it collects from its mailbox."""

    area: str
    name: str
    push: Body | None = Body.FULL

    @property
    def id(self) -> str:
        """Of its party and of its one client."""
        return f"lasars-{self.area}"


SURGERY: Final = Agency("sample-surgery", "Sample Surgery", "GP", "gp", "care.referred")
REGISTRATIONS: Final = Agency("primary-care-support", "Primary Care Support", "PCS", "gp", "care.registration-changed")
MET: Final = Agency("met-police", "Metropolitan Police", "Met", "police_custody", "custody.follow-up.required")
GMP: Final = Agency(
    "greater-manchester-police", "Greater Manchester Police", "GMP", "police_custody", "custody.drug-test.recorded"
)
LINCOLN: Final = Agency("hmp-lincoln", "HMP Lincoln", "Lincoln", "prison", "imprisonment.need-identified")
PROBATION: Final = Agency(
    "hmpps-probation", "HMPPS Probation", "Delius", "probation", "supervision.requirement-started"
)
DWP: Final = Agency("dwp", "Department for Work and Pensions", "DWP", "dwp", "benefits.referred")
AGENCIES: Final = (SURGERY, REGISTRATIONS, MET, GMP, LINCOLN, PROBATION, DWP)

ENFIELD_DESK: Final = Agency("lasars-enfield", "LASARS Enfield", "Enfield", "self_referral", "care.self-referred")
"""A LASARS where somebody asks for help: it sends, as the party it is anyway."""
SENDERS: Final = (*AGENCIES, ENFIELD_DESK)

LASARS: Final = (
    Lasars("bracknell-forest", "Bracknell F"),
    Lasars("enfield", "Enfield"),
    Lasars("kent", "Kent"),
    # One that has no address to post to, and one that wants notices only: every way of receiving is played.
    Lasars("lincolnshire", "Lincolnshire", push=None),
    Lasars("oxfordshire", "Oxfordshire", push=Body.NOTICE),
    Lasars("stockport", "Stockport"),
    Lasars("wakefield", "Wakefield"),
    Lasars("wigan", "Wigan"),
)
NAMES: Final = {one.id: one.name for one in LASARS}
"""By party id: the LASARS as a table calls it."""
