"""What the stand-ins wrote down, read back: what agencies had accepted, what they were asked, and what reached whom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.local.cast import LASARS, SENDERS
from gateway.local.installation import Installation


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery that had its effect at a recipient, in the order of its books. at: Unix seconds."""

    recipient: str
    delivery: str
    event: str
    kind: str
    change: str
    role: str
    person: str
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One delivery as it was posted to or read by a recipient. hash: of the bytes."""

    recipient: str
    delivery: str
    hash: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What one agency was told was taken. door: records or files; rows: those of a file that were not refused."""

    agency: str
    door: str
    receipt: str
    rows: int


class Writings:
    """The books of all stand-ins, while they are written: each question reads what is new since the last."""

    def __init__(self, own: Installation) -> None:
        self._books = {lasars.id: _File(own.book(lasars.id)) for lasars in LASARS}
        self._outboxes = {agency.id: _File(own.outbox(agency.id)) for agency in SENDERS}
        self._case_api = _File(own.case_log)

    def applied(self) -> list[Arrival]:
        """What had its effect, recipient by recipient, each in the order of its books."""
        return [
            Arrival(
                recipient=recipient,
                delivery=line["id"],
                event=line["event"],
                kind=line["kind"],
                change=line["change"],
                role=line["role"],
                person=line["person"],
                at=line["at"],
            )
            for recipient, book in self._books.items()
            for line in book.lines("applied")
        ]

    def seen(self) -> list[Seen]:
        """Every arrival, repeated ones too."""
        return [
            Seen(recipient, line["id"], line["hash"])
            for recipient, book in self._books.items()
            for line in book.lines("arrived")
        ]

    def unanswered(self) -> int:
        """How many deliveries had their effect, with no receipt of theirs taken yet."""
        return sum(
            len({line["id"] for line in book.lines("applied")} - {line["id"] for line in book.lines("answered")})
            for book in self._books.values()
        )

    def results(self, recipient: str) -> set[str]:
        """The results a recipient has told by now, and had taken."""
        return {line["result"] for line in self._books[recipient].lines("answered") if line["status"] < 300}

    def accepted(self) -> list[Acceptance]:
        """What agencies were told was taken; the same receipt again is a repeat, and left out."""
        told = {
            (agency, line["receipt"]): Acceptance(
                agency, line["door"], line["receipt"], (line["rows"] or 0) - (line["refused"] or 0)
            )
            for agency, outbox in self._outboxes.items()
            for line in outbox.lines("accepted")
        }
        return list(told.values())

    def cases_told(self) -> int:
        """How many cases the case API has answered with, whole."""
        return sum(line["about"] == "case" and line["status"] == 200 for line in self._case_api.lines("asked"))


class _File:
    """A file of one JSON object a line that may not exist yet, and grows. By `what` each line tells."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        self._lines: dict[str, list[dict[str, Any]]] = {}

    def lines(self, what: str) -> list[dict[str, Any]]:
        """The whole lines that tell of this."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except FileNotFoundError:
            fresh = b""
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            told = orjson.loads(line)
            self._lines.setdefault(told["what"], []).append(told)
        return self._lines.get(what, [])
