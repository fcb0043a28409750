"""A mailbox brought to a local system."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.connecting.listening import Cursor, Forwarded, NoMailbox, listen
from gateway.delivery.signing import sign, verify, write_key
from gateway.errors import ConfigurationError
from gateway.sealing import Signer

SIGNER = Signer((b"1" * 32,))
KEYS = [write_key(SIGNER.public_keys()[0])]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOCAL = "http://localhost.test/in"
KIND = "custody.charged"


class Mailbox:
    """A gateway with these messages in a mailbox; a body of None was withdrawn."""

    def __init__(self, **messages: bytes | None) -> None:
        self.messages = messages
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/v1/mailbox":
            after = int(request.url.params["after"])
            notices = [
                {"id": name, "kind": KIND, "position": place}
                for place, name in enumerate(self.messages, start=1)
                if place > after
            ]
            return httpx.Response(200, json={"notices": notices[:2], "cursor": after})
        name = request.url.path.rpartition("/")[2]
        body = self.messages[name]
        if body is None:
            return httpx.Response(410)
        return httpx.Response(
            200, content=body, headers=sign(SIGNER, name, NOW, body) | {"content-type": "application/json"}
        )


class Local:
    """A recipient's own system. script: what it answers first, in order."""

    def __init__(self, *script: int | Exception) -> None:
        self.script = list(script)
        self.got: list[tuple[str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = verify(KEYS, dict(request.headers), request.content, NOW)
        self.got.append((name, request.content))
        answer = self.script.pop(0) if self.script else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


@asynccontextmanager
async def listening(
    mailbox: Mailbox, local: Local, cursor: Cursor, again: Callable[[str, str], None]
) -> AsyncIterator[AsyncIterator[Forwarded]]:
    """Somebody who listens."""
    async with AsyncExitStack() as stack:
        gateway = httpx.AsyncClient(transport=httpx.MockTransport(mailbox), base_url="http://gateway.test")
        own = httpx.AsyncClient(transport=httpx.MockTransport(local))
        await stack.enter_async_context(gateway)
        await stack.enter_async_context(own)
        coming: Any = listen(gateway, own, LOCAL, cursor, wait=0, again=again)
        stack.push_async_callback(coming.aclose)
        yield coming


async def told(
    count: int,
    mailbox: Mailbox,
    local: Local,
    cursor: Cursor,
    again: Callable[[str, str], None] = lambda _message, _why: None,
) -> list[Forwarded]:
    """The first so many that are told of."""
    async with listening(mailbox, local, cursor, again) as coming:
        return [await anext(coming) for _ in range(count)]


async def test_each_message_comes_as_it_was_signed(tmp_path: Path) -> None:
    """In order, byte for byte, and its signature verifies: `Local` verifies each."""
    bodies = {"m-1": b'{"a" : 1}\n', "m-2": "Zoë".encode(), "m-3": b"{}"}
    local = Local()
    found = await told(3, Mailbox(**bodies), local, Cursor(tmp_path / "c"))
    assert local.got == list(bodies.items())
    assert found == [Forwarded(name, KIND, 204) for name in bodies]


async def test_the_place_in_the_mailbox_outlives_the_command(tmp_path: Path) -> None:
    """What was brought is not brought again; what was not, is."""
    mailbox, local = Mailbox(a=b"1", b=b"2", c=b"3"), Local()
    await told(1, mailbox, local, Cursor(tmp_path / "c"))
    assert json.loads((tmp_path / "c").read_bytes()) == {"after": 1}
    await told(2, mailbox, local, Cursor(tmp_path / "c"))
    assert [name for name, _ in local.got] == ["a", "b", "c"]


@pytest.mark.parametrize("answer", [500, 503, 429, 408, httpx.ConnectError("refused")], ids=str)
async def test_a_local_system_that_is_away_is_waited_for(answer: int | Exception, tmp_path: Path) -> None:
    """The same message comes again, and none overtakes it."""
    local = Local(answer)
    await told(2, Mailbox(a=b"1", b=b"2"), local, Cursor(tmp_path / "c"))
    assert [name for name, _ in local.got] == ["a", "a", "b"]


async def test_whoever_waits_for_a_local_system_is_told_so_once(tmp_path: Path) -> None:
    """Which message, and why it comes again: silence would look like an empty mailbox."""
    said: list[tuple[str, str]] = []
    local = Local(503, httpx.ConnectError("refused"), 500, 204, httpx.ConnectError("refused"))
    await told(2, Mailbox(a=b"1", b=b"2"), local, Cursor(tmp_path / "c"), lambda *one: said.append(one))
    assert said == [("a", "answers 503"), ("b", "does not answer")]


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 302])
async def test_what_a_local_system_refuses_is_told_and_passed(status: int, tmp_path: Path) -> None:
    """It is its own business, and the next one comes."""
    found = await told(2, Mailbox(a=b"1", b=b"2"), Local(status), Cursor(tmp_path / "c"))
    assert [(one.status, one.taken) for one in found] == [(status, False), (204, True)]


async def test_what_was_withdrawn_is_told_and_passed(tmp_path: Path) -> None:
    """Nothing is posted for it."""
    local = Local()
    found = await told(2, Mailbox(a=None, b=b"2"), local, Cursor(tmp_path / "c"))
    assert [one.status for one in found] == [None, 204]
    assert [name for name, _ in local.got] == ["b"]


async def test_a_party_without_a_mailbox_is_told_so(tmp_path: Path) -> None:
    """And what to do: it would wait for ever."""

    def nothing_here(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"detail": "Your party has no mailbox."})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(nothing_here), base_url="http://gateway.test"
    ) as gateway:
        with pytest.raises(NoMailbox, match="has no mailbox at this gateway"):
            await anext(listen(gateway, gateway, LOCAL, Cursor(tmp_path / "cursor"), wait=0))


def test_a_file_that_is_no_cursor_is_not_overwritten(tmp_path: Path) -> None:
    """It is somebody's, perhaps."""
    (tmp_path / "c").write_text("my notes")
    with pytest.raises(ConfigurationError):
        Cursor(tmp_path / "c")
    assert (tmp_path / "c").read_text() == "my notes"
