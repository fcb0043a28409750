"""Problem details (RFC 9457): every answer of this gateway that is not a success and no protocol's own error.

A problem names its kind, says what is wrong in a sentence, and what to do about it. The kinds are a closed list; each
is explained at its own `type`. Nothing here ever holds a value somebody sent: fields, rules and limits only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.base import Finding
from adapters.findings import MOST
from gateway.errors import JournalUnavailable
from gateway.telemetry import log, where

MEDIA_TYPE = "application/problem+json"

_FORMS: Mapping[str, str] = {
    "missing": "It is required. Send it.",
    "extra_forbidden": "It holds a field that is none of ours. Leave that out.",
    "json_invalid": "The body is not JSON. Send one JSON object.",
    "model_attributes_type": "The body is not a JSON object. Send one, as application/json.",
    "enum": "It is none of the values taken here. Write {expected}.",
    "literal_error": "It is none of the values taken here. Write {expected}.",
    "int_parsing": "It is not a whole number. Write one in digits.",
    "greater_than_equal": "It is too small. Write {ge} or more.",
    "less_than_equal": "It is too large. Write {le} or less.",
    "string_too_long": "It is too long. Write at most {max_length} characters.",
    "uuid_parsing": "It is not an id. Write one as the gateway gave it, a UUID.",
}
"""What is said of a parameter or field, by pydantic's name of the fault; what is filled in comes from our own schema.
pydantic's sentences are not passed on, since some quote what was sent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: the last part of its type, its HTTP status, and what it means to whoever gets it."""

    name: str
    status: int
    title: str
    fix: str

    @property
    def type(self) -> str:
        """The relative reference that names this kind, and answers what it means."""
        return f"/problems/{self.name}"


MALFORMED = Kind("malformed-request", 400, "The request is malformed", "Mend the parameter or header it names.")
NOT_SIGNED_IN = Kind(
    "not-signed-in",
    401,
    "No valid access token",
    "Get a token from /oauth2/token and send it as Authorization: Bearer.",
)
NOT_FOUND = Kind("not-found", 404, "Not found", "Check the address; what belongs to others answers the same.")
NOT_ALLOWED_HERE = Kind("method-not-allowed", 405, "The method is not allowed here", "Use one that Allow names.")
TOO_SLOW = Kind("too-slow", 408, "The body did not arrive in time", "Send it again over a faster connection.")
ID_REUSED = Kind(
    "message-id-reused",
    409,
    "This message id was used before, for another body",
    "Give each message its own id; to correct a record, send it again with a new message id.",
)
ALREADY_SENT = Kind(
    "already-sent", 409, "This message was sent before, and taken", "Nothing is left to do; its receipt is at Location."
)
CONFLICT = Kind("conflict", 409, "The request contradicts what is already so", "Look at the present state first.")
GONE = Kind("gone", 410, "There is no content any more", "Nothing is owed to you here; see the notice's state.")
TOO_LARGE = Kind("too-large", 413, "The body is too large", "Send less at once, or use the files door.")
MEDIA_TYPE_NOT_TAKEN = Kind(
    "media-type-not-taken", 415, "This media type is not taken here", "Send one that is taken, without compression."
)
RECORD_REFUSED = Kind(
    "record-refused", 422, "The record is refused", "Mend every fault named and send it again; nothing was accepted."
)
FILE_REFUSED = Kind(
    "file-refused", 422, "The file is refused whole", "Mend the fault and send the file again; no row was accepted."
)
NOT_TAKEN_HERE = Kind(
    "not-taken-here",
    422,
    "Nobody here acts on this message",
    "Send it to the service it is for; its content was not kept.",
)
TOO_BUSY = Kind("too-busy", 429, "Too much is waiting", "Send it again after Retry-After, with the same message id.")
BROKEN = Kind("internal-error", 500, "The gateway failed", "Send it again later; operations can see what happened.")
UNAVAILABLE = Kind(
    "unavailable",
    503,
    "The gateway cannot commit just now",
    "Send it again after Retry-After, with the same message id; what was taken all the same is not taken twice.",
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        *(MALFORMED, NOT_SIGNED_IN, NOT_FOUND, NOT_ALLOWED_HERE, TOO_SLOW, ID_REUSED, ALREADY_SENT, CONFLICT, GONE),
        *(TOO_LARGE, MEDIA_TYPE_NOT_TAKEN, RECORD_REFUSED, FILE_REFUSED, NOT_TAKEN_HERE, TOO_BUSY, BROKEN, UNAVAILABLE),
    )
}
"""The closed list."""

_BY_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (
        *(NOT_SIGNED_IN, NOT_ALLOWED_HERE, TOO_SLOW, CONFLICT, TOO_LARGE, MEDIA_TYPE_NOT_TAKEN, TOO_BUSY, UNAVAILABLE),
    )
}
"""What a status that the framework chose is told as."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: the rule it broke, the field it is in, and a sentence that quotes no value."""

    rule: str
    field: str
    text: str


class Problem(Exception):
    """Raised wherever a request cannot be answered with success; the application turns it into its answer."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def document(self) -> dict[str, Any]:
        """The document of RFC 9457, with `fix`, `errors` and what the kind adds as extension members."""
        document: dict[str, Any] = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "fix": self.kind.fix,
        }
        if self.errors:
            document["errors"] = [{"rule": f.rule, "field": f.field, "text": f.text} for f in self.errors]
        document.update(self.more)
        return document

    def body(self) -> bytes:
        """The document, as JSON."""
        return orjson.dumps(self.document())

    def response(self) -> Response:
        """The answer."""
        return Response(self.body(), self.kind.status, self.headers, MEDIA_TYPE)


def faults(findings: Iterable[Finding]) -> tuple[Fault, ...]:
    """What an adapter found, as the sender is told it."""
    return tuple(Fault(finding.rule.id, finding.field, finding.text) for finding in findings)


def not_found() -> Problem:
    """The one answer for what does not exist and for what belongs to somebody else."""
    return Problem(NOT_FOUND, "There is nothing here for you.")


def unavailable() -> Problem:
    """The store cannot be reached, or fell silent: nothing is lost, and nothing taken twice, by trying again."""
    return Problem(UNAVAILABLE, "The journal cannot be written or read at this moment.", headers={"retry-after": "1"})


def explained() -> APIRouter:
    """The route that answers what each kind of problem means."""
    routes = APIRouter(tags=["About"])

    @routes.get("/problems/{name}", summary="What a problem means")
    async def explain(name: str) -> dict[str, str | int]:
        """The kind of problem a `type` names."""
        kind = KINDS.get(name)
        if kind is None:
            raise not_found()
        return {"type": kind.type, "status": kind.status, "title": kind.title, "fix": kind.fix}

    return routes


Form = Callable[[Request, Problem], Response]
"""How a protocol tells a problem."""


def install(app: FastAPI, forms: Mapping[str, Form] | None = None) -> None:
    """Make every failure of this application a problem: ours, the framework's, and what nobody foresaw.

    forms: by the beginning of a path, how the protocol spoken there tells a problem.
    """
    app.state.problem_forms = dict(forms or {})
    app.add_exception_handler(Problem, _ours)
    app.add_exception_handler(JournalUnavailable, _journal_unavailable)
    app.add_exception_handler(HTTPException, _frameworks)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_middleware(_LastResort)


def guarded(app: FastAPI, door: ASGIApp) -> ASGIApp:
    """A door that is reached past the framework, and whose failures are answered as all others of the application are.

    To be asked for when every handler of the application is known.
    """
    return _LastResort(ExceptionMiddleware(door, app.exception_handlers))


def answer(request: Request, problem: Problem) -> Response:
    """The answer this request gets: in the form of the protocol its path speaks, else as problem details."""
    forms: Mapping[str, Form] = request.app.state.problem_forms
    form = next((form for path, form in forms.items() if request.scope["path"].startswith(path)), None)
    return problem.response() if form is None else form(request, problem)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for Problem alone
    return answer(request, error)


async def _journal_unavailable(request: Request, _: Exception) -> Response:
    return answer(request, unavailable())


async def _frameworks(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for HTTPException alone
    if error.status_code == 404:
        return answer(request, not_found())
    kind = _BY_STATUS.get(error.status_code, MALFORMED if error.status_code < 500 else BROKEN)
    return answer(request, Problem(kind, f"{kind.title}.", headers=error.headers))


async def _parameters(request: Request, error: Exception) -> Response:
    """A parameter or body of the wrong form. Names where, never what."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for RequestValidationError alone
    found = error.errors()
    errors = [
        Fault("HTTP-001", ".".join(str(part) for part in fault["loc"] if not _quoted(fault, part)), _sentence(fault))
        for fault in found[:MOST]
    ]
    if len(found) > MOST:
        errors.append(Fault("HTTP-001", "", f"{len(found) - MOST} more"))
    return answer(request, Problem(MALFORMED, "A parameter or field has the wrong form.", errors=errors))


def _sentence(fault: Mapping[str, Any]) -> str:
    try:
        return _FORMS[fault["type"]].format_map(fault.get("ctx", {}))
    except KeyError:
        return f"It has the wrong form ({fault['type']}). /openapi.json says which it should have."


def _quoted(fault: Mapping[str, Any], part: object) -> bool:
    # The name of a field nobody declared is something the caller wrote, and could be anything.
    return bool(fault["type"] == "extra_forbidden" and part == fault["loc"][-1])


class _LastResort:
    """Answers 500 for what nobody foresaw, and logs its type and place; its text may quote a value and goes nowhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # unforeseen, so of no type
            log.error("request.failed", method=scope["method"], error=type(error).__name__, where=where(error))
            if started:
                raise  # too late for an answer: the server cuts the connection
            problem = Problem(BROKEN, "Something failed that should not.")
            await answer(Request(scope), problem)(scope, receive, send)
