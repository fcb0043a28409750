"""A batch file at the door: `POST /v1/feeds/{agency}/files`.

The file is written to an unnamed temporary file as it comes, and then taken as `gateway/intake/batch.py` says.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, assert_never, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from adapters.base import Adapter
from gateway import telemetry
from gateway.access.caller import Access
from gateway.intake.batch import Became, FileClash, FileTaken, FileTaker, Incoming, RefusedWhole, Spool, Spooled
from gateway.intake.door import Limits, chunks, feed, media_type, message_id, not_too_busy
from gateway.problems import FILE_REFUSED, ID_REUSED, Problem, faults, unavailable
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
        caller = self.access.caller(request)
        adapter = feed(caller, request.path_params["agency"], self.adapters)
        told_id = message_id(request)
        media = media_type(request, adapter.files)
        not_too_busy(self.taker.journal.waiting, self.limits)
        trace = telemetry.traceparent(request.headers.get("traceparent"))
        incoming = Incoming(caller.party.id, adapter, media, told_id, trace)
        # SpooledTemporaryFile has every method of a binary file, which its stub does not say.
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as file:
            return _answer(await self.taker.take(incoming, await _spool(request, self.limits, file)))


def _answer(became: Became) -> Response:
    """202 for a file that is taken, 200 for one that had been. Raises Problem: 422 refused whole, 409 for a clash."""
    report = f"/v1/files/{became.file_id}"
    links = {"report": report}
    match became:
        case FileTaken(file_id, counts, repeat):
            document = {"file": str(file_id), "state": "taken", **counts, "links": links}
            status = 200 if repeat else 202
            return Response(orjson.dumps(document), status, {"location": report}, media_type="application/json")
        case RefusedWhole(file_id, finding):
            more = {"file": str(file_id), "links": links}
            raise Problem(FILE_REFUSED, "No row of it was taken.", errors=faults([finding]), more=more)
        case FileClash(file_id):
            more = {"file": str(file_id), "links": links}
            raise Problem(ID_REUSED, "Another file came under this message id, and was taken.", more=more)
        case _:
            assert_never(became)


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
