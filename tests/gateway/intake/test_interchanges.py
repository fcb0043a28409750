"""Registration interchanges as files, with the journal on a real PostgreSQL: rows, numbers, and reports."""

import io
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.gp.edifact.interchange import Interchange
from adapters.gp.hl7.er7 import open_message
from gateway.intake.batch import FileTaker
from gateway.intake.parcel import Parcel, ParcelTaker, Statement
from gateway.intake.record import RecordTaker
from gateway.intake.refusals import Refusals
from gateway.intake.spool import Spool
from gateway.parties import Party
from gateway.sealing import BlindIndex, Sealer
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.adapters.gp.edifact.interchanges import AMENDED, DEDUCTED, changed, interchange, message
from tests.adapters.gp.hl7.messages import MOVED
from tests.support.doors import ADAPTERS, NOW, SECRETS, real_journal

pytestmark = pytest.mark.services

SENDER = Party(id="heaton-moor", name="heaton-moor", agency="gp")
BOTH = (message(AMENDED, ("RFF+TN:104", *AMENDED[1:])), message(DEDUCTED, kind="F2", reference=7))


@pytest.fixture
async def taker(postgres: str) -> AsyncIterator[ParcelTaker]:
    """What takes files, on an empty, migrated database."""
    engine: AsyncEngine = open_engine(Store(dsn=postgres))
    index, refusals = BlindIndex(SECRETS.pepper), Refusals(engine, Sealer(SECRETS.kek))
    async with real_journal(engine) as journal:
        records = RecordTaker(journal, refusals, index, SECRETS.namespace)
        files = FileTaker(journal, refusals, engine, index, SECRETS.namespace, 1 << 20, lambda: NOW)
        yield ParcelTaker(records, files, 1 << 20, 1 << 30, lambda: NOW)
    await engine.dispose()


async def take(taker: ParcelTaker, body: bytes) -> Statement:
    """Take an interchange as a file of its sender."""
    spool = Spool(io.BytesIO())
    spool.write([body])
    return await taker.take(Parcel(SENDER, ADAPTERS["gp"], "application/edifact"), spool.whole())


def codes(statement: Statement) -> list[str]:
    """What the report says of each message, and of the interchange."""
    (reply,) = statement.replies
    (report,) = Interchange(io.BytesIO(reply.body)).messages()
    return [segment.value(0, 1) for segment in report.body if segment.tag == "RFF"]


async def test_each_transaction_is_a_row_and_the_report_says_which_message_had_a_bad_one(taker: ParcelTaker) -> None:
    """One transaction that cannot be told is refused alone, and its message is reported in error."""
    taken = await take(taker, changed(interchange(*BOTH), "RFF+TN:104", "RFF+TN:x"))
    assert taken.taken
    assert {name: taken.receipt[name] for name in ("rows", "accepted", "refused")} == {
        "rows": 3,
        "accepted": 2,
        "refused": 1,
    }
    assert codes(taken) == ["00000006 CA", "00000007 CP", "00000003 ER"]


async def test_interchanges_follow_one_another_without_a_gap(taker: ParcelTaker) -> None:
    """The next is taken, one that skips a number is refused whole and named, and so is another under a used number."""
    first = interchange(*BOTH, reference=3)
    assert codes(await take(taker, first))[-1] == "00000003 OK"
    assert codes(await take(taker, first))[-1] == "00000003 OK"
    ahead = await take(taker, interchange(*BOTH, reference=5))
    assert not ahead.taken
    assert [fault["rule"] for fault in ahead.receipt["errors"]] == ["GP-117"]
    assert codes(ahead) == ["00000006 CI", "00000007 CI", "00000005 NA"]
    other = await take(taker, interchange(message(AMENDED), reference=3))
    assert [fault["rule"] for fault in other.receipt["errors"]] == ["GP-118"]
    assert codes(await take(taker, interchange(*BOTH, reference=4)))[-1] == "00000004 OK"
    assert codes(await take(taker, interchange(*BOTH, reference=5)))[-1] == "00000005 OK"


async def test_another_partner_counts_for_itself(taker: ParcelTaker) -> None:
    """Numbers are those from one partner to another."""
    assert (await take(taker, interchange(*BOTH, reference=3))).taken
    elsewhere = interchange(*BOTH, reference=70, header="UNOA:2+XX22+TES5+260112:1235")
    assert (await take(taker, elsewhere)).taken


async def test_a_broken_interchange_takes_no_number(taker: ParcelTaker) -> None:
    """Refused whole, it is mended and sent again under the same number."""
    whole = interchange(*BOTH, reference=3)
    broken = await take(taker, changed(whole, "UNZ+2", "UNZ+3"))
    assert not broken.taken
    assert codes(broken) == ["00000006 CI", "00000007 CI", "00000003 NA"]
    assert (await take(taker, whole)).taken


async def test_a_large_interchange_is_answered_too(taker: ParcelTaker) -> None:
    """A partner that gets no report sends again without end, so its size decides nothing."""
    many = [message(*(AMENDED for _ in range(100)), reference=6 + place) for place in range(50)]
    large = changed(interchange(*many, reference=3), "UNZ+50", "UNZ+51")
    assert len(large) > 1 << 20
    refused = await take(taker, large)
    assert not refused.taken
    assert codes(refused) == [*(f"{6 + place:08} CI" for place in range(50)), "00000003 NA"]


async def test_a_message_of_hl7_laid_down_alone_is_acknowledged_as_what_became_of_it(taker: ParcelTaker) -> None:
    """Refused as the only row of its file, it is answered by an error, and whole by an acceptance."""
    said = []
    for body in (MOVED, changed(MOVED, "19910623", "1991-06-23")):
        spool = Spool(io.BytesIO())
        spool.write([body])
        taken = await taker.take(Parcel(SENDER, ADAPTERS["gp"], "application/hl7-v2"), spool.whole())
        (reply,) = taken.replies
        msa = open_message(reply.body).first("MSA")
        assert msa is not None
        said.append(msa.get(1))
    assert said == ["AA", "AE"]
