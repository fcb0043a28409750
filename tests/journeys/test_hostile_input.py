"""Hostile input at every door of the real gateway: no failure, no crash, nothing altered, and little spent on it.

The bombs, broken JSON and naughty strings of others, and some of our own that a file cannot hold.
"""

import asyncio
import gzip
import io
import json
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import aiohttp
import orjson
import psutil
import pytest
from lxml import etree
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.local import custody_papers as papers
from gateway.local import ports
from gateway.local.cast import LINCOLN, MET
from gateway.local.client import Client
from gateway.local.people import person
from gateway.settings import Kafka, Store
from gateway.store.data_keys import open_body
from gateway.store.ledger import open_engine
from tests.support import services
from tests.support.bombs import bombs
from tests.support.pushed import Door
from tests.support.samples import sample
from tests.support.system import System
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

STOCKPORT: Final = "lasars-stockport"
RECORDS: Final = (
    (MET.id, "/v1/feeds/police_custody/records", "application/xml"),
    (MET.id, "/v1/feeds/police_custody/records", "text/xml"),
    (MET.id, "/v1/feeds/police_custody/records", "text/csv"),
    (LINCOLN.id, "/v1/feeds/prison/records", "application/json"),
)
FILES: Final = (
    (MET.id, "/v1/feeds/police_custody/files", "text/csv"),
    (LINCOLN.id, "/v1/feeds/prison/files", "application/x-ndjson"),
)
CPU: Final = 1.0
"""Seconds of work one hostile message may cost (PROMISES row 29)."""
GROWTH: Final = 64 << 20
"""Bytes the front door may grow by over all of them."""
TOGETHER: Final = 8
_HEADERS_NEVER_HOLD: Final = {*map(chr, range(32)), "\x7f"}
"""Characters no client library sends in a header; sent past one, the server itself refuses them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered."""

    status: int
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body, which is JSON whatever was asked."""
        told: dict[str, Any] = orjson.loads(self.body)
        return told


class House:
    """The gateway with all its doors, somebody behind each, and a recipient."""

    def __init__(self, system: System, session: aiohttp.ClientSession, engine: AsyncEngine, door: Door) -> None:
        self.system = system
        self.door = door
        self.engine = engine
        self._session = session
        self._clients = {
            name: Client(session, system.url, name, system.own.key(name)) for name in (MET.id, LINCOLN.id, STOCKPORT)
        }
        self.process = psutil.Process(system.pid("intake"))

    async def ask(
        self, who: str, path: str, body: bytes | None = None, media: str | None = None, **headers: str
    ) -> Answer:
        """Call a door as somebody: POST where there is a body, GET where there is none. Never answered by a failure."""
        told = headers | {"authorization": f"Bearer {await self._clients[who].token()}"}
        return await self._call(path, body, told | ({"content-type": media} if media else {}))

    async def sign_in(self, body: bytes) -> Answer:
        """Post to the token endpoint."""
        return await self._call("/oauth2/token", body, {"content-type": "application/x-www-form-urlencoded"})

    async def kept(self, answer: Answer) -> bytes | None:
        """The bytes the gateway has kept of what it answered so, by its receipt or refusal; None if it keeps none."""
        told = answer.document
        if told.get("state") == "ignored":
            return None
        async with self.engine.connect() as connection:
            kept_as = uuid.UUID(told.get("receipt") or told["refusal"])
            opened = await open_body(connection, self.system.sealer, kept_as)
        assert opened is not None
        return opened[0]

    async def _call(self, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        method = "GET" if body is None else "POST"
        data = None if body is None else io.BytesIO(body)
        async with self._session.request(
            method, self.system.url + path, data=data, headers=headers, allow_redirects=False
        ) as answer:
            told = Answer(answer.status, await answer.read())
        assert told.status < 500, (path[:60], told.status)
        return told

    def spent(self) -> float:
        """Seconds of work the front door has done so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@pytest.fixture(scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory, migrated: services.Server, kafka: str, zygote: Zygote
) -> AsyncIterator[House]:
    """One gateway for all of it: what one test did to it, the next one meets."""
    folder = tmp_path_factory.mktemp("hostile")
    (port,) = ports.free(1)
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(services.fresh_database(migrated, services.MIGRATED))
        settings = Kafka(bootstrap=kafka, prefix="hostile.", partitions=3)
        system = System(folder, dsn, settings, port, zygote=zygote)
        stack.callback(system.end)
        engine = open_engine(Store(dsn=dsn, pool=3))
        stack.push_async_callback(engine.dispose)
        door = await stack.enter_async_context(Door(port))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        await system.start()
        yield House(system, session, engine, door)
        system.check()  # nothing of all this ended a process


@cache
def files() -> Sequence[tuple[str, bytes]]:
    """Every hostile file, and its name."""
    found = sorted(path for path in sample("hostile-input").rglob("*") if path.is_file())
    assert len(found) > 150
    return [(path.name, path.read_bytes()) for path in found]


@cache
def strings() -> Sequence[str]:
    """Every naughty string."""
    found: list[str] = json.loads((sample("hostile-input") / "blns_half.json").read_text())
    assert len(found) > 200
    return found


async def together(tasks: Sequence[Any]) -> list[Any]:
    """Await these, a few at a time."""
    done: list[Any] = []
    for start in range(0, len(tasks), TOGETHER):
        done += await asyncio.gather(*tasks[start : start + TOGETHER])
    return done


# --- The doors of agencies -------------------------------------------------------------------------------------------


async def test_every_file_and_every_bomb_at_every_feed(house: House) -> None:
    """Taken or refused by rule, each for less than a second's work; what is kept is every byte as it was sent.

    And when all is done the front door has grown by 64 MiB at the most.
    """
    sending = [*files(), *bombs()]
    await house.ask(*RECORDS[0][:2], b"<a/>", RECORDS[0][2])  # what every first request costs is nobody's fault
    before = house.process.memory_info().rss
    counts: Counter[int] = Counter()
    worst = 0.0
    for who, path, media in RECORDS:
        for name, body in sending:
            began = house.spent()
            answer = await house.ask(who, path, body, media)
            worst = max(worst, house.spent() - began)
            assert worst < CPU, name
            assert answer.status in (200, 202, 413, 422), name
            counts[answer.status] += 1
            if answer.status in (202, 422):
                assert await house.kept(answer) in (body, None), name
    for who, path, media in FILES:
        for name, body in sending:
            began = house.spent()
            answer = await house.ask(who, path, body, media)
            # A file is as long as its rows: what a million of its bytes may cost, each row refused with its bytes kept.
            assert house.spent() - began < max(CPU, len(body) / 20_000), name
            assert answer.status in (200, 202, 422), name
            counts[answer.status] += 1
            for accept in ("application/json", "text/csv"):
                report = await house.ask(who, answer.document["links"]["report"], accept=accept)
                assert report.status == 200, name
    grown = house.process.memory_info().rss - before
    assert counts[422] > 500
    print(f"{sum(counts.values())} messages, {worst:.2f} s for the worst, {grown / (1 << 20):.1f} MiB grown")
    assert grown <= GROWTH


async def test_compressed_bodies_are_not_unpacked(house: House) -> None:
    """415 for every encoding, announced once, twice or in capitals, and the bomb stays as small as it came."""
    bomb = gzip.compress(b"<a>" * (16 << 20))
    before = house.process.memory_info().rss
    for who, path, media in (*RECORDS, *FILES):
        for encoding in ("gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x"):
            answer = await house.ask(who, path, bomb, media, **{"content-encoding": encoding})
            assert answer.status == 415, encoding
    assert house.process.memory_info().rss - before < len(bomb) + (8 << 20)


async def test_duplicate_keys_and_other_doubtful_json_are_read_one_way(house: House) -> None:
    """The same document twice is the same record, whatever it says twice, and is kept as it came."""
    who, path, media = RECORDS[-1]
    for body in (
        b'{"eventType":"a.b.c","eventType":"d.e.f"}',
        b'{"eventType":"a.b.c","\\u0065ventType":"d.e.f"}',
        b'{"eventType":"prison-drug-team.need.identified","version":1,"version":2,"reference":"a","reference":"b"}',
        b'\xef\xbb\xbf{"eventType":"a.b.c"}',
        b' \t\r\n{"eventType" : "a.b.c"}\n ',
    ):
        first = await house.ask(who, path, body, media)
        again = await house.ask(who, path, body, media)
        assert (first.status, again.status) in ((202, 200), (422, 422)), body
        name = "receipt" if first.status == 202 else "refusal"
        assert first.document[name] == again.document[name]
        assert await house.kept(first) in (body, None)


# --- Names, through to the recipient ---------------------------------------------------------------------------------

NAMES: Final = (
    *("Nguyễn Thị Minh Khai", "Þórhallsdóttir", "Ó Súilleabháin", "Łukaszewicz-Żółć", "Иванова", "Παπαδοπούλου"),
    *("محمد بن عبدالله", "יוחנן", "王小明", "ひらがな カタカナ", "김철수", "ศรีสุวรรณ", "𠮷野家", "नमस्ते", "አበበ"),
    *(
        "O'Neill-Smith",
        "Zoe\u0301",
        "Zoë",
        "d’Été",
        "ＦＵＬＬ",
        "İstanbul",
        "ẞtraße",
        "Ǆ",
        "Ada \U0001f469\u200d\U0001f467",
    ),
    *("علی\u200cاکبر", "ශ්\u200dරීමතී", "אברהם\u200f כהן"),
    *("Robert'); DROP TABLE persons;--", "<script>alert(1)</script>", "${jndi:ldap://x}", "=1+1", "%00", "..\\..\\"),
)
"""Names of real forms in many scripts, some that need characters which show nothing, and some that are no names."""


@dataclass(frozen=True, slots=True)
class Named:
    """A record about somebody of a name. number: theirs alone."""

    number: int
    surname: str

    @property
    def forenames(self) -> str:
        """A name by which the delivery can be told among the others."""
        return f"Number {self.number}"

    def record(self, now: datetime) -> bytes:
        """A positive test in Stockport, where they live."""
        who = person(500_000 + self.number, "stockport")
        at = (now - timedelta(hours=2)).replace(tzinfo=None)
        stay = papers.Detention(who, "06", "SP", f"H/{self.number}", at)
        written = papers.xml(stay, papers.drug_test("T", at)).decode()
        written = written.replace(f"<forenames>{who.forenames}<", f"<forenames>{self.forenames}<")
        return written.replace(f"<surname>{escape(who.surname)}<", f"<surname>{escape(self.surname)}<").encode(
            errors="surrogatepass"
        )


async def test_a_name_in_any_script_arrives_exactly(house: House) -> None:
    """What is taken as a name is the same name, character by character, in the body its recipient gets.

    A break of line is one blank, as the schema says; what is no text at all (control characters) is refused.
    """
    now = datetime.now(UTC)
    everybody = [Named(number, name) for number, name in enumerate([*NAMES, *strings()])]
    who, path, media = RECORDS[0]
    bodies = [one.record(now) for one in everybody]
    answers = await together([house.ask(who, path, body, media) for body in bodies])
    expected = {}
    for one, body, answer in zip(everybody, bodies, answers, strict=True):
        assert answer.status in (202, 422), one.number
        assert await house.kept(answer) == body
        if answer.status == 202:
            lines = re.split(r"[\t\n\v\f\r]+", _as_xml(body).strip())
            expected[one.forenames] = " ".join(line.strip() for line in lines)
    assert len(expected) > len(NAMES) + len(strings()) // 2
    assert set(NAMES) <= set(expected.values())
    arrived: dict[str, str] = {}
    async with asyncio.timeout(120):
        while len(arrived) < len(expected):
            house.system.check()
            await asyncio.sleep(0.1)
            names = [one.document["data"]["person"]["name"] for one in house.door.arrivals]
            arrived = {name["forenames"]: name["surname"] for name in names if name["forenames"] in expected}
    assert arrived == expected


def _as_xml(body: bytes) -> str:
    """The surname as XML itself says it is, line ends and references resolved."""
    found = etree.fromstring(body).find(".//{urn:lasars-gateway:police-custody:1}surname")
    assert found is not None
    return found.text or ""


# --- The other doors -------------------------------------------------------------------------------------------------


async def test_hostile_sign_ins_open_nothing(house: House) -> None:
    """Every file and string as the whole form, and as the assertion in a good one: refused, and never a failure."""
    forms = [body for _, body in [*files(), *bombs()]] + [one.encode(errors="surrogatepass") for one in strings()]
    for form in forms:
        good = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": form[:8000],
        }
        for body in (form, urlencode(good).encode(), b"client_assertion=" + form):
            began = house.spent()
            assert (await house.sign_in(body)).status in (400, 401)
            assert house.spent() - began < CPU


async def test_hostile_tokens_are_no_tokens(house: House) -> None:
    """Every string that fits into a header is the same 401."""
    async with aiohttp.ClientSession() as session:
        for one in strings():
            told = f"Bearer {one}".encode(errors="surrogatepass").decode("latin-1")
            if _HEADERS_NEVER_HOLD & set(told):
                continue
            async with session.get(f"{house.system.url}/v1/mailbox", headers={"authorization": told}) as answer:
                assert answer.status in (400, 401), one


async def test_hostile_receipts_change_nothing(house: House) -> None:
    """Every file as the answer to a message that is there: refused, and the message is as it was."""
    page = (await house.ask(STOCKPORT, "/v1/mailbox?limit=1")).document
    if not page["notices"]:
        answer = await house.ask(*RECORDS[0][:2], Named(9999, "Somebody").record(datetime.now(UTC)), RECORDS[0][2])
        assert answer.status == 202
        page = (await house.ask(STOCKPORT, "/v1/mailbox?limit=1&wait=20")).document
    [notice] = page["notices"]
    path = f"/v1/messages/{notice['id']}/receipt"
    bodies = [body for _, body in [*files(), *bombs()]]
    bodies += [json.dumps({"result": one, "code": one}).encode() for one in strings()]
    bodies += [json.dumps({"result": "not_our_area", "suggested": one}).encode() for one in strings()]
    bodies += [json.dumps({"result": "accepted", one: 1}).encode() for one in strings()]
    for body in bodies:
        began = house.spent()
        assert (await house.ask(STOCKPORT, path, body, "application/json")).status in (400, 413)
        assert house.spent() - began < CPU
    after = (await house.ask(STOCKPORT, "/v1/mailbox?limit=1")).document["notices"][0]
    assert after["state"] in ("queued", "offered")


async def test_hostile_parameters_and_paths_find_nothing(house: House) -> None:
    """Every string as a cursor, a limit, a wait, a file's page, an id, an agency: 400 or 404, and nothing else."""
    asked = []
    for one in strings():
        told = quote(one.encode(errors="surrogatepass"), safe="")
        asked += [f"/v1/mailbox?{name}={told}" for name in ("after", "limit", "wait")]
        asked += [f"/v1/{part}/{told}" for part in ("messages", "receipts", "files", "feeds")]
        asked += [f"/problems/{told}", f"/v1/files/{uuid.UUID(int=1)}?after={told}"]
    answers = await together([house.ask(STOCKPORT, path) for path in asked])
    for path, answer in zip(asked, answers, strict=True):
        allowed = (200, 400) if path.startswith("/v1/mailbox") else (400, 404, 405)
        assert answer.status in allowed, path
    posted = await together(
        [
            house.ask(
                MET.id, f"/v1/feeds/{quote(one.encode(errors='surrogatepass'), safe='')}/records", b"x", "text/csv"
            )
            for one in strings()
        ]
    )
    assert {answer.status for answer in posted} <= {404, 405}


async def test_hostile_message_ids_are_refused_or_kept_apart(house: House) -> None:
    """A string that may be a message id names one message; every other is refused before the body counts."""
    who, path, media = RECORDS[-1]
    seen = set()
    for one in strings():
        told = one.encode(errors="surrogatepass").decode("latin-1")
        if _HEADERS_NEVER_HOLD & set(told) or told.strip() in seen:
            continue
        seen.add(told.strip())
        body = json.dumps({"eventType": "a.b.c", "said": one}).encode()
        answer = await house.ask(who, path, body, media, **{"idempotency-key": told})
        assert answer.status in (202, 400), one


# --- What no client library says -------------------------------------------------------------------------------------


async def wire(house: House, *parts: bytes, within: float = 60) -> bytes:
    """Say this to the front door byte by byte, and read until it closes or has answered; "" if it was cut off."""
    reader, writer = await asyncio.open_connection(ports.LOOPBACK, house.system.ports["intake"])
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(within):
            return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def opening(house: House, *headers: bytes) -> bytes:
    """The head of a good request to the prison's feed, with these headers besides."""
    token = await house._clients[LINCOLN.id].token()
    told = (b"host: here", b"authorization: Bearer " + token.encode(), b"content-type: application/json", *headers)
    return b"POST /v1/feeds/prison/records HTTP/1.1\r\n" + b"\r\n".join(told) + b"\r\n\r\n"


async def test_requests_that_are_none(house: House) -> None:
    """Refused or cut off, each at once; and a good request is served afterwards."""
    before = house.process.memory_info().rss
    body = b'{"eventType":"a.b.c"}'
    length = b"content-length: %d" % len(body)
    heads = {
        "ten thousand headers": await opening(house, *(b"x-%d: y" % n for n in range(10_000))),
        "a head of a megabyte": await opening(house, b"x: " + b"y" * (1 << 20)),
        "two lengths": await opening(house, length, b"content-length: 3") + body,
        "a length and chunks": await opening(house, length, b"transfer-encoding: chunked") + b"0\r\n\r\n",
        "a negative length": await opening(house, b"content-length: -1") + body,
        "a length of no number": await opening(house, b"content-length: 0x15") + body,
        "a length without end": await opening(house, b"content-length: " + b"9" * 5000) + body,
        "too large by its length": await opening(house, b"content-length: 1099511627776") + body,
        "a chunk without end": await opening(house, b"transfer-encoding: chunked") + b"f" * 40 + b"\r\n",
        "a chunk of no number": await opening(house, b"transfer-encoding: chunked") + b"zz\r\n",
        "two tokens": await opening(house, b"authorization: Bearer x", length) + body,
        "two media types": await opening(house, b"content-type: text/csv", length) + body,
        "bytes in the address": b"GET /v1/mailbox\xff\xfe HTTP/1.1\r\nhost: here\r\n\r\n",
        "an address above": b"GET /../../etc/passwd HTTP/1.1\r\nhost: here\r\n\r\n",
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a websocket": b"GET /v1/mailbox HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    }
    for name, head in heads.items():
        told = await wire(house, head)
        assert told[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 405") or (
            told[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 415", b"HTTP/1.1 431")
        ), (name, told)
    told = await wire(house, await opening(house, length) + body)
    assert told[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 202")
    assert house.process.memory_info().rss - before < 32 << 20


async def test_oversize_is_told_by_its_length_and_by_its_chunks(house: House) -> None:
    """413 in both cases, and the one that goes on for ever is cut off."""
    assert (await wire(house, await opening(house, b"content-length: 1048577")))[:12] == b"HTTP/1.1 413"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = await opening(house, b"transfer-encoding: chunked")
    assert (await wire(house, chunked, *[chunk] * 17))[:12] == b"HTTP/1.1 413"
    before = house.process.memory_info().rss
    assert (await wire(house, chunked, *[chunk] * 4096))[:12] in (b"HTTP/1.1 413", b"")
    assert house.process.memory_info().rss - before < 32 << 20


async def test_a_byte_a_second_is_given_up_while_others_are_served(house: House) -> None:
    """Slow heads and slow bodies end with 408 in time, and meanwhile nobody else waits for them."""

    async def trickle(first: bytes, then: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(ports.LOOPBACK, house.system.ports["intake"])
        writer.write(first)
        answer = asyncio.create_task(reader.readline())
        while not (await asyncio.wait([answer], timeout=1))[0]:
            writer.write(then)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return answer.result()

    slow = [asyncio.create_task(trickle(await opening(house, b"content-length: 1000"), b" ")) for _ in range(10)] + [
        asyncio.create_task(trickle(b"GET / HTTP/1.1\r\nx: ", b"y")) for _ in range(10)
    ]
    loop = asyncio.get_running_loop()
    served = 0
    async with asyncio.timeout(90):
        while not all(one.done() for one in slow):
            began = loop.time()
            assert (await house.ask(STOCKPORT, "/v1/mailbox?limit=1")).status == 200
            assert loop.time() - began < 5
            served += 1
            await asyncio.wait(slow, timeout=1)
    assert {one.result()[:12] for one in slow} == {b"HTTP/1.1 408"}
    assert served > 10


async def test_nothing_is_left_on_disk(house: House, tmp_path: Path) -> None:
    """No file outside the data folder was made, and none was read: what the bombs pointed at is in no answer."""
    opened = {Path(one.path) for one in house.process.open_files()}
    assert not [path for path in opened if "passwd" in path.name]
    for name, body in bombs():
        if b"passwd" in body:
            answer = await house.ask(*RECORDS[0][:2], body, RECORDS[0][2])
            assert b"root:" not in answer.body, name
            assert answer.status == 422
