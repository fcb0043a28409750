"""Every format an agency sends, one message of each, and what reading it is measured against.

A base does the least that whoever reads the format must do, in the C or Rust of a library others use:

    XML        lxml's parse of the same bytes under the same bounds, and every element's name, attributes and text read;
               where the contract is a schema, lxml's validation by it between the two
    JSON       pydantic's `validate_json` of the same bytes, with the adapter's own wire models, whole
    the rest   the bytes cut at their separators by Python's own `split`, `csv` or slices, and the pieces validated by
               pydantic with the adapter's own wire models

Of an interchange, an HL7 message and the benefit extract the wire model is text in segments, fields and components, so
what their base validates is text; the others' has dates, codes and identifiers in it.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_type_hints

from lxml import etree
from pydantic import BeforeValidator, Discriminator, Json, StringConstraints, Tag, TypeAdapter, create_model
from typing_extensions import TypedDict

from adapters.base import Accepted, Adapter, Message, Read
from adapters.dwp import wire as dwp
from adapters.dwp.layout import DETAIL, HEADER, LAYOUTS, Field
from adapters.gp.edifact.segments import Segment
from adapters.gp.fhir import wire as bars
from adapters.police_custody import batch
from adapters.police_custody.fields import REQUIRED, fields_of
from adapters.police_custody.record import ROOT
from adapters.police_custody.wire import FORMS, Detention
from adapters.prison import wire as prison
from adapters.probation import wire as probation
from adapters.registry import adapters
from adapters.self_referral.wire import SelfReferral

RECEIVED: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
"""When the messages came; each tells of something earlier."""

_EXAMPLES: Final = Path(__file__).resolve().parents[1] / "contracts" / "inbound"

Base = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Format:
    """One format of one agency: its message, what translates it, and its bases by name, the first of which counts."""

    name: str
    message: Message
    read: Read
    bases: Mapping[str, Base]


def _agencies() -> Mapping[str, Adapter]:
    return adapters({"gp": {"lasars_services": "*"}})


def formats() -> Iterator[Format]:
    """Every format that is measured, agency by agency."""
    agencies = _agencies()

    def one(name: str, example: str, media_type: str, bases: Mapping[str, Base]) -> Format:
        agency = agencies[example.partition("/")[0]]
        body = _EXAMPLES.joinpath(example.replace("/", "/examples/accepted/", 1)).read_bytes()
        if cut := agency.files.get(media_type):
            body = next(iter(cut(BytesIO(body)))).body
        return Format(name, Message(body, media_type, RECEIVED), agency.read, bases)

    record = "police_custody/enfield-test-and-required-assessment.xml"
    yield one("custody_xml", record, "application/xml", CUSTODY_XML)
    yield one("new_case_xml", "police_custody/charged-with-a-company.xml", "application/xml", XML)
    yield one("custody_csv", "police_custody/tests.csv", batch.MEDIA_TYPE, {"csv, then the form": custody_row})
    yield one("prison_json", "prison/received-with-snapshot.json", "application/json", _json(PrisonRecord))
    requirement = "probation/drug-rehabilitation-requirement.json"
    yield one("probation_json", requirement, "application/json", _json(ProbationRecord))
    yield one("fhir_json", "gp/referral.json", "application/fhir+json", _json(Bundle))
    yield one("fhir_xml", "gp/referral-of-a-protected-patient.xml", "application/fhir+xml", XML)
    yield one("edifact", "gp/registrations.edi", "application/edifact", {"split, then segments": interchange})
    yield one("hl7", "gp/referral.hl7", "application/hl7-v2", {"split, then segments": hl7})
    yield one("dwp_fixed_width", "dwp/nightly.txt", "text/plain", {"slices, then fields": extract})
    yield one("dwp_referral_json", "dwp/referral.json", "application/json", _json(dwp.Referral))
    yield one("universal_credit_json", "dwp/claimant.json", "application/json", {"validate_json": universal_credit})
    yield one("self_referral_json", "self_referral/taken-at-home.json", "application/json", _json(SelfReferral))


def of_file(agency: str, path: Path, received: datetime) -> Format:
    """An agency's own XML message, as if it had come at that time, under its file's name.

    Raises OSError, and ValueError for an agency that is none or a message it does not accept.
    """
    adapter = _agencies().get(agency)
    if adapter is None:
        raise ValueError(f"no such agency: {agency}")
    message = Message(path.read_bytes(), "application/xml", received)
    if not isinstance(adapter.read(message), Accepted):
        raise ValueError(f"{agency} does not accept it as XML")
    bases = CUSTODY_XML if parsed(message.body).tag == ROOT else XML
    return Format(f"{agency}_{path.stem}", message, adapter.read, bases)


# --- XML -------------------------------------------------------------------------------------------------------------

_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def parsed(body: bytes) -> etree._Element:
    """The tree, of which nothing has become a value of Python's yet."""
    return etree.fromstring(body, _PARSER)


def read_out(body: bytes) -> list[tuple[object, ...]]:
    """What stands in the document: each element's name, attributes and text."""
    return _told(parsed(body))


def _told(root: etree._Element) -> list[tuple[object, ...]]:
    return [(element.tag, element.items(), element.text) for element in root.iter()]


_SCHEMA: Final = etree.XMLSchema(file=_EXAMPLES / "police_custody" / "custody-record.xsd")


def custody_record(body: bytes) -> list[tuple[object, ...]]:
    """What stands in a custody record that is valid by its published schema. Raises DocumentInvalid for another."""
    root = parsed(body)
    _SCHEMA.assertValid(root)
    return _told(root)


XML: Final[Mapping[str, Base]] = {"parse and read out": read_out, "parse alone": parsed}
CUSTODY_XML: Final[Mapping[str, Base]] = {"parse, validate, read out": custody_record, **XML}

# --- JSON ------------------------------------------------------------------------------------------------------------


def _json(shape: Any) -> Mapping[str, Base]:
    return {"validate_json": TypeAdapter(shape).validate_json}


class PrisonNotification(TypedDict):
    """An SNS notification, which holds its event as a string."""

    Message: Json[prison.MovementEvent]


class PrisonRecord(TypedDict):
    """A movement with the prisoner attached."""

    event: PrisonNotification
    snapshot: prison.Snapshot


class ProbationNotification(TypedDict):
    """An SNS notification, which holds its event as a string."""

    Message: Json[probation.DomainEvent]


class ProbationRecord(TypedDict):
    """An event with the case attached."""

    event: ProbationNotification
    snapshot: probation.Snapshot


def _type_of(resource: Any) -> str:
    kind = resource.get("resourceType")
    return kind if kind in bars.READ else ""


class Entry(TypedDict):
    """An entry of a bundle: a resource of a type that is read, in its shape, or any other as it stands."""

    fullUrl: str
    resource: Annotated[
        Annotated[bars.MessageHeader, Tag("MessageHeader")]
        | Annotated[bars.ServiceRequest, Tag("ServiceRequest")]
        | Annotated[bars.Patient, Tag("Patient")]
        | Annotated[bars.Organization, Tag("Organization")]
        | Annotated[bars.PractitionerRole, Tag("PractitionerRole")]
        | Annotated[bars.HealthcareService, Tag("HealthcareService")]
        | Annotated[bars.Condition, Tag("Condition")]
        | Annotated[dict[str, Any], Tag("")],
        Discriminator(_type_of),
    ]


class Bundle(TypedDict):
    """A message of the Booking and Referral Standard."""

    meta: bars.Meta
    type: str
    timestamp: str
    entry: list[Entry]


class UniversalCreditMessage(TypedDict):
    """A message whose document is in the clear."""

    message: dwp.Change


_UNIVERSAL_CREDIT: Final = TypeAdapter(UniversalCreditMessage)


def universal_credit(body: bytes) -> dwp.Claimant:
    """The message, and the document in it: its shape depends on the collection the message names."""
    return dwp.Claimant.model_validate(_UNIVERSAL_CREDIT.validate_json(body)["message"].db_object)


# --- Text ------------------------------------------------------------------------------------------------------------


def _row(form: type) -> TypeAdapter[Any]:
    """A row of the custody file: the detention's fields and the form's, each with the reader the adapter gives it."""
    types = {shape: get_type_hints(shape, include_extras=True) for shape in (Detention, form)}
    typed: dict[str, Any] = {
        field.name: (
            Annotated[get_args(hints[field.name])[0], BeforeValidator(field.read)],
            ... if field.default is REQUIRED else field.default,
        )
        for shape, hints in types.items()
        for field in fields_of(shape)
    }
    return TypeAdapter(create_model(f"{form.__name__}Row", **typed))


_ROWS: Final = {code: _row(form) for code, form in FORMS.items()}


def custody_row(body: bytes) -> object:
    """A header and a row, as the detention and the form the row says it is."""
    names, values = csv.reader(body.decode().splitlines())
    given = {name: value for name, value in zip(names, values, strict=True) if value}
    return _ROWS[given["form_type"]].validate_python(given)


_SEGMENTS: Final = TypeAdapter(list[Segment])


def interchange(body: bytes) -> list[Segment]:
    """The segments of an interchange under the standard separators that releases none."""
    cut = []
    for raw in body.split(b"'"):
        if raw := raw.strip():
            tag, *elements = raw.decode("ascii").split("+")
            cut.append({"tag": tag, "elements": [element.split(":") for element in elements], "raw": raw})
    return _SEGMENTS.validate_python(cut)


_HL7_SEGMENTS: Final = TypeAdapter(list[tuple[str, list[list[list[str]]]]])


def hl7(body: bytes) -> list[tuple[str, list[list[list[str]]]]]:
    """The segments of a message under the standard separators: of each its name, and its fields' repetitions."""
    cut = []
    for line in body.decode().split("\r"):
        name, *fields = line.split("|")
        cut.append((name, [[part.split("^") for part in field.split("~")] for field in fields]))
    return _HL7_SEGMENTS.validate_python(cut)


def _model(name: str, layout: Sequence[Field]) -> TypeAdapter[Any]:
    widths = {field.name: field.last - field.first + 1 for field in layout}
    typed: dict[str, Any] = {
        field: (Annotated[str, StringConstraints(strip_whitespace=True, max_length=width)], ...)
        for field, width in widths.items()
    }
    return TypeAdapter(create_model(name, **typed))


_LAID_OUT: Final = {HEADER: _model("Header", LAYOUTS[HEADER]), DETAIL: _model("Detail", LAYOUTS[DETAIL])}


def extract(body: bytes) -> list[object]:
    """A header and a detail, each field of its width."""
    return [
        _LAID_OUT[line[0]].validate_python(
            {field.name: line[field.first - 1 : field.last] for field in LAYOUTS[line[0]]}
        )
        for line in body.decode("iso-8859-1").splitlines()
    ]
