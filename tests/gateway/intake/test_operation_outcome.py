"""A problem as FHIR tells one: the standard's codes, rule and field, and no value of the request."""

import pytest
from starlette.requests import Request

from gateway.intake.operation_outcome import CODES, answer, echoed, operation_outcome
from gateway.problems import CONFLICT, FILE_REFUSED, GONE, KINDS, RECORD_REFUSED, Fault, Kind, Problem

ISSUE_TYPES = {
    *("invalid", "security", "not-found", "not-supported", "timeout", "duplicate", "conflict", "too-long"),
    *("throttled", "exception", "transient"),
}
"""Of FHIR's value set issue-type, those the standard's API answers with."""

NEVER_HERE = {FILE_REFUSED, GONE}
"""Kinds of other doors: a batch file, and a mailbox."""


def request(**headers: str) -> Request:
    """A request with these headers; underscores stand for hyphens."""
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/$process-message", "headers": told})


def test_every_kind_these_doors_answer_has_a_code() -> None:
    """A new kind of problem needs the standard's code before it can be answered here."""
    assert set(KINDS.values()) - NEVER_HERE == set(CODES)
    assert {kind for _, kind in CODES.values()} == ISSUE_TYPES


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_problem_is_one_issue_that_says_what_to_do(kind: Kind) -> None:
    """Severity, code, the standard's own code, and a sentence with its fix; the status is the problem's."""
    told = operation_outcome(Problem(kind, "Something is so."))
    (issue,) = told["issue"]
    assert (told["resourceType"], issue["severity"]) == ("OperationOutcome", "error")
    assert issue["code"] in ISSUE_TYPES
    assert issue["details"]["coding"][0]["code"].startswith(("REC_", "SEND_"))
    assert issue["diagnostics"] == f"Something is so. {kind.fix}"
    assert answer(request(), Problem(kind, "Something is so.")).status_code == kind.status


def test_every_fault_is_an_issue_with_its_place() -> None:
    """The place is a FHIRPath; a fault of the whole has none."""
    faults = [Fault("GP-011", "Patient.address.0.period.end", "Mend it."), Fault("GP-001", "", "Send one.")]
    first, second = operation_outcome(Problem(RECORD_REFUSED, "Two faults.", errors=faults))["issue"]
    assert first["expression"] == ["Patient.address[0].period.end"]
    assert first["diagnostics"] == "GP-011: Mend it."
    assert "expression" not in second


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"x_request_id": "a-1", "x_correlation_id": "b.2"}, {"x-request-id": "a-1", "x-correlation-id": "b.2"}),
        ({"x_request_id": "a 1"}, {}),
        ({"x_request_id": "a" * 65, "x_correlation_id": ""}, {}),
        ({}, {}),
    ],
)
def test_only_ids_are_repeated(headers: dict[str, str], told: dict[str, str]) -> None:
    """Whatever else stands in their place could be anything, and is not sent back."""
    assert echoed(request(**headers)) == told


def test_a_problem_keeps_its_own_headers() -> None:
    """When to come back, and where the receipt is."""
    problem = Problem(CONFLICT, "So it is.", headers={"retry-after": "1"})
    assert answer(request(x_request_id="a-1"), problem).headers["retry-after"] == "1"
