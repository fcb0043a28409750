"""What a sender is told of what became of its record or file: the same words over every channel."""

from typing import Any, assert_never

from adapters.base import Accepted, Held, Ignored
from adapters.findings import MOST
from gateway.intake.batch import FileClash, FileTaken, RefusedWhole
from gateway.intake.entry import Clash, Taken
from gateway.intake.findings import told
from gateway.intake.record import RecordRefused
from gateway.intake.words import word
from gateway.problems import FILE_REFUSED, ID_REUSED, RECORD_REFUSED, Problem, faults


def record_told(taken: Taken, outcome: Accepted | Held | Ignored) -> dict[str, Any]:
    """The receipt of a record."""
    return {
        "receipt": str(taken.record_id),
        "state": word(taken.state),
        "findings": [] if isinstance(outcome, Ignored) else told(outcome.findings),
        "links": {"receipt": f"/v1/receipts/{taken.record_id}"},
    }


def record_problem(refused: RecordRefused) -> Problem:
    """Why a record was refused."""
    found = faults(refused.findings)
    count = "1 fault" if len(found) == 1 else f"{len(found)} faults" if len(found) <= MOST else f"over {MOST} faults"
    return Problem(RECORD_REFUSED, f"The record has {count}.", errors=found, more={"refusal": str(refused.refusal_id)})


def record_clash(clash: Clash) -> Problem:
    """Why a record was not taken although nothing is wrong with it."""
    more = {"receipt": str(clash.record_id), "links": {"receipt": f"/v1/receipts/{clash.record_id}"}}
    return Problem(ID_REUSED, "Another body came under this message id, and was taken.", more=more)


def file_told(taken: FileTaken) -> dict[str, Any]:
    """The receipt of a batch file."""
    links = {"report": f"/v1/files/{taken.file_id}"}
    return {"file": str(taken.file_id), "state": "taken", **taken.counts, "links": links}


def file_problem(became: RefusedWhole | FileClash) -> Problem:
    """Why no row of a file was taken."""
    more = {"file": str(became.file_id), "links": {"report": f"/v1/files/{became.file_id}"}}
    match became:
        case RefusedWhole(_, finding):
            return Problem(FILE_REFUSED, "No row of it was taken.", errors=faults([finding]), more=more)
        case FileClash():
            return Problem(ID_REUSED, "Another file came under this message id, and was taken.", more=more)
        case _:
            assert_never(became)
