"""Problems as FHIR's OperationOutcome, with the error codes of the Booking and Referral Standard.

Source of the codes: the error responses of the standard's API, version 1.4. Every status the gateway answers with has
one; a status the standard does not name gets the nearest code of its family.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.problems import (
    ALREADY_SENT,
    BROKEN,
    CONFLICT,
    ID_REUSED,
    MALFORMED,
    MEDIA_TYPE_NOT_TAKEN,
    NOT_ALLOWED_HERE,
    NOT_FOUND,
    NOT_SIGNED_IN,
    NOT_TAKEN_HERE,
    RECORD_REFUSED,
    TOO_BUSY,
    TOO_LARGE,
    TOO_SLOW,
    UNAVAILABLE,
    Kind,
    Problem,
)

MEDIA_TYPE: Final = "application/fhir+json"

CODES: Final[Mapping[Kind, tuple[str, str]]] = {
    MALFORMED: ("REC_BAD_REQUEST", "invalid"),
    NOT_SIGNED_IN: ("SEND_UNAUTHORIZED", "security"),
    NOT_FOUND: ("REC_NOT_FOUND", "not-found"),
    NOT_ALLOWED_HERE: ("REC_METHOD_NOT_ALLOWED", "not-supported"),
    TOO_SLOW: ("REC_TIMEOUT", "timeout"),
    ALREADY_SENT: ("REC_CONFLICT", "duplicate"),
    ID_REUSED: ("REC_CONFLICT", "conflict"),
    CONFLICT: ("REC_CONFLICT", "conflict"),
    TOO_LARGE: ("REC_UNPROCESSABLE_ENTITY", "too-long"),
    MEDIA_TYPE_NOT_TAKEN: ("REC_UNSUPPORTED_MEDIA_TYPE", "not-supported"),
    RECORD_REFUSED: ("REC_UNPROCESSABLE_ENTITY", "invalid"),
    NOT_TAKEN_HERE: ("REC_UNPROCESSABLE_ENTITY", "not-supported"),
    TOO_BUSY: ("SEND_TOO_MANY_REQUESTS", "throttled"),
    BROKEN: ("REC_SERVER_ERROR", "exception"),
    UNAVAILABLE: ("REC_SERVICE_UNAVAILABLE", "transient"),
}
"""For each kind of problem the standard's error code, and FHIR's type of issue."""

_SYSTEM: Final = "https://fhir.nhs.uk/Codesystem/http-error-codes"
_PROFILE: Final = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"
_PLACE: Final = re.compile(r"\.(\d+)")
ECHOED: Final = ("x-request-id", "x-correlation-id")
_ECHO: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


def echoed(request: Request) -> dict[str, str]:
    """The ids of the request that every answer repeats, where they are ids at all."""
    told = {name: request.headers.get(name, "") for name in ECHOED}
    return {name: value for name, value in told.items() if _ECHO.fullmatch(value)}


def operation_outcome(problem: Problem) -> dict[str, Any]:
    """The problem as an OperationOutcome: one issue for each fault, or one for the problem itself."""
    return {"resourceType": "OperationOutcome", "meta": {"profile": [_PROFILE]}, "issue": list(_issues(problem))}


def answer(request: Request, problem: Problem) -> Response:
    """The answer to a request that did not succeed."""
    headers = {**problem.headers, **echoed(request)}
    return Response(orjson.dumps(operation_outcome(problem)), problem.kind.status, headers, MEDIA_TYPE)


def _issues(problem: Problem) -> Iterator[dict[str, Any]]:
    code, kind = CODES.get(problem.kind, CODES[BROKEN if problem.kind.status >= 500 else MALFORMED])
    issue = {"severity": "error", "code": kind, "details": {"coding": [{"system": _SYSTEM, "code": code}]}}
    if not problem.errors:
        yield {**issue, "diagnostics": f"{problem.detail} {problem.kind.fix}"}
    for fault in problem.errors:
        told = {**issue, "diagnostics": f"{fault.rule}: {fault.text}"}
        yield {**told, "expression": [_PLACE.sub(r"[\1]", fault.field)]} if fault.field else told
