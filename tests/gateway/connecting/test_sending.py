"""Sending a batch: each once, whatever happens on the way."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from adapters.registry import adapters
from gateway.connecting.keys import new_key
from gateway.connecting.logbook import Logbook, Plan
from gateway.connecting.parcel import new_batch, pack
from gateway.connecting.retrying import again
from gateway.connecting.sending import NotTheirFeed, send_all
from gateway.connecting.sign_in import Identity, NotSignedIn, SigningIn
from gateway.connecting.statement import hash_of, statement, totals
from gateway.errors import ConfigurationError, Unreachable
from gateway.offline.records import Unusable

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GATEWAY = "http://gateway.test"
KEY = new_key("my-force", "Ed25519", datetime(2027, 1, 1, tzinfo=UTC))
ADAPTER = adapters()["police_custody"]
Answer = Callable[[httpx.Request], httpx.Response]


class Gateway:
    """As much of a gateway as a sender meets. script: the answers it gives first, in order."""

    def __init__(self, *script: int | Exception, headers: dict[str, str] | None = None) -> None:
        self.script = list(script)
        self.headers = headers or {}
        self.taken: dict[str, bytes] = {}
        self.keys: list[str] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 600})
        key = request.headers["idempotency-key"]
        self.keys.append(key)
        if self.script:
            first = self.script.pop(0)
            if isinstance(first, Exception):
                raise first
            if first != 202:
                errors = [{"rule": "CU-014", "field": "date_of_birth", "text": "not a date"}]
                return httpx.Response(first, json={"errors": errors}, headers=self.headers)
        known = key in self.taken
        self.taken[key] = request.content
        status = 200 if known else 202
        if request.url.path.endswith("/files"):
            counts = {"rows": 3, "accepted": 1, "held": 1, "ignored": 0, "refused": 1}
            return httpx.Response(status, json={"file": f"f-{key}", "state": "taken", **counts})
        return httpx.Response(status, json={"receipt": f"r-{key}", "state": "validated"})


@asynccontextmanager
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who sends to it."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return gateway(request)

    transport = httpx.MockTransport(answer)
    auth = SigningIn(Identity(GATEWAY, "my-force", KEY), lambda: NOW)
    async with httpx.AsyncClient(transport=transport, base_url=GATEWAY, auth=auth) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three records and a batch file."""
    files = tmp_path / "day"
    files.mkdir()
    for name in ("a.xml", "b.xml", "c.xml"):
        (files / name).write_bytes(f"<record>{name}</record>".encode())
    (files / "d.csv").write_bytes(b"x\n1\n2\n3\n")
    return files


def plan(folder: Path) -> Plan:
    """All of it as one batch."""
    batch = new_batch()
    return Plan(batch, GATEWAY, "my-force", "police_custody", NOW, tuple(pack(ADAPTER, [folder], batch)))


def begin(folder: Path) -> Logbook:
    """A send that begins."""
    return Logbook.begin(Logbook.beside(folder), plan(folder))


async def send(gateway: Gateway, logbook: Logbook, patience: float = 5.0) -> None:
    """Send what is left."""
    async with client(gateway) as one:
        await send_all(one, logbook, lambda _bytes, _counts: None, patience=patience)


async def test_everything_is_sent_once_and_stands_in_the_statement(folder: Path) -> None:
    """In the order of the names, each by its door, with its receipt, and the counts of its rows."""
    gateway, logbook = Gateway(), begin(folder)
    await send(gateway, logbook)
    logbook.close(done=True)
    assert list(gateway.taken.values())[:1] == [b"<record>a.xml</record>"]
    assert totals(logbook.answers) == {"accepted": 4, "held": 1, "ignored": 0, "refused": 1, "repeats": 0}
    told = statement(logbook, NOW)
    assert [one["file"] for one in told["parcels"]] == ["a.xml", "b.xml", "c.xml", "d.csv"]
    assert told["parcels"][3]["receipt"].startswith("f-")
    assert told["hash"] == hash_of(json.loads(json.dumps(told)))
    assert not logbook.file.exists()


async def test_what_was_interrupted_goes_on_where_it_stood(folder: Path) -> None:
    """Under the same message ids, and what was answered is not sent again."""
    gateway, logbook = Gateway(202, *[httpx.ConnectError("down")] * 20), begin(folder)
    with pytest.raises(Unreachable):
        await send(gateway, logbook, patience=0.01)
    logbook.close(done=False)
    gateway.script.clear()
    resumed = Logbook.resume(logbook.file)
    await send(gateway, resumed)
    resumed.close(done=True)
    assert gateway.keys.count(logbook.plan.parcels[0].key) == 1
    assert len(set(gateway.keys)) == len(gateway.taken) == 4
    assert totals(resumed.answers)["repeats"] == 0


async def test_what_was_taken_though_its_answer_was_lost_is_a_repeat(folder: Path) -> None:
    """Sent again under the same id; the gateway has it once, and the statement says so."""
    gateway, logbook = Gateway(), begin(folder)
    first = logbook.plan.parcels[0]
    gateway.taken[first.key] = b"<record>a.xml</record>"
    await send(gateway, logbook)
    logbook.close(done=True)
    assert totals(logbook.answers)["repeats"] == 1
    assert len(gateway.taken) == 4


async def test_a_send_that_is_cancelled_leaves_a_logbook_to_go_on_with(folder: Path) -> None:
    """As Ctrl-C does, in the middle of a request."""
    gateway, logbook = Gateway(), begin(folder)
    arrived = asyncio.Event()

    async def hangs(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth2/token" and len(gateway.keys) == 2:
            arrived.set()
            await asyncio.Event().wait()
        await request.aread()
        return gateway(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(hangs), base_url=GATEWAY) as one:
        sending = asyncio.create_task(send_all(one, logbook, lambda _bytes, _counts: None))
        await arrived.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    logbook.close(done=False)
    resumed = Logbook.resume(logbook.file)
    resumed.close(done=False)
    assert sorted(resumed.answers) == [0, 1]


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504])
async def test_not_now_is_sent_again_under_the_same_id(status: int, folder: Path) -> None:
    """Until it is settled, and has one effect."""
    gateway, logbook = Gateway(status, headers={"retry-after": "0"}), begin(folder)
    await send(gateway, logbook)
    logbook.close(done=True)
    assert gateway.keys[0] == gateway.keys[1]
    assert totals(logbook.answers)["refused"] == 1
    assert gateway.tokens == (2 if status == 401 else 1)


def test_retry_after_is_how_long_is_waited() -> None:
    """Exactly, up to an hour; without it the waits are ours, and what is final is not tried again."""

    def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
        request = httpx.Request("POST", GATEWAY)
        return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, headers=headers))

    assert again(answered(429, **{"retry-after": "7"})) == 7.0
    assert again(answered(503, **{"retry-after": "86400"})) == 3600.0
    assert again(answered(503)) is True
    assert again(answered(422)) is False
    assert again(httpx.ReadTimeout("")) is True


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
async def test_what_is_refused_is_told_by_its_rules_and_the_rest_is_sent(status: int, folder: Path) -> None:
    """One bad record never stops the others."""
    gateway, logbook = Gateway(status), begin(folder)
    await send(gateway, logbook)
    logbook.close(done=True)
    told = statement(logbook, NOW)
    assert (told["parcels"][0]["state"], told["parcels"][0]["rules"]) == ("refused", ["CU-014"])
    assert len(gateway.taken) == 3


async def test_another_feed_is_told_at_once(folder: Path) -> None:
    """Nothing more is sent to a gateway that has no such feed for this client."""
    gateway, logbook = Gateway(404), begin(folder)
    with pytest.raises(NotTheirFeed):
        await send(gateway, logbook)
    logbook.close(done=False)
    assert len(gateway.keys) == 1


async def test_a_client_that_is_not_known_is_told_why(folder: Path) -> None:
    """In the gateway's own words, and nothing is sent."""

    async def refuses(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "invalid_client", "error_description": "No registered key."})

    logbook = begin(folder)
    auth = SigningIn(Identity(GATEWAY, "my-force", KEY), lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuses), base_url=GATEWAY, auth=auth) as one:
        with pytest.raises(NotSignedIn, match="No registered key"):
            await send_all(one, logbook, lambda _bytes, _counts: None)
    logbook.close(done=False)
    assert logbook.answers == {}


async def test_a_file_that_grew_is_not_sent(folder: Path) -> None:
    """What is sent is what was packed."""
    gateway, logbook = Gateway(), begin(folder)
    (folder / "a.xml").write_bytes(b"<record>another, and longer</record>")
    with pytest.raises(ConfigurationError, match="was changed"):
        await send(gateway, logbook)
    logbook.close(done=False)
    assert gateway.taken == {}


def test_an_unfinished_send_is_not_begun_anew(folder: Path) -> None:
    """It is gone on with, or its logbook is deleted: nothing is sent twice by mistake."""
    begin(folder).close(done=False)
    with pytest.raises(ConfigurationError, match="interrupted"):
        begin(folder)


def test_a_line_half_written_is_as_if_it_were_not(folder: Path) -> None:
    """A logbook cut off anywhere is read up to its last whole line."""
    logbook = begin(folder)
    logbook.close(done=False)
    whole = logbook.file.read_bytes()
    logbook.file.write_bytes(whole + b'{"number": 0, "stat')
    resumed = Logbook.resume(logbook.file)
    resumed.close(done=False)
    assert (resumed.plan, resumed.answers) == (logbook.plan, {})
    assert logbook.file.read_bytes() == whole


def test_a_file_the_agency_does_not_send_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """By name, with what it would take."""
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(Unusable, match="no kind of file"):
        pack(ADAPTER, [tmp_path / "x.json"], "B-1")
