"""Custody records as custody events.

Forces send a record again at every change, so most of what comes we know already; fact keys make that harmless. A test
and a requirement are facts of their own: RA2 speaks of the requirement it varies and RA5 of the one it ends, so that
both become corrections.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from adapters import claims, drift
from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Message, Outcome, Refused
from adapters.local_time import LONDON, Told
from adapters.police_custody import batch, new_case, record
from adapters.police_custody.codes import Attendance, FormStatus, Laboratory
from adapters.police_custody.decode import Decoded, decode
from adapters.police_custody.document import parse
from adapters.police_custody.faults import found, without_codes
from adapters.police_custody.person import claimed, custody_value, lane_by
from adapters.police_custody.rules import RULES
from adapters.police_custody.wire import (
    Attended,
    DrugTest,
    FollowUpCeased,
    FollowUpRequired,
    Form,
    InitialRequired,
    Notice,
    Varied,
)
from schemas import custody
from schemas.base import Event, Fact, Person, Sensitivity
from schemas.custody import Assessment, Suite, TestReason

NAME = "police_custody"

FormRead = Decoded | Held | Ignored | Refused
"""What became of one form."""

_SENSITIVE = frozenset({Sensitivity.HEALTH, Sensitivity.OFFENCE})

IGNORED_ROOTS: Mapping[str, str] = {
    "{http://www.dca.gov.uk/xmlschemas/libra}ResultedCaseMessage": "libra.resulted-case",
    "{http://schemas.cjse.gov.uk/messages/deliver/2006-05}DeliverRequest": "cjse.deliver-request",
    "{http://schemas.cjse.gov.uk/common/operations}RouteData": "cjse.route-data",
}
"""What police systems also send, and we do not subscribe to, by the name it is counted under."""


def build(options: Mapping[str, str]) -> Adapter:
    """The feed of police custody. It has no options: raises ValueError for any."""
    for option in options:
        raise ValueError(f"the police_custody adapter has no option {option!r}")
    return Adapter(
        name=NAME,
        read=read,
        rules={**RULES, **claims.RULES, **drift.RULES},
        records=frozenset({"application/xml", "text/xml", batch.MEDIA_TYPE}),
        files={batch.MEDIA_TYPE: batch.rows},
        trailer=True,
    )


def read(message: Message) -> Outcome:
    """Read one custody record (XML, or a CSV header with one row) or one NewCaseMessage."""
    if message.media_type == batch.MEDIA_TYPE:
        row = batch.read_row(message.body)
        if isinstance(row, Finding):
            return Refused((row,))
        return _noting(_outcome_of([decode(row.fields, message.received)]), row.findings)
    root = parse(message.body)
    if isinstance(root, Finding):
        return Refused((root,))
    if root.tag == record.ROOT:
        if record.too_many_forms(root):
            return Refused((found("CU-002", "form", f"more than {record.MOST_FORMS}"),))
        strange, faults = record.departures(root)
        forms = [decode(fields, message.received) for fields in record.forms(root)]
        if len(forms) > 1:
            forms = [_numbered(form, number) for number, form in enumerate(forms, 1)]
        outcome = _outcome_of(forms)
        return _noting(_with_schema_faults(outcome, faults), strange)
    if root.tag == new_case.ROOT:
        return new_case.read(root, message.received)
    if name := IGNORED_ROOTS.get(str(root.tag)):
        return Ignored(name)
    return Refused((found("CU-003", "document"),))


def translate(form: Form) -> tuple[Fact, tuple[Finding, ...]]:
    """Tell what one form tells, and what in its claims cannot be used."""
    person, findings = claimed(form)
    about, event = _told_by(form, person)
    if isinstance(form, DrugTest) and _too_young(form):
        findings = (*findings, found("CU-033", "date_of_birth"))
    custody_number = custody_value(form)
    fact = Fact(
        key=f"{NAME}:{custody_number}:{about}",
        lane=lane_by(person.identifiers, custody_number),
        kind=event.kind,
        event=event,
        version=form.version,
        withdrawn=_withdrawn(form),
    )
    return fact, findings


def _told_by(form: Form, person: Person) -> tuple[str, Event]:
    """What a form speaks of within its custody record, and the event it tells."""
    match form:
        case DrugTest():
            return f"test:{form.form_id}", _event(
                custody.DrugTestRecorded,
                form,
                person,
                reason=form.test_reason,
                trigger_offence=form.trigger_offence,
                cocaine=form.result_cocaine,
                opiates=form.result_opiates,
                disputed=form.disputed,
                confirmed_by_laboratory=form.laboratory is Laboratory.CONFIRMED,
                assessment_required=form.assessment_required,
                assessment_due=form.due_at.moment if form.due_at else None,
            )
        case InitialRequired():
            return _requirement(form, Assessment.INITIAL), _appointment(custody.AssessmentRequired, form, person)
        case FollowUpRequired():
            return _requirement(form, Assessment.FOLLOW_UP), _appointment(custody.FollowUpRequired, form, person)
        case Varied():
            varied = _appointment(custody.AssessmentVaried, form, person, assessment=form.assessment)
            return _requirement(form, form.assessment), varied
        case FollowUpCeased():
            ceased = _event(custody.FollowUpCeased, form, person, requirement=form.form_id, reason=form.cease_reason)
            return _requirement(form, Assessment.FOLLOW_UP), ceased
        case Attended():
            return _appointment_kept(form), _attendance(form, person)
        case _:
            raise TypeError(f"no translation for {type(form).__name__}")


def _attendance(form: Attended, person: Person) -> Event:
    if form.attendance is Attendance.MISSED:
        return _event(custody.AssessmentMissed, form, person, requirement=form.form_id, assessment=form.assessment)
    return _event(
        custody.AssessmentAttended,
        form,
        person,
        requirement=form.form_id,
        assessment=form.assessment,
        remained=form.attendance is Attendance.ATTENDED,
    )


def _appointment(kind: type[Event], form: Notice, person: Person, **particulars: object) -> Event:
    return _event(
        kind,
        form,
        person,
        requirement=form.form_id,
        due=form.due_at.moment,
        place=form.place,
        warning_given=form.warning_given,
        **particulars,
    )


def _event(kind: type[Event], form: Form, person: Person, **particulars: object) -> Event:
    """An event of a kind, with what every custody form gives it."""
    happened: Told = getattr(form, form.happened)
    return kind.model_validate(
        {
            "occurred": happened.moment,
            "person": person,
            "sensitivity": _SENSITIVE,
            "suite": Suite(force=form.force_code, station=form.station_code),
            **particulars,
        }
    )


def _requirement(form: Form, assessment: Assessment) -> str:
    """RA1 and RA2, or RA4, RA2 and RA5, speak of one requirement; an initial and a follow-up may share a reference."""
    return f"assessment:{assessment.value}:{form.form_id}"


def _appointment_kept(form: Attended) -> str:
    """One fact an appointment: a missed one stays missed when the next is kept, and may itself be put right."""
    due = form.due_at.moment.at.strftime("%Y%m%dT%H%MZ")
    return f"attendance:{form.assessment.value}:{form.form_id}:{due}"


def _withdrawn(form: Form) -> str | None:
    if form.status is FormStatus.WITHDRAWN:
        return "withdrawn"
    if isinstance(form, DrugTest) and form.laboratory is Laboratory.NOT_CONFIRMED:
        return "not_confirmed_by_laboratory"
    return None


def _too_young(form: DrugTest) -> bool:
    """Whether the test was of someone younger than PACE s63B allows: 18 on arrest, 14 on charge."""
    born, day = form.date_of_birth, form.tested_at.moment.at.astimezone(LONDON).date()
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return age < (14 if form.test_reason is TestReason.CHARGE else 18)


def _numbered(form: FormRead, number: int) -> FormRead:
    return form if isinstance(form, Ignored) else replace(form, findings=record.placed(form.findings, number))


def _outcome_of(forms: Sequence[FormRead]) -> Outcome:
    """One outcome for all the forms of a record: the worst of theirs, since a record is told whole or not at all."""
    findings = tuple(
        dict.fromkeys(finding for form in forms if not isinstance(form, Ignored) for finding in form.findings)
    )
    if any(isinstance(form, Refused) for form in forms):
        return Refused(without_codes(findings))
    for form in forms:
        if isinstance(form, Held):
            return Held(form.reason, findings, form.lane)
    told = [translate(form.form) for form in forms if isinstance(form, Decoded)]
    ignored = [form for form in forms if isinstance(form, Ignored)]
    if not told:
        return ignored[0] if ignored else Refused((found("CU-002", "form"),))
    facts = _standing(fact for fact, _ in told)
    remarks = [finding for _, odd in told for finding in odd]
    remarks += [found("CU-092", "form_type", form.name) for form in ignored]
    remarks += [found("CU-093", "form")] if len(facts) < len(told) else []
    return Accepted(facts, tuple(dict.fromkeys((*findings, *remarks))))


def _standing(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """What a record says last of each thing: the highest version, and of equals the one that stands last.

    A record that holds a notice and the notice that varies it is sent whole each time. Telling both would change the
    appointment to and fro with every repeat.
    """
    last: dict[str, Fact] = {}
    for fact in facts:
        earlier = last.get(fact.key)
        if earlier is None or (fact.version or 0) >= (earlier.version or 0):
            last.pop(fact.key, None)  # so that what stands is told in the order it stands in
            last[fact.key] = fact
    return tuple(last.values())


def _noting(outcome: Outcome, strange: tuple[Finding, ...]) -> Outcome:
    """The outcome, and what stood in the record besides."""
    if isinstance(outcome, Ignored) or not strange:
        return outcome
    return replace(outcome, findings=(*outcome.findings, *strange))


def _with_schema_faults(outcome: Outcome, faults: tuple[Finding, ...]) -> Outcome:
    """The outcome, refused where the schema found a fault that no rule on a field has told already."""
    if not faults:
        return outcome
    told = outcome.findings if isinstance(outcome, Refused) else ()
    fields = {finding.field.rpartition("/")[2] for finding in told}
    groups = {"detention", "detainee", "form"} if told else set()  # a missing field is a fault of the group around it
    untold = tuple(fault for fault in faults if fault.field not in fields | groups)
    return Refused((*told, *untold)) if untold else outcome
