"""The doors of the Booking and Referral Standard in the OpenAPI document."""

from collections.abc import Iterable
from typing import Any, Final

from gateway.intake.bars import PROCESS_MESSAGE, SERVICE_REQUEST
from gateway.intake.operation_outcome import CODES, MEDIA_TYPE
from gateway.problems import (
    ALREADY_SENT,
    BROKEN,
    CONFLICT,
    ID_REUSED,
    MALFORMED,
    MEDIA_TYPE_NOT_TAKEN,
    NOT_FOUND,
    NOT_SIGNED_IN,
    NOT_TAKEN_HERE,
    RECORD_REFUSED,
    TOO_BUSY,
    TOO_LARGE,
    TOO_SLOW,
    UNAVAILABLE,
    Kind,
)

_ANYWHERE: Final = (MALFORMED, NOT_SIGNED_IN, NOT_FOUND, BROKEN, UNAVAILABLE)
_IN: Final = (
    *(TOO_SLOW, ALREADY_SENT, ID_REUSED, CONFLICT, TOO_LARGE, MEDIA_TYPE_NOT_TAKEN),
    *(RECORD_REFUSED, NOT_TAKEN_HERE, TOO_BUSY),
)
_RESOURCE: Final[dict[str, Any]] = {"type": "object", "properties": {"resourceType": {"type": "string"}}}
_GUID: Final = {"type": "string", "format": "uuid"}
_BASE64: Final = {"type": "string", "format": "byte"}


def paths() -> dict[str, Any]:
    """The operations, by path."""
    return {PROCESS_MESSAGE: {"post": _message()}, SERVICE_REQUEST: {"get": _referral()}}


def _message() -> dict[str, Any]:
    return {
        "tags": ["Feeds"],
        "operationId": "processMessage",
        "summary": "Send a referral as a BaRS message",
        "description": "A message bundle of the NHS Booking and Referral Standard. 200: committed. Every problem is an "
        "OperationOutcome with the standard's error code.",
        "security": [{"client": []}],
        "parameters": [
            _header("NHSD-Target-Identifier", _BASE64, "Base64 of the service: a JSON object with system and value."),
            _header("X-Request-Id", _GUID, "The message id: the same again, with the same body, is a duplicate."),
            _header("X-Correlation-Id", _GUID, "Repeated in the answer."),
        ],
        "requestBody": {
            "required": True,
            "content": {media: {"schema": _RESOURCE} for media in ("application/fhir+json", "application/fhir+xml")},
        },
        "responses": {
            "200": {
                "description": "Committed: a message bundle whose header responds ok to the request.",
                "headers": {"Location": {"schema": {"type": "string"}, "description": "The receipt."}},
                "content": {MEDIA_TYPE: {"schema": _RESOURCE}},
            },
            **_outcomes((*_ANYWHERE, *_IN)),
        },
    }


def _referral() -> dict[str, Any]:
    return {
        "tags": ["Feeds"],
        "operationId": "readReferral",
        "summary": "Read how a referral stands before cancelling it",
        "description": "Id, version and status of a referral that the caller sent; its patient is masked.",
        "security": [{"client": []}],
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": _GUID, "description": "The referral's own id."},
            _header(
                "NHSD-End-User-Organisation", _BASE64, "Base64 of a FHIR Organization with the ODS code that sent it."
            ),
        ],
        "responses": {
            "200": {"description": "A ServiceRequest.", "content": {MEDIA_TYPE: {"schema": _RESOURCE}}},
            **_outcomes(_ANYWHERE),
        },
    }


def _header(name: str, schema: dict[str, str], description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": schema, "description": description}


def _outcomes(kinds: Iterable[Kind]) -> dict[str, Any]:
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): {
            "description": "; or ".join(f"{CODES[kind][0]}, {CODES[kind][1]}: {kind.title}" for kind in same),
            "content": {MEDIA_TYPE: {"schema": _RESOURCE}},
        }
        for status, same in sorted(by_status.items())
    }
