"""What a poster makes of everything a recipient's server may answer, on real connections."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery import posting
from gateway.delivery.posting import MOST_ANSWER, Answer, Failure, Line, Poster
from tests.support.certificates import certificate

WITHIN = timedelta(seconds=5)
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Server:
    """Says the same to every request, whatever it is. hang_up: then closes. arrived, left: a request, a connection."""

    says: bytes = DONE
    hang_up: bool = False
    tls: ssl.SSLContext | None = None
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    requests: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                self.arrived.set()
                writer.write(self.says)
                await writer.drain()
                if self.hang_up:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.open.discard(writer)
            writer.close()
            self.left.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in tuple(self.open):
            writer.transport.abort()


@asynccontextmanager
async def posting_to(server: Server, *, path: str = "/in", within: timedelta = WITHIN) -> AsyncIterator[Poster]:
    """A poster to a server that runs."""
    async with server:
        with closing(Poster(f"http://127.0.0.1:{server.port}{path}", within)) as poster:
            yield poster


async def post(poster: Poster, times: int = 1) -> list[Answer | Failure]:
    """Post one after the other."""
    return [await poster.post({"webhook-id": str(number)}, b'{"a": 1}') for number in range(times)]


async def test_a_request_says_where_it_goes_how_long_it_is_and_what_it_was_given() -> None:
    """The body is sent byte for byte; the query belongs to the address."""
    async with posting_to(server := Server(), path="/in?area=kent%20west") as poster:
        assert await poster.post({"webhook-id": "7"}, b"\x00{}") == Answer(204, {}, b"")
        assert server.requests == [
            b"POST /in?area=kent%20west HTTP/1.1\r\n"
            + f"host: 127.0.0.1:{server.port}\r\n".encode()
            + b"user-agent: lasars-gateway\r\naccept: */*\r\ncontent-type: application/json\r\n"
            + b"webhook-id: 7\r\ncontent-length: 3\r\n\r\n\x00{}"
        ]


async def test_a_user_in_the_address_signs_in() -> None:
    """With Basic authentication (RFC 7617), and stands nowhere else."""
    async with (server := Server()):
        with closing(Poster(f"http://kent:s%20ecret@127.0.0.1:{server.port}/", WITHIN)) as poster:
            await post(poster)
    word = base64.b64encode(b"kent:s ecret")
    assert b"authorization: Basic " + word + b"\r\n" in server.requests[0]
    assert b"ecret@" not in server.requests[0]


async def test_a_connection_is_kept_for_the_next_request() -> None:
    """One after the other they share it; at once each has its own."""
    async with posting_to(server := Server()) as poster:
        assert await post(poster, 3) == [Answer(204, {}, b"")] * 3
        assert server.connections == 1
        await asyncio.gather(post(poster), post(poster), post(poster))
        assert server.connections == 3


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        b"HTTP/1.0 204 No Content\r\n\r\n",
        DONE + b"HTTP/1.1 500 Never asked for\r\ncontent-length: 0\r\n\r\n",
        DONE + b"and more",
    ],
    ids=["close", "http 1.0", "a second answer", "a rest"],
)
async def test_a_connection_that_may_hold_something_else_is_not_used_again(says: bytes) -> None:
    """No request is ever answered by what belonged to another."""
    async with posting_to(server := Server(says)) as poster:
        for answer in await post(poster, 3):
            assert isinstance(answer, Answer)
            assert answer.status == 204
        assert server.connections == 3


async def test_a_connection_that_was_closed_meanwhile_is_not_used_again() -> None:
    """Servers close what is idle; the next request has a new one."""
    async with posting_to(server := Server(hang_up=True)) as poster:
        for _ in range(3):
            assert await post(poster) == [Answer(204, {}, b"")]
            await server.left.wait()
            server.left.clear()
            for _ in range(10):  # until its end has been heard here
                await asyncio.sleep(0)
        assert server.connections == 3


async def test_a_connection_nobody_needs_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However quiet it is after that."""
    monkeypatch.setattr(posting, "_IDLE", 0.05)
    async with posting_to(server := Server()) as poster:
        await post(poster)
        async with asyncio.timeout(5):
            await server.left.wait()


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        (
            b"HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\nRetry-After: 3\r\n\r\nknow",
            Answer(409, {"content-length": "4", "retry-after": "3"}, b"know"),
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            Answer(200, {"transfer-encoding": "chunked"}, b"abc"),
        ),
        (b"HTTP/1.1 100 Continue\r\nx: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + DONE, Answer(204, {}, b"")),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", Answer(101, {"upgrade": "x"}, b"")),
        (b"HTTP/1.1 200\r\n\r\nto the end", Answer(200, {}, b"to the end")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", Answer(200, {"content-length": "9"}, b"short")),
        (b"HTTP/1.1 200 OK\r\nsnowman: \xe2\x98\x83\r\n\r\n", Answer(200, {"snowman": "â\x98\x83"}, b"")),
        (b"", Failure.CONNECTION),
        (b"HTTP/1.1 200 OK\r\nx:", Failure.CONNECTION),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Failure.CONNECTION),
    ],
    ids=["whole", "chunked", "interim", "upgrade", "to the end", "cut short", "bytes", "none", "half a head", "ssh"],
)
async def test_an_answer_counts_from_the_end_of_its_head(says: bytes, answer: Answer | Failure) -> None:
    """As far as it came, when the connection ends; without a whole head there was none."""
    async with posting_to(Server(says, hang_up=True)) as poster:
        assert await post(poster) == [answer]


@pytest.mark.parametrize(
    ("begins", "status"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", 200), (b"HTTP/1.1 200 OK\r\n", None), (b"HTTP/1.1 200 OK\r\nx: ", None)],
    ids=["body", "headers", "header"],
)
async def test_an_endless_answer_is_heard_no_further_than_64_kib(begins: bytes, status: int | None) -> None:
    """Whatever part of it never ends."""
    endless = b"x: y\r\n" if begins.endswith(b"OK\r\n") else b"x" * 6
    async with posting_to(server := Server(begins + endless * (1 << 20)), within=timedelta(minutes=1)) as poster:
        [answer] = await post(poster)
        if status is None:
            assert answer is Failure.CONNECTION
        else:
            assert isinstance(answer, Answer)
            assert answer.status == status
            assert len(answer.body) < 16 * MOST_ANSWER  # what one read of the socket may bring
        async with asyncio.timeout(10):
            await server.left.wait()


async def test_after_the_deadline_a_status_counts_and_nothing_else_does() -> None:
    """A slow body is no failure; a slow head is a timeout."""
    soon = timedelta(milliseconds=100)
    async with posting_to(Server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nslow"), within=soon) as poster:
        assert await post(poster) == [Answer(200, {"content-length": "9"}, b"slow")]
    async with posting_to(server := Server(b"HTTP/1.1 200 OK\r\n"), within=soon) as poster:
        assert await post(poster, 2) == [Failure.TIMEOUT] * 2
        assert server.connections == 2


async def test_who_stops_waiting_leaves_no_connection_behind() -> None:
    """A post that is cancelled ends its connection, so that its answer is nobody else's."""
    async with posting_to(server := Server(b"")) as poster:
        waiting = asyncio.create_task(post(poster))
        async with asyncio.timeout(5):
            await server.arrived.wait()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await server.left.wait()


async def test_only_who_is_vouched_for_is_told_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody trusts, or another host's, ends it before a byte is sent."""
    file, key = certificate(tmp_path, "localhost")
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(file, key)
    believed = ssl.create_default_context(cafile=str(file))
    async with Server(tls=served) as server:
        for host, trusts, expected in (
            ("localhost", ssl.create_default_context(), Failure.CONNECTION),
            ("127.0.0.1", believed, Failure.CONNECTION),
            ("localhost", believed, Answer(204, {}, b"")),
        ):
            monkeypatch.setattr(posting, "_trust", lambda trusts=trusts: trusts)
            with closing(Poster(f"https://{host}:{server.port}/", WITHIN)) as poster:
                assert await post(poster) == [expected]
        assert len(server.requests) == 1


class Wire(asyncio.Transport):
    """A transport that keeps nothing."""

    closed = False

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def abort(self) -> None:
        """Close it."""
        self.closed = True


async def heard(pieces: Sequence[bytes]) -> Answer | Failure:
    """What a line makes of these pieces, and the end of the connection."""
    line = Line()
    line.connection_made(Wire())
    answer = line.ask(asyncio.get_running_loop().time() + 60)
    for piece in pieces:
        line.data_received(piece)
    line.connection_lost(None)
    return await answer


@settings(max_examples=200, deadline=None)
@given(
    cuts=st.sets(st.integers(1, 150)), status=st.integers(200, 599), body=st.binary(max_size=60), chunked=st.booleans()
)
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(
    cuts: set[int], status: int, body: bytes, chunked: bool
) -> None:
    """TCP knows no messages."""
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(body)
    whole = b"HTTP/1.1 %d What\r\n%b\r\n\r\n%b" % (status, length, framed if chunked else body)
    ends = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [whole[begin:end] for begin, end in pairwise(ends)]
    answer = asyncio.run(heard(pieces))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (status, b"" if status in {204, 304} else body)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=200), max_size=8))
def test_whatever_comes_is_an_answer_or_none(pieces: list[bytes]) -> None:
    """Bytes that are no HTTP raise nothing."""
    assert asyncio.run(heard(pieces)) is Failure.CONNECTION
