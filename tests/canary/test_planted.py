"""Twelve leaks, each planted in a place of its own, and each found there by the search the other tests trust."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import CollectorRegistry, Counter, start_http_server

from gateway import telemetry
from gateway.local.people import Person
from gateway.problems import RECORD_REFUSED, Fault, Problem
from gateway.settings import Kafka
from tests.canary import places
from tests.support.canary import Canaries, Leak, Place
from tests.support.overheard import Ear
from tests.support.pushed import Door

SEARCH = Canaries()
WHO: Person = SEARCH.person(4711, "kent")


def found(told: list[Place]) -> set[str]:
    """The fields of WHO that are found there."""
    return {leak.field for leak in SEARCH.find(told)}


@pytest.fixture
def ear() -> Iterator[Ear]:
    """An ear of the test's own, so that what is planted fails this test and not the session."""
    before = structlog.get_config()
    ear = Ear()
    ear.listen()
    yield ear
    ear.take()
    structlog.configure(**before)


@pytest.fixture
async def topic(kafka_settings: Kafka) -> str:
    """A topic under a prefix of the test's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap)
    await admin.start()
    name = f"{kafka_settings.prefix}custody.v1"
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    return name


async def send(kafka: Kafka, topic: str, *, key: bytes = b"0011", header: bytes = b"none") -> None:
    """Put one record on a topic."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"\x00sealed", key=key, headers=[("ce_source", header)])
    finally:
        await producer.stop()


def test_1_a_line_of_our_own_log(ear: Ear) -> None:
    """Under a key that is allowed, which the allow-list alone would let through."""
    telemetry.log.debug("record.read", reason=WHO.surname)
    assert found(ear.take()) == {"surname"}


def test_2_a_library_that_says_a_value(ear: Ear) -> None:
    """As it says it, though our filter keeps it from the log."""
    logging.getLogger("some.library").debug("cannot store %r", WHO.pnc)
    assert SEARCH.find(ear.take()) == {Leak("a library's own words, line 1", "PNC number", "as it is")}


def test_3_the_text_of_an_exception(ear: Ear) -> None:
    """With its traceback, however deep it lies."""
    try:
        try:
            raise KeyError(WHO.street)
        except KeyError as error:
            raise ValueError("a field is wrong") from error
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    assert found(ear.take()) == {"street"}


async def test_4_the_label_of_a_metric() -> None:
    """In what a process answers to whoever scrapes it."""
    registry = CollectorRegistry()
    Counter("refused", "Refused", ["value"], registry=registry).labels(WHO.forenames).inc()
    server, thread = start_http_server(0, "127.0.0.1", registry=registry)
    try:
        told = await places.metrics(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert found(told) == {"forenames"}


async def test_5_the_query_of_a_url() -> None:
    """As the recipient who was asked has it in its own log."""
    async with Door() as door, aiohttp.ClientSession() as session:
        asked: list[Place] = []

        async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            asked.append(("a request to a recipient", request.raw_path.encode()))
            return aiohttp.web.Response(status=204)

        door.answer = answer
        await session.post(f"{door.url}?about={quote(WHO.postcode or '', safe='')}")
    assert found(asked) == {"postcode"}


@pytest.mark.services
async def test_6_the_key_of_a_record(kafka_settings: Kafka, topic: str) -> None:
    """On a topic."""
    await send(kafka_settings, topic, key=WHO.noms.encode())
    plain, _ = await places.topics(kafka_settings.bootstrap, kafka_settings.prefix)
    assert found(plain) == {"prison number"}


@pytest.mark.services
async def test_7_a_header_of_a_record(kafka_settings: Kafka, topic: str) -> None:
    """On a topic."""
    await send(kafka_settings, topic, header=f"/police/{WHO.cro}".encode())
    plain, _ = await places.topics(kafka_settings.bootstrap, kafka_settings.prefix)
    assert found(plain) == {"CRO number"}


@pytest.mark.services
@pytest.mark.parametrize("value", [WHO.surname, WHO.surname.encode().hex(), WHO.surname.upper()])
async def test_8_a_plain_column(postgres: str, value: str) -> None:
    """Of any table, as text, inside JSON, or encoded."""
    connection = await asyncpg.connect(postgres.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "insert into decisions (record_id, event_id, number, state, why, decided)"
            " values (gen_random_uuid(), gen_random_uuid(), 1, 'decided', jsonb_build_object('because', $1::text),"
            " now())",
            value,
        )
    finally:
        await connection.close()
    plain, _ = await places.tables(postgres)
    assert {leak.place for leak in SEARCH.find(plain)} == {"the column decisions.why, line 1"}


def test_9_a_report_as_csv(tmp_path: Path) -> None:
    """In a file that is left for somebody."""
    (tmp_path / "report.csv").write_text(f"row,state,text\r\n7,refused,the date {WHO.born} is none\r\n")
    assert SEARCH.find(places.files(tmp_path)) == {Leak("the file report.csv, line 2", "date of birth", "as it is")}


def test_10_a_problem(tmp_path: Path) -> None:
    """In the answer to whoever sent it."""
    fault = Fault("CU-014", "date_of_birth", f"{WHO.surname} is no date")
    problem = Problem(RECORD_REFUSED, "The record has 1 fault.", errors=[fault])
    assert found([("an answer", problem.body())]) == {"surname"}


def test_11_an_argument_of_a_process() -> None:
    """Which everybody on the machine can read, as its environment can by its owner."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, WHO.surname],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"ABOUT": WHO.street},
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        told = list(places.processes([child.pid]))
    assert found(told[:1]) == {"surname"}
    assert found(told[1:]) == {"street"}


@pytest.mark.parametrize("header", ["baggage", "tracestate"])
async def test_12_the_baggage_of_a_trace(header: str) -> None:
    """Which tracing passes on to everybody who is called."""
    async with Door() as door, aiohttp.ClientSession() as session:
        await session.post(door.url, headers={header: f"person={quote(WHO.surname)}"})
        told = [(name, value.encode()) for name, value in door.arrivals[0].headers.items()]
    assert found(told) == {"surname"}


def test_what_our_filter_lets_through_of_a_library() -> None:
    """Only that it said something: the value a library quotes is in its own words and in no line of ours."""
    ear = Ear()
    ear.listen()
    logging.getLogger("some.library").warning("cannot store %r", WHO.pnc)
    heard = dict(ear.take())
    assert b"library.said" in heard["our log lines"]
    assert found([("our log lines", heard["our log lines"])]) == set()
