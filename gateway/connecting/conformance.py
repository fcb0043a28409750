"""The cases a feed must pass before it goes live, tried against a running gateway with invented people.

They are made of the contract's own examples and of what the agency's adapter says of them here, so every agency has
them as soon as it has examples; a case that a feed has no message for is listed as such, with the reason.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from adapters.base import Held, Refused
from gateway.clock import Clock
from gateway.connecting.case import Case, NotTried, Result, Tried
from gateway.connecting.feed import Feed, against_contract
from gateway.connecting.keys import Jwk, new_key
from gateway.connecting.sign_in import PATH, Identity, assertion, token_form
from schemas.base import Fact

_LATE: Final = timedelta(days=90)
_LARGE: Final = 16 << 20
"""Bytes. Above any limit an installation sets for one record."""
_DECIDED_WITHIN: Final = 30.0
_NO_PAIR: Final = "No two examples of this feed speak of one fact in that way."
_THEIRS: Final = (
    "It is your own system that has to wait as Retry-After asks, and that cannot be seen from here. lgw send does."
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Further keys of the client. expired: registered, and past its end. following: the one to change to."""

    expired: Jwk | None = None
    following: Jwk | None = None


class Conformance:
    """The cases of one feed. who: the client that sends it."""

    def __init__(self, feed: Feed, who: Identity, keys: Keys, clock: Clock) -> None:
        self._feed = feed
        self._who = who
        self._keys = keys
        self._clock = clock

    async def run(self, told: Callable[[Case], None]) -> list[Case]:
        """Try every case, in order. told: called with each as it ends. Raises Unreachable, NotSignedIn."""
        cases = []
        for number, (name, promise, tries) in enumerate(self._cases(), start=1):
            try:
                tried = await tries()
                result = Result.FAILED if tried.wrong else Result.PASSED
                case = Case(number, name, promise, result, tried.sent, tried.came, tried.wrong)
            except NotTried as why:
                case = Case(number, name, promise, Result.NOT_TRIED, why=str(why))
            cases.append(case)
            told(case)
        return cases

    def _cases(self) -> list[tuple[str, str, Callable[[], Awaitable[Tried]]]]:
        return [
            ("signing in", "Without a token nothing is answered; with the client's key there is one.", self.signs_in),
            ("unknown key", "A key that is not registered opens nothing.", self.unknown_key),
            ("expired key", "A key that is past its end opens nothing.", self.expired_key),
            ("repeat", "A record sent twice under one message id has one effect.", self.repeat),
            ("message id used twice", "Another body under the same message id is refused.", self.id_reused),
            ("versions out of order", "An older version that comes late changes nothing.", self.out_of_order),
            ("late record", "What happened more than 90 days ago is taken.", self.late),
            ("correction", "A later version of a fact corrects the first.", self.correction),
            ("deletion", "A fact can be taken back.", self.deletion),
            ("too large", "A record above the limit is refused before it is read.", self.oversize),
            ("wrong encoding", "Bytes that are no text are treated as the contract says.", self.encoding),
            ("unknown code", "A code on no list is held by name, and never guessed.", self.unknown_code),
            ("missing field", "What is missing is refused, every fault named by its rule.", self.missing),
            ("answer 429", "The sender waits as Retry-After asks.", self.theirs),
            ("answer 503", "The sender waits as Retry-After asks.", self.theirs),
            ("clock ten minutes off", "An assertion of a clock that is wrong is refused.", self.clock_off),
            ("receipts", "Accepted, held and refused are told apart, with reasons.", self.receipts),
            ("change of keys", "While keys change, the old and the new one both serve.", self.rotation),
            ("replay of a day", "Everything sent again has no further effect.", self.replay),
            ("empty day", "A batch without rows is taken, or refused by a rule.", self.empty_day),
            ("batch sent twice", "A batch sent twice under one message id has one effect.", self.batch_twice),
            ("half a batch", "A batch that was cut off is sent again, and is whole.", self.half_batch),
            ("time zone", "A local time is the instant the contract says.", self.time_zone),
            ("merged person", "Two records of one person become one.", self.merged),
        ]

    # --- Who is calling ----------------------------------------------------------------------------------------------

    async def signs_in(self) -> Tried:
        nobody = await self._feed.client.get("/v1/receipts/none", auth=_Nobody())
        known = await self._feed.client.get("/v1/receipts/none")
        came = f"{nobody.status_code} without a token, {known.status_code} with one"
        # A receipt that is not there is 404 to whoever is signed in.
        return Tried(
            "a question without a token, and the same with one",
            came,
            "" if (nobody.status_code, known.status_code) == (401, 404) else "401 and 404 are right",
        )

    async def unknown_key(self) -> Tried:
        stranger = Identity(self._who.gateway, self._who.client, self._new_key())
        return await self._no_token(assertion(stranger, self._clock()), "an assertion signed by a key just made")

    async def expired_key(self) -> Tried:
        if self._keys.expired is None:
            raise NotTried("Name a registered key that is past its end with --expired-key.")
        old = Identity(self._who.gateway, self._who.client, self._keys.expired)
        return await self._no_token(assertion(old, self._clock()), "an assertion signed by a key past its end")

    async def clock_off(self) -> Tried:
        off = timedelta(minutes=10)
        ahead = await self._no_token(assertion(self._who, self._clock() + off), "an assertion made ten minutes ahead")
        behind = await self._no_token(assertion(self._who, self._clock() - off), "and one made ten minutes ago")
        return Tried(f"{ahead.sent}, {behind.sent}", f"{ahead.came}, {behind.came}", ahead.wrong or behind.wrong)

    async def rotation(self) -> Tried:
        if self._keys.following is None:
            raise NotTried("Name the registered key you change to with --next-key.")
        answers = [
            await self._ask_token(assertion(Identity(self._who.gateway, self._who.client, key), self._clock()))
            for key in (self._who.key, self._keys.following)
        ]
        codes = [answer.status_code for answer in answers]
        wrong = "" if codes == [200, 200] else "200 to both is right"
        return Tried("an assertion by either key", " and ".join(map(str, codes)), wrong)

    async def _no_token(self, signed: str, sent: str) -> Tried:
        answer = await self._ask_token(signed)
        refused = answer.status_code == 401 and _json(answer).get("error") == "invalid_client"
        return Tried(sent, f"{answer.status_code}", "" if refused else "401 with invalid_client is right")

    async def _ask_token(self, signed: str) -> httpx.Response:
        return await self._feed.client.post(PATH, data=token_form(signed), auth=_Nobody())

    def _new_key(self) -> Jwk:
        return new_key(self._who.client, "Ed25519", self._clock() + timedelta(days=1))

    # --- One effect --------------------------------------------------------------------------------------------------

    async def repeat(self) -> Tried:
        return await self._twice(self._feed.record(), "a record")

    async def batch_twice(self) -> Tried:
        return await self._twice(self._feed.batch(), "a batch")

    async def _twice(self, what: Any, name: str) -> Tried:
        key = self._feed.key()
        first, second = await self._feed.send(what, key), await self._feed.send(what, key)
        same = _number(first) == _number(second)
        wrong = "" if (first.status_code, second.status_code, same) == (202, 200, True) else "202, then 200 is right"
        came = f"{first.status_code}, then {second.status_code} with {'the same' if same else 'another'} receipt"
        return Tried(f"{name} twice under one message id", came, wrong)

    async def id_reused(self) -> Tried:
        one, other, key = self._feed.record(), self._feed.record(), self._feed.key()
        first, second = await self._feed.send(one, key), await self._feed.send(other, key)
        wrong = "" if (first.status_code, second.status_code) == (202, 409) else "202, then 409 is right"
        return Tried("two records under one message id", f"{first.status_code}, then {second.status_code}", wrong)

    async def replay(self) -> Tried:
        records = [one for one in self._feed.examples if one.door == "records"]
        if not records:
            raise NotTried("No example of this feed is a record.")
        day = [(made, self._feed.key()) for one in records for made in self._feed.renewed([one])]
        first = [await self._feed.send(made, key) for made, key in day]
        second = [await self._feed.send(made, key) for made, key in day]
        repeats = sum(
            again.status_code == 200 and _number(again) == _number(once)
            for once, again in zip(first, second, strict=True)
        )
        wrong = "" if repeats == len(day) else "every answer of the second time must be 200 with the first receipt"
        return Tried(f"{len(day)} records, and all of them again", f"{repeats} of {len(day)} were known", wrong)

    async def half_batch(self) -> Tried:
        batch, key = self._feed.batch(), self._feed.key()
        await self._feed.cut_off(batch, key)
        answer = await self._feed.send(batch, key)
        told = _json(answer)
        rows = told.get("rows")
        whole = answer.status_code == 202 and rows == sum(
            told.get(name, 0) for name in ("accepted", "held", "ignored", "refused")
        )
        return Tried(
            "half a batch, then all of it under the same message id",
            f"{answer.status_code}, {rows} rows",
            "" if whole and rows else "202 with every row is right",
        )

    # --- Order, corrections, taking back -----------------------------------------------------------------------------

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
        return await self._changes(_later_version, "correction", "a record, then a later version of its fact")

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
        return Tried("a record with local times", f"{len(told)} instants on its receipt", wrong)

    # --- What is wrong -----------------------------------------------------------------------------------------------

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
        rules = read_rules(answer)
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
            answer.status_code == 422 and bool(read_rules(answer)),
        ]
        came = f"{taken['state']}; {waits['state']} as {waits['reason']}; {answer.status_code}"
        return Tried(
            "a record of each outcome", came, "" if all(right) else "each must say its state, reason and owner"
        )

    async def empty_day(self) -> Tried:
        batch = self._feed.batch()
        header = batch.body[: batch.body.find(b"\n") + 1] if batch.media_type == "text/csv" else b""
        answer = await self._feed.post("files", batch.media_type, header, self._feed.key())
        told = _json(answer)
        rules = read_rules(answer)
        right = (answer.status_code == 202 and told.get("rows") == 0) or (answer.status_code == 422 and rules)
        came = f"{answer.status_code}, " + (f"by {', '.join(rules)}" if rules else f"{told.get('rows')} rows")
        return Tried("a batch without a row", came, "" if right else "202 with no rows, or 422 by a rule, is right")

    async def theirs(self) -> Tried:
        raise NotTried(_THEIRS)

    async def _taken(self, record: Any, sent: str) -> Tried:
        answer = await self._feed.send(record, self._feed.key())
        wrong = against_contract(answer, self._feed.outcome(record.body, record.media_type))
        return Tried(sent, str(answer.status_code), wrong)


class _Nobody(httpx.Auth):
    """Signs in as nobody."""


def read_rules(answer: httpx.Response) -> list[str]:
    """The rules an answer names."""
    return sorted({str(one.get("rule")) for one in _json(answer).get("errors", ())})


def _later_version(one: Fact, other: Fact) -> bool:
    return (
        one.withdrawn is None
        and other.withdrawn is None
        and one.version is not None
        and other.version is not None
        and one.version < other.version
    )


def _taken_back(one: Fact, other: Fact) -> bool:
    return one.withdrawn is None and other.withdrawn is not None


def _occurred(fact: Fact, before: datetime) -> bool:
    return fact.event is not None and fact.event.occurred.at < before


def _states(receipt: dict[str, Any]) -> set[str]:
    return {event["state"] for event in receipt["events"]}


def _number(answer: httpx.Response) -> Any:
    told = _json(answer)
    return told.get("receipt") or told.get("file")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = json.loads(answer.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
