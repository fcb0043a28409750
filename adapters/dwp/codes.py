"""The codes of the benefit extract and the referral, and our meanings.

Sources: benefits, actions and sexes are those of our own layout (no public one exists); the benefits are named by the
abbreviations Jobcentre Plus uses. A code on no list is held until it is mapped.
"""

import enum
import re
from typing import Final

from adapters.base import CodeTable, Finding, Held, UnknownCode
from adapters.dwp import rules
from schemas.base import Sex
from schemas.benefits import Benefit

BENEFITS: Final = CodeTable(
    "dwp.benefit",
    {
        "JSA": Benefit.JOBSEEKERS_ALLOWANCE,
        "ESA": Benefit.EMPLOYMENT_AND_SUPPORT_ALLOWANCE,
        "IS": Benefit.INCOME_SUPPORT,
        "IB": Benefit.INCAPACITY_BENEFIT,
        "UC": Benefit.UNIVERSAL_CREDIT,
    },
)


class Action(enum.Enum):
    """What a detail of the extract tells of an award."""

    START = enum.auto()
    END = enum.auto()
    AMEND = enum.auto()


ACTIONS: Final = CodeTable("dwp.action", {"S": Action.START, "E": Action.END, "A": Action.AMEND})

SEXES: Final = CodeTable("dwp.sex", {"M": Sex.MALE, "F": Sex.FEMALE, "X": Sex.OTHER, "U": Sex.NOT_KNOWN})

MARKERS: Final = CodeTable("dwp.marker", {"": False, "M": True})
"""Whether a detail is of a person under multi-agency public protection arrangements (MAPPA)."""

_PRINTABLE = re.compile(r"[A-Za-z0-9]{1,4}", re.ASCII)


def held_for(unknown: UnknownCode, findings: tuple[Finding, ...], lane: str) -> Held:
    """Held until operations map the code. It is named only if it looks like one: columns may have slipped."""
    detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
    return Held("code_not_mapped", (*findings, Finding(rules.CODE_NOT_MAPPED, unknown.table, detail)), lane)
