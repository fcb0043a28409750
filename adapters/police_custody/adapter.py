"""Custody records as custody events.

Forces send a record again at every change, so most of what comes we know already; fact keys make that harmless. A test
and a requirement are facts of their own: RA2 speaks of the requirement it varies and RA5 of the one it ends, so that
both become corrections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from lxml import etree

from adapters import claims, drift
from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Message, Outcome, Refused
from adapters.local_time import Told
from adapters.police_custody import batch, new_case, record
from adapters.police_custody.codes import Attendance, FormStatus, Laboratory
from adapters.police_custody.decode import Decoded, Detained, decode, detained
from adapters.police_custody.document import parse
from adapters.police_custody.faults import found, without_codes
from adapters.police_custody.person import Subject, subject_of
from adapters.police_custody.rules import RULES
from adapters.police_custody.wire import (
    Attended,
    Detention,
    DrugTest,
    FollowUpCeased,
    FollowUpRequired,
    Form,
    InitialRequired,
    Notice,
    Varied,
)
from schemas import custody
from schemas.base import Event, Fact, Sensitivity
from schemas.custody import Assessment, TestReason

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
        shared = detained(row.fields, message.received)
        return _noting(_outcome_of(shared, [decode(shared, row.fields)]), row.findings)
    root = parse(message.body)
    if isinstance(root, Finding):
        return Refused((root,))
    if root.tag == record.ROOT:
        return _read_record(root, message.received)
    if root.tag == new_case.ROOT:
        return new_case.read(root, message.received)
    if name := IGNORED_ROOTS.get(str(root.tag)):
        return Ignored(name)
    return Refused((found("CU-003", "document"),))


def translate(form: Form, subject: Subject) -> Fact:
    """The fact that one form tells of whom its record speaks of."""
    about, event = _told_by(form, subject)
    return Fact(
        key=f"{NAME}:{subject.custody}:{about}",
        lane=subject.lane,
        kind=event.kind,
        event=event,
        version=form.version,
        withdrawn=_withdrawn(form),
    )


def _told_by(form: Form, subject: Subject) -> tuple[str, Event]:
    """What a form speaks of within its custody record, and the event it tells."""
    match form:
        case DrugTest():
            return f"test:{form.form_id}", _event(
                custody.DrugTestRecorded,
                form,
                subject,
                reason=form.test_reason,
                trigger_offence=subject.trigger_offence,
                cocaine=form.result_cocaine,
                opiates=form.result_opiates,
                disputed=form.disputed,
                confirmed_by_laboratory=form.laboratory is Laboratory.CONFIRMED,
                assessment_required=form.assessment_required,
                assessment_due=form.due_at.parts() if form.due_at else None,
            )
        case InitialRequired():
            return _requirement(form, Assessment.INITIAL), _appointment(custody.AssessmentRequired, form, subject)
        case FollowUpRequired():
            return _requirement(form, Assessment.FOLLOW_UP), _appointment(custody.FollowUpRequired, form, subject)
        case Varied():
            varied = _appointment(custody.AssessmentVaried, form, subject, assessment=form.assessment)
            return _requirement(form, form.assessment), varied
        case FollowUpCeased():
            ceased = _event(custody.FollowUpCeased, form, subject, requirement=form.form_id, reason=form.cease_reason)
            return _requirement(form, Assessment.FOLLOW_UP), ceased
        case Attended():
            return _appointment_kept(form), _attendance(form, subject)
        case _:
            raise TypeError(f"no translation for {type(form).__name__}")


def _attendance(form: Attended, subject: Subject) -> Event:
    if form.attendance is Attendance.MISSED:
        return _event(custody.AssessmentMissed, form, subject, requirement=form.form_id, assessment=form.assessment)
    return _event(
        custody.AssessmentAttended,
        form,
        subject,
        requirement=form.form_id,
        assessment=form.assessment,
        remained=form.attendance is Attendance.ATTENDED,
    )


def _appointment(kind: type[Event], form: Notice, subject: Subject, **particulars: object) -> Event:
    return _event(
        kind,
        form,
        subject,
        requirement=form.form_id,
        due=form.due_at.parts(),
        place=form.place,
        warning_given=form.warning_given,
        **particulars,
    )


def _event(kind: type[Event], form: Form, subject: Subject, **particulars: object) -> Event:
    """An event of a kind, with what every custody form gives it."""
    happened: Told = getattr(form, form.happened)
    return kind.model_validate(
        {
            "occurred": happened.parts(),
            "person": subject.person,
            "sensitivity": _SENSITIVE,
            "suite": subject.suite,
            **particulars,
        }
    )


def _requirement(form: Form, assessment: Assessment) -> str:
    """RA1 and RA2, or RA4, RA2 and RA5, speak of one requirement; an initial and a follow-up may share a reference."""
    return f"assessment:{assessment.value}:{form.form_id}"


def _appointment_kept(form: Attended) -> str:
    """One fact an appointment: a missed one stays missed when the next is kept, and may itself be put right."""
    due = form.due_at.at.strftime("%Y%m%dT%H%MZ")
    return f"attendance:{form.assessment.value}:{form.form_id}:{due}"


def _withdrawn(form: Form) -> str | None:
    if form.status is FormStatus.WITHDRAWN:
        return "withdrawn"
    if isinstance(form, DrugTest) and form.laboratory is Laboratory.NOT_CONFIRMED:
        return "not_confirmed_by_laboratory"
    return None


def _too_young(form: DrugTest, born: date) -> bool:
    """Whether the test was of someone younger than PACE s63B allows: 18 on arrest, 14 on charge."""
    day = form.tested_at.day
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return age < (14 if form.test_reason is TestReason.CHARGE else 18)


def _read_record(root: etree._Element, received: datetime) -> Outcome:
    """Read a record in XML: first the schema, then its fields, so that a fault is told once and by its rule."""
    if record.too_many_forms(root):
        return Refused((found("CU-002", "form", f"more than {record.MOST_FORMS}"),))
    strange, faults = record.departures(root)
    fields, filled_in = record.groups(root)
    if faults:
        # A field counts wherever it stands: what is told as standing elsewhere is not told as missing as well.
        whole = [fields | form for form in filled_in]
        refused = _refused(_numbered([decode(detained(form, received), form) for form in whole]))
        return _noting(_with_schema_faults(refused, faults), strange)
    shared = detained(fields, received)
    return _noting(_outcome_of(shared, _numbered([decode(shared, form) for form in filled_in])), strange)


def _numbered(forms: list[FormRead]) -> list[FormRead]:
    """What became of the forms; of several, what is told of each itself is told with its number."""
    if len(forms) < 2:
        return forms
    return [
        form
        if isinstance(form, Ignored) or not form.findings
        else replace(form, findings=record.placed(form.findings, number))
        for number, form in enumerate(forms, 1)
    ]


def _outcome_of(shared: Detained, forms: Sequence[FormRead]) -> Outcome:
    """One outcome for all the forms of a record: the worst of theirs, since a record is told whole or not at all."""
    if refused := _refused(forms):
        return refused
    decoded: list[Form] = []
    ignored: list[Ignored] = []
    for form in forms:
        match form:
            case Held():
                return Held(form.reason, _findings(forms), form.lane)
            case Decoded():
                decoded.append(form.form)
            case Ignored():
                ignored.append(form)
    if not decoded:
        return ignored[0]
    detention = Detention(**shared.values)
    subject = subject_of(detention)
    facts = _standing([translate(form, subject) for form in decoded])
    findings = [*_findings(forms), *subject.findings]
    if any(isinstance(form, DrugTest) and _too_young(form, detention.date_of_birth) for form in decoded):
        findings.append(found("CU-033", "date_of_birth"))
    findings += [found("CU-092", "form_type", form.name) for form in ignored]
    if len(facts) < len(decoded):
        findings.append(found("CU-093", "form"))
    return Accepted(facts, tuple(dict.fromkeys(findings)))


def _refused(forms: Sequence[FormRead]) -> Refused | None:
    """The refusal of a record one of whose forms is refused, or that has none."""
    for form in forms:
        if isinstance(form, Refused):
            return Refused(without_codes(_findings(forms)))
    return None if forms else Refused((found("CU-002", "form"),))


def _findings(forms: Sequence[FormRead]) -> tuple[Finding, ...]:
    """What is told of all forms, each once."""
    told: dict[Finding, None] = {}
    for form in forms:
        if not isinstance(form, Ignored) and form.findings:
            told |= dict.fromkeys(form.findings)
    return tuple(told)


def _standing(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """What a record says last of each thing: the highest version, and of equals the one that stands last.

    A record that holds a notice and the notice that varies it is sent whole each time. Telling both would change the
    appointment to and fro with every repeat.
    """
    if len(facts) == 1:
        return tuple(facts)
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


def _with_schema_faults(refused: Refused | None, faults: tuple[Finding, ...]) -> Refused:
    """The refusal of a record that departs from the schema: there only where no rule on a field has told so already."""
    told = refused.findings if refused else ()
    fields = {finding.field.rpartition("/")[2] for finding in told}
    groups = {"detention", "detainee", "form"} if told else set()  # a missing field is a fault of the group around it
    return Refused((*told, *(fault for fault in faults if fault.field not in fields | groups)))
