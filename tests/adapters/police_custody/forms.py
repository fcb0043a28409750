"""Custody records for tests, as the force of an invented person writes them."""

from datetime import UTC, datetime

from adapters.base import Accepted, Message, Outcome
from adapters.police_custody.adapter import read
from adapters.police_custody.wire import COLUMNS
from schemas.base import Fact

RECEIVED = datetime(2012, 5, 31, 12, tzinfo=UTC)

PERSON = {
    "force_code": "06",
    "station_code": "SK",
    "custody_number": "SK/0312/12",
    "surname": "Thistlewood",
    "forenames": "Hyacinth",
    "date_of_birth": "1988-11-30",
    "form_id": "N-1",
}
NOTICE = {
    "given_at": "2012-05-12T00:10",
    "due_at": "2012-05-16T10:30",
    "place": "Stockport LASARS",
    "warning_given": "Y",
}
FORMS = {
    "DT1": {
        "trigger_offence": "Y",
        "test_reason": "ARREST",
        "tested_at": "2012-05-11T23:20",
        "result_cocaine": "POS",
    },
    "RA1": NOTICE,
    "RA2": NOTICE | {"assessment": "INITIAL"},
    "RA3": {"assessment": "INITIAL", "due_at": "2012-05-16T10:30", "attendance": "MISSED"},
    "RA4": NOTICE,
    "RA5": {"given_at": "2012-05-16T12:00", "cease_reason": "NOT_NEEDED"},
}


def form(form_type: str, **changed: str) -> dict[str, str]:
    """A form's fields, all right but for those changed."""
    return PERSON | FORMS[form_type] | {"form_type": form_type} | changed


def as_row(fields: dict[str, str]) -> bytes:
    """The fields as a header and one row."""
    quoted = ('"' + fields.get(name, "").replace('"', '""') + '"' for name in COLUMNS)
    return f"{','.join(COLUMNS)}\r\n{','.join(quoted)}\r\n".encode()


def as_xml(*forms: dict[str, str]) -> bytes:
    """The fields of the forms of one person as an XML record."""
    detention = ("force_code", "station_code", "custody_number", "arrested_at", "trigger_offence")
    on_form = COLUMNS[COLUMNS.index("form_id") :]
    first = forms[0]

    def group(name: str, fields: dict[str, str], wanted: list[str]) -> str:
        leaves = "".join(f"<{field}>{fields[field]}</{field}>" for field in wanted if field in fields)
        return f"<{name}>{leaves}</{name}>"

    detainee = [field for field in COLUMNS if field not in (*detention, *on_form, "form_type")]
    groups = group("detention", first, list(detention)) + group("detainee", first, detainee)
    groups += "".join(group("form", fields, ["form_type", *on_form]) for fields in forms)
    return f'<custody_record xmlns="urn:lasars-gateway:police-custody:1">{groups}</custody_record>'.encode()


def read_form(form_type: str, **changed: str) -> Outcome:
    """What becomes of a form sent as a row."""
    return read(Message(as_row(form(form_type, **changed)), "text/csv", RECEIVED))


def fact(form_type: str, **changed: str) -> Fact:
    """The fact a form tells; fails the test where it tells none."""
    outcome = read_form(form_type, **changed)
    assert isinstance(outcome, Accepted), [finding.rule.id for finding in getattr(outcome, "findings", ())]
    return outcome.facts[0]


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """The rules an outcome names, with their fields."""
    return [(finding.rule.id, finding.field) for finding in getattr(outcome, "findings", ())]
