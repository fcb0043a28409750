"""The recipients: one process that counts what arrives and when, and answers 204.

It is the same for both sides, and it does as little as HTTP allows, so that it never is what is measured. Requests
carry a body of known length; whatever else comes is answered 400 and counted, never guessed at.

    POST /...                 a delivery; its id is the `webhook-id` header
    GET  /seen                {"arrivals", "distinct", "strange", "last"}: counts, and when the last new one arrived
    GET  /arrivals            a line per delivery: its id and when it first arrived
    POST /forget              begin again

Times are seconds of the machine's monotonic clock, which all processes of the bench share.
"""

import argparse
import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
_DELIVERY = re.compile(rb"\r\nwebhook-id:[ \t]*([^\r]+?)[ \t]*\r\n", re.IGNORECASE)

_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
_STRANGE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """What has arrived: per delivery the moment of its first arrival, and how many arrivals there were in all."""

    first: dict[bytes, float] = field(default_factory=dict)
    arrivals: int = 0
    strange: int = 0
    last: float = 0.0

    def take(self, delivery: bytes) -> None:
        """Note one arrival."""
        self.arrivals += 1
        if delivery not in self.first:
            self.first[delivery] = self.last = time.monotonic()

    def forget(self) -> None:
        """Begin again."""
        self.first = {}
        self.arrivals = self.strange = 0
        self.last = 0.0


class Recipient(asyncio.Protocol):
    """One connection of a courier."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._waiting = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where the answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is here whole."""
        self._waiting = data = self._waiting + data if self._waiting else data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[: end + 2]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(data) < whole:
                return
            self._transport.write(self._answer(head))
            self._waiting = data = data[whole:]

    def _answer(self, head: bytes) -> bytes:
        delivery = _DELIVERY.search(head)
        if delivery is not None and head.startswith(b"POST "):
            self._seen.take(delivery[1])
            return _NO_CONTENT
        match head.split(b" ", 2)[:2]:
            case [b"GET", b"/seen"]:
                seen = self._seen
                return _ok(
                    orjson.dumps(
                        {
                            "arrivals": seen.arrivals,
                            "distinct": len(seen.first),
                            "strange": seen.strange,
                            "last": seen.last,
                        }
                    )
                )
            case [b"GET", b"/arrivals"]:
                return _ok(b"".join(b"%b %.6f\n" % arrival for arrival in self._seen.first.items()))
            case [b"POST", b"/forget"]:
                self._seen.forget()
                return _NO_CONTENT
            case _:
                self._seen.strange += 1
                return _STRANGE


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def receive(port: int) -> None:
    """Serve until cancelled."""
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Recipient(seen), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The stand-in recipients of the bench.")
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(receive(parser.parse_args().port))
