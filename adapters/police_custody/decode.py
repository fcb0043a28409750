"""From a form's fields as text to a form we can translate, or to every reason why not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from adapters.base import Finding, Held, Ignored, Level, Refused, UnknownCode
from adapters.local_time import Doubt, Told
from adapters.police_custody.codes import UNSUBSCRIBED_FORMS
from adapters.police_custody.faults import Broken, code_detail, found, without_codes
from adapters.police_custody.person import lane_of
from adapters.police_custody.wire import FORMS, Detention, Form

CODE_NOT_MAPPED = "code_not_mapped"

_DOUBTS = {Doubt.SKIPPED: "CU-017", Doubt.AMBIGUOUS: "CU-018"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A form, and what was odd about how it was written."""

    form: Form
    findings: tuple[Finding, ...]


def decode(fields: Mapping[str, str], received: datetime) -> Decoded | Held | Ignored | Refused:
    """Read one form from its fields; an empty field is an absent one.

    received: when the record reached us, aware; nothing may have happened more than ten minutes after it.
    """
    given = {name: value for name, value in fields.items() if value.strip()}
    code = given.get("form_type", "").strip().upper()
    if code in UNSUBSCRIBED_FORMS:
        return Ignored(UNSUBSCRIBED_FORMS[code])
    faults: list[Finding] = []
    kind = Form
    try:
        kind = FORMS[code]
    except UnknownCode as unknown:
        # Without its form the record is still read for what every form has, so that all its faults are told at once.
        faults.append(found("CU-020", "form_type", code_detail(unknown)) if code else found("CU-010", "form_type"))
    try:
        form = kind.model_validate(given, context={"received": received})
    except ValidationError as error:
        faults.extend(_faults(error))
    else:
        if not faults:
            return Decoded(form, (*_oddities(form), *_unread(kind, given)))
    if any(fault.rule.level is Level.REFUSE for fault in faults):
        return Refused(without_codes(faults))
    return Held(CODE_NOT_MAPPED, tuple(faults), lane_of(Detention.model_validate(given)))


def _faults(error: ValidationError) -> Iterator[Finding]:
    """One finding a fault. The errors' input is never asked for: it is the person's."""
    for fault in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"])
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, Broken):
            yield found(cause.rule, field, cause.detail)
        else:
            yield found("CU-010", field)  # every field's own reader tells what is wrong; only absence is pydantic's


def _oddities(form: Form) -> Iterator[Finding]:
    for name, told in vars(form).items():
        if isinstance(told, Told) and told.doubt is not None:
            yield found(_DOUBTS[told.doubt], name)


def _unread(kind: type[Form], given: Mapping[str, str]) -> Iterator[Finding]:
    known = kind.model_fields
    for name in given:
        if name not in known and name != "form_type":
            yield found("CU-013", name)
