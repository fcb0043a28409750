"""The OpenAPI document: what the framework cannot see of the doors, the token endpoint and the problems.

The doors read raw bytes, so their operations are written here by hand; everything else the framework describes, and
this adds who may call and which problems can be answered.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.base import Adapter
from gateway.access.endpoint import PATH as TOKEN_PATH
from gateway.access.tokens import LIFETIME
from gateway.intake import bars_described
from gateway.intake.door import ID_HEADERS, LONGEST_ID
from gateway.problems import (
    BROKEN,
    FILE_REFUSED,
    ID_REUSED,
    KINDS,
    MALFORMED,
    MEDIA_TYPE,
    MEDIA_TYPE_NOT_TAKEN,
    NOT_FOUND,
    NOT_SIGNED_IN,
    RECORD_REFUSED,
    TOO_BUSY,
    TOO_LARGE,
    TOO_SLOW,
    UNAVAILABLE,
    Kind,
)

TAGS: list[dict[str, Any]] = [
    {"name": "Access", "description": "Prove who you are by a signed assertion; get a token of ten minutes."},
    {"name": "Feeds", "description": "Send records or batch files, and follow what became of them."},
    {"name": "Mailbox", "description": "Collect what was addressed to you, and answer it."},
    {"name": "About", "description": "What a problem means."},
]

DESCRIPTION = """\
Agencies send what happened; the gateway commits it, works out whose it is, and delivers it.

A 2xx means committed to disk. Everything else is a problem (RFC 9457) that says what to do, except at the token
endpoint, which fails as OAuth 2 does. What belongs to somebody else and what does not exist answer alike: 404.
"""

_EVERYWHERE = (MALFORMED, NOT_SIGNED_IN, NOT_FOUND, BROKEN, UNAVAILABLE)
_AT_THE_DOORS = (ID_REUSED, TOO_SLOW, TOO_LARGE, MEDIA_TYPE_NOT_TAKEN, TOO_BUSY)
_ID = {"type": "string", "format": "uuid", "example": "019a2f04-6c3e-7d10-9b52-4f8a1c2e7d33"}
_COUNT = {"type": "integer", "minimum": 0}


def complete(document: dict[str, Any], adapters: Mapping[str, Adapter]) -> dict[str, Any]:
    """The framework's document, made whole. Doing it twice changes nothing."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)  # the framework's own form of failure, which is never answered here
    schemas |= {"Problem": _PROBLEM, "Taken": _TAKEN, "FileTaken": _FILE_TAKEN}
    document["components"]["securitySchemes"] = {
        "client": {
            "type": "oauth2",
            "description": f"Client credentials with private_key_jwt (RFC 7523); a token lasts {LIFETIME} s.",
            "flows": {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": {}}},
        }
    }
    ours = {
        "/v1/feeds/{agency}/records": {"post": _records(adapters)},
        "/v1/feeds/{agency}/files": {"post": _files(adapters)},
        TOKEN_PATH: {"post": _TOKEN},
        **bars_described.paths(),
    }
    paths = document.setdefault("paths", {})
    for path in paths.keys() - ours.keys():
        for operation in paths[path].values():
            operation["responses"].pop("422", None)
            if path.startswith("/v1/"):
                _may_answer(operation, _EVERYWHERE)
                operation["security"] = [{"client": []}]
            else:
                _may_answer(operation, (NOT_FOUND,))
    paths.update(ours)
    return document


def _may_answer(operation: dict[str, Any], kinds: Iterable[Kind]) -> None:
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    for status, same in sorted(by_status.items()):
        response = operation["responses"].setdefault(str(status), {})
        response["description"] = "; or ".join(f"{kind.title}. {kind.fix}" for kind in same)
        examples = {kind.name: {"value": _example(kind)} for kind in same}
        response["content"] = {MEDIA_TYPE: {"schema": _ref("Problem"), "examples": examples}}
        if status in (429, 503):
            response["headers"] = {"Retry-After": {"schema": _COUNT, "description": "Seconds to wait."}}


def _example(kind: Kind) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": f"{kind.title}.",
        "fix": kind.fix,
    }
    if kind is RECORD_REFUSED:
        text = "The date of birth is not a date (99/99/9999). Write it as YYYY-MM-DD"
        document["errors"] = [{"rule": "CU-014", "field": "date_of_birth", "text": text}]
    return document


def _records(adapters: Mapping[str, Adapter]) -> dict[str, Any]:
    return _door(
        "sendRecord",
        "Send one record",
        "The bytes are journalled as they came. 202: committed, here is its receipt. 200: it had been sent before, and "
        "this is the first receipt again. Where the agency's protocol defines the answer (HL7 v2 ACK, EDIFACT RECEP), "
        "the body is that, under the same status.",
        sorted({media for adapter in adapters.values() for media in adapter.records}),
        "Taken",
        (*_EVERYWHERE, *_AT_THE_DOORS, RECORD_REFUSED),
    )


def _files(adapters: Mapping[str, Adapter]) -> dict[str, Any]:
    return _door(
        "sendFile",
        "Send a batch file",
        "Each row is a record of its own: one bad row never sinks its file, but a wrong header, trailer or count "
        "refuses it whole. 202: every row is committed or refused by name. Cut off in the middle, send the same file "
        "again: it goes on where it stood.",
        sorted({media for adapter in adapters.values() for media in adapter.files}),
        "FileTaken",
        (*_EVERYWHERE, *_AT_THE_DOORS, FILE_REFUSED),
    )


def _door(
    name: str, summary: str, description: str, media: list[str], answer: str, kinds: Iterable[Kind]
) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(answer)}}
    operation: dict[str, Any] = {
        "tags": ["Feeds"],
        "operationId": name,
        "summary": summary,
        "description": description,
        "security": [{"client": []}],
        "parameters": [
            {
                "name": "agency",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "example": "police_custody",
                "description": "The feed your party sends.",
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
                "example": "NP-2026-000123-v1",
                "description": "Your own id of this message, never one that says who it is about. Also read from "
                f"{' and '.join(ID_HEADERS[1:])}. Without one, the same bytes are the same message.",
            },
            {
                "name": "traceparent",
                "in": "header",
                "schema": {"type": "string"},
                "description": "W3C trace context, carried to the delivery.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in media},
        },
        "responses": {
            "200": {"description": "Taken before; the same receipt again.", "content": content},
            "202": {
                "description": "Committed.",
                "headers": {"Location": {"schema": {"type": "string"}, "description": "Where to follow it."}},
                "content": content,
            },
        },
    }
    _may_answer(operation, kinds)
    return operation


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_TEXT = {"type": "string"}
_LINKS = {"type": "object", "additionalProperties": _TEXT}
_FINDING = _object(
    {"rule": _TEXT, "level": {"type": "string", "enum": ["refuse", "hold", "warn"]}, "field": _TEXT, "text": _TEXT}
)
_PROBLEM = _object(
    {
        "type": {"type": "string", "format": "uri-reference", "enum": [kind.type for kind in KINDS.values()]},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "fix": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "description": "Everything to mend at once: rule, field, sentence; never a value.",
            "items": _object({"rule": _TEXT, "field": _TEXT, "text": _TEXT}),
        },
        "receipt": _ID,
        "refusal": _ID,
        "file": _ID,
        "links": _LINKS,
    },
    *("errors", "receipt", "refusal", "file", "links"),
)
_TAKEN = _object(
    {
        "receipt": _ID,
        "state": {"type": "string", "enum": ["received", "validated", "held", "ignored"]},
        "findings": {"type": "array", "items": _FINDING},
        "links": _LINKS,
    }
)
_FILE_TAKEN = _object(
    {
        "file": _ID,
        "state": {"type": "string", "enum": ["taken"]},
        **dict.fromkeys(("rows", "accepted", "held", "ignored", "refused"), _COUNT),
        "links": _LINKS,
    }
)
_FAILED = {
    "description": "RFC 6749 section 5.2. error_description says in a sentence what to mend.",
    "content": {"application/json": {"schema": _object({"error": _TEXT, "error_description": _TEXT})}},
}
_TOKEN: dict[str, Any] = {
    "tags": ["Access"],
    "operationId": "getToken",
    "summary": "Change an assertion for an access token",
    "description": "The assertion is a JWT signed by a registered key (Ed25519 or ES256): iss and sub the client id, "
    "aud this gateway's issuer or this address, exp at most five minutes ahead, and a jti that was never used.",
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": _object(
                    {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_assertion_type": {
                            "type": "string",
                            "enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
                        },
                        "client_assertion": _TEXT,
                        "client_id": _TEXT,
                    },
                    "client_id",
                )
            }
        },
    },
    "responses": {
        "200": {
            "description": "A token, bound to the client.",
            "content": {
                "application/json": {
                    "schema": _object(
                        {
                            "access_token": _TEXT,
                            "token_type": {"type": "string", "enum": ["Bearer"]},
                            "expires_in": {"type": "integer", "example": LIFETIME},
                        }
                    )
                }
            },
        },
        "400": _FAILED,
        "401": _FAILED,
    },
}
