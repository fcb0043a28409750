"""One case of a test kit: what was promised, what was sent, what came back, and whether that is right."""

import enum
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import httpx


class Result(enum.StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Case:
    """A case that was tried, or why it was not. No text of it holds a personal value.

    promise: what must hold, as a sentence. sent, came: what was sent and what came back, in words. why: what is wrong,
    or why it was not tried.
    """

    number: int
    name: str
    promise: str
    result: Result
    sent: str = ""
    came: str = ""
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "number": self.number,
            "name": self.name,
            "promise": self.promise,
            "result": self.result.value,
            "sent": self.sent,
            "came_back": self.came,
            "why": self.why,
        }

    def line(self) -> str:
        """As the terminal shows it."""
        word = {Result.PASSED: "pass", Result.FAILED: "FAIL", Result.NOT_TRIED: "-"}[self.result]
        rest = self.came if self.result is Result.PASSED else self.why
        return f"{self.number:>3}  {word:<5} {self.name:<30} {rest}".rstrip()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one case. wrong: what is not as it must be; empty where all is well."""

    sent: str
    came: str
    wrong: str = ""


class NotTried(Exception):
    """A case that has no meaning here. The text says why, as a sentence."""


Row = tuple[str, str, Callable[[], Awaitable[Tried]]]
"""A case to try: its name, its promise, and what tries it, which may raise NotTried."""


async def try_all(rows: Sequence[Row], told: Callable[[Case], None], *, first: Collection[int] = ()) -> list[Case]:
    """Try every case; they come back in their order. told: called with each as it ends.

    first: the numbers of those on which others depend. Raises whatever keeps the whole kit from being tried.
    """
    tried = {}
    numbered = list(enumerate(rows, start=1))
    for number, row in sorted(numbered, key=lambda one: one[0] not in first):
        tried[number] = await _try(number, row)
        told(tried[number])
    return [tried[number] for number, _ in numbered]


async def _try(number: int, row: Row) -> Case:
    name, promise, tries = row
    try:
        came = await tries()
    except NotTried as reason:
        return Case(number, name, promise, Result.NOT_TRIED, why=str(reason))
    except httpx.HTTPError as error:
        why = f"the answer was none that could be read ({type(error).__name__})"
        return Case(number, name, promise, Result.FAILED, why=why)
    result = Result.FAILED if came.wrong else Result.PASSED
    return Case(number, name, promise, result, came.sent, came.came, came.wrong)


def count(cases: Sequence[Case], result: Result) -> int:
    """How many cases ended so."""
    return sum(case.result is result for case in cases)
