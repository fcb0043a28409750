"""One agency's feed as a test kit meets it: what can be sent, sending it, and what the receipts say."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from adapters.base import Accepted, Adapter, FileRefused, Held, Ignored, Message, Outcome, Refused
from gateway.clock import Clock
from gateway.connecting.case import NotTried
from gateway.connecting.parcel import new_batch
from gateway.connecting.sending import post, read_answer
from gateway.connecting.triggers import Example, NoTrigger, Triggered, batches, examples, together
from gateway.offline.records import media_type, pieces_of
from schemas.base import Fact

_LINES: Final = "application/x-ndjson"
_LOOK: Final = 0.1
_WORDS: Final = {Accepted: "accepted", Held: "held", Ignored: "ignored", Refused: "refused"}


@dataclass(frozen=True, slots=True)
class Other:
    """An example that is not accepted, as a record, and what its adapter makes of it.

    file: where it comes from. row: it is one of many there.
    """

    file: Path
    row: bool
    media_type: str
    body: bytes
    outcome: Outcome


class Feed:
    """The feed of the client that is signed in. contracts: the folder of the inbound contracts."""

    def __init__(
        self, client: httpx.AsyncClient, adapter: Adapter, contracts: Path, chance: random.Random, clock: Clock
    ) -> None:
        self.client = client
        self.adapter = adapter
        self._contracts = contracts
        self._chance = chance
        self._clock = clock
        self._run = new_batch()
        self._sent = 0
        self.examples = [one for one in examples(adapter, contracts, clock()) if one.outcome.facts]

    # --- What can be sent --------------------------------------------------------------------------------------------

    def record(self, fits: Callable[[Fact], bool] = lambda _: True, *, lacks: str = "") -> Triggered:
        """A record that tells something that fits, of somebody new. Raises NotTried, saying what the feed lacks."""
        for example in self.examples:
            if example.door == "records" and any(
                fact.withdrawn is None and fits(fact) for fact in example.outcome.facts
            ):
                (made,) = self.renewed([example])
                return made
        raise NotTried(lacks or f"No example of {self.adapter.name} is a record that could be sent by itself.")

    def pair(self, fits: Callable[[Fact, Fact], bool], *, lacks: str) -> tuple[Triggered, Triggered]:
        """Two records that speak of one fact, and fit. Raises NotTried, saying what the feed lacks."""
        records = [one for one in self.examples if one.door == "records"]
        for first in records:
            for second in records:
                if any(
                    one.key == other.key and fits(one, other)
                    for one in first.outcome.facts
                    for other in second.outcome.facts
                ):
                    one, other = self.renewed([first, second])
                    return one, other
        raise NotTried(lacks)

    def batch(self) -> Triggered:
        """A batch file about people who are new. Raises NotTried."""
        for example in batches(self.adapter, self._contracts, self._clock()):
            try:
                (made,) = self.renewed([example])
            except NotTried:
                continue
            return made
        return self._gathered()

    def _gathered(self) -> Triggered:
        """Records of this feed as one batch file, a line each, where it takes such files. Raises NotTried."""
        if _LINES not in self.adapter.files:
            raise NotTried(f"No example of {self.adapter.name} is a batch file.")
        records = [one for one in self.examples if one.media_type == "application/json"]
        made = [told for one in records for told in self.renewed([one])]
        body = b"".join(orjson.dumps(orjson.loads(one.body), option=orjson.OPT_APPEND_NEWLINE) for one in made)
        return Triggered(self.adapter.name, "files", _LINES, body, tuple(kind for one in made for kind in one.kinds))

    def renewed(self, several: Sequence[Example]) -> tuple[Triggered, ...]:
        """Examples told of somebody new. Raises NotTried."""
        try:
            return together(self.adapter, several, self._chance, self._clock())
        except NoTrigger:
            raise NotTried("The example cannot be told of somebody else.") from None

    def other(self, folder: str, fits: Callable[[Outcome], bool], *, lacks: str) -> Other:
        """An example of held or refused: a record if there is one, else a row; of several, the one with most findings.

        Raises NotTried, saying what the feed lacks.
        """
        found = [one for one in self._others(folder) if fits(one.outcome)]
        if not found:
            raise NotTried(lacks)
        return max(found, key=lambda one: (not one.row, len(getattr(one.outcome, "findings", ()))))

    def outcome(self, body: bytes, kind: str) -> Outcome:
        """What the contract says of a record."""
        return self.adapter.read(Message(body, kind, self._clock()))

    def _others(self, folder: str) -> Iterator[Other]:
        """What stands in a folder of examples and can be sent as a record, rows of batch files among it."""
        place = self._contracts / self.adapter.name / "examples" / folder
        for file in sorted(place.rglob("*")) if place.is_dir() else ():
            if file.is_file():
                with file.open("rb") as opened, suppress(FileRefused):  # such a file has no rows that count
                    for piece in pieces_of(self.adapter, opened, file.name, media_type(file)):
                        if piece.media_type in self.adapter.records:
                            outcome = self.outcome(piece.body, piece.media_type)
                            yield Other(file, piece.row is not None, piece.media_type, piece.body, outcome)

    # --- Sending, and what became of it ------------------------------------------------------------------------------

    def key(self) -> str:
        """A message id that was never used."""
        self._sent += 1
        return f"{self._run}-{self._sent}"

    async def send(self, what: Triggered | Other, key: str, *, body: bytes | None = None) -> httpx.Response:
        """Send this under a message id. body: other bytes in its place. Raises Unreachable."""
        door = what.door if isinstance(what, Triggered) else "records"
        return await self.post(door, what.media_type, what.body if body is None else body, key)

    async def post(self, door: str, kind: str, body: bytes, key: str) -> httpx.Response:
        """Post these bytes to a door, until the gateway settles it. Raises Unreachable."""
        return await post(self.client, f"/v1/feeds/{self.adapter.name}/{door}", kind, body, key)

    async def cut_off(self, what: Triggered, key: str) -> None:
        """Send the first half of this, and end the connection there."""

        async def half() -> AsyncIterator[bytes]:
            yield what.body[: len(what.body) // 2]
            raise ConnectionAbortedError

        headers = {
            "content-type": what.media_type,
            "content-length": str(len(what.body)),
            "idempotency-key": key,
        }
        path = f"/v1/feeds/{self.adapter.name}/{what.door}"
        try:
            await self.client.post(path, content=half(), headers=headers)
        except (ConnectionAbortedError, httpx.TransportError):
            return

    async def receipt(self, answer: httpx.Response) -> dict[str, Any]:
        """The receipt that an answer gave. Raises NotTried where it gave none."""
        number = read_answer(0, answer).receipt
        if number is None:
            raise NotTried("The gateway gave no receipt to look up.")
        told = await self.client.get(f"/v1/receipts/{number}")
        told.raise_for_status()
        found: dict[str, Any] = told.json()
        return found

    async def receipt_when(
        self, answer: httpx.Response, settled: Callable[[dict[str, Any]], bool], *, within: float
    ) -> dict[str, Any]:
        """The receipt once it is so, or as it is after so many seconds."""
        told = await self.receipt(answer)
        for _ in range(int(within / _LOOK)):
            if settled(told):
                break
            await asyncio.sleep(_LOOK)
            told = await self.receipt(answer)
        return told


def against_contract(answer: httpx.Response, outcome: Outcome) -> str:
    """What is wrong with an answer to a record of which the contract says this; empty where nothing is."""
    word = _WORDS[type(outcome)]
    told = read_answer(0, answer)
    if isinstance(outcome, Refused):
        rules = {finding.rule.id for finding in outcome.findings}
        if answer.status_code != 422:
            return f"the contract refuses it ({', '.join(sorted(rules))}); the gateway answered {answer.status_code}"
        if told.rules and set(told.rules) != rules:
            return f"refused by {', '.join(sorted(set(told.rules)))}, and by the contract {', '.join(sorted(rules))}"
        return ""
    if answer.status_code != 202:
        return f"by the contract it is {word}; the gateway answered {answer.status_code}"
    states = {"accepted": {"received", "validated"}}.get(word, {word})
    return "" if told.state in states else f"by the contract it is {word}; the receipt says {told.state}"


def rules_of(answer: httpx.Response) -> list[str]:
    """The rules an answer names, each once."""
    return sorted({str(one.get("rule")) for one in json_of(answer).get("errors", ())})


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """An answer's JSON object; empty where it has none."""
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
