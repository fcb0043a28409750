"""A MESH mailbox as a channel: the NHS's message exchange, for feeds that send their files through it.

Each message is fetched whole, taken as a file at the HTTP door is, answered where the agency's protocol answers, and
only then acknowledged, which deletes it there. What died in between is fetched again under the same message id, with
one effect. A message that nobody here expects is named and left where it is. `mesh-client` speaks the protocol.
"""

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from mesh_client import MeshClient, MeshError
from requests import HTTPError, RequestException, Response
from sqlalchemy.exc import SQLAlchemyError

from gateway import telemetry
from gateway.errors import JournalUnavailable
from gateway.failpoints import reach
from gateway.intake.mesh_access import Route
from gateway.intake.parcel import Parcel, ParcelTaker, Statement
from gateway.intake.spool import Spool
from gateway.settings import Mesh as Settings
from gateway.store.faults import passes
from gateway.store.turns import Turns
from gateway.telemetry import log

_IN_MEMORY = 1 << 20
_PIECE = 1 << 16
_DAY = 86400.0
_SUSPICIOUS = 16 << 20
_MOST_PACKED = 100
_GZIP = b"\x1f\x8b"
_YES = frozenset({"Y", "TRUE"})
REPORT = "REPORT"
"""The type of a message by which the exchange itself says that one of ours could not be delivered."""


class MeshPoll:
    """Takes what lies in our mailbox. Several processes may poll it: one at a time works on it."""

    def __init__(
        self,
        client: MeshClient,
        routes: Mapping[tuple[str, str], Route],
        taker: ParcelTaker,
        turns: Turns,
        settings: Settings,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._routes = routes
        self._taker = taker
        self._turns = turns
        self._settings = settings
        self._now = now
        self._greeted: float | None = None
        self._left: set[str] = set()

    async def run(self) -> None:
        """Poll until cancelled."""
        with self._client:
            while True:
                await self.poll()
                await asyncio.sleep(self._settings.poll.total_seconds())

    async def poll(self) -> None:
        """Take all that lies there, the oldest first. What cannot be done now is done at another poll."""
        try:
            async with self._turns.turn(f"mesh|{self._settings.mailbox}") as mine:
                if mine:
                    await self._work()
        except (RequestException, JournalUnavailable, SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("mesh.waits", error=type(error).__name__, where=telemetry.where(error))

    async def _work(self) -> None:
        if self._greeted is None or self._now() - self._greeted > _DAY:
            await asyncio.to_thread(self._client.handshake)
            self._greeted = self._now()
        listed = await asyncio.to_thread(lambda: list(self._client.iterate_message_ids()))
        self._left &= set(listed)
        for message_id in listed:
            if message_id in self._left:
                continue
            try:
                await self._take(message_id)
            except HTTPError as error:  # the exchange answered, about this message alone
                log.warning("mesh.not_fetched", status=error.response.status_code if error.response is not None else 0)
            except MeshError:
                log.error("mesh.answer_not_sent")  # nor is it acknowledged: all of it is tried again
            except Exception as error:  # a fault of ours, which this message met: it stays there, and stops no other
                if passes(error):
                    raise
                log.error("mesh.failed", error=type(error).__name__, where=telemetry.where(error))

    async def _take(self, message_id: str) -> None:
        with await asyncio.to_thread(self._client.retrieve_message_chunk, message_id, 1) as first:
            if first.headers.get("Mex-MessageType") == REPORT:
                log.error("mesh.not_delivered", code=first.headers.get("Mex-StatusCode", ""))
            elif not await self._message(first, message_id):
                self._left.add(message_id)
                return
        reach("F5")
        await asyncio.to_thread(self._client.acknowledge_message, message_id)

    async def _message(self, first: Response, message_id: str) -> bool:
        """Take and answer a message. Whether it may be acknowledged."""
        headers = first.headers
        route = self._routes.get((headers.get("Mex-From", ""), headers.get("Mex-WorkflowID", "")))
        if route is None or headers.get("Mex-Content-Encrypted", "N").upper() in _YES:
            log.error("mesh.left_lying", reason="encrypted" if route else "not_of_any_party")
            return False
        try:
            took = await self._fetch(first, message_id, route)
        except Damaged:
            log.error("mesh.left_lying", reason="damaged", sender=route.party.id)
            return False
        reach("F4")
        for reply in took.replies:
            await asyncio.to_thread(self._answer, headers["Mex-From"], route, reply.body, message_id)
        log.info("mesh.taken", sender=route.party.id, outcome="taken" if took.taken else "refused")
        return True

    async def _fetch(self, first: Response, message_id: str, route: Route) -> Statement:
        """Fetch a message whole, and take it. Raises Damaged."""
        parcel = Parcel(route.party, route.adapter, route.media_type, f"mesh|{message_id}")
        # SpooledTemporaryFile has every method of a binary file, which its stub does not say.
        with cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY)) as file:
            spool = Spool(file)
            if not await asyncio.to_thread(self._write, first, message_id, spool, self._taker.most(parcel)):
                return self._taker.too_large(parcel)
            reach("F1")
            return await self._taker.take(parcel, spool.whole())

    def _write(self, first: Response, message_id: str, spool: Spool, most: int) -> bool:
        """Write a message down, all its chunks in their order. Whether it is no larger than that (bytes)."""
        pieces = self._pieces(first, message_id)
        if first.headers.get("Mex-Content-Compressed", "N").upper() in _YES:
            pieces = unpacked(pieces)
        left = most
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                return False
            spool.write([piece])
        return True

    def _pieces(self, first: Response, message_id: str) -> Iterator[bytes]:
        yield from received(first)
        count = int(first.headers.get("Mex-Chunk-Range", "1:1").partition(":")[2])
        for number in range(2, count + 1):
            with self._client.retrieve_message_chunk(message_id, number) as chunk:
                yield from received(chunk)

    def _answer(self, mailbox: str, route: Route, body: bytes, message_id: str) -> None:
        # The same answer may be sent twice, when we die before the acknowledgement; it names the message it answers.
        self._client.send_message(mailbox, body, workflow_id=route.answer, local_id=message_id)


def received(chunk: Response) -> Iterator[bytes]:
    """A chunk as it was before the exchange compressed it for its way. Raises Damaged."""
    out = 0
    for piece in chunk.iter_content(_PIECE):
        out += len(piece)
        _modest(out, chunk.raw.tell())
        yield piece


def unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What a sender's own gzip holds, in pieces of bounded size; anything else as it is. Raises Damaged.

    The exchange says that content is compressed also where only its way here was.
    """
    first = next(pieces, b"")
    if not first.startswith(_GZIP):
        yield first
        yield from pieces
        return
    gunzip = zlib.decompressobj(wbits=31)
    packed = out = 0
    try:
        for piece in chain([first], pieces):
            packed += len(piece)
            rest = piece
            while rest and not gunzip.eof:
                told = gunzip.decompress(rest, _PIECE)
                out += len(told)
                _modest(out, packed)
                yield told
                rest = gunzip.unconsumed_tail
    except zlib.error:
        raise Damaged from None
    if not gunzip.eof:
        raise Damaged


def _modest(out: int, packed: int) -> None:
    """Raises Damaged for a bomb: no file of records shrinks to a hundredth."""
    if out > _SUSPICIOUS and out > _MOST_PACKED * packed:
        raise Damaged


class Damaged(Exception):
    """The compressed content of a message ends early, is not what it begins as, or is a bomb."""
