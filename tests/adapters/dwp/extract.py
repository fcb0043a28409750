"""Files of the benefit extract, made field by field."""

from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO

from adapters.base import Message, Outcome, Row
from adapters.dwp import build

RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)
FIELDS = {
    "nino": 9,
    "surname": 35,
    "forename": 35,
    "date_of_birth": 8,
    "sex": 1,
    "benefit": 4,
    "action": 1,
    "effective": 8,
    "reason": 2,
    "office": 6,
    "postcode": 8,
    "marker": 1,
}
SOMEBODY = {
    "nino": "JK904412A",
    "surname": "GRENFELL-ROWE",
    "forename": "PIERS",
    "date_of_birth": "19790811",
    "sex": "M",
    "benefit": "ESA",
    "action": "S",
    "effective": "20260112",
    "reason": "01",
    "office": "210364",
    "postcode": "SK4 2HD",
}


def header(sequence: int = 124, *, feed: str = "NIGHTLY", created: str = "20260112193000", layout: str = "01") -> str:
    """The first record of a file."""
    return f"H{feed:<8}{sequence:06}{created}{layout}".ljust(120)


def detail(**changed: str) -> str:
    """One award of an invented person, but for what is changed."""
    told = SOMEBODY | changed
    return ("D" + "".join(told.get(name, "").ljust(length) for name, length in FIELDS.items())).ljust(120)


def trailer(count: int, sequence: int = 124, *, feed: str = "NIGHTLY") -> str:
    """The last record of a file."""
    return f"T{feed:<8}{sequence:06}{count:08}".ljust(120)


def whole(*details: str, sequence: int = 124) -> list[str]:
    """The records of a file that is as it should be."""
    return [header(sequence), *details, trailer(len(details), sequence)]


def written(records: Iterable[str], code_page: str = "iso-8859-1", end: str = "\r\n") -> bytes:
    """A file of these records."""
    return "".join(record + end for record in records).encode(code_page)


def rows(body: bytes, code_page: str = "iso-8859-1") -> list[Row]:
    """The rows a file is cut into. Raises FileRefused."""
    return list(build({"code_page": code_page}).files["text/plain"](BytesIO(body)))


def read(*, code_page: str = "iso-8859-1", made: str = "20260112193000", **changed: str) -> Outcome:
    """What becomes of a detail."""
    body = written([header(created=made), detail(**changed)], code_page, "\r\n" if code_page == "iso-8859-1" else "")
    return build({"code_page": code_page}).read(Message(body, "text/plain", RECEIVED))
