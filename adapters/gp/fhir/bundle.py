"""A message bundle: its header, and its resources by whatever refers to them.

What is not of a type we read is dropped here, before anything of it becomes a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError

from adapters.base import Finding, Message
from adapters.gp.faulty import Faulty
from adapters.gp.fhir import rules
from adapters.gp.fhir.wire import READ, RESOURCES, MessageHeader, Meta, Reference, Wire, faults
from adapters.gp.fhir.xml import XmlReader

JSON: Final = frozenset({"application/fhir+json", "application/json"})
XML: Final = frozenset({"application/fhir+xml", "application/xml"})

LONGEST: Final = 1024 * 1024
"""The longest message read, in bytes. The largest real one seen has 70 KB."""
_MOST_ENTRIES: Final = 500

_XML_READER: Final = XmlReader(RESOURCES, Meta)
_BOM: Final = b"\xef\xbb\xbf"

Resource = Mapping[str, Any]
Shape = TypeVar("Shape", bound=Wire)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A message.

    updated, timestamp: when the bundle was last changed and made, as text. resources: those we read, by fullUrl and by
    type and id; None where both would name two.
    """

    header: MessageHeader
    updated: Any
    timestamp: Any
    resources: Mapping[str, Resource | None]
    _shaped: dict[int, Wire] = field(default_factory=dict)

    def find(self, reference: Reference | None, shape: type[Shape], place: str) -> Shape | None:
        """The resource of this type a reference points at, or None. Raises Faulty for one that cannot be read."""
        if reference is None or reference.reference is None or reference.reference not in self.resources:
            return None
        resource = self.resources[reference.reference]
        if resource is None:
            raise Faulty([Finding(rules.AMBIGUOUS, place)])
        return self._shape(shape, resource) if resource["resourceType"] == shape.__name__ else None

    def every(self, shape: type[Shape]) -> list[Shape]:
        """Every resource of a type. Raises Faulty for one that cannot be read."""
        distinct = {id(one): one for one in self.resources.values() if one is not None}
        return [self._shape(shape, one) for one in distinct.values() if one["resourceType"] == shape.__name__]

    def id_of(self, reference: Reference) -> str | None:
        """What identifies the resource a reference points at: its own id, else what its fullUrl ends in."""
        resource = self.resources.get(reference.reference or "")
        own = resource.get("id") if resource is not None else None
        if isinstance(own, str) and own.strip():
            return own.strip()
        return (reference.reference or "").rpartition("/")[2].rpartition(":")[2] or None

    def _shape(self, shape: type[Shape], resource: Resource) -> Shape:
        """The resource in its shape, which several may refer to and one reading finds."""
        shaped = self._shaped.get(id(resource))
        if not isinstance(shaped, shape):
            shaped = self._shaped[id(resource)] = read(shape, resource)
        return shaped


def open_bundle(message: Message) -> Bundle:
    """Take a message apart, in JSON or XML as its media type says. Raises Faulty."""
    if len(message.body) > LONGEST:
        raise Faulty([Finding(rules.TOO_MUCH, "", "longer than 1 MiB")])
    bundle = _XML_READER.read(message.body) if message.media_type in XML else _read_json(message.body)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise Faulty([Finding(rules.NOT_A_MESSAGE, "Bundle.type")])
    entries = bundle.get("entry")
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list) or not entries:
        raise Faulty([Finding(rules.NOT_A_MESSAGE, "Bundle.entry")])
    if len(entries) > _MOST_ENTRIES:
        raise Faulty([Finding(rules.TOO_MUCH, "Bundle.entry", f"more than {_MOST_ENTRIES}")])
    first = _resource_of(entries[0])
    if first is None or first["resourceType"] != "MessageHeader":
        raise Faulty([Finding(rules.NOT_A_MESSAGE, "Bundle.entry.0.resource")])
    meta = bundle.get("meta")
    return Bundle(
        header=read(MessageHeader, first),
        updated=meta.get("lastUpdated") if isinstance(meta, dict) else None,
        timestamp=bundle.get("timestamp"),
        resources=_by_reference(entries),
    )


def read(shape: type[Shape], resource: Resource) -> Shape:
    """A resource in its shape. Raises Faulty with every fault of it."""
    try:
        return shape.model_validate(resource)
    except ValidationError as error:
        raise Faulty(faults(error, shape.__name__)) from None


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body.removeprefix(_BOM))
    except ValueError:  # orjson's JSONDecodeError quotes nothing of the text; it is dropped all the same
        raise Faulty([Finding(rules.NOT_FHIR, "")]) from None
    if not isinstance(value, dict):
        raise Faulty([Finding(rules.NOT_FHIR, "")])
    return value


def _resource_of(entry: Any) -> Resource | None:
    """The resource of an entry, or None if it is of no type we read."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return resource if isinstance(kind, str) and kind in READ else None


def _by_reference(entries: list[Any]) -> dict[str, Resource | None]:
    found: dict[str, Resource | None] = {}
    for entry in entries:
        resource = _resource_of(entry)
        if resource is None:
            continue
        names: set[str] = set()
        address, own = entry.get("fullUrl"), resource.get("id")
        if isinstance(address, str) and address:
            names.add(address)
        if isinstance(own, str):
            names.add(f"{resource['resourceType']}/{own}")
        for name in names:
            found[name] = None if name in found else resource
    return found
