"""No personal value of anybody the gateway handles is anywhere but in a body, sealed or on its way to who may have it.

The gateway's real processes, at log level DEBUG, take records of every outcome about people who can be recognised
anywhere, with a recipient that is down, connections to the store that break, and records on Kafka that nobody can
read. Then everything they said and kept is searched.
"""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import psutil
import pytest
from aiohttp import web
from aiokafka import AIOKafkaProducer

from gateway.kafka.topics import canonical_topics
from gateway.local import ports
from gateway.local.cast import LASARS, LINCOLN, MET
from gateway.local.client import Client
from gateway.settings import Kafka
from tests.canary import places
from tests.canary.sent import Sent, everything
from tests.support import services
from tests.support.canary import Canaries, Place
from tests.support.pushed import Door
from tests.support.system import PARTS, System

pytestmark = [pytest.mark.services, pytest.mark.slow]

WITHIN = 120.0
"""Seconds everything may take to come to rest on a busy machine."""

COLLECTS, DOWN = "lasars-lincolnshire", "/lasars-stockport"
UNREADABLE = 3
"""Records on a topic that nobody can read."""

_UNDER_WAY = """
select (select count(*) from outbox)
     + (select count(*) from events e where not exists (select from decisions d where d.event_id = e.id))
     + (select count(*) from deliveries where state = 'queued' and recipient <> $1)
     + $2 - (select count(*) from quarantine)
"""


@dataclass
class Played:
    """What came of it. said: by where it was said or kept. sealed: ciphertext. delivered: bodies as they arrived."""

    search: Canaries
    said: dict[str, list[Place]] = field(default_factory=dict)
    sealed: list[Place] = field(default_factory=list)
    delivered: list[Place] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    """What was answered otherwise than it should be."""


class Caller(Client):
    """A client of the gateway that keeps every answer, but for the messages it may read."""

    def __init__(self, session: aiohttp.ClientSession, system: System, party: str, answers: list[Place]) -> None:
        super().__init__(session, system.url, party, system.own.key(party))
        self._answers = answers

    async def ask(
        self, method: str, path: str, body: Any = None, *, private: bool = False, **headers: str
    ) -> tuple[int, Any]:
        """Call, and keep the answer with its headers unless it is private. Its status and its document."""
        told = {"authorization": f"Bearer {await self.token()}"} | headers
        sent = None if body is None else io.BytesIO(body if isinstance(body, bytes) else orjson.dumps(body))
        async with self._session.request(
            method, self._base + path, data=sent, headers=told, allow_redirects=False
        ) as answer:
            content = await answer.read()
            if not private:
                headed = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
                self._answers.append((f"an answer {answer.status} to {method} {path[:16]}", headed.encode() + content))
            return answer.status, orjson.loads(content) if "json" in answer.content_type else content


@pytest.fixture(scope="module")
async def played(
    tmp_path_factory: pytest.TempPathFactory, migrated: services.Server, kafka: str
) -> AsyncIterator[Played]:
    """The whole journey, played once."""
    folder = tmp_path_factory.mktemp("canary")
    temporary = folder / "temporary"
    temporary.mkdir()
    began = datetime.now(UTC)
    told = Played(Canaries())
    (port,) = ports.free(1)
    async with AsyncExitStack() as stack:
        # Temporary files of the processes are made where they can be searched.
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("TMPDIR", str(temporary))
        dsn = await stack.enter_async_context(services.fresh_database(migrated, services.MIGRATED))
        system = _system(folder / "data", dsn, Kafka(bootstrap=kafka, prefix="canary.", partitions=3), port)
        stack.callback(system.end)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        door = await stack.enter_async_context(Door(port))
        await system.start()
        await _play(told, system, door, session, dsn, began)
        await _gather(told, system, dsn, tmp_path_factory.getbasetemp(), temporary)
        yield told


def _system(folder: Path, dsn: str, kafka: Kafka, port: int) -> System:
    system = System(folder, dsn, kafka, port, log_level="DEBUG", adapters={"prison": {"family": "immediate"}})
    parties = system.own.parties
    parties.write_text(parties.read_text().replace('area = "lincolnshire"', 'area = "lincolnshire"\nkafka = true'))
    quickly = system.settings.intake.model_copy(update={"settle": timedelta(seconds=1)})
    system.settings = system.settings.model_copy(update={"intake": quickly})
    system.own.remember(system.settings)
    return system


async def _play(
    told: Played, system: System, door: Door, session: aiohttp.ClientSession, dsn: str, now: datetime
) -> None:
    answers = told.said.setdefault("answers", [])
    requests = told.said.setdefault("requests to recipients", [])
    agencies = {one.feed: Caller(session, system, one.id, answers) for one in (MET, LINCOLN)}
    down = True

    async def answer(request: web.Request) -> web.StreamResponse:
        headed = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
        requests.append(("a request to a recipient", f"{request.method} {request.raw_path}\n{headed}".encode()))
        return web.Response(status=503 if down and request.path == DOWN else 204)

    door.answer = answer
    receipts, files = [], []
    for sent in everything(told.search, now):
        document = await _send(agencies[sent.feed], sent, told.surprises)
        receipts += [(sent.feed, document[name]) for name in ("receipt",) if name in document]
        files += [(sent.feed, document["file"])] if "file" in document else []
    await _strange_calls(agencies["police_custody"], session, system, told.search)
    rogue = await _unreadable(system, told.search)
    await _broken_connections(agencies["police_custody"], dsn, now, told.search)
    down = False
    await _at_rest(system, dsn)
    await _answered(told, system, session, answers)
    for feed, one in receipts:
        await agencies[feed].ask("GET", f"/v1/receipts/{one}")
    for feed, one in files:
        await agencies[feed].ask("GET", f"/v1/files/{one}")
        await agencies[feed].ask("GET", f"/v1/files/{one}", accept="text/csv")
    told.delivered += [("a push", arrival.body) for arrival in door.arrivals]
    told.said["command line"] = [*_commands(system, [one for _, one in receipts], told.search, now)]
    plain, sealed = await places.topics(system.settings.kafka.bootstrap, system.settings.kafka.prefix)
    told.said["Kafka"] = plain
    told.sealed += [(name, content) for name, content in sealed if name not in rogue]


async def _send(caller: Caller, sent: Sent, surprises: list[str]) -> dict[str, Any]:
    """Send one, and hold the answer against what was expected."""
    headers = {"content-type": sent.media} | dict(sent.headers)
    status, document = await caller.ask("POST", f"/v1/feeds/{sent.feed}/{sent.door}", sent.body, **headers)
    expected, state = sent.outcome
    if (status, state and document.get("state")) != sent.outcome:
        surprises.append(f"{sent.name}: {status} {document.get('state')}, not {expected} {state}")
    return dict(document)


async def _strange_calls(caller: Caller, session: aiohttp.ClientSession, system: System, search: Canaries) -> None:
    """Personal values in addresses, parameters and sign-ins, which are the caller's doing; nothing may repeat them."""
    who = search.person(7900, "wigan")
    for path in (
        *(f"/v1/{part}/{who.noms}" for part in ("receipts", "files", "messages", "feeds")),
        f"/v1/messages/{who.noms}/receipt",
        f"/v1/feeds/{who.surname}/records",
        f"/{who.surname}",
        f"/problems/{who.surname}",
        f"/v1/mailbox?after={who.surname}&limit={who.noms}&{who.surname}=1",
        f"/v1/mailbox/?after={who.noms}",
        f"/openapi.json?{who.surname}",
        f"/health/ready?{who.surname}",
    ):
        for method in ("GET", "POST", "PURGE"):
            await caller.ask(method, path)
    for form in (
        {"grant_type": who.surname},
        {"grant_type": "client_credentials", "client_assertion_type": who.surname, "client_assertion": who.noms},
        {who.surname: who.noms, "client_id": who.surname},
    ):
        async with session.post(f"{system.url}/oauth2/token", data=form) as answer:
            assert answer.status in (400, 401)
            caller._answers.append(("an answer to a sign-in", await answer.read()))
    async with session.get(f"{system.url}/v1/mailbox", headers={"authorization": f"Bearer {who.surname}"}) as answer:
        assert answer.status == 401
        caller._answers.append(("an answer to a token", str(answer.headers).encode() + await answer.read()))


async def _unreadable(system: System, search: Canaries) -> frozenset[str]:
    """Records on a topic that nobody can read, one with a person in the clear. The places of their values."""
    kafka = system.settings.kafka
    who = search.person(7901)
    topic = next(name for name in canonical_topics(kafka) if "custody" in name)
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"none"), ("ce_type", b"custody.drug-test.recorded")]
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        sent = [
            await producer.send_and_wait(topic, b"\x00\xff", b"key"),
            await producer.send_and_wait(topic, orjson.dumps({"surname": who.surname}), b"key", headers=headers),
            await producer.send_and_wait(topic, orjson.dumps({"noms": who.noms}), None, headers=[("ce_id", b"\xff")]),
        ]
    finally:
        await producer.stop()
    return frozenset(
        f"the value of {one.topic.removeprefix(kafka.prefix)} at {one.partition}:{one.offset}" for one in sent
    )


async def _broken_connections(caller: Caller, dsn: str, now: datetime, search: Canaries) -> None:
    """Send while every connection to the store breaks again and again: errors of every depth, with their texts."""
    administrator = await asyncpg.connect(dsn.replace("+asyncpg", ""))
    try:
        sending = asyncio.create_task(_send_anyhow(caller, now, search))
        while not sending.done():
            await administrator.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            await asyncio.wait([sending], timeout=0.05)
        assert 503 in sending.result()
        assert sending.result() <= {200, 202, 503}
    finally:
        await administrator.close()


async def _send_anyhow(caller: Caller, now: datetime, search: Canaries) -> set[int]:
    """Send until the gateway has failed to commit at least once."""
    statuses: set[int] = set()
    first = next(iter(everything(search, now)))
    for number in range(2000):
        status, _ = await caller.ask(
            "POST",
            "/v1/feeds/police_custody/records",
            first.body,
            **{"content-type": first.media, "x-request-id": str(number)},
        )
        statuses.add(status)
        if number > 20 and 503 in statuses:
            break
    return statuses


async def _at_rest(system: System, dsn: str) -> None:
    """Wait until nothing is under way but what waits to be collected, and the unreadable records are put aside."""
    connection = await asyncpg.connect(dsn.replace("+asyncpg", ""))
    try:
        async with asyncio.timeout(WITHIN):
            while await connection.fetchval(_UNDER_WAY, COLLECTS, UNREADABLE):
                system.check()
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _answered(told: Played, system: System, session: aiohttp.ClientSession, answers: list[Place]) -> None:
    """Every recipient reads what it has and answers it, also with what is no answer at all."""
    who = told.search.person(7902, "kent")
    for lasars in LASARS:
        caller = Caller(session, system, lasars.id, answers)
        _, page = await caller.ask("GET", "/v1/mailbox")
        for number, notice in enumerate(page["notices"]):
            path = f"/v1/messages/{notice['id']}"
            status, message = await caller.ask("GET", path, private=True)
            assert status in (200, 410)
            told.delivered.append(("a message", orjson.dumps(message)))
            for wrong in (
                {"result": who.surname},
                {"result": "rejected", "code": who.postcode},
                {"result": "not_our_area", "suggested": who.surname},
                {"result": "accepted", "at": str(who.born), who.surname: 1},
                who.surname,
            ):
                assert (await caller.ask("POST", f"{path}/receipt", wrong))[0] in (400, 409)
            right: Mapping[str, str] = (
                {"result": "rejected", "code": "wrong_person"},
                {"result": "not_our_area", "suggested": "wigan"},
                {"result": "accepted"},
            )[number % 3]
            assert (await caller.ask("POST", f"{path}/receipt", right))[0] in (200, 409)


def _commands(system: System, receipts: list[str], search: Canaries, now: datetime) -> list[Place]:
    """What `lgw` says of all this."""
    data = ("--data", str(system.own.folder))
    bad = system.own.folder / "record.xml"
    calls = [("status", *data), ("status", "--json", *data), ("queue", *data), ("queue", "--json", *data)]
    calls += [("doctor", *data)]
    calls += [("trace", one, *more, *data) for one in receipts[:3] for more in ((), ("--json",))]
    said = [_command(*call) for call in calls]
    for sent in everything(search, now):
        if sent.outcome[0] == 422 and sent.feed == "police_custody" and sent.door == "records":
            bad.write_bytes(sent.body)
            said.append(_command("check", str(bad), "--as", sent.feed))
            said.append(_command("check", str(bad), "--as", sent.feed, "--json"))
            break
    bad.unlink()
    return said


def _command(*arguments: str) -> Place:
    done = subprocess.run(
        [Path(sys.executable).with_name("lgw"), *arguments], capture_output=True, timeout=WITHIN, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout
    return f"lgw {arguments[0]}", done.stdout + done.stderr


async def _gather(told: Played, system: System, dsn: str, session_folder: Path, temporary: Path) -> None:
    """Everything else there is to search; the logs last, so that they hold the processes' end."""
    addresses = [f"http://{ports.LOOPBACK}:{system.ports[part]}" for part in PARTS]
    told.said["metrics"] = await places.metrics(*addresses)
    told.said["processes"] = [*places.processes(one.pid for one in psutil.Process().children(recursive=True))]
    for part in PARTS:
        await system.stop(part)
    plain, sealed = await places.tables(dsn)
    told.said["plain columns"] = plain
    told.sealed += sealed
    told.said["logs"] = [*places.files(system.own.logs)]
    told.said["logs of PostgreSQL and Kafka"] = [
        # Kafka's topics are files called .log as well, with a number for a name; what they hold was searched above.
        place
        for service in ("postgres0", "kafka0")
        for place in places.files(session_folder / service, named="*[a-z].log")
    ]
    told.said["temporary files"] = [("the temporary folder", b""), *places.files(temporary)]


WHERE = (
    *("logs", "metrics", "requests to recipients", "answers", "Kafka", "plain columns", "command line", "processes"),
    *("logs of PostgreSQL and Kafka", "temporary files"),
)


@pytest.mark.parametrize("where", WHERE)
def test_nobody_is_to_be_found(played: Played, where: str) -> None:
    """Not in the logs of any process, a metric, a URL, a key, a header, a plain column, an answer or a report."""
    if where == "logs of PostgreSQL and Kafka" and not played.said[where]:
        pytest.skip("the services run in containers and keep their logs there")
    assert played.said[where]
    assert "\n".join(sorted(map(str, played.search.find(played.said[where])))) == ""


def test_what_is_sealed_shows_nobody(played: Played) -> None:
    """Bodies and keys in the database and the values on every topic, notices included: no plain text in any byte."""
    assert {name.partition(" ")[2].split()[0] for name, _ in played.sealed} >= {"column", "value"}
    assert "\n".join(sorted(map(str, played.search.find(played.sealed)))) == ""


def test_the_people_were_really_there(played: Played) -> None:
    """What recipients may have did reach them, and the same search finds it there: it could have found it elsewhere."""
    found = {leak.field for leak in played.search.find(played.delivered)}
    assert found >= {"surname", "forenames", "date of birth", "PNC number", "prison number"}


def test_nothing_is_left_in_a_temporary_file(played: Played) -> None:
    """Batch files are spooled to disk while they are read, and nowhere else."""
    assert played.said["temporary files"] == [("the temporary folder", b"")]


def test_every_outcome_was_had(played: Played) -> None:
    """What was sent was accepted, held, ignored or refused as it should be, or the search would prove little."""
    assert played.surprises == []
