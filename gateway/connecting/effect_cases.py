"""One effect: the conformance cases about what is sent again, or cut off."""

from typing import Any

import httpx

from gateway.connecting.case import NotTried, Tried
from gateway.connecting.feed import Feed, json_of, rules_of
from gateway.connecting.triggers import Triggered


class EffectCases:
    """What a feed must pass of what is sent again, or cut off."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def repeat(self) -> Tried:
        return await self._twice(self._feed.record(), "a record")

    async def batch_twice(self) -> Tried:
        return await self._twice(self._feed.batch(), "a batch")

    async def _twice(self, what: Triggered, name: str) -> Tried:
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
        told = json_of(answer)
        rows = told.get("rows")
        whole = answer.status_code == 202 and rows == sum(
            told.get(name, 0) for name in ("accepted", "held", "ignored", "refused")
        )
        return Tried(
            "half a batch, then all of it under the same message id",
            f"{answer.status_code}, {rows} rows",
            "" if whole and rows else "202 with every row is right",
        )

    async def empty_day(self) -> Tried:
        batch = self._feed.batch()
        header = batch.body[: batch.body.find(b"\n") + 1] if batch.media_type == "text/csv" else b""
        answer = await self._feed.post("files", batch.media_type, header, self._feed.key())
        told = json_of(answer)
        rules = rules_of(answer)
        right = (answer.status_code == 202 and told.get("rows") == 0) or (answer.status_code == 422 and rules)
        came = f"{answer.status_code}, " + (f"by {', '.join(rules)}" if rules else f"{told.get('rows')} rows")
        return Tried("a batch without a row", came, "" if right else "202 with no rows, or 422 by a rule, is right")


def _number(answer: httpx.Response) -> Any:
    told = json_of(answer)
    return told.get("receipt") or told.get("file")
