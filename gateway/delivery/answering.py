"""Taking a recipient's answer about a delivery: one transaction, however often it is sent."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry
from gateway.clock import Clock
from gateway.delivery.receipts import ANSWERABLE, Contradicts, Receipt, Rejection, Repeated, Result, Taken, step
from gateway.failpoints import reach
from gateway.parties import Parties, Party
from gateway.problems import CONFLICT, MALFORMED, Fault, Problem, not_found
from gateway.store import answers, mailboxes
from gateway.store.answers import Answer, Answered
from gateway.telemetry import log

_AHEAD = timedelta(minutes=5)
"""How far a recipient's clock may be ahead of ours."""


class Told(BaseModel):
    """An answer as a recipient sends it.

    code: why, with `rejected`. suggested: whose area it is, with `not_our_area`. at: when it happened, by the
    recipient's clock; when it is left out, now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    result: Result
    code: Rejection | None = None
    suggested: str | None = Field(default=None, max_length=40)
    at: AwareDatetime | None = None


class Answering:
    """Takes answers."""

    def __init__(self, engine: AsyncEngine, parties: Parties, clock: Clock) -> None:
        self._engine = engine
        self._parties = parties
        self._clock = clock

    async def answer(self, party: Party, delivery: UUID, told: Told) -> dict[str, object]:
        """Take an answer, and give the receipt for it. Raises Problem: 400, 404 for what is not theirs, 409."""
        now = self._clock()
        receipt = self._receipt(told, now)
        async with self._engine.begin() as connection:
            found = await answers.lock(connection, party.id, delivery)
            if found is None:
                raise not_found()
            so_far = [Receipt(Result(result), code) for result, code in zip(found.results, found.codes, strict=True)]
            if found.state not in ANSWERABLE:
                raise Problem(CONFLICT, "The message was withdrawn; it takes no answer.")
            match step(found.kind, found.state, so_far, receipt):
                case Contradicts(sentence):
                    raise Problem(CONFLICT, sentence)
                case Repeated(number):
                    return _document(found, number, found.state, receipt, found.times[number - 1])
                case Taken() as taken:
                    if taken.closes:
                        _may_close(found, party)
            answer = _answer(found, taken, receipt, told.at or now, now)
            await answers.write(connection, answer, now)
            if found.state == "parked":
                await mailboxes.announce(connection, party.id)
            reach("M3")
        reach("A2")
        telemetry.acknowledged.labels(party.id, receipt.result.value).inc()
        log.info("delivery.answered", recipient=party.id, delivery=str(delivery), outcome=receipt.result.value)
        reach("A3")
        document = _document(found, answer.number, answer.state, receipt, answer.at)
        reach("M4")
        return document

    def _receipt(self, told: Told, now: datetime) -> Receipt:
        """What was told, checked against itself and against what areas there are. Raises Problem (400)."""
        if (told.result is Result.REJECTED) != (told.code is not None):
            raise _malformed("code", "A rejection carries a code, and nothing else does.")
        if told.suggested is not None:
            if told.result is not Result.NOT_OUR_AREA:
                raise _malformed("suggested", "Only not_our_area suggests an area.")
            if self._parties.lasars_of(told.suggested) is None:
                raise _malformed("suggested", "No LASARS of this gateway serves an area of that name.")
        if told.at is not None and told.at > now + _AHEAD:
            raise _malformed("at", "The time lies in the future.")
        return Receipt(told.result, told.code.value if told.code else told.suggested)


def _may_close(found: Answered, party: Party) -> None:
    """Only the responsible LASARS ends a case. Raises Problem (409)."""
    if found.case_id is None:
        raise Problem(CONFLICT, "The message belongs to no case that could be closed.")
    if found.case_closed:
        raise Problem(CONFLICT, "The case was closed before.")
    if party.service != "lasars" or party.area is None or found.responsible != party.area:
        raise Problem(CONFLICT, "Only the LASARS responsible for a case closes it.")


def _answer(found: Answered, taken: Taken, receipt: Receipt, at: datetime, now: datetime) -> Answer:
    return Answer(
        delivery=found.id,
        number=taken.number,
        result=receipt.result.value,
        code=receipt.code,
        at=at,
        state=taken.state,
        reason=taken.reason,
        owner=taken.owner,
        due=None if taken.due is None else now + taken.due,
        closes=taken.closes,
    )


def _document(found: Answered, number: int, state: str, receipt: Receipt, at: datetime) -> dict[str, object]:
    document: dict[str, object] = {"message": str(found.id), "number": number, "result": receipt.result.value}
    if receipt.code is not None:
        document["suggested" if receipt.result is Result.NOT_OUR_AREA else "code"] = receipt.code
    return {**document, "at": at, "state": state}


def _malformed(field: str, sentence: str) -> Problem:
    return Problem(MALFORMED, "The answer contradicts itself.", errors=[Fault("RCP-001", field, sentence)])
