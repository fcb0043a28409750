"""Invented people: the one place they come from, for the demonstration, the tests and the measurements.

A person follows from a number, so the same number is the same person in every run. Every number somebody carries (PNC,
CRO, NOMS, NHS, CRN, NINO) is theirs alone and passes its own check. NHS numbers begin with 999: that range is never
issued. Postcodes are places and nobody's: those of `deploy/areas`.

With `canary`, every value that is personal holds a token no other value has and no text of ours contains, so that one
search of logs, metrics, URLs, keys and reports shows whether any of it went where it must not.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schemas.check_letters import check_letter, nhs_check_digit

HOMES: Final = {
    "bracknell-forest": ("RG12 1AQ", "Bracknell"),
    "enfield": ("EN1 3XA", "Enfield"),
    "kent": ("ME14 1XX", "Maidstone"),
    "lincolnshire": ("LN1 1DD", "Lincoln"),
    "oxfordshire": ("OX1 1ND", "Oxford"),
    "stockport": ("SK1 3XE", "Stockport"),
    "wakefield": ("WF1 1EL", "Wakefield"),
    "wigan": ("WN1 1YN", "Wigan"),
}
"""By area: a postcode that lies in it, and its town."""

OUTSIDE: Final = ("M1 1AE", "Manchester")
"""A home in none of the eight areas."""

_FIRST: Final = (
    *("Alaric", "Briony", "Caspian", "Delphine", "Evander", "Fenella", "Gideon", "Hesper", "Idris", "Junia"),
    *("Kerensa", "Leander", "Merrin", "Nerys", "Orrin", "Perdita", "Quill", "Rosmer", "Sorrel", "Tamsin"),
    *("Ulric", "Verity", "Wystan", "Xanthe", "Yestin", "Zelah"),
)
_BEGIN: Final = (
    *("Alder", "Bracken", "Cinder", "Dunnock", "Elver", "Fallow", "Garnet", "Hazel", "Ivory", "Juniper"),
    *("Kestrel", "Linnet", "Marram", "Nettle", "Osier", "Pewter", "Quarry", "Rushen", "Sedge"),
)
_END: Final = (
    *("acre", "beck", "croft", "dale", "ember", "field", "garth", "holt", "ings", "keld", "lea", "mere"),
    *("nook", "over", "pike", "rigg", "stow", "thwaite", "vale", "wick", "yard"),
)
_STREETS: Final = ("Invented Row", "Example Terrace", "Pretend Road", "Sample Close", "Fancy Lane", "Makebelieve Way")
_EARLIEST: Final = date(1950, 1, 1)
_BIRTHDAYS: Final = 16_000
"""Days: everybody is born before the end of 1993, and so an adult whenever anything here happens."""
_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
_CANARY: Final = "Qxv"
"""Three letters that begin no word of English and none of ours."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented. postcode: None where the home cannot be told. nhs: None where no number can begin so."""

    number: int
    forenames: str
    surname: str
    born: date
    sex: str
    pnc: str
    cro: str
    noms: str
    nhs: str | None
    crn: str
    nino: str
    street: str
    town: str
    postcode: str | None

    @property
    def personal(self) -> tuple[str, ...]:
        """Every value that identifies this person, each as it is written; what must never be found outside a body."""
        numbers = (self.pnc, self.cro, self.noms, self.crn, self.nino)
        named = (self.forenames, self.surname, self.born.isoformat(), *numbers, self.street)
        return (*named, *(told for told in (self.nhs, self.postcode) if told is not None))


def person(number: int, home: str | None, *, canary: bool = False) -> Person:
    """The person of that number, with a home in that area; `elsewhere` is outside all areas, None cannot be told.

    number: 0 to 999,999.
    """
    if not 0 <= number < 1_000_000:
        raise ValueError("people are numbered from 0 to 999,999")
    # A step that shares no divisor with the number of days, so that neighbours in number have far-apart birthdays.
    born = _EARLIEST + timedelta(days=number * 7919 % _BIRTHDAYS)
    place = OUTSIDE if home == "elsewhere" else HOMES[home] if home is not None else None
    year, serial = f"{born.year + 20:04}"[2:], number + 100_001
    token = f"{_CANARY}{_letters(number)}" if canary else ""
    return Person(
        number=number,
        forenames=f"{_FIRST[number % len(_FIRST)]}{token and ' ' + token + 'f'}",
        surname=f"{_surname(number)}{token and '-' + token + 's'}",
        born=born,
        sex="MF"[number % 2],
        pnc=f"{year}/{serial:07}{check_letter(f'{year}{serial:07}')}",
        cro=f"{serial % 1_000_000:06}/{year}{check_letter(f'{year}{serial % 1_000_000:06}')}",
        noms=_noms(number),
        nhs=_nhs(number),
        crn=f"X{number:06}",
        nino=f"JE{number:06}A",
        street=f"{number % 90 + 1} {token and token + 'a '}{_STREETS[number % len(_STREETS)]}",
        town=place[1] if place else "",
        postcode=place[0] if place else None,
    )


def _surname(number: int) -> str:
    """Two invented names with a hyphen: different for neighbours, and again only after 159,201 people."""
    one, two = number % (19 * 21), number // (19 * 21) % (19 * 21)
    names = [_BEGIN[name % 19] + _END[name // 19] for name in (one, (two + one * 5 + 7) % (19 * 21))]
    return "-".join(names)


def _noms(number: int) -> str:
    """A prison number: letter, four digits, two letters."""
    high, digits = divmod(number, 10_000)
    return f"A{digits:04}{_LETTERS[high // len(_LETTERS) % len(_LETTERS)]}{_LETTERS[high % len(_LETTERS)]}"


def _nhs(number: int) -> str | None:
    """A number of the range that is never issued. One in eleven has no check digit, and ten nines stand for none."""
    digits = f"999{number:06}"
    check = nhs_check_digit(digits)
    return None if check is None or number == 999_999 else digits + check


def _letters(number: int) -> str:
    """A number in six letters, so that it survives in a name."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")
