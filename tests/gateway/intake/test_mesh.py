"""A MESH mailbox as a channel: the NHS's sandbox on one side, the journal on a real PostgreSQL on the other."""

import gzip
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from adapters.base import Adapter, Answered, Message, Reply
from gateway import failpoints
from gateway.errors import ConfigurationError
from gateway.failpoints import Crashed
from gateway.intake.batch import FileTaker
from gateway.intake.journal import Journal
from gateway.intake.mesh import MeshPoll
from gateway.intake.mesh_access import open_client, routes_of
from gateway.intake.parcel import ParcelTaker
from gateway.intake.record import Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.parties import MeshSender, Parties, Party, Workflow
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Mesh, Store
from gateway.store.ledger import open_engine
from gateway.store.turns import Turns, open_turns
from tests.gateway.intake.test_files import Failing, batch, rows
from tests.gateway.intake.test_take import GOOD
from tests.support.doors import ADAPTERS, NOW, SECRETS, real_journal
from tests.support.mesh import GP, MINE, PASSWORD, SHARED_KEY, STRANGER, Exchange, sandbox

pytestmark = pytest.mark.services

CUSTODY = ADAPTERS["police_custody"]
SENDER = "met-police"
CSV, XML = "TEST_WORKFLOW", "TEST_WORKFLOW2"
PARTIES = Parties(
    (
        Party(
            id=SENDER,
            name=SENDER,
            agency="police_custody",
            mesh=MeshSender(
                mailboxes=(GP,),
                workflows={
                    CSV: Workflow(media_type="text/csv", answer="TEST_WORKFLOW_ACK"),
                    XML: Workflow(media_type="application/xml"),
                },
            ),
        ),
    )
)


@dataclass
class Street:
    """Our mailbox, and who sends to it."""

    exchange: Exchange
    settings: Mesh
    engine: AsyncEngine
    journal: Commits
    turns: Turns
    adapter: Adapter = CUSTODY
    max_file: int = 1 << 30

    async def poll(self) -> None:
        """A process polls once."""
        index, refusals = BlindIndex(SECRETS.pepper), Refusals(self.engine, Sealer(SECRETS.kek))
        records = RecordTaker(self.journal, refusals, index, SECRETS.namespace)
        files = FileTaker(self.journal, refusals, self.engine, index, SECRETS.namespace, 1 << 20, lambda: NOW)
        taker = ParcelTaker(records, files, 1 << 20, self.max_file, lambda: NOW)
        with open_client(self.settings) as client:
            routes = routes_of(PARTIES, {"police_custody": self.adapter})
            await MeshPoll(client, routes, taker, self.turns, self.settings).poll()

    def send(
        self, content: bytes, workflow: str = CSV, mailbox: str = GP, chunk: int | None = None, **told: Any
    ) -> str:
        """Send us a message; its id."""
        with self.exchange.client(mailbox) as client:
            return client.send_message(MINE, content, workflow_id=workflow, **told)

    def waiting(self, mailbox: str = MINE) -> list[str]:
        """What lies in a mailbox."""
        with self.exchange.client(mailbox) as client:
            return client.list_messages()

    def received(self, mailbox: str) -> list[tuple[str | None, str | None, bytes]]:
        """What was sent to a mailbox: workflow, local id and body of each."""
        with self.exchange.client(mailbox) as client:
            messages = map(client.retrieve_message, client.list_messages())
            return [(one.workflow_id, one.local_id, one.read()) for one in messages]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The sandbox, running."""
    with sandbox(tmp_path_factory.mktemp("mesh") / "sandbox.log") as exchange:
        yield exchange


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
async def street(exchange: Exchange, engine: AsyncEngine, journal: Journal, tmp_path: Path) -> AsyncIterator[Street]:
    """Empty mailboxes."""
    exchange.reset()
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "key").write_text(f"{SHARED_KEY}\n")
    told = Mesh(url=exchange.url, mailbox=MINE, password=tmp_path / "password", shared_key=tmp_path / "key")
    async with open_turns(engine) as turns:
        yield Street(exchange, told, engine, journal, turns)


@pytest.fixture
def heard() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged."""
    with capture_logs() as lines:
        yield lines


def answering(adapter: Adapter, seen: list[Answered]) -> Adapter:
    """The adapter, with a protocol that answers files."""

    def answer(message: Message, answered: Answered) -> tuple[Reply, ...]:
        seen.append(answered)
        return (Reply(f"ANSWER {answered.fate}".encode(), message.media_type),)

    return replace(adapter, answers={"text/csv": answer})


async def test_a_message_is_taken_and_then_acknowledged(street: Street) -> None:
    """Every row is committed, the sender is the party of the mailbox, and the message is gone from the exchange."""
    street.send(batch(20, frozenset({4})))
    await street.poll()
    assert street.waiting() == []
    assert await rows(street.engine, "select count(*), min(sender) from records") == [(19, SENDER)]
    assert await rows(street.engine, "select state, rows from files") == [("taken", 20)]


async def test_a_message_in_chunks_is_one_file(street: Street) -> None:
    """However it was cut, and whether or not each chunk is compressed on its way."""
    street.send(batch(100), max_chunk_size=1000)
    street.send(batch(50), max_chunk_size=700, compress=True)
    await street.poll()
    assert await rows(street.engine, "select rows from files order by rows") == [(50,), (100,)]


async def test_a_senders_own_gzip_is_unpacked(street: Street) -> None:
    """What the sender's client compressed before sending, as the exchange's header says."""
    street.send(gzip.compress(batch(30)), compressed=True)
    await street.poll()
    assert await rows(street.engine, "select rows from files") == [(30,)]


async def test_a_single_record_may_be_sent(street: Street) -> None:
    """The workflow says what it is."""
    street.send(GOOD, XML)
    await street.poll()
    assert await rows(street.engine, "select count(*) from records") == [(1,)]
    assert street.waiting() == []


@pytest.mark.parametrize("crash", ["F2:10:raise", "F3:1:raise", "F4:1:raise", "F5:1:raise"])
async def test_killed_before_the_acknowledgement_it_has_one_effect(street: Street, crash: str) -> None:
    """The message is fetched again under the same id, and ends as if nothing had happened."""
    street.send(batch(20))
    failpoints.arm(crash)
    try:
        with pytest.raises(Crashed):
            await street.poll()
    finally:
        failpoints.arm(None)
    assert len(street.waiting()) == 1
    await street.poll()
    assert street.waiting() == []
    assert await rows(street.engine, 'select count(*), count(distinct "row") from records') == [(20, 20)]
    assert await rows(street.engine, "select state from files") == [("taken",)]


async def test_while_the_journal_cannot_commit_nothing_is_acknowledged(street: Street, journal: Journal) -> None:
    """The message waits on the exchange; once the journal commits it is taken."""
    failing = Failing(journal, 10)
    street.journal = failing
    street.send(batch(20))
    await street.poll()
    assert len(street.waiting()) == 1
    failing.left = 1000
    await street.poll()
    assert street.waiting() == []
    assert await rows(street.engine, "select count(*) from records") == [(20,)]


async def test_the_answer_of_the_protocol_goes_back_by_the_exchange(street: Street) -> None:
    """To the mailbox it came from, under the workflow of answers, naming the message it answers."""
    seen: list[Answered] = []
    street.adapter = answering(CUSTODY, seen)
    message_id = street.send(batch(5, frozenset({2})))
    await street.poll()
    assert street.received(GP) == [("TEST_WORKFLOW_ACK", message_id, b"ANSWER committed")]
    assert [(one.fate.value, one.refused_rows) for one in seen] == [("committed", {2})]


async def test_a_file_refused_whole_is_answered_and_acknowledged(street: Street) -> None:
    """Its sender is told; it would be refused again however often it were fetched."""
    street.adapter = answering(CUSTODY, [])
    street.send(batch(3, counted=4))
    await street.poll()
    assert street.waiting() == []
    assert [body for _, _, body in street.received(GP)] == [b"ANSWER refused"]
    assert await rows(street.engine, "select count(*) from records") == [(0,)]


async def test_what_nobody_expects_is_named_and_left(street: Street, heard: list[MutableMapping[str, Any]]) -> None:
    """No party's mailbox, encrypted content, a gzip that ends early, two bombs; what comes after them is taken."""
    left = [
        street.send(batch(1), mailbox=STRANGER, workflow=XML),
        street.send(batch(1), encrypted=True),
        street.send(gzip.compress(batch(9))[:-20], compressed=True),
        street.send(gzip.compress(b"a" * (64 << 20)), compressed=True),
        street.send(b"a" * (64 << 20), compress=True),
    ]
    street.send(batch(2))
    await street.poll()
    assert sorted(street.waiting()) == sorted(left)
    reasons = [line["reason"] for line in heard if line["event"] == "mesh.left_lying"]
    assert reasons == ["not_of_any_party", "encrypted", "damaged", "damaged", "damaged"]
    assert await rows(street.engine, "select rows from files") == [(2,)]


async def test_a_message_larger_than_a_file_may_be_is_refused(street: Street) -> None:
    """It is not fetched to its end, and not again."""
    street.max_file = 1000
    street.send(batch(100))
    await street.poll()
    assert street.waiting() == []
    assert await rows(street.engine, "select count(*) from files") == [(0,)]


async def test_a_report_of_the_exchange_is_said(street: Street, heard: list[MutableMapping[str, Any]]) -> None:
    """That something we sent could not be delivered concerns operations; it is no message of a party."""
    street.exchange.report(MINE, CSV, "14")
    await street.poll()
    assert [line["code"] for line in heard if line["event"] == "mesh.not_delivered"] == ["14"]
    assert street.waiting() == []


async def test_one_process_at_a_time_polls(street: Street) -> None:
    """Another stands by, and takes over when the first one's session ends."""
    street.send(batch(1))
    async with open_turns(street.engine) as first, first.turn(f"mesh|{MINE}") as mine:
        assert mine
        await street.poll()
        assert len(street.waiting()) == 1
    await street.poll()
    assert street.waiting() == []


async def test_an_exchange_that_is_away_is_waited_for(street: Street, heard: list[MutableMapping[str, Any]]) -> None:
    """It is said, and nothing fails."""
    street.settings = street.settings.model_copy(update={"url": "http://127.0.0.1:9", "timeout": timedelta(seconds=1)})
    await street.poll()
    assert [line["event"] for line in heard if line["event"] != "library.said"] == ["mesh.waits"]


@pytest.mark.parametrize(
    "told",
    [
        {"url": "https://mesh.test"},
        {"url": "http://mesh.test", "password": Path("x"), "shared_key": Path("x")},
        {"url": "https://mesh.test", "password": Path("/none"), "shared_key": Path("/none")},
    ],
    ids=["no password", "in the clear", "no such file"],
)
def test_a_mailbox_that_is_set_up_wrong_is_told_at_the_start(told: Mapping[str, Any]) -> None:
    """What is missing, and where to set it."""
    with pytest.raises(ConfigurationError) as error:
        open_client(Mesh(**told))
    assert "GATEWAY_MESH" in error.value.fix


def test_two_parties_cannot_send_the_same_from_one_mailbox() -> None:
    """A mailbox and a workflow say who speaks."""
    first = PARTIES.all[0]
    with pytest.raises(ConfigurationError, match="both send"):
        routes_of(Parties((first, first.model_copy(update={"id": "other"}))), ADAPTERS)
