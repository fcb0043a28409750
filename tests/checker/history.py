"""The history of a run: what sources did, what recipients saw, and what the gateway's stores held at the end.

One line an operation, as in Jepsen: an invocation, then that it was taken, refused, or that nobody knows (a timeout,
a lost connection). A line is written before whoever it concerns is answered, so that a history is never behind what
happened. It holds ids, numbers and hashes, and nothing of what a record says.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Invoked:
    """A source sends a message: what the person's version is, a hash of what it says, and to whom it is owed.

    The pair of person and version is unique to the message; versions of one person count from 1 in the order sent.
    """

    message: str
    person: int
    version: int
    content: str
    owed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway said that it has the message, under this receipt."""

    message: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway said that it does not have the message, and will not."""

    message: str
    status: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that leaves open whether the gateway has the message."""

    message: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something reached a recipient. body: a hash of its bytes; answer: the status it is answered with.

    person, version and content are read from what arrived; person is None for what cannot be read or is not signed.
    """

    recipient: str
    delivery: str
    body: str
    person: int | None
    version: int
    content: str
    answer: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A recipient let a delivery have its effect."""

    recipient: str
    delivery: str
    person: int
    version: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The gateway said that it has a recipient's acknowledgement."""

    recipient: str
    delivery: str


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """At the end the gateway's store has this record, in this state."""

    receipt: str
    state: str


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """At the end the gateway's store has this delivery, in this state. body: a hash of its bytes."""

    delivery: str
    receipt: str
    recipient: str
    state: str
    body: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something was broken on purpose, or mended."""

    what: str


Step = (
    Invoked
    | Taken
    | Refused
    | Unknown
    | Arrived
    | Effect
    | Acknowledged
    | KeptRecord
    | KeptDelivery
    | Fault
)  # fmt: skip


class History:
    """A history being written: in memory for the checker, and in a file for whoever looks into a failure."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: list[Step] = []
        self._began = time.monotonic()
        self._lines = file.open("w")

    def write(self, step: Step) -> None:
        """Add a line."""
        self.steps.append(step)
        line = {"at": round(time.monotonic() - self._began, 4), "step": type(step).__name__, **asdict(step)}
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


_STEPS = {step.__name__: step for step in Step.__args__}


def read(file: Path) -> Iterator[Step]:
    """A history from its file."""
    for line in file.read_text().splitlines():
        told = json.loads(line)
        del told["at"]
        step = _STEPS[told.pop("step")]
        if step is Invoked:
            told["owed"] = tuple(told["owed"])
        yield step(**told)
