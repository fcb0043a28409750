"""A batch file at the door: `POST /v1/feeds/{agency}/files`.

The file is written to an unnamed temporary file as it comes, and then taken as `gateway/intake/batch.py` says.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from adapters.base import Adapter, Reply
from gateway import telemetry
from gateway.access.caller import Access
from gateway.failpoints import reach
from gateway.intake.answers import replies_to_file
from gateway.intake.batch import Became, FileTaken, FileTaker, Incoming
from gateway.intake.door import Limits, chunks, feed, media_type, message_id, not_too_busy, turned_away
from gateway.intake.spool import Spool, Spooled
from gateway.intake.told import file_problem, file_told
from gateway.problems import Problem, unavailable
from gateway.telemetry import log

_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class FileDoor:
    """Takes one batch file."""

    access: Access
    adapters: Mapping[str, Adapter]
    taker: FileTaker
    limits: Limits

    async def __call__(self, request: Request) -> Response:
        """Serve one request. Raises Problem for every answer that is not an acceptance."""
        agency: str = request.path_params["agency"]
        # SpooledTemporaryFile has every method of a binary file, which its stub does not say.
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as file:
            try:
                incoming = self._incoming(request, agency)
                spooled = await _spool(request, self.limits, file)
            except Problem as problem:
                turned_away(self.taker.channel, self.adapters.get(agency), problem.kind)
                raise
            became = await self.taker.take(incoming, spooled)
            reach("F4")
            said = await replies_to_file(self.taker, incoming, spooled, became, self.taker.clock())
        return _answer(became, said)

    def _incoming(self, request: Request, agency: str) -> Incoming:
        """What is known of a file before it is read. Raises Problem for one that is not let in."""
        caller = self.access.caller(request)
        adapter = feed(caller, agency, self.adapters)
        told_id = message_id(request)
        media = media_type(request, adapter.files)
        not_too_busy(self.taker.journal.waiting, self.limits)
        trace = telemetry.traceparent(request.headers.get("traceparent"))
        return Incoming(caller.party.id, adapter, media, told_id, trace)


def _answer(became: Became, said: tuple[Reply, ...]) -> Response:
    """202 for a file that is taken, 200 for one that had been. Raises Problem: 422 refused whole, 409 for a clash.

    said: what the agency's protocol answers; it is sent under the same status.
    """
    headers = {"location": f"/v1/files/{became.file_id}"}
    if isinstance(became, FileTaken):
        status = 200 if became.repeat else 202
        reply = said[-1] if said else Reply(orjson.dumps(file_told(became)), "application/json")
        return Response(reply.body, status, headers, media_type=reply.media_type)
    problem = file_problem(became)
    if said:
        return Response(said[-1].body, problem.kind.status, headers, media_type=said[-1].media_type)
    raise problem


async def _spool(request: Request, limits: Limits, file: BinaryIO) -> Spooled:
    """Write the body down as it comes, in bounded memory."""
    spool = Spool(file)
    gathered: list[bytes] = []
    length = 0
    try:
        async for chunk in chunks(request, limits):
            gathered.append(chunk)
            length += len(chunk)
            if length >= _IN_MEMORY:
                await asyncio.to_thread(spool.write, gathered)
                gathered, length = [], 0
        await asyncio.to_thread(spool.write, gathered)
    except OSError as error:
        log.error("file.not_written", error=type(error).__name__, where=telemetry.where(error))
        raise unavailable() from None
    return spool.whole()
