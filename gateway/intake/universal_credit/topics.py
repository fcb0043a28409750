"""Universal Credit's topics, read for ever: an offset is committed only when what stands before it is done with.

Each topic has a reader of its own, and a group of its own at their brokers, so that one that stands still stops no
other.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import stamina
from aiokafka import AIOKafkaConsumer
from aiokafka.helpers import create_ssl_context

from gateway import telemetry
from gateway.errors import ConfigurationError
from gateway.failpoints import reach
from gateway.intake.universal_credit.data_keys import DataKeyService, KeyFile, KeyService
from gateway.intake.universal_credit.documents import DocumentTaker
from gateway.parties import Parties
from gateway.settings import UniversalCredit as Settings
from gateway.telemetry import log

AGENCY: Final = "dwp"

_WAIT_MILLISECONDS: Final = 500
_LONGEST_WAIT: Final = 30.0
_KEY_DEADLINE: Final = 10.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class TopicReader:
    """Reads one topic for ever. consumer: makes a consumer of it, not yet started."""

    def __init__(
        self, topic: str, consumer: Callable[[str], AIOKafkaConsumer], taker: DocumentTaker, batch: int
    ) -> None:
        self._topic = topic
        self._consumer = consumer
        self._taker = taker
        self._batch = batch

    async def run(self) -> None:
        """Read until cancelled. Whatever their brokers do ends in another try, and in no other topic."""
        async for attempt in stamina.retry_context(
            on=self._again, attempts=None, timeout=None, wait_initial=0.5, wait_max=_LONGEST_WAIT
        ):
            with attempt:
                async with _started(self._consumer(self._topic)) as consumer:
                    await self._read(consumer)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=_WAIT_MILLISECONDS, max_records=self._batch)
            for partition, records in got.items():
                await self._taker.take(records)
                reach("F4")
                await consumer.commit({partition: records[-1].offset + 1})
                reach("F5")

    def _again(self, error: BaseException) -> bool:
        if not isinstance(error, Exception):
            return False  # it is told to stop
        log.warning("topic.stopped", topic=self._topic, error=type(error).__name__, where=telemetry.where(error))
        return True


@asynccontextmanager
async def _started(consumer: AIOKafkaConsumer) -> AsyncIterator[AIOKafkaConsumer]:
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


# --- Wiring ----------------------------------------------------------------------------------------------------------


def topic_readers(settings: Settings, taker: DocumentTaker) -> Iterator[TopicReader]:
    """A reader of each topic. Raises ConfigurationError for certificates that cannot be used."""
    consumer = consumers(settings, taker.longest)
    for topic in settings.topics:
        yield TopicReader(topic, consumer, taker, settings.batch)


def checked_party(settings: Settings, parties: Parties) -> str:
    """The party the documents are taken for. Raises ConfigurationError for one that is none, or sends another feed."""
    party = parties.party(settings.party)
    if party is None or party.agency != AGENCY:
        raise ConfigurationError(
            f"Universal Credit's documents are to be taken for {settings.party}, which is no party of agency {AGENCY}.",
            "Set GATEWAY_UNIVERSAL_CREDIT__PARTY, or give that party the agency in the parties file.",
        )
    return party.id


def open_keys(settings: Settings) -> KeyService:
    """What opens data keys. Raises ConfigurationError where there is nothing, or two things, to ask."""
    if (settings.key_file is None) == (settings.key_service is None):
        raise ConfigurationError(
            "Universal Credit's documents need one thing that opens their data keys.",
            "Set GATEWAY_UNIVERSAL_CREDIT__KEY_FILE or GATEWAY_UNIVERSAL_CREDIT__KEY_SERVICE.",
        )
    if settings.key_file is not None:
        return KeyFile(settings.key_file)
    context = _context(settings)
    return DataKeyService(
        httpx.AsyncClient(
            base_url=_over_tls(settings.key_service or ""),
            timeout=_KEY_DEADLINE,
            follow_redirects=False,
            trust_env=False,
            verify=context if context is not None else True,
        )
    )


def consumers(settings: Settings, longest: int) -> Callable[[str], AIOKafkaConsumer]:
    """Makes consumers of their brokers. longest: bytes of a record; some more are fetched, so that a longer is seen."""
    context = _context(settings)

    def consumer(topic: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            topic,
            bootstrap_servers=settings.bootstrap,
            # One group a topic: in a common one, each reader that starts anew would stop all the others for a while.
            group_id=f"{settings.group}.{topic}",
            client_id=settings.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * longest,
            security_protocol="SSL" if context is not None else "PLAINTEXT",
            ssl_context=context,
        )

    return consumer


def _context(settings: Settings) -> Any:
    if settings.ca is None and settings.certificate is None:
        return None
    try:
        return create_ssl_context(
            cafile=_path(settings.ca), certfile=_path(settings.certificate), keyfile=_path(settings.key)
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The certificates for Universal Credit cannot be used ({type(error).__name__}).",
            "Check GATEWAY_UNIVERSAL_CREDIT__CA, __CERTIFICATE and __KEY.",
        ) from None


def _over_tls(address: str) -> str:
    """The address, if keys are safe on their way from it. Raises ConfigurationError."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOCAL):
        raise ConfigurationError(
            "Universal Credit's data key service is asked over https.",
            "Set GATEWAY_UNIVERSAL_CREDIT__KEY_SERVICE to an https address.",
        )
    return address


def _path(file: object) -> str | None:
    return str(file) if file is not None else None
