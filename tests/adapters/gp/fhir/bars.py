"""BaRS messages to try: the contract's own example, changed where a test says so, in JSON or XML."""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from adapters.base import Accepted, Message, Outcome
from adapters.gp import build
from schemas.base import Fact
from schemas.care import Referred

EXAMPLES = Path(__file__).parents[4] / "contracts" / "inbound" / "gp" / "examples"
RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)
SERVICE = "2000081234"
REFERRAL = "5f0c1f52-7d5e-4d0e-9a2b-2f1f6d2b8a11"
JSON, XML = "application/fhir+json", "application/fhir+xml"

Json = dict[str, Any]
Change = Callable[[Json], object]

_NEW: Json = json.loads((EXAMPLES / "accepted/referral.json").read_bytes())


def part(bundle: Json, kind: str, number: int = 0) -> Json:
    """The resource of this type, to be changed."""
    found = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]
    resource: Json = found[number]
    return resource


def referral(*changes: Change) -> Json:
    """A new referral, changed."""
    bundle = copy.deepcopy(_NEW)
    for change in changes:
        change(bundle)
    return bundle


def of(kind: str, **told: Any) -> Change:
    """A change of one resource: what is told of it instead. None takes the field away."""

    def change(bundle: Json) -> None:
        resource = part(bundle, kind)
        resource.update(told)
        for name in [name for name, value in told.items() if value is None]:
            del resource[name]

    return change


def reason(code: str) -> Change:
    """Why the message is sent."""
    return of("MessageHeader", reason={"coding": [{"system": "http://x/message-reason-bars", "code": code}]})


def revoked(bundle: Json) -> None:
    """Make a cancellation of it."""
    for change in (reason("update"), of("ServiceRequest", status="revoked", authoredOn=None)):
        change(bundle)


def xml(bundle: Mapping[str, Any]) -> bytes:
    """The bundle in FHIR's XML form."""
    return f'<Bundle xmlns="http://hl7.org/fhir">{_parts(bundle)}</Bundle>'.encode()


def _parts(resource: Mapping[str, Any]) -> str:
    return "".join(
        _part(name, one)
        for name, value in resource.items()
        if name not in {"resourceType", "url"}
        for one in (value if isinstance(value, list) else [value])
    )


def _part(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return f"<{name} value={quoteattr(str(value))}/>"
    inner = _parts(value)
    if name == "resource":
        inner = f"<{value['resourceType']}>{inner}</{value['resourceType']}>"
    url = f" url={quoteattr(value['url'])}" if "url" in value else ""
    return f"<{name}{url}>{inner}</{name}>"


def read(bundle: Json | bytes, media: str = JSON, services: str = SERVICE, **attributes: str) -> Outcome:
    """What becomes of a message."""
    body = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode() if media == JSON else xml(bundle)
    return build({"lasars_services": services}).read(Message(body, media, RECEIVED, attributes))


def fact(outcome: Outcome) -> Fact:
    """The one fact of an accepted message."""
    assert isinstance(outcome, Accepted), outcome
    (only,) = outcome.facts
    return only


def told(outcome: Outcome) -> Referred:
    """The referral an accepted message tells."""
    event = fact(outcome).event
    assert isinstance(event, Referred)
    return event
