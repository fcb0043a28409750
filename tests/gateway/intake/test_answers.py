"""Records answered in their agency's own protocol, under the status everybody's has."""

import io
from typing import Any

import httpx
import pytest

from adapters.gp.edifact.interchange import Interchange
from adapters.gp.edifact.segments import Segment
from adapters.gp.hl7.er7 import Hl7Message, open_message
from gateway.errors import JournalUnavailable
from tests.adapters.gp.edifact.interchanges import GOOD
from tests.adapters.gp.edifact.interchanges import changed as rewritten
from tests.adapters.gp.hl7.messages import MOVED, PID, changed, message
from tests.gateway.intake.test_take import Street, problem
from tests.support.doors import PRACTICE, bearer, knocking

RECORDS = "/v1/feeds/gp/records"
HL7, ER7, EDIFACT = "application/hl7-v2", "x-application/hl7-v2+er7", "application/edifact"


@pytest.fixture
def street() -> Street:
    """A door with nothing taken yet."""
    return Street()


async def send(street: Street, body: bytes, media_type: str, **headers: str) -> httpx.Response:
    """Send a record as a practice."""
    named: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    async with knocking(street.app) as client:
        return await client.post(RECORDS, content=body, headers=bearer(PRACTICE) | {"content-type": media_type} | named)


def acknowledged(answer: httpx.Response) -> str:
    """The code of the acknowledgement an answer is."""
    assert answer.headers["content-type"] == HL7
    opened: Hl7Message = open_message(answer.content)
    msa = opened.first("MSA")
    assert msa is not None
    return msa.get(1)


def reported(answer: httpx.Response) -> str:
    """What the receipt report an answer is says of the interchange."""
    assert answer.headers["content-type"] == EDIFACT
    (one,) = Interchange(io.BytesIO(answer.content)).messages()
    last: Segment = one.body[-1]
    return last.value(0, 1)


@pytest.mark.parametrize("media_type", [HL7, ER7])
async def test_a_message_is_acknowledged_by_either_name_of_its_type(street: Street, media_type: str) -> None:
    """202 with an acknowledgement in its body and the receipt where it always stands; 200 when it comes again."""
    first = await send(street, MOVED, media_type)
    assert (first.status_code, acknowledged(first)) == (202, "AA")
    assert first.headers["location"].startswith("/v1/receipts/")
    again = await send(street, MOVED, media_type)
    assert (again.status_code, acknowledged(again)) == (200, "AA")
    assert again.headers["location"] == first.headers["location"]
    assert len(street.journal.entries) == 1


async def test_the_control_id_of_a_message_is_its_id(street: Street) -> None:
    """Another message under the same MSH-10 is a clash, 409 and AE; a header beside it counts before it."""
    other = changed(MOVED, "SK4 2HD", "WN1 2AR")
    assert acknowledged(await send(street, MOVED, HL7)) == "AA"
    clash = await send(street, other, HL7)
    assert (clash.status_code, acknowledged(clash)) == (409, "AE")
    beside = await send(street, other, HL7, idempotency_key="another")
    assert (beside.status_code, acknowledged(beside)) == (202, "AA")


async def test_a_refusal_is_told_in_the_protocol(street: Street) -> None:
    """422 with an acknowledgement that names every fault, and the bytes are kept."""
    answer = await send(street, changed(MOVED, "19910623", "1991/06/23"), HL7)
    assert (answer.status_code, acknowledged(answer)) == (422, "AE")
    assert len(street.refusals.kept) == 1


async def test_a_sender_that_wants_no_acknowledgement_gets_the_receipt(street: Street) -> None:
    """HTTP answers in any case: without a word of the protocol, as it answers everybody."""
    silent = message(PID, msh_15="NE", msh_16="NE")
    answer = await send(street, silent, HL7)
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    problem(await send(street, changed(silent, "19910623", "x"), HL7, idempotency_key="x"), 422, "record-refused")


async def test_an_interchange_is_answered_by_its_report(street: Street) -> None:
    """202 and OK, 200 for the same again, 422 and NA for one that is refused."""
    first, again = await send(street, GOOD, EDIFACT), await send(street, GOOD, EDIFACT)
    assert (first.status_code, reported(first)) == (202, "00000003 OK")
    assert (again.status_code, reported(again)) == (200, "00000003 OK")
    refused = await send(street, rewritten(GOOD, "RFF+TN:102", "RFF+TN:x"), EDIFACT)
    assert (refused.status_code, reported(refused)) == (422, "00000003 NA")


async def test_what_names_nobody_to_answer_is_a_problem_like_any_other(street: Street) -> None:
    """Bytes that are no interchange have no report."""
    problem(await send(street, b"garbage", EDIFACT), 422, "record-refused")


async def test_while_nothing_can_be_committed_the_answer_says_to_send_again(street: Street) -> None:
    """503 with AR for a message; an interchange gets no report, because nothing was decided of it."""
    street.journal.fails = JournalUnavailable("no")
    answer = await send(street, MOVED, HL7)
    assert (answer.status_code, acknowledged(answer), answer.headers["retry-after"]) == (503, "AR", "1")
    problem(await send(street, GOOD, EDIFACT), 503, "unavailable")
