"""Registration interchanges posted one by one: numbers without a gap, with the journal on a real PostgreSQL."""

import asyncio
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.gp.edifact.interchange import Interchange
from gateway import failpoints
from gateway.errors import JournalUnavailable
from gateway.failpoints import Crashed
from gateway.intake.entry import Clash, Entry, Taken
from gateway.intake.record import Commits
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.adapters.gp.edifact.interchanges import AMENDED, DEDUCTED, interchange, message
from tests.gateway.intake.test_interchanges import BOTH
from tests.support.doors import OTHER_PRACTICE, PRACTICE, Signer, application, bearer, knocking, real_journal

pytestmark = pytest.mark.services

RECORDS, FILES = "/v1/feeds/gp/records", "/v1/feeds/gp/files"


class Failing:
    """A journal that can be told to fail: before it commits, or after it did and before anybody learns of it."""

    def __init__(self, journal: Commits) -> None:
        self.journal = journal
        self.before = False
        self.after = False

    @property
    def waiting(self) -> int:
        """As the journal's."""
        return self.journal.waiting

    async def take(self, entry: Entry) -> Taken | Clash:
        """As the journal does, unless it is to fail."""
        if self.before:
            raise JournalUnavailable("not now")
        taken = await self.journal.take(entry)
        if self.after:
            raise JournalUnavailable("nobody knows")
        return taken


class Partner:
    """A registration system, and the door it posts to."""

    def __init__(self, client: httpx.AsyncClient, journal: Failing) -> None:
        self.client = client
        self.journal = journal

    async def post(
        self, body: bytes, *, door: str = RECORDS, signer: Signer = PRACTICE, key: str | None = None
    ) -> tuple[int, str]:
        """The status of the answer, and what its report says of the interchange; the rules where there is none."""
        headers = bearer(signer) | {"content-type": "application/edifact"} | ({"idempotency-key": key} if key else {})
        answer = await self.client.post(door, content=body, headers=headers)
        if answer.headers["content-type"] != "application/edifact":
            return answer.status_code, answer.json()["type"]
        (report,) = Interchange(io.BytesIO(answer.content)).messages()
        return answer.status_code, report.body[-1].value(0, 1)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.fixture
async def partner(engine: AsyncEngine) -> AsyncIterator[Partner]:
    """A partner that has posted interchange 3."""
    async with real_journal(engine) as real:
        journal = Failing(real)
        async with knocking(application(engine, journal)) as client:
            partner = Partner(client, journal)
            assert await partner.post(numbered(3)) == (202, "00000003 OK")
            yield partner


def numbered(reference: int, *, other: bool = False) -> bytes:
    """The interchange of this number; other: with other content."""
    return interchange(message(DEDUCTED, kind="F2") if other else message(AMENDED), reference=reference)


async def test_the_next_is_taken_and_a_gap_is_named(partner: Partner) -> None:
    """The report says that nothing was taken; once what was missing has come, it is taken."""
    assert await partner.post(numbered(5)) == (422, "00000005 NA")
    assert await partner.post(numbered(4)) == (202, "00000004 OK")
    assert await partner.post(numbered(5)) == (202, "00000005 OK")


async def test_the_same_again_is_what_it_was(partner: Partner) -> None:
    """Whatever came since: it is known by its bytes, or by the id it came under."""
    assert await partner.post(numbered(4)) == (202, "00000004 OK")
    assert await partner.post(numbered(3)) == (200, "00000003 OK")
    assert await partner.post(numbered(5), key="k") == (202, "00000005 OK")
    assert await partner.post(numbered(6)) == (202, "00000006 OK")
    assert await partner.post(numbered(5), key="k") == (200, "00000005 OK")


async def test_a_number_is_used_once(partner: Partner) -> None:
    """Another interchange under it is refused, and takes nothing; so is one under an older number."""
    assert await partner.post(numbered(3, other=True)) == (422, "00000003 NA")
    assert await partner.post(numbered(1)) == (422, "00000001 NA")


async def test_another_under_a_used_message_id_takes_no_number(partner: Partner) -> None:
    """The clash is told, and the number is still to be had."""
    assert await partner.post(numbered(4), key="k") == (202, "00000004 OK")
    assert (await partner.post(numbered(5), key="k"))[0] == 409
    assert await partner.post(numbered(5)) == (202, "00000005 OK")


async def test_what_is_refused_for_itself_takes_no_number(partner: Partner) -> None:
    """Mended, it comes under the number it had."""
    wrong = numbered(4).replace(b"RFF+TN:101", b"RFF+TN:x")
    assert await partner.post(wrong) == (422, "00000004 NA")
    assert await partner.post(numbered(4)) == (202, "00000004 OK")


async def test_posts_and_files_are_one_series(partner: Partner) -> None:
    """It is the partner's numbers that count, by whichever door they come."""
    assert await partner.post(interchange(*BOTH, reference=4), door=FILES) == (202, "00000004 OK")
    assert await partner.post(numbered(4, other=True)) == (422, "00000004 NA")
    assert await partner.post(numbered(5)) == (202, "00000005 OK")


async def test_another_sender_counts_for_itself(partner: Partner) -> None:
    """Whatever partner's name it writes."""
    assert await partner.post(numbered(70), signer=OTHER_PRACTICE) == (202, "00000070 OK")


async def test_two_under_one_number_at_the_same_time(partner: Partner) -> None:
    """However they meet, one of them is taken; the same one twice is taken once and refused never."""
    told = await asyncio.gather(partner.post(numbered(4)), partner.post(numbered(4, other=True)))
    assert sorted(status for status, _ in told) == [202, 422]
    again = await asyncio.gather(*(partner.post(numbered(5)) for _ in range(4)))
    assert sorted(status for status, _ in again) == [200, 200, 200, 202]


async def test_while_nothing_can_be_committed_no_number_is_taken(partner: Partner) -> None:
    """503 and no report. Afterwards the same is taken, or another in its place: nothing of the first was."""
    partner.journal.before = True
    assert await partner.post(numbered(4)) == (503, "/problems/unavailable")
    partner.journal.before = False
    assert await partner.post(numbered(4, other=True)) == (202, "00000004 OK")


async def test_a_commit_nobody_learnt_of_is_found_again(partner: Partner) -> None:
    """The answer was lost, not the record: sent again it is a repeat, and the next number is expected."""
    partner.journal.after = True
    assert (await partner.post(numbered(4)))[0] == 503
    partner.journal.after = False
    assert await partner.post(numbered(4)) == (200, "00000004 OK")
    assert await partner.post(numbered(5)) == (202, "00000005 OK")


@pytest.mark.parametrize(("point", "again"), [("F1", 202), ("F3", 200)])
async def test_a_process_that_dies_leaves_the_number_to_who_had_it(partner: Partner, point: str, again: int) -> None:
    """Before the commit or after it: nobody else gets the number, and the same again settles it."""
    failpoints.arm(f"{point}:1:raise")
    try:
        with pytest.raises(Crashed):
            await partner.post(numbered(4))
    finally:
        failpoints.arm(None)
    assert await partner.post(numbered(5)) == (422, "00000005 NA")
    assert await partner.post(numbered(4, other=True)) == (422, "00000004 NA")
    assert await partner.post(numbered(4)) == (again, "00000004 OK")
    assert await partner.post(numbered(5)) == (202, "00000005 OK")
