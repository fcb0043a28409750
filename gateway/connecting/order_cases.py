"""When something happened, and what is said of it later: the conformance cases about versions and times."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.clock import Clock
from gateway.connecting.case import Tried
from gateway.connecting.feed import Feed, against_contract
from gateway.connecting.triggers import Triggered
from gateway.wording import many
from schemas.base import Fact

_LATE: Final = timedelta(days=90)
_DECIDED_WITHIN: Final = 30.0
"""Seconds a gateway may take to address what it has taken."""
_NO_PAIR: Final = "No two examples of this feed speak of one fact in that way."


class OrderCases:
    """What a feed must pass of versions, corrections and times."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock

    async def out_of_order(self) -> Tried:
        older, newer = self._feed.pair(_later_version, lacks=_NO_PAIR)
        await self._feed.send(newer, self._feed.key())
        answer = await self._feed.send(older, self._feed.key())
        receipt = await self._feed.receipt_when(
            answer, lambda told: _states(told) != {"validated"}, within=_DECIDED_WITHIN
        )
        states = _states(receipt)
        return Tried(
            "a version, then an older one of the same fact",
            f"{answer.status_code}, then {', '.join(sorted(states)) or 'no event'}",
            "" if "superseded" in states else "the older one must end as superseded",
        )

    async def correction(self) -> Tried:
        return await self._changes(_told_otherwise, "correction", "a record, then a later version of its fact")

    async def deletion(self) -> Tried:
        return await self._changes(_taken_back, "retraction", "a record, then one that takes its fact back")

    async def _changes(self, fits: Callable[[Fact, Fact], bool], change: str, sent: str) -> Tried:
        before, after = self._feed.pair(fits, lacks=_NO_PAIR)
        first = await self._feed.receipt(await self._feed.send(before, self._feed.key()))
        second = await self._feed.receipt(await self._feed.send(after, self._feed.key()))
        known = {event["event"] for event in first["events"]}
        changed = [event for event in second["events"] if event["supersedes"] in known]
        changes = [event["change"] for event in changed]
        wrong = "" if change in changes else f"the second must be the {change} of the first"
        return Tried(sent, f"{', '.join(changes) or 'nothing'} of the first", wrong)

    async def late(self) -> Tried:
        limit = self._clock() - _LATE
        record = self._feed.record(
            lambda fact: _occurred(fact, limit), lacks="No example of this feed tells of anything that old."
        )
        answer = await self._feed.send(record, self._feed.key())
        wrong = "" if answer.status_code == 202 else "202 is right"
        return Tried("a record of something more than 90 days ago", str(answer.status_code), wrong)

    async def merged(self) -> Tried:
        record = self._feed.record(
            lambda fact: fact.kind.endswith(".merged"), lacks="This feed tells of no merged persons."
        )
        return await self._taken(record, "a merge of two records of one person")

    async def time_zone(self) -> Tried:
        record = self._feed.record(
            lambda fact: fact.event is not None and fact.event.occurred.zone_assumed,
            lacks="This feed tells its times with their zone.",
        )
        outcome = self._feed.outcome(record.body, record.media_type)
        answer = await self._feed.send(record, self._feed.key())
        receipt = await self._feed.receipt(answer)
        right = {fact.event.occurred.at for fact in getattr(outcome, "facts", ()) if fact.event is not None}
        told = {datetime.fromisoformat(event["occurred"]) for event in receipt["events"]}
        wrong = "" if told == right else "the receipt names another instant than the contract"
        return Tried("a record with local times", f"{many(len(told), 'instant')} on its receipt", wrong)

    async def _taken(self, record: Triggered, sent: str) -> Tried:
        answer = await self._feed.send(record, self._feed.key())
        wrong = against_contract(answer, self._feed.outcome(record.body, record.media_type))
        return Tried(sent, str(answer.status_code), wrong)


def _later_version(one: Fact, other: Fact) -> bool:
    return (
        one.withdrawn is None
        and other.withdrawn is None
        and one.version is not None
        and other.version is not None
        and one.version < other.version
    )


def _told_otherwise(one: Fact, other: Fact) -> bool:
    """Whether the second corrects the first: by its version, or, where there are none, by coming after it."""
    unnumbered = one.version is None and other.version is None and one.withdrawn is None and other.withdrawn is None
    return _later_version(one, other) or (unnumbered and one.event != other.event)


def _taken_back(one: Fact, other: Fact) -> bool:
    return one.withdrawn is None and other.withdrawn is not None


def _occurred(fact: Fact, before: datetime) -> bool:
    return fact.event is not None and fact.event.occurred.at < before


def _states(receipt: dict[str, Any]) -> set[str]:
    return {event["state"] for event in receipt["events"]}
