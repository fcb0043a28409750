"""What is wrong with a record: the conformance cases about refusing and holding, and saying why."""

from typing import Final

from adapters.base import Held, Refused
from gateway.connecting.case import Tried
from gateway.connecting.feed import Feed, against_contract, rules_of

_LARGE: Final = 16 << 20
"""Bytes. Above any limit an installation sets for one record."""


class FaultCases:
    """What a feed must pass of records that are wrong, too large or unknown."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def oversize(self) -> Tried:
        record = self._feed.record()
        answer = await self._feed.post("records", record.media_type, b" " * _LARGE, self._feed.key())
        wrong = "" if answer.status_code == 413 else "413 is right"
        return Tried(f"{_LARGE >> 20} MiB", str(answer.status_code), wrong)

    async def encoding(self) -> Tried:
        record = self._feed.record()
        middle = len(record.body) // 2
        body = record.body[:middle] + b"\xff\xfe\x81" + record.body[middle:]
        answer = await self._feed.send(record, self._feed.key(), body=body)
        wrong = against_contract(answer, self._feed.outcome(body, record.media_type))
        return Tried("a record with three bytes in it that are no text", str(answer.status_code), wrong)

    async def unknown_code(self) -> Tried:
        held = self._feed.other(
            "held",
            lambda outcome: isinstance(outcome, Held) and outcome.reason == "code_not_mapped",
            lacks="No example of this feed has a code that is on no list.",
        )
        answer = await self._feed.send(held, self._feed.key())
        receipt = await self._feed.receipt(answer)
        came = f"{answer.status_code}, {receipt['state']} as {receipt['reason']}"
        wrong = "" if (receipt["state"], receipt["reason"]) == ("held", "code_not_mapped") else "it must be held"
        return Tried(f"the example {held.file.name}", came, wrong)

    async def missing(self) -> Tried:
        refused = self._feed.other(
            "refused",
            lambda outcome: isinstance(outcome, Refused),
            lacks="No example of this feed is a record that is refused.",
        )
        answer = await self._feed.send(refused, self._feed.key())
        rules = rules_of(answer)
        return Tried(
            f"the example {refused.file.name}",
            f"{answer.status_code}, by {', '.join(rules) or 'no rule'}",
            against_contract(answer, refused.outcome),
        )

    async def receipts(self) -> Tried:
        taken = await self._feed.receipt(await self._feed.send(self._feed.record(), self._feed.key()))
        held = self._feed.other(
            "held", lambda outcome: isinstance(outcome, Held), lacks="No example of this feed is held."
        )
        waits = await self._feed.receipt(await self._feed.send(held, self._feed.key()))
        refused = self._feed.other(
            "refused", lambda outcome: isinstance(outcome, Refused), lacks="No example of this feed is refused."
        )
        answer = await self._feed.send(refused, self._feed.key())
        right = [
            bool(taken["events"]) or taken["repeats"] > 0,
            waits["state"] == "held" and bool(waits["reason"]) and bool(waits["owner"]),
            answer.status_code == 422 and bool(rules_of(answer)),
        ]
        came = f"{taken['state']}; {waits['state']} as {waits['reason']}; {answer.status_code}"
        return Tried(
            "a record of each outcome", came, "" if all(right) else "each must say its state, reason and owner"
        )
