"""Postcodes as people write them: one canonical spelling, or why there is none."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.identifiers import Fault


class Pseudo(enum.StrEnum):
    """What a pseudo postcode says instead of a place (NHS Digital, HES "homeadd"; ONS Postcode Directory)."""

    NO_FIXED_ABODE = "no_fixed_abode"
    NOT_KNOWN = "not_known"
    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"
    ELSEWHERE = "elsewhere"
    """One of the many codes for a country abroad, which we do not tell apart."""


@dataclass(frozen=True, slots=True)
class Postcode:
    """A postcode as read: its canonical value ("SK1 3XE"), or the pseudo code's meaning, or the fault; exactly one."""

    value: str | None
    pseudo: Pseudo | None
    fault: Fault | None


_PSEUDO: Mapping[str, Pseudo] = {
    "ZZ993VZ": Pseudo.NO_FIXED_ABODE,
    "ZZ993WZ": Pseudo.NOT_KNOWN,
    "ZZ993CZ": Pseudo.ENGLAND,
    "ZZ993GZ": Pseudo.WALES,
    "ZZ991WZ": Pseudo.SCOTLAND,
    "ZZ992WZ": Pseudo.NORTHERN_IRELAND,
}

_JUNK = frozenset({"NF11NF", "NF11FA"})
"""Typed in probation and court systems where no postcode is known; no postcode area is NF (hmpps-person-match)."""

_SHAPE = re.compile(r"(GIR|NPT|[A-Z][A-HJ-Y]?[0-9][A-Z0-9]?)([0-9][ABD-HJLNP-UW-Z]{2})")
"""Outward and inward half. The inward half never has C, I, K, M, O or V (Royal Mail, Programmers' Guide to PAF).

GIR 0AA was a bank of its own; NPT was the first code of Newport and still stands in old records.
"""

_PSEUDO_SHAPE = re.compile(r"ZZ99[0-9][A-Z]{2}")


def parse_postcode(raw: str) -> Postcode:
    """Read a postcode as one source wrote it. Case and spaces are no faults. Raises nothing, whatever the text.

    A postcode that is well formed need not exist: only a table of places can tell (`schemas.places`).
    """
    bare = "".join(raw.split())
    if not bare:
        return Postcode(None, None, Fault.EMPTY)
    if not bare.isascii():
        return Postcode(None, None, Fault.MALFORMED)
    bare = bare.upper()
    if bare.startswith("ZZ") and _PSEUDO_SHAPE.fullmatch(bare):
        return Postcode(None, _PSEUDO.get(bare, Pseudo.ELSEWHERE), None)
    if bare in _JUNK:
        return Postcode(None, None, Fault.DUMMY)
    found = _SHAPE.fullmatch(bare)
    if not found or (found[1] == "GIR" and found[2] != "0AA"):
        return Postcode(None, None, Fault.MALFORMED)
    return Postcode(f"{found[1]} {found[2]}", None, None)
