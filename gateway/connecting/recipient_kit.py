"""The cases a recipient's endpoint must pass: what the gateway will one day do to it, done on purpose.

Pushes are posted as the gateway posts them. What the endpoint does with a message is seen by what it asks of the
stand-in gateway: it fetches what a notice announces, and answers each message by one receipt. An endpoint that gives no
receipts is judged by its answers alone.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson

from gateway.connecting.case import NotTried, Row, Tried
from gateway.connecting.invented import notice
from gateway.connecting.pushing import KNOWN, Push, Pusher
from gateway.connecting.stand_in import Mishap, StandIn, repeated
from gateway.delivery.signing import ID, SIGNATURE, TIMESTAMP
from gateway.wording import many

_AT_ONCE: Final = 10
_LARGE: Final = 900 * 1024
_TOO_LARGE: Final = 16 << 20
_PIECES: Final = 20
_NO_RECEIPTS: Final = "The endpoint gives no receipts to the kit's stand-in gateway."
_NO_FETCHING: Final = "The endpoint fetches nothing from the kit's stand-in gateway (case 20)."
_RESERIALISED: Final = (
    "it verifies a body that it has parsed and written again; verify the bytes as they arrive, before anything else"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits, in seconds.

    slow: what a slow body takes to arrive. late: after which an answer counts as lost. within: how long anything that
    must come may take. quiet: how long nothing comes where nothing must.
    """

    slow: float = 14.0
    late: float = 16.0
    within: float = 15.0
    quiet: float = 2.0


DEPENDED_ON: Final = (1, 20)
"""The cases from which others know whether the endpoint gives receipts, and whether it fetches."""


class RecipientKit:
    """The cases of one endpoint. push: posts to it. stand_in: what it takes for the gateway."""

    def __init__(self, push: Pusher, stand_in: StandIn, pace: Pace) -> None:
        self._push = push
        self._stand_in = stand_in
        self._pace = pace
        self._position = 0
        self._answers = False
        self._fetches = False

    def cases(self) -> list[Row]:
        """The cases, in their order."""
        return [
            ("good", "A good message is taken.", self.good),
            ("bad signature", "A message somebody else signed is refused.", self.bad_signature),
            ("old timestamp", "A message of six minutes ago is refused.", self.old),
            ("future timestamp", "A message of six minutes ahead is refused.", self.future),
            ("re-serialised body", "The bytes that arrive are verified, and not a copy of them.", self.reserialised),
            ("missing header", "A message that lacks one of the three headers is refused.", self.missing_header),
            ("two signatures", "While keys change, one signature that verifies is enough.", self.two_signatures),
            ("same id twice", "A message that comes twice has one effect.", self.twice),
            ("same id ten times at once", "A message that comes ten times at once has one effect.", self.at_once),
            ("out of order", "A correction is taken, though what it corrects was never seen.", self.out_of_order),
            ("slow body", "A body that takes 14 seconds is waited for.", self.slow),
            ("late answer", "A message whose answer was lost comes again, and has one effect.", self.late),
            ("500 then good", "What cannot be fetched at first is fetched again.", self.fetched_again),
            ("connection cut", "A message cut off after its body comes again, and has one effect.", self.cut),
            ("redirect", "A redirect is not followed.", self.redirect),
            ("large", "900 KiB are taken, 16 MiB are refused.", self.large),
            ("gzip", "A compressed body is refused or taken, and breaks nothing.", self.compressed),
            ("unknown field", "A field that is new is passed over.", self.unknown_field),
            ("unknown kind", "A kind that is new is taken.", self.unknown_kind),
            ("notice, then fetch", "What a notice announces is fetched.", self.notice_then_fetch),
            ("receipt twice", "A receipt that was not answered is sent again, the same.", self.receipt_twice),
            ("receipt conflict", "A receipt that is refused is not sent again.", self.receipt_conflict),
        ]

    # --- Signatures --------------------------------------------------------------------------------------------------

    async def good(self) -> Tried:
        told = self._push.message()
        answer = await self._push.post(self._push.signed(told))
        receipts = self._stand_in.receipts[told["id"]]
        self._answers = await self._stand_in.until(lambda: bool(receipts), self._pace.quiet)
        return _must_take("a message", answer)

    async def bad_signature(self) -> Tried:
        return _must_refuse(
            "a message signed by a stranger", await self._push.post(self._push.signed(by=self._push.stranger))
        )

    async def old(self) -> Tried:
        return _must_refuse("a message of six minutes ago", await self._push.post(self._push.signed(ago=360)))

    async def future(self) -> Tried:
        return _must_refuse("a message of six minutes ahead", await self._push.post(self._push.signed(ago=-360)))

    async def reserialised(self) -> Tried:
        told = self._push.message()
        spaced = json.dumps(told, indent=3, ensure_ascii=True).encode() + b"\n"
        as_sent = await self._push.post(self._push.signed(told, body=spaced))
        push = self._push.signed()
        rewritten = await self._push.post(
            Push(push.id, push.headers, json.dumps(orjson.loads(push.body), indent=1).encode())
        )
        came = f"{_word(as_sent)} to bytes as they were signed, {_word(rewritten)} to bytes written anew"
        right = _taken(as_sent) and _refused(rewritten)
        return Tried(
            "a body with spaces that were signed, and one whose spaces were not", came, "" if right else _RESERIALISED
        )

    async def missing_header(self) -> Tried:
        came = {}
        for name in (ID, TIMESTAMP, SIGNATURE):
            push = self._push.signed()
            headers = {header: value for header, value in push.headers.items() if header != name}
            came[name] = await self._push.post(Push(push.id, headers, push.body))
        wrong = [name for name, answer in came.items() if not _refused(answer)]
        return Tried(
            "three messages, each without one header",
            ", ".join(f"{_word(answer)} without {name}" for name, answer in came.items()),
            f"it must be refused without {' and '.join(wrong)}" if wrong else "",
        )

    async def two_signatures(self) -> Tried:
        told = self._push.message()
        ours, other = self._push.signed(told), self._push.signed(told, by=self._push.stranger)
        headers = {**ours.headers, SIGNATURE: f"{other.headers[SIGNATURE]} {ours.headers[SIGNATURE]}"}
        return _must_take("a message with two signatures", await self._push.post(Push(ours.id, headers, ours.body)))

    # --- Once --------------------------------------------------------------------------------------------------------

    async def twice(self) -> Tried:
        told = self._push.message()
        answers = [await self._push.post(self._push.signed(told, ago=ago)) for ago in (1, 0)]
        return await self._once("a message, and again", told["id"], answers)

    async def at_once(self) -> Tried:
        told = self._push.message()
        pushes = [self._push.signed(told, ago=ago) for ago in range(_AT_ONCE)]
        answers = await asyncio.gather(*map(self._push.post, pushes))
        busy = [answer for answer in answers if answer in (409, 425, 429, 503)]
        # Who is told "not now" comes again; one at least must have been taken.
        return await self._once("a message ten times at once", told["id"], [a for a in answers if a not in busy])

    async def late(self) -> Tried:
        told = self._push.message()
        first = await self._push.post(self._push.signed(told))
        await asyncio.sleep(self._pace.late)
        second = await self._push.post(self._push.signed(told))
        return await self._once("a message, and again when its answer was late", told["id"], [first, second])

    async def cut(self) -> Tried:
        told = self._push.message()
        await self._push.post_and_leave(self._push.signed(told, ago=1))
        answer = await self._push.post(self._push.signed(told))
        return await self._once("a message whose connection ends, and again", told["id"], [answer])

    async def _once(self, sent: str, message_id: str, answers: list[int]) -> Tried:
        """Every answer must say that it is taken, and one receipt must come."""
        receipts = self._stand_in.receipts[message_id]
        came = _words(answers) or "no answer"
        if not answers or not all(map(_taken, answers)):
            return Tried(sent, came, "a message that is known is taken: 2xx, or 409 that names its id")
        if not self._answers:
            return Tried(sent, came)
        await self._stand_in.until(lambda: bool(receipts), self._pace.within)
        await self._stand_in.until(lambda: len(receipts) > 1, self._pace.quiet)
        wrong = "" if len(receipts) == 1 else f"it had {len(receipts)} effects, by the receipts that came"
        return Tried(sent, f"{came}, and {many(len(receipts), 'receipt')}", wrong)

    # --- What is unusual ---------------------------------------------------------------------------------------------

    async def out_of_order(self) -> Tried:
        fact = self._push.message()
        correction = self._push.message(change="correction", supersedes=fact["event"], person=fact["person"])
        answers = [await self._push.post(self._push.signed(told)) for told in (correction, fact)]
        wrong = "" if all(map(_taken, answers)) else "both must be taken"
        return Tried("a correction, then what it corrects", _words(answers), wrong)

    async def slow(self) -> Tried:
        push = self._push.signed(self._push.message())

        async def drops() -> AsyncIterator[bytes]:
            size = len(push.body) // _PIECES + 1
            for start in range(0, len(push.body), size):
                await asyncio.sleep(self._pace.slow / _PIECES)
                yield push.body[start : start + size]

        headers = {**push.headers, "content-length": str(len(push.body))}
        answer = await self._push.post(Push(push.id, headers, b""), content=drops())
        return _must_take(f"a body over {self._pace.slow:g} s", answer)

    async def large(self) -> Tried:
        note = {"data": {"note": "x" * _LARGE}}
        taken = await self._push.post(self._push.signed(self._push.message(**note)))
        refused = await self._push.post(self._push.signed(body=b'{"note": "' + b"x" * _TOO_LARGE + b'"}'))
        # An endpoint that hangs up in the middle of too much has refused it as well.
        right = _taken(taken) and (_refused(refused) or refused == 0)
        return Tried(
            "900 KiB, then 16 MiB",
            f"{_word(taken)}, then {_word(refused)}",
            "" if right else "the first must be taken, and the second refused (413)",
        )

    async def compressed(self) -> Tried:
        body = gzip.compress(orjson.dumps(self._push.message()))
        push = self._push.signed(body=body)
        answer = await self._push.post(Push(push.id, {**push.headers, "content-encoding": "gzip"}, body))
        right = _taken(answer) or _refused(answer)
        return Tried("a compressed body", _word(answer), "" if right else "2xx or 4xx (415) is right")

    async def unknown_field(self) -> Tried:
        told = self._push.message(a_field_of_the_future={"nested": [1, None]})
        return _must_take("a message with one field more", await self._push.post(self._push.signed(told)))

    async def unknown_kind(self) -> Tried:
        told = self._push.message(kind="custody.kind-of-the-future", data={})
        return _must_take(
            "a message of a kind that is not in the catalogue", await self._push.post(self._push.signed(told))
        )

    # --- What it asks of the gateway ---------------------------------------------------------------------------------

    async def notice_then_fetch(self) -> Tried:
        told, answer = await self._notify()
        self._fetches = await self._fetched(told["id"], 1)
        came = f"{_word(answer)}, {'fetched' if self._fetches else 'not fetched'}"
        right = _taken(answer) and self._fetches
        return Tried("a notice", came, "" if right else "what a notice announces must be fetched")

    async def fetched_again(self) -> Tried:
        self._needs_fetching()
        told, _ = await self._notify("fails")
        again = await self._fetched(told["id"], 2)
        came = f"fetched {self._stand_in.fetched[told['id']]} times"
        return Tried("a notice, and 500 to the first fetch", came, "" if again else "it must be fetched again")

    async def redirect(self) -> Tried:
        self._needs_fetching()
        told, _ = await self._notify("redirects")
        await self._fetched(told["id"], 1)
        followed = await self._stand_in.until(lambda: bool(self._stand_in.followed[told["id"]]), self._pace.quiet)
        came = "followed" if followed else "not followed"
        wrong = "it must not carry its token to where an answer points" if followed else ""
        return Tried("a notice, and 302 to the fetch", came, wrong)

    async def receipt_twice(self) -> Tried:
        receipts = await self._receipt_meets("cuts")
        await self._stand_in.until(lambda: len(receipts) > 1, self._pace.within)
        wrong = "" if repeated(receipts) else "the same receipt must come again until it is answered"
        return Tried("a message, and no answer to its receipt", many(len(receipts), "receipt"), wrong)

    async def receipt_conflict(self) -> Tried:
        receipts = await self._receipt_meets("conflicts")
        await self._stand_in.until(lambda: len(receipts) > 1, self._pace.quiet)
        after = await self._push.post(self._push.signed(self._push.message()))
        wrong = "" if len(receipts) == 1 and _taken(after) else "409 is final: it must go on with the next message"
        return Tried(
            "a message, and 409 to its receipt", f"{many(len(receipts), 'receipt')}, then {_word(after)}", wrong
        )

    async def _receipt_meets(self, mishap: Mishap) -> list[bytes]:
        if not self._answers:
            raise NotTried(_NO_RECEIPTS)
        told = self._push.message(mishap)
        await self._push.post(self._push.signed(told))
        receipts = self._stand_in.receipts[told["id"]]
        await self._stand_in.until(lambda: bool(receipts), self._pace.within)
        return receipts

    async def _notify(self, *mishaps: Mishap) -> tuple[dict[str, Any], int]:
        told = self._push.message(*mishaps)
        self._position += 1
        return told, await self._push.post(self._push.signed(told, body=notice(told, self._position)))

    async def _fetched(self, message_id: str, times: int) -> bool:
        return await self._stand_in.until(lambda: self._stand_in.fetched[message_id] >= times, self._pace.within)

    def _needs_fetching(self) -> None:
        if not self._fetches:
            raise NotTried(_NO_FETCHING)


def _taken(answer: int) -> bool:
    return 200 <= answer <= 299


def _refused(answer: int) -> bool:
    return 400 <= answer <= 499


def _word(answer: int) -> str:
    return {0: "no answer", KNOWN: "409 with the id"}.get(answer, str(answer))


def _words(answers: list[int]) -> str:
    """Answers in their order, those alike told once: `204 ×10`."""
    alike = [(word, sum(1 for _ in each)) for word, each in groupby(map(_word, answers))]
    return ", ".join(f"{word} ×{times}" if times > 1 else word for word, times in alike)


def _must_take(sent: str, answer: int) -> Tried:
    return Tried(sent, _word(answer), "" if _taken(answer) else "it must be taken (2xx)")


def _must_refuse(sent: str, answer: int) -> Tried:
    return Tried(sent, _word(answer), "" if _refused(answer) else "it must be refused (4xx)")
