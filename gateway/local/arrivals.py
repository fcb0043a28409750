"""What the stand-ins wrote down, read back: what agencies had accepted, and what reached recipients."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.local.cast import AGENCIES, LASARS
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


def applied(own: Installation) -> list[Arrival]:
    """What had its effect, recipient by recipient, each in the order of its books."""
    return [
        Arrival(
            recipient=lasars.id,
            delivery=line["id"],
            event=line["event"],
            kind=line["kind"],
            change=line["change"],
            role=line["role"],
            person=line["person"],
            at=line["at"],
        )
        for lasars in LASARS
        for line in _lines(own.book(lasars.id))
        if line["what"] == "applied"
    ]


def seen(own: Installation) -> list[Seen]:
    """Every arrival, repeated ones too."""
    return [
        Seen(lasars.id, line["id"], line["hash"])
        for lasars in LASARS
        for line in _lines(own.book(lasars.id))
        if line["what"] == "arrived"
    ]


def unanswered(own: Installation) -> int:
    """How many deliveries had their effect and no receipt of theirs was taken yet."""
    open_ = 0
    for lasars in LASARS:
        lines = list(_lines(own.book(lasars.id)))
        done = {line["id"] for line in lines if line["what"] == "applied"}
        open_ += len(done - {line["id"] for line in lines if line["what"] == "answered"})
    return open_


def accepted(own: Installation) -> list[Acceptance]:
    """What agencies were told was taken, repeats of it left out."""
    return [
        Acceptance(agency.id, line["door"], line["receipt"], (line["rows"] or 0) - (line["refused"] or 0))
        for agency in AGENCIES
        for line in _lines(own.outbox(agency.id))
        if line["status"] == 202
    ]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file that may not exist yet and is being written."""
    if file.exists():
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield orjson.loads(line)
