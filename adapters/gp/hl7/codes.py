"""The codes of HL7 v2 messages, and our meanings.

Sources: the HL7 tables named at each; for sex also the NHS Data Dictionary, whose codes hospital systems send in the
same field; for NHS numbers HL7 UK's A.2 profile and the OID of the number itself.
"""

from collections.abc import Mapping
from typing import Final

from adapters.base import CodeTable
from schemas.base import AddressKind, Sex
from schemas.care import Urgency

DEMOGRAPHICS: Final = frozenset({"A04", "A08", "A28", "A31"})
"""Registration, and changes of what is known of a person (table 0003). Stays and moves in a hospital are not ours."""
MERGES: Final = frozenset({"A18", "A24", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42", "A46", "A47", "A49"})
"""Merges, links and changes of an identifier: ignored under a name that says so, since hospital numbers mean nothing
here and NHS numbers are merged by the national register alone."""

REFERRED: Final = "I12"
MODIFIED: Final = "I13"
CANCELLED: Final = "I14"
REFERRALS: Final = frozenset({REFERRED, MODIFIED, CANCELLED})

REFERRED_TO: Final = "RT"
PRIMARY_CARE: Final = "PP"
"""Roles of a provider (table 0286)."""

URGENCIES: Final = CodeTable("gp.RF1-2", {"R": Urgency.ROUTINE, "A": Urgency.ASAP, "S": Urgency.STAT})
"""Table 0280."""

LIVE: Final = CodeTable("gp.RF1-1", {"A": None, "P": None, "R": "rejected", "E": "expired"})
"""Table 0283: what takes a referral back, or None while it stands (accepted, pending)."""

SEXES: Final = CodeTable(
    "gp.PID-8",
    {
        **{"M": Sex.MALE, "F": Sex.FEMALE, "O": Sex.OTHER, "A": Sex.OTHER, "U": Sex.NOT_KNOWN, "N": Sex.NOT_KNOWN},
        **{"1": Sex.MALE, "2": Sex.FEMALE, "9": Sex.OTHER, "0": Sex.NOT_KNOWN},
    },
)
"""Table 0001, and the Data Dictionary's."""

DEAD: Final = CodeTable("gp.PID-30", {"Y": True, "N": False})
PROTECTED: Final = CodeTable("gp.PD1-12", {"Y": True, "N": False})
"""Table 0136. What else stands there is no no: whether somebody is dead, or must not be found, is never guessed."""

ADDRESS_KINDS: Final = CodeTable(
    "gp.PID-11.7",
    {
        **dict.fromkeys(("", "H", "P", "L"), AddressKind.DECLARED),
        **dict.fromkeys(("C", "TM", "V", "HV", "M", "B", "O", "SH", "BI"), AddressKind.OTHER),
        **dict.fromkeys(("BA", "BDL", "BR", "N", "F", "RH"), None),
    },
)
"""Table 0190: home, permanent and legal are claims of where a person lives; current or temporary, mailing, business and
the like are places where something is; a bad address, and those of birth and of origin, are no claim at all."""

ALIASES: Final = frozenset({"A", "B", "M", "N", "C", "K", "R", "BAD", "MSK", "P", "T", "S", "NOUSE"})
"""Name types (table 0200) that are not the name a person goes by now: alias, birth, maiden, nickname and the like."""
NO_NAMES: Final = frozenset({"S", "BAD", "MSK", "NOUSE"})
"""Of those, the ones that are nobody's name: pseudonyms, bad and masked names."""

NHS_AUTHORITIES: Final = frozenset({"NHS", "NHSNBR", "NHSNMBR", "2.16.840.1.113883.2.1.4.1"})
NHS_TYPES: Final = frozenset({"NH", "NHS", "NNGB", "NNGBR"})
"""What an NHS number in PID-3 is told by: its assigning authority (CX.4) or its type (CX.5). Ten digits alone are not
enough: hospitals number their patients too."""

TERMINOLOGIES: Final[Mapping[str, str]] = {"SCT": "snomed", "I10": "icd-10", "RC": "read-v2"}
"""Coding systems (table 0396) reasons are told in."""

PURPOSES: Final = CodeTable("gp.MSH-11", {"": None, "P": None, "T": "training", "D": "debugging"})
"""Processing ids (table 0103): for what a message is that speaks of nobody, or None where it is meant. Old systems
leave it empty. What else stands there may be a test by another name, and is no referral of a real person."""
