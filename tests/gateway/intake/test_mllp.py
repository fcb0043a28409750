"""HL7 v2 over MLLP, on a real socket, with the journal on a real PostgreSQL."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from adapters.base import Adapter, Reply
from adapters.gp.hl7.er7 import Hl7Message, open_message
from gateway import failpoints
from gateway.errors import ConfigurationError
from gateway.failpoints import Crashed
from gateway.intake.frames import END, framed
from gateway.intake.journal import Journal
from gateway.intake.mllp import Limits, MllpListener
from gateway.intake.record import Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.parties import Mllp, Party
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Mllp as Settings
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.adapters.gp.hl7.messages import EVN, MOVED, PID, changed, message
from tests.gateway.intake.test_files import Failing
from tests.support.certificates import certificate
from tests.support.doors import ADAPTERS, NOW, SECRETS, real_journal

pytestmark = pytest.mark.services

SENDER = "stepping-hill"
LONGEST = 4096

Heard = list[MutableMapping[str, Any]]


@dataclass
class Street:
    """A port, and what stands behind it."""

    engine: AsyncEngine
    journal: Commits
    settings: Settings = field(default_factory=Settings)
    port: Mllp = field(default_factory=lambda: Mllp(port=0))
    waiting: int = 100
    adapter: Adapter = ADAPTERS["gp"]

    def listener(self) -> MllpListener:
        """The listener of one sender."""
        refusals = Refusals(self.engine, Sealer(SECRETS.kek))
        taker = RecordTaker(self.journal, refusals, BlindIndex(SECRETS.pepper), SECRETS.namespace, "mllp")
        party = Party(id=SENDER, name=SENDER, agency="gp", mllp=self.port)
        limits = Limits(LONGEST, self.waiting)
        return MllpListener(party, self.adapter, taker, self.settings, limits, lambda: NOW)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port, listened at."""
        listener = self.listener()
        running = asyncio.create_task(listener.run())
        listening = asyncio.create_task(listener.listening.wait())
        await asyncio.wait([running, listening], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield listener.port
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def records(self) -> list[tuple[str, str]]:
        """Sender and state of every record."""
        async with self.engine.connect() as connection:
            found = await connection.execute(text("SELECT sender, state FROM records"))
            return [(row.sender, row.state) for row in found]


def turned_away(status: int, problem: str) -> float:
    """How often this process has counted that a message was not read."""
    told = {"channel": "mllp", "agency": "gp", "status": str(status), "problem": problem}
    return REGISTRY.get_sample_value("gateway_messages_turned_away_total", told) or 0.0


@dataclass
class Line:
    """One connection to a port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, body: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(body)

    async def answer(self) -> Hl7Message:
        """The next acknowledgement."""
        async with asyncio.timeout(10):
            return open_message(await self.reader.readuntil(END))

    async def ask(self, body: bytes) -> str:
        """Send a message, and the code of the acknowledgement."""
        self.send(framed(body))
        return code(await self.answer())

    async def ended(self) -> bool:
        """Whether the other side hung up, without another word."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def line(port: int, **more: Any) -> AsyncIterator[Line]:
    """A connection to a port of ours."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **more)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def code(answer: Hl7Message) -> str:
    msa = answer.first("MSA")
    assert msa is not None
    return msa.get(1)


def told(answer: Hl7Message) -> str:
    """Which message an acknowledgement answers."""
    msa = answer.first("MSA")
    assert msa is not None
    return msa.get(2)


def numbered(number: int, **more: str) -> bytes:
    """A message of its own id, about a move at a minute of its own."""
    return message(f"EVN|A31|2026030109{number:02}", PID, msh_10=f"M-{number}", **more)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def journal(engine: AsyncEngine) -> AsyncIterator[Journal]:
    """The journal, committing."""
    async with real_journal(engine) as journal:
        yield journal


@pytest.fixture
def street(engine: AsyncEngine, journal: Journal) -> Street:
    """A port on loopback, with nothing taken yet."""
    return Street(engine, journal)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What is logged."""
    with capture_logs() as lines:
        yield lines


def line_of(heard: Heard, event: str) -> MutableMapping[str, Any]:
    """The line of this event. What ends a connection is said before the other side can see that it ended."""
    (one,) = (each for each in heard if each["event"] == event)
    return one


async def test_a_message_is_acknowledged_after_its_commit(street: Street) -> None:
    """AA names the message and its receipt, and the record is in the journal."""
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED))
        answer = await sender.answer()
        assert (code(answer), told(answer)) == ("AA", "M-0001")
        assert await street.records() == [(SENDER, "translated")]


async def test_a_message_sent_twice_has_one_effect(street: Street) -> None:
    """The same message again, on this connection or another, is acknowledged and is one record."""
    async with street.open() as port:
        for _ in range(2):
            async with line(port) as sender:
                assert [await sender.ask(MOVED), await sender.ask(MOVED)] == ["AA", "AA"]
        assert await street.records() == [(SENDER, "translated")]


async def test_another_message_under_the_same_id_is_an_error(street: Street) -> None:
    """AE with 205: a control id names one message."""
    async with street.open() as port, line(port) as sender:
        assert await sender.ask(MOVED) == "AA"
        sender.send(framed(changed(MOVED, "SK4 2HD", "WN1 2AR")))
        answer = await sender.answer()
        (err,) = answer.every("ERR")
        assert (code(answer), err.get(3)) == ("AE", "205")
        assert len(await street.records()) == 1


async def test_a_faulty_message_is_an_error_and_the_next_one_flows(street: Street) -> None:
    """AE names every fault; what was refused is kept for its sender, and the connection goes on."""
    async with street.open() as port, line(port) as sender:
        sender.send(framed(changed(MOVED, "19910623", "1991-06-23")))
        refused = await sender.answer()
        assert [err.get(2) for err in refused.every("ERR")] == ["PID"]
        assert code(refused) == "AE"
        assert await sender.ask(numbered(2)) == "AA"
        async with street.engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM refusals"))).scalar_one() == 1


async def test_what_is_ignored_or_held_is_acknowledged(street: Street) -> None:
    """A message that is not ours, or waits for us, is taken: its sender cannot mend it."""
    async with street.open() as port, line(port) as sender:
        assert await sender.ask(message(EVN, PID, event="ADT^A40", msh_10="M-2")) == "AA"
        assert await sender.ask(changed(MOVED, "^GBR^H", "^GBR^HOME")) == "AA"
        assert sorted(await street.records()) == [(SENDER, "held"), (SENDER, "ignored")]


async def test_many_messages_at_once_are_answered_in_order(street: Street) -> None:
    """A sender that does not wait for answers gets them in the order of its messages."""
    async with street.open() as port, line(port) as sender:
        sender.send(b"".join(framed(numbered(number)) for number in range(20)))
        assert [told(await sender.answer()) for _ in range(20)] == [f"M-{number}" for number in range(20)]
        assert len(await street.records()) == 20


async def test_a_message_comes_in_whatever_pieces(street: Street) -> None:
    """A frame cut anywhere is one message, and garbage before it is none."""
    async with street.open() as port, line(port) as sender:
        sender.send(b"garbage\r\n")
        for byte in framed(MOVED):
            sender.send(bytes([byte]))
            await sender.writer.drain()
        assert code(await sender.answer()) == "AA"


async def test_a_message_that_is_too_long_is_refused_and_the_connection_goes_on(street: Street) -> None:
    """AE for the one that is too long, by its own id; nothing of it is taken, and it is counted."""
    before = turned_away(413, "too-large")
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED + b"NTE|1||" + b"x" * LONGEST + b"\r"))
        answer = await sender.answer()
        assert (code(answer), told(answer)) == ("AE", "M-0001")
        assert await sender.ask(numbered(2)) == "AA"
        assert len(await street.records()) == 1
    assert turned_away(413, "too-large") == before + 1


async def test_a_message_without_end_is_broken_off(street: Street, heard: Heard) -> None:
    """Bytes that never become a message end the connection, in bounded memory."""
    async with street.open() as port, line(port) as sender:
        sender.send(b"\x0b" + b"x" * (17 * LONGEST))
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "not_framed"
        assert await street.records() == []


async def test_what_does_not_speak_mllp_is_hung_up_on(street: Street, heard: Heard) -> None:
    """A stream of bytes outside any frame is somebody else's protocol."""
    async with street.open() as port, line(port) as sender:
        sender.send(b"GET / HTTP/1.1\r\nx: " + b"y" * 5000)
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "not_framed"


async def test_half_a_message_is_no_message(street: Street, heard: Heard) -> None:
    """A connection that ends in the middle leaves nothing behind, and says so in the log."""
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED)[:-20])
        sender.writer.write_eof()
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "half_frame"
        assert await street.records() == []


async def test_a_message_begun_anew_is_taken_once(street: Street, heard: Heard) -> None:
    """A sender that starts over on the same connection is heard from its second start."""
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED)[:50] + framed(MOVED))
        assert code(await sender.answer()) == "AA"
        assert line_of(heard, "mllp.half_frame")["count"] == 1
        assert len(await street.records()) == 1


async def test_a_message_that_stalls_ends_the_connection(street: Street, heard: Heard) -> None:
    """Half a message and silence: patience ends, nothing is taken, and another connection was never in the way."""
    street.settings = Settings(patience=timedelta(milliseconds=200))
    async with street.open() as port, line(port) as slow, line(port) as other:
        slow.send(framed(MOVED)[:40])
        assert await other.ask(numbered(2)) == "AA"
        assert await slow.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "stalled"
        assert await other.ask(numbered(3)) == "AA"
        assert len(await street.records()) == 2


async def test_a_connection_that_says_nothing_is_ended_in_time(street: Street, heard: Heard) -> None:
    """Between messages a connection may be idle, and not for ever."""
    street.settings = Settings(idle=timedelta(milliseconds=100))
    async with street.open() as port, line(port) as sender:
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "idle"


async def test_a_sender_that_reads_no_answers_is_let_go_of(street: Street, heard: Heard) -> None:
    """Answers nobody reads fill no memory: when patience ends, the connection does, whatever is still unsent."""
    long = Reply(bytes(4 << 20), "application/hl7-v2")
    street.adapter = replace(street.adapter, answers={"application/hl7-v2": lambda message, told: (long,)})
    street.settings = Settings(patience=timedelta(milliseconds=100))
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED) * 8)
        await sender.reader.readexactly(1)
        served = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "_connection"]
        done, _ = await asyncio.wait(served, timeout=10)
        assert len(done) == 1
        assert line_of(heard, "mllp.closed")["reason"] == "answers_not_read"


async def test_while_nothing_can_be_committed_messages_are_rejected(engine: AsyncEngine, journal: Journal) -> None:
    """AR: no commit was seen and nothing is wrong with it; sent again later, it is taken once."""
    street = Street(engine, Failing(journal, after=0))
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED))
        answer = await sender.answer()
        (err,) = answer.every("ERR")
        assert (code(answer), err.get(3)) == ("AR", "207")
        assert await street.records() == []
    street.journal = journal
    async with street.open() as port, line(port) as sender:
        assert await sender.ask(MOVED) == "AA"
        assert await street.records() == [(SENDER, "translated")]


async def test_a_sender_that_wants_no_answer_is_hung_up_on_instead(
    engine: AsyncEngine, journal: Journal, heard: Heard
) -> None:
    """Where a message cannot be committed and its sender asked for silence, hanging up is the only way to say it."""
    street = Street(engine, Failing(journal, after=0))
    async with street.open() as port, line(port) as sender:
        sender.send(framed(numbered(1, msh_15="NE", msh_16="NE")))
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "not_now"


async def test_enhanced_mode_is_answered_as_the_header_asks(street: Street) -> None:
    """A commit acknowledgement and then the application's; or silence, where nobody asked."""
    async with street.open() as port, line(port) as sender:
        sender.send(framed(numbered(1, msh_15="NE", msh_16="NE")))
        sender.send(framed(numbered(2, msh_15="AL", msh_16="AL")))
        both = [await sender.answer(), await sender.answer()]
        assert [(code(one), told(one)) for one in both] == [("CA", "M-2"), ("AA", "M-2")]
        assert len(await street.records()) == 2


async def test_too_much_waiting_for_a_commit_rejects_what_comes(street: Street) -> None:
    """What was accepted is never dropped, so what cannot be accepted is put off, and counted."""
    street.waiting = 0
    before = turned_away(429, "too-busy")
    async with street.open() as port, line(port) as sender:
        assert await sender.ask(MOVED) == "AR"
        assert await street.records() == []
    assert turned_away(429, "too-busy") == before + 1


@pytest.mark.parametrize("point", ["I4", "I5"])
async def test_a_crash_before_the_answer_costs_nothing(street: Street, point: str) -> None:
    """Committed and not acknowledged: the same message comes again, and has the first effect."""
    crashed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: crashed.set_result(context.get("exception")))
    failpoints.arm(f"{point}:1:raise")
    try:
        async with street.open() as port, line(port) as sender:
            sender.send(framed(MOVED))
            async with asyncio.timeout(10):
                assert isinstance(await crashed, Crashed)
    finally:
        failpoints.arm(None)
    assert await street.records() == [(SENDER, "translated")]
    async with street.open() as port, line(port) as sender:
        assert await sender.ask(MOVED) == "AA"
    assert await street.records() == [(SENDER, "translated")]


async def test_one_sender_holds_a_bounded_number_of_connections(street: Street, heard: Heard) -> None:
    """One more than may be open is hung up on; those that were open go on."""
    street.settings = Settings(connections=1)
    async with street.open() as port, line(port) as first:
        assert await first.ask(numbered(1)) == "AA"
        async with line(port) as second:
            assert await second.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "too_many_connections"
        assert await first.ask(numbered(2)) == "AA"


async def test_an_address_that_is_not_listed_is_not_heard(street: Street, heard: Heard) -> None:
    """MLLP has no sign-in: without certificates, only the addresses of the parties file are let in."""
    street.port = Mllp(port=0, allow=(ip_network("192.0.2.0/24"),))
    async with street.open() as port, line(port) as sender:
        sender.send(framed(MOVED))
        assert await sender.ended()
        assert line_of(heard, "mllp.closed")["reason"] == "address_not_listed"
        assert await street.records() == []


def client(trusted: Path, own: tuple[Path, Path] | None) -> ssl.SSLContext:
    """How a sender connects: trusting our certificate, and showing its own."""
    context = ssl.create_default_context(cafile=str(trusted))
    if own is not None:
        context.load_cert_chain(*own)
    return context


async def test_a_client_certificate_signs_a_sender_in(street: Street, tmp_path: Path) -> None:
    """With the certificate that is registered a message is taken; without one, or with another, nothing is heard."""
    ours, sender, stranger = (certificate(tmp_path, name) for name in ("localhost", "sender", "stranger"))
    street.port = Mllp(port=0, certificate=ours[0], key=ours[1], clients=sender[0])
    async with street.open() as port:
        async with line(port, ssl=client(ours[0], sender), server_hostname="localhost") as known:
            assert await known.ask(MOVED) == "AA"
        for own in (None, stranger):
            # The handshake of TLS 1.3 ends for the client before the server has looked at its certificate.
            with suppress(ssl.SSLError, ConnectionError):
                async with line(port, ssl=client(ours[0], own), server_hostname="localhost") as unknown:
                    unknown.send(framed(numbered(2)))
                    assert await unknown.ended()
        async with line(port) as plain:
            plain.send(framed(numbered(3)))
            assert await plain.ended()
        assert await street.records() == [(SENDER, "translated")]


async def test_a_port_that_cannot_be_had_stops_the_start(street: Street, tmp_path: Path) -> None:
    """A port in use, a certificate that is none, an agency that sends no HL7: told at start, with what to mend."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        street.port = Mllp(port=server.sockets[0].getsockname()[1])
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            await street.listener().run()
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    street.port = Mllp(port=0, certificate=bad)
    with pytest.raises(ConfigurationError, match="certificates"):
        street.listener()
    party = Party(id="force", name="force", agency="police_custody", mllp=Mllp(port=0))
    taker: Callable[..., Any] = RecordTaker
    with pytest.raises(ConfigurationError, match="not sent over MLLP"):
        MllpListener(
            party, ADAPTERS["police_custody"], taker(None, None, None, None), Settings(), Limits(1, 1), lambda: NOW
        )


def test_a_port_belongs_to_a_sender_and_certificates_to_each_other() -> None:
    """The parties file is refused where a port has no feed, or clients could show a certificate to nobody."""
    with pytest.raises(ValidationError):
        Party(id="lasars", name="lasars", recipient=True, mllp=Mllp(port=0))
    with pytest.raises(ValidationError):
        Mllp(port=0, clients=Path("clients.pem"))
