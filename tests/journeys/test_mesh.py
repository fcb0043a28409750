"""A process that dies while it works on its MESH mailbox, with the sandbox of the NHS on the other side.

A message is fetched, committed, answered and acknowledged, and the acknowledgement deletes it there. A death anywhere
between leaves it where it was; it is fetched again under the same message id.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.local import custody_papers as papers
from gateway.local.cast import REGISTRATIONS
from gateway.local.errors import ChildDied
from gateway.settings import Kafka, Mesh
from tests.adapters.gp.edifact.interchanges import AMENDED, interchange, message
from tests.checker.history import Invoked, Taken
from tests.checker.workload import SENDER, messages
from tests.journeys.trial import Trial, trial
from tests.support.mesh import GP, MINE, PASSWORD, SHARED_KEY, STRANGER, Exchange, sandbox
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROWS, REPORTS = "TEST_WORKFLOW", "TEST_WORKFLOW2"
"""The workflows of a file of custody rows, and of a registration interchange, which is answered."""

PEOPLE, VERSIONS = 6, 3


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The sandbox, running."""
    with sandbox(tmp_path_factory.mktemp("mesh") / "sandbox.log") as exchange:
        yield exchange


@pytest.mark.parametrize(
    ("point", "left", "answers"),
    [
        pytest.param("F1:1", 2, 1, id="fetched, and nothing committed"),
        pytest.param(f"F2:{PEOPLE * VERSIONS // 2}", 2, 1, id="half of its rows committed"),
        pytest.param("F3:1", 2, 1, id="all rows committed, and the file still open"),
        pytest.param("F4:1", 2, 1, id="committed, and not answered"),
        pytest.param("F5:1", 2, 1, id="committed, and not acknowledged"),
        pytest.param("F1:3", 1, 1, id="the second fetched, and nothing of it committed"),
        pytest.param("F4:2", 1, 1, id="the second committed, and not answered"),
        pytest.param("F5:2", 1, 2, id="the second answered, and not acknowledged"),
    ],
)
async def test_a_process_killed_at_its_mailbox_loses_and_repeats_nothing(
    point: str,
    left: int,
    answers: int,
    tmp_path: Path,
    postgres: str,
    kafka_settings: Kafka,
    zygote: Zygote,
    exchange: Exchange,
) -> None:
    """Every row has its one effect, and the interchange its answer.

    left: how many of the two messages lie on the exchange at the death. answers: how many come; the same comes twice
    where nobody can know that it was sent.
    """
    exchange.reset()
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "key").write_text(SHARED_KEY)
    mesh = Mesh(
        url=exchange.url,
        mailbox=MINE,
        password=tmp_path / "password",
        shared_key=tmp_path / "key",
        poll=timedelta(seconds=0.2),
    )
    async with trial(tmp_path, postgres, kafka_settings, zygote=zygote, started=False, mesh=mesh) as one:
        _sends(one, SENDER, GP, ROWS, papers.CSV)
        _sends(one, REGISTRATIONS.id, STRANGER, REPORTS, "application/edifact")
        file = [sent for person in one.known(messages(range(PEOPLE), VERSIONS)) for sent in person]
        for sent in file:
            one.history.write(Invoked(sent.id, sent.person, sent.version, sent.content, sent.owed))
        _send(exchange, GP, ROWS, papers.table(sent.row for sent in file))
        asked = _send(exchange, STRANGER, REPORTS, interchange(message(AMENDED)))
        await one.system.start("dispatch")
        with suppress(ChildDied):  # it may come there before it says that it is ready
            await one.system.start("intake", crash=f"{point}:kill")
        assert "SIGKILL" in await one.system.died("intake")
        one.note(f"intake was killed at {point}")
        assert len(_waiting(exchange, MINE)) == left
        await one.system.start("intake")
        async with asyncio.timeout(60):
            while await asyncio.to_thread(_waiting, exchange, MINE):
                one.system.check()
                await asyncio.sleep(0.1)
        for sent, receipt in zip(file, await _receipts(one), strict=True):
            one.history.write(Taken(sent.id, receipt))
        await one.finish()
    assert _answered(exchange, STRANGER) == [asked] * answers
    assert not _waiting(exchange, GP)


def _sends(one: Trial, party: str, mailbox: str, workflow: str, media_type: str) -> None:
    """Let a party send what is of this workflow from this mailbox."""
    told = f'mesh = {{ mailboxes = ["{mailbox}"], workflows = {{ {workflow} = {{ media_type = "{media_type}" }} }} }}'
    file = one.system.own.parties
    before = file.read_text()
    after = re.sub(rf"^\[parties\.{party}\]$", lambda found: f"{found[0]}\n{told}", before, flags=re.MULTILINE)
    assert after != before
    file.write_text(after)


def _send(exchange: Exchange, mailbox: str, workflow: str, body: bytes) -> str:
    with exchange.client(mailbox) as client:
        return client.send_message(MINE, body, workflow_id=workflow)


def _waiting(exchange: Exchange, mailbox: str) -> list[str]:
    with exchange.client(mailbox) as client:
        return client.list_messages()


def _answered(exchange: Exchange, mailbox: str) -> list[str | None]:
    """To which message each answer in a mailbox says that it belongs."""
    with exchange.client(mailbox) as client:
        return [client.retrieve_message(one).local_id for one in client.list_messages()]


async def _receipts(one: Trial) -> list[str]:
    """The receipts of the file's rows, in their order."""
    async with one.engine.connect() as connection:
        found = await connection.execute(
            text("select file_id || '#' || row from records where sender = :sender order by row"), {"sender": SENDER}
        )
        return [str(receipt) for receipt in found.scalars()]
