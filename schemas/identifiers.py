"""Identifiers as types: parsing gives a value and its validity, and never raises.

Agencies write the same number in many ways, and often wrong. `parse` gives one canonical spelling for one number, so
that equal values mean the same number, or names what is wrong and keeps what was written: a wrong check letter is a
finding about the record and never a reason to refuse it.
"""

import enum
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.check_letters import check_letter, nhs_check_digit


class Scheme(enum.StrEnum):
    """The identifier schemes agencies use."""

    NHS = "nhs"
    PNC = "pnc"
    CRO = "cro"
    ASN = "asn"
    NOMS = "noms"
    CRN = "crn"
    FORMER_CRN = "former_crn"
    """A CRN that was merged into the person's own: they are still found by it, and nobody new is told it."""
    NINO = "nino"
    CUSTODY = "custody"
    BOOKING = "booking"
    CITIZEN = "citizen"
    """Universal Credit's own number of a claimant's account: what its documents join by."""


class Identifier(BaseModel):
    """An identifier as one source claimed it: raw as written, and its canonical value if it is valid, else None."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    scheme: Scheme
    raw: str
    value: str | None


class Fault(enum.StrEnum):
    """What is wrong with an identifier or a postcode. The list is closed; a fault's name identifies nobody."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    CHECK_DIGIT_WRONG = "check_digit_wrong"
    CHECK_LETTER_WRONG = "check_letter_wrong"
    REPEATED_DIGITS = "repeated_digits"
    DUMMY = "dummy"
    """A placeholder that passes for a number, whatever its check letter: joining people by it would join strangers."""
    ADMINISTRATIVE_PREFIX = "administrative_prefix"
    """A working number of an office, which looks like a National Insurance number and belongs to nobody for long."""
    PREFIX_NEVER_ISSUED = "prefix_never_issued"
    TEST_RANGE = "test_range"
    """Well formed, and never issued to a living person. The only fault that leaves the value standing."""


class Parsed(NamedTuple):
    """An identifier and what is wrong with it, if anything.

    `identifier.value` is None for every fault but TEST_RANGE.
    """

    identifier: Identifier
    fault: Fault | None


Reading = tuple[str | None, Fault | None]
"""A canonical value, or why there is none."""


def parse(scheme: Scheme, raw: str) -> Parsed:
    """Read an identifier as one source wrote it.

    Case, surrounding spaces and the separators people add are no faults. Raises nothing, whatever the text.
    """
    # Half a surrogate pair cannot be written down anywhere, so it is the one thing not kept as it came.
    kept = raw if raw.isascii() else raw.encode("utf-8", "replace").decode("utf-8")
    text = raw.replace("\u00a0", " ").strip()
    read = _READERS[scheme]
    value: str | None = None
    fault: Fault | None = Fault.MALFORMED
    if not text:
        fault = Fault.EMPTY
    elif text.isascii() or read is _opaque:
        # Beyond ASCII, upper case turns other letters into ours (ſ into S): what is not one of ours stays malformed.
        value, fault = read(text)
    return Parsed(Identifier(scheme=scheme, raw=kept, value=value), fault)


_SEPARATORS = str.maketrans("", "", " -")

_NHS = re.compile(r"[0-9]{10}")


def _nhs(text: str) -> Reading:
    """Ten digits, spaces and hyphens between them allowed; canonical without.

    Repeated digits (0000000000, 1111111111, ... 9999999999) pass the check and are typed where a number is not known.
    """
    digits = text.translate(_SEPARATORS)
    if not _NHS.fullmatch(digits):
        return None, Fault.MALFORMED
    if digits.count(digits[0]) == 10:
        return None, Fault.REPEATED_DIGITS
    if nhs_check_digit(digits[:9]) != digits[9]:
        return None, Fault.CHECK_DIGIT_WRONG
    return digits, Fault.TEST_RANGE if digits.startswith("999") else None


_PNC = re.compile(r"(?:((?:19|20)?[0-9]{2})/([0-9]{1,7})|((?:19|20)[0-9]{2})([0-9]{7})|([0-9]{2})([0-9]{1,7}))([A-Z])")

FIRST_YEAR_OF_1900S = 40
"""Two-digit years below this are 20xx.

Fixed, and not this year's number as the Ministry of Justice's own services have it: a pivot that follows the clock
reads one text as two numbers in two years, and event ids follow values. Holds until 2039; a record of before 1940
belongs to nobody a drug service will meet.
"""


def _pnc(text: str) -> Reading:
    """Year, serial of one to seven digits, check letter; canonical "1981/0000034U".

    Without a slash a four-digit year is told from a two-digit one by the serial being whole.
    """
    found = _PNC.fullmatch(text.upper())
    if not found:
        return None, Fault.MALFORMED
    year = found[1] or found[3] or found[5]
    serial = (found[2] or found[4] or found[6]).zfill(7)
    if serial == "0000000":
        return None, Fault.DUMMY
    if check_letter(year[-2:] + serial) != found[7]:
        return None, Fault.CHECK_LETTER_WRONG
    if len(year) == 2:
        year = ("20" if int(year) < FIRST_YEAR_OF_1900S else "19") + year
    return f"{year}/{serial}{found[7]}", None


_CRO = re.compile(r"(?:([0-9]{1,6})/([0-9]{2})|SF([0-9]{2})/([0-9]{1,6}))([A-Z])")


def _cro(text: str) -> Reading:
    """Serial and year, canonical "065656/91H"; or year and serial for a file without fingerprints, "SF83/50058Z".

    The serial of the SF form is not padded, neither in the spelling nor in the check. 000000/00Z is the known junk
    value (hmpps-person-match); a serial of nothing but noughts is no number in any year.
    """
    found = _CRO.fullmatch(text.upper())
    if not found:
        return None, Fault.MALFORMED
    serial, year, sf_year, sf_serial, letter = found.groups()
    padded = serial.zfill(6) if serial else sf_serial
    if not int(padded):
        return None, Fault.DUMMY
    if check_letter((year or sf_year) + padded) != letter:
        return None, Fault.CHECK_LETTER_WRONG
    return f"{padded}/{year}{letter}" if serial else f"SF{sf_year}/{sf_serial}{letter}", None


_ASN = re.compile(r"([0-9]{2})([A-Z0-9]?)([A-Z0-9]{2})([A-Z0-9]{2})([A-Z0-9]{2})([0-9]{11})([A-Z])")
_ASN_DISPLAYED = re.compile(r"([0-9]{2}/[A-Z0-9]{4,5}/[A-Z0-9]{2}/)([0-9]{1,11})([A-Z])")

_DUMMY_ASN = re.compile(
    # By force, unit and system; the two digits of the year stand before, the rest is free. Source: the list by which
    # bichard7-next-core tells the numbers that stand in for an unknown arrest.
    r"..(?:12LN00|00NP00|6300|06SS|00XX|50(?:11|12|21|41|42|43|OF|SJ)|..NRPR)|0800[NP]P01"
)


def _asn(text: str) -> Reading:
    """Year, force, unit, system, eleven digits and a check letter: 20 characters, or 21 with a top-level character.

    The slashes of the displayed form ("97/0000/00/123456K") go, and a serial it shortened is filled again; canonical is
    the bare form. The check counts force and system only where they are digits.
    """
    written = text.upper()
    if shown := _ASN_DISPLAYED.fullmatch(written):
        written = f"{shown[1].replace('/', '')}{shown[2].zfill(11)}{shown[3]}"
    found = _ASN.fullmatch(written)
    if not found:
        return None, Fault.MALFORMED
    year, _top, force, unit, system, serial, letter = found.groups()
    counted = "".join(part for part in (force, system) if part.isdigit())
    if _DUMMY_ASN.match(year + force + unit + system):
        return None, Fault.DUMMY
    if check_letter(counted + year + serial) != letter:
        return None, Fault.CHECK_LETTER_WRONG
    return written, None


_NINO = re.compile(r"([A-Z]{2})([0-9]{6})([A-Z]?)")
_NINO_ISSUED = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]")
_NINO_NEVER = frozenset({"BG", "GB", "KN", "NK", "NT", "ZZ"})
_NINO_ADMINISTRATIVE = frozenset({"CR", "FY", "MW", "NC", "OO", "TN"})
"""Source: HMRC, National Insurance Manual NIM39110. TN was the prefix of temporary numbers."""


def _nino(text: str) -> Reading:
    """Prefix and six digits; canonical "AB123456", without the suffix.

    The suffix (A to D, or blank) tells nothing of whom the number belongs to, and half the sources leave it out: with
    it one person would have two values. It stays in what was written.
    """
    written = text.upper().replace(" ", "")
    if written == "PP999999P":  # what pension schemes write for a number they do not have
        return None, Fault.DUMMY
    found = _NINO.fullmatch(written)
    if not found:
        return None, Fault.MALFORMED
    prefix, digits, suffix = found.groups()
    if prefix in _NINO_ADMINISTRATIVE:
        return None, Fault.ADMINISTRATIVE_PREFIX
    if prefix in _NINO_NEVER or not _NINO_ISSUED.fullmatch(prefix):
        return None, Fault.PREFIX_NEVER_ISSUED
    if suffix > "D":
        return None, Fault.MALFORMED
    return prefix + digits, None


def _pattern(pattern: str) -> Callable[[str], Reading]:
    """A scheme that has a form and no check."""
    shape = re.compile(pattern)

    def read(text: str) -> Reading:
        written = text.upper()
        return (written, None) if shape.fullmatch(written) else (None, Fault.MALFORMED)

    return read


_LONGEST_OPAQUE = 64


def _opaque(text: str) -> Reading:
    """A number whose form is its owner's business: kept as written, as long as it can be a number at all."""
    return (text, None) if len(text) <= _LONGEST_OPAQUE and text.isprintable() else (None, Fault.MALFORMED)


_READERS: Mapping[Scheme, Callable[[str], Reading]] = {
    Scheme.NHS: _nhs,
    Scheme.PNC: _pnc,
    Scheme.CRO: _cro,
    Scheme.ASN: _asn,
    Scheme.NOMS: _pattern(r"[A-Z][0-9]{4}[A-Z]{2}"),
    **dict.fromkeys((Scheme.CRN, Scheme.FORMER_CRN), _pattern(r"[A-Z][0-9]{6}")),
    Scheme.NINO: _nino,
    Scheme.CUSTODY: _opaque,
    Scheme.BOOKING: _opaque,
    Scheme.CITIZEN: _opaque,
}
