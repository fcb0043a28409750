"""The check characters of justice and health numbers.

The Police National Computer, the Criminal Records Office and arrest summons numbers share one alphabet: the remainder
of a number by 23 picks a letter, and I, O and S are left out because they read as digits. Source: hmpps-person-record
(PNCIdentifier, CROIdentifier and their tests) and bichard7-next-core (Asn).
"""

from operator import mul
from typing import Final

ALPHABET = "ZABCDEFGHJKLMNPQRTUVWXY"

_NHS_WEIGHTS: Final = range(10, 1, -1)


def check_letter(digits: str) -> str:
    """The letter that closes a number, given its digits in the order its scheme counts them."""
    return ALPHABET[int(digits) % 23]


def nhs_check_digit(first_nine: str) -> str | None:
    """The tenth digit of an NHS number (mod 11, weights 10 to 2), or None where no number can begin like this.

    Source: NHS Data Dictionary, "NHS Number": a remainder of 11 is written 0, and a remainder of 10 is never issued.
    """
    remainder = 11 - sum(map(mul, map(int, first_nine), _NHS_WEIGHTS)) % 11
    if remainder == 10:
        return None
    return "0" if remainder == 11 else str(remainder)
