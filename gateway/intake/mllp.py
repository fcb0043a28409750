"""HL7 v2 over MLLP: a port for each sender, messages in order on each connection, an acknowledgement after the commit.

MLLP has no sign-in. Whose messages come in at a port is what the parties file says; who may connect is a client
certificate where the party has one registered, else an address that it lists (loopback, where it lists none).
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from adapters.base import Adapter, Answered, Fate, Finding, Level, Message, Reply, Rule
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import ConfigurationError, JournalUnavailable
from gateway.failpoints import reach
from gateway.intake.answers import answered, replies
from gateway.intake.door import turned_away
from gateway.intake.frames import Frame, Frames, OutOfStep, framed
from gateway.intake.record import RecordTaker
from gateway.parties import Mllp, Party
from gateway.problems import TOO_BUSY, TOO_LARGE
from gateway.settings import Mllp as Settings
from gateway.telemetry import log

MEDIA_TYPE: Final = "application/hl7-v2"

_PIECE: Final = 64 * 1024
_SLOWEST: Final = 1024
"""Bytes a second a message must come in on average, once patience is spent."""

TOO_LONG: Final = Rule(
    "MLLP-001",
    Level.REFUSE,
    "The message is longer than is taken here",
    "Send the message without embedded documents.",
)


class _Leave(Exception):
    """The connection ends here. reason: why, in a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MllpListener:
    """One sender's port. limits: bytes of a message, and records that may wait for a commit before a rejection."""

    def __init__(
        self,
        party: Party,
        adapter: Adapter,
        taker: RecordTaker,
        settings: Settings,
        limits: "Limits",
        clock: Clock,
    ) -> None:
        if party.mllp is None:
            raise ValueError("this party has no port")
        if MEDIA_TYPE not in adapter.records:
            raise ConfigurationError(
                f"The party {party.id} sends {adapter.name}, which is not sent over MLLP.",
                "Take mllp out of its entry, or give it an agency that sends HL7 v2.",
            )
        self._port = party.mllp
        self._sender = party.id
        self._adapter = adapter
        self._taker = taker
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._tls = _context(party.id, party.mllp)
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.listening = asyncio.Event()

    @property
    def port(self) -> int:
        """The port it listens at, once it does."""
        if self._server is None:
            raise ValueError("it does not listen yet")
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def run(self) -> None:
        """Listen until cancelled. Raises ConfigurationError where the port cannot be had."""
        try:
            self._server = await asyncio.start_server(
                self._connection,
                self._port.host,
                self._port.port,
                ssl=self._tls,
                ssl_handshake_timeout=self._settings.patience.total_seconds() if self._tls else None,
                limit=_PIECE,
                reuse_port=True,
            )
        except OSError as error:
            raise ConfigurationError(
                f"The port {self._port.port} of the party {self._sender} cannot be opened ({error.strerror}).",
                "Free it, or choose another in the parties file.",
            ) from None
        log.info("mllp.listening", sender=self._sender, port=self.port, mode="tls" if self._tls else "plain")
        self.listening.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._server.close()
            for task in self._open:  # what was committed and not answered comes again, and is told so
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; nothing that happens on it reaches another."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server runs this as a task
        self._open.add(task)
        try:
            self._admit(writer)
            await self._converse(reader, writer)
        except _Leave as leave:
            log.warning("mllp.closed", sender=self._sender, reason=leave.reason)
        except (ConnectionError, ssl.SSLError):
            log.info("mllp.lost", sender=self._sender)
        except asyncio.CancelledError:
            # Only `run` cancels it; the server's own callback would take a cancelled task for a fault.
            writer.transport.abort()
        except Exception as error:
            # Unforeseen, and nothing was acknowledged: its sender has the message still, and sends it again.
            log.error("mllp.failed", sender=self._sender, error=type(error).__name__, where=telemetry.where(error))
        finally:
            await self._hang_up(writer)
            self._open.discard(task)

    async def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        """End a connection. An answer its sender does not read in time is dropped: it would be kept for ever."""
        writer.close()
        try:
            async with asyncio.timeout(self._settings.patience.total_seconds()):
                await writer.wait_closed()
        except (OSError, ssl.SSLError, asyncio.CancelledError):  # a TimeoutError is an OSError
            writer.transport.abort()

    def _admit(self, writer: asyncio.StreamWriter) -> None:
        """Raises _Leave for who is not let in, and parts without a word: a farewell would take up somebody's place."""
        peer = writer.get_extra_info("peername")
        if not (peer and self._welcome(peer[0])):
            writer.transport.abort()
            raise _Leave("address_not_listed")
        if len(self._open) > self._settings.connections:
            writer.transport.abort()
            raise _Leave("too_many_connections")

    def _welcome(self, address: str) -> bool:
        told = ip_address(address.partition("%")[0])
        if isinstance(told, IPv6Address) and told.ipv4_mapped is not None:
            told = told.ipv4_mapped
        if self._port.allow:
            return any(told in network for network in self._port.allow)
        return self._port.clients is not None or told.is_loopback

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one message after the other: the next is not read before the last one is answered."""
        frames = Frames(self._limits.longest)
        halves = 0
        pace = _Pace(self._settings.patience, self._settings.idle)
        while data := await self._read(reader, frames, pace):
            try:
                for frame in frames.feed(data):
                    await self._answer(writer, await self._take(frame))
            except OutOfStep:
                raise _Leave("not_framed") from None
            if frames.halves > halves:
                log.warning("mllp.half_frame", sender=self._sender, count=frames.halves - halves)
                halves = frames.halves
        if frames.begun:
            raise _Leave("half_frame")

    async def _read(self, reader: asyncio.StreamReader, frames: Frames, pace: "_Pace") -> bytes:
        try:
            async with asyncio.timeout_at(pace.until(frames)):
                return await reader.read(_PIECE)
        except TimeoutError:
            raise _Leave("stalled" if frames.begun else "idle") from None

    async def _take(self, frame: Frame) -> tuple[Reply, ...]:
        """Take one message; the answers its sender wants. Raises _Leave where it can only be told by hanging up."""
        message = Message(frame.body, MEDIA_TYPE, self._clock())
        told = await self._told(frame, message)
        said = replies(self._adapter, message, told)
        if not said and told.fate is Fate.NOT_NOW:
            raise _Leave("not_now")  # it wants no answer, and must not think that it was heard
        return said

    async def _told(self, frame: Frame, message: Message) -> Answered:
        if not frame.whole:
            finding = Finding(TOO_LONG, "message", f"more than {self._limits.longest} bytes")
            log.info("mllp.refused", sender=self._sender, rule=TOO_LONG.id)
            turned_away(self._taker.channel, self._adapter, TOO_LARGE)
            return Answered(Fate.REFUSED, self._clock(), findings=(finding,))
        if self._taker.journal.waiting >= self._limits.waiting:
            turned_away(self._taker.channel, self._adapter, TOO_BUSY)
            return Answered(Fate.NOT_NOW, self._clock())
        named = self._adapter.ids.get(MEDIA_TYPE)
        told_id = named(message.body) if named is not None else None
        trace = telemetry.traceparent(None)
        try:
            became = await self._taker.take(self._sender, self._adapter, message, told_id, trace)
        except JournalUnavailable:
            return Answered(Fate.NOT_NOW, self._clock())
        reach("I4")
        return answered(became, self._clock())

    async def _answer(self, writer: asyncio.StreamWriter, said: tuple[Reply, ...]) -> None:
        if not said:
            return
        writer.writelines([framed(reply.body) for reply in said])
        try:
            async with asyncio.timeout(self._settings.patience.total_seconds()):
                await writer.drain()
        except TimeoutError:
            raise _Leave("answers_not_read") from None
        reach("I5")


@dataclass(frozen=True, slots=True)
class Limits:
    """longest: bytes of one message. waiting: records waiting for a commit before a message is put off."""

    longest: int
    waiting: int


class _Pace:
    """How long the next bytes may take: between messages long, within one as long as what came has earned."""

    def __init__(self, patience: timedelta, idle: timedelta) -> None:
        self._patience = patience.total_seconds()
        self._idle = idle.total_seconds()
        self._begun: float | None = None

    def until(self, frames: Frames) -> float:
        """When patience ends, on the loop's clock."""
        now = asyncio.get_running_loop().time()
        if not frames.begun:
            self._begun = None
            return now + self._idle
        if self._begun is None:
            self._begun = now
        return min(now, self._begun + frames.size / _SLOWEST) + self._patience


def _context(party: str, port: Mllp) -> ssl.SSLContext | None:
    """TLS as the party is registered for it. Raises ConfigurationError for a file that cannot be used."""
    if port.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(port.certificate, port.key)
        if port.clients is not None:
            context.load_verify_locations(port.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The certificates of parties.{party}.mllp cannot be used ({type(error).__name__}).",
            "Name PEM files: certificate and key of the gateway, clients whom it lets in.",
        ) from None
    return context
