"""The logbook of a send: what is to be sent under which message ids, and what each was answered.

It lies beside the file that is sent, is written before anything leaves and after every answer, and outlives whatever
stops the command. It holds no content and no personal value. One JSON object a line; the last may be half written.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import orjson
from pydantic import TypeAdapter, ValidationError

from gateway.connecting.parcel import LOGBOOK, Parcel
from gateway.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch: everything that is sent together, to whom, and in whose name."""

    batch: str
    gateway: str
    client: str
    agency: str
    began: datetime
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a parcel. number: its place in the plan. receipt: of the record or of the file.

    state: received, validated, held, ignored, taken (a file) or refused. rows, accepted, held, ignored, refused: of
    a file's rows. rules: the ids of the rules that refused it.
    """

    number: int
    status: int
    receipt: str | None
    state: str
    rows: int = 1
    accepted: int = 0
    held: int = 0
    ignored: int = 0
    refused: int = 0
    rules: tuple[str, ...] = ()

    @property
    def repeat(self) -> bool:
        """Whether the gateway had it before."""
        return self.status == 200


_PLAN = TypeAdapter(Plan)
_ANSWER = TypeAdapter(Answer)


class Logbook:
    """One batch's, open for writing."""

    def __init__(self, file: Path, plan: Plan, answers: dict[int, Answer]) -> None:
        self.file = file
        self.plan = plan
        self.answers = answers
        self._out = file.open("ab")

    @staticmethod
    def beside(file: Path) -> Path:
        """Where the logbook of a send of this file, or folder, lies."""
        return file.with_name(f"{file.name}{LOGBOOK}")

    @classmethod
    def begin(cls, file: Path, plan: Plan) -> Self:
        """A new one. Raises ConfigurationError where an earlier send was not finished."""
        if file.exists():
            raise ConfigurationError(
                f"An earlier send was interrupted; its logbook is {file}.",
                "Add --resume to go on with it, or delete that file to send everything anew.",
            )
        logbook = cls(file, plan, {})
        logbook._write(asdict(plan))
        return logbook

    @classmethod
    def resume(cls, file: Path) -> Self:
        """The one of an interrupted send. Raises ConfigurationError where there is none, or nobody can read it."""
        try:
            whole = file.read_bytes()
        except FileNotFoundError:
            raise ConfigurationError(
                f"There is no interrupted send of this ({file} is missing).", "Leave --resume out."
            ) from None
        end = whole.rfind(b"\n") + 1
        try:
            head, *lines = whole[:end].splitlines()
            plan = _PLAN.validate_json(head)
            answers = [_ANSWER.validate_json(line) for line in lines]
        except (ValueError, ValidationError):
            raise ConfigurationError(
                f"The logbook {file} cannot be read.",
                "Delete it and send anew; what was taken before is known to the gateway by its content.",
            ) from None
        with file.open("r+b") as out:
            out.truncate(end)
        return cls(file, plan, {answer.number: answer for answer in answers})

    def answered(self, answer: Answer) -> None:
        """Write an answer down."""
        self.answers[answer.number] = answer
        self._write(asdict(answer))

    def close(self, *, done: bool) -> None:
        """Close it; done: everything was answered, and nothing is left to go on with."""
        self._out.close()
        if done:
            self.file.unlink()

    def _write(self, line: dict[str, Any]) -> None:
        self._out.write(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE))
        self._out.flush()
