"""From the fields of a detention and of its forms to what we can translate, or to every reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapters.base import Finding, Held, Ignored, Level, Refused, UnknownCode
from adapters.local_time import Doubt, Told
from adapters.police_custody.codes import UNSUBSCRIBED_FORMS
from adapters.police_custody.faults import code_detail, found, without_codes
from adapters.police_custody.fields import Known, fields_of, names_of, read
from adapters.police_custody.person import lane_of
from adapters.police_custody.readers import moment
from adapters.police_custody.wire import COLUMNS, FORMS, Detention, Form

CODE_NOT_MAPPED = "code_not_mapped"

_DOUBTS = {Doubt.SKIPPED: "CU-017", Doubt.AMBIGUOUS: "CU-018"}

_ASKED: Final = {kind: names_of(Detention) | names_of(kind) | {"form_type"} for kind in FORMS.values()}
_TIMES: Final = {
    shape: tuple(field.name for field in fields_of(shape) if field.read is moment)
    for shape in (Detention, Form, *FORMS.values())
}
_PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}


class Detained(NamedTuple):
    """What a record says for all its forms, as far as it can be read.

    values: of its fields, the unreadable left out. faults: of those. known: what its forms are read beside.
    """

    values: Mapping[str, Any]
    faults: Sequence[Finding]
    oddities: Sequence[Finding]
    known: Known


@dataclass(frozen=True, slots=True)
class Decoded:
    """A form, and what was odd about how it and its detention were written."""

    form: Form
    findings: tuple[Finding, ...]


def detained(given: Mapping[str, str], received: datetime) -> Detained:
    """Read what all forms share from fields of which none is empty.

    received: when the record reached us, aware; nothing may have happened more than ten minutes after it.
    """
    values, faults = read(fields_of(Detention), given, Known(received))
    return Detained(values, faults, _oddities(Detention, values), Known(received, values.get("arrested_at")))


def decode(shared: Detained, given: Mapping[str, str]) -> Decoded | Held | Ignored | Refused:
    """Read one form from fields of which none is empty; they may be the detention's as well."""
    code = given.get("form_type", "").strip().upper()
    if code in UNSUBSCRIBED_FORMS:
        return Ignored(UNSUBSCRIBED_FORMS[code])
    unknown: list[Finding] = []
    kind = Form
    try:
        kind = FORMS[code]
    except UnknownCode as error:
        # Without its form the record is still read for what every form has, so that all its faults are told at once.
        unknown.append(found("CU-020", "form_type", code_detail(error)) if code else found("CU-010", "form_type"))
    values, faults = read(fields_of(kind), given, shared.known)
    missing = [found("CU-010", name) for name in kind.needs if shared.values.get(name, "unreadable") is None]
    if not (unknown or shared.faults or faults or missing):
        return Decoded(kind(**values), (*shared.oddities, *_oddities(kind, values), *_unread(kind, given)))
    told = (*unknown, *sorted((*shared.faults, *missing), key=_place), *faults)
    if any(fault.rule.level is Level.REFUSE for fault in told):
        return Refused(without_codes(told))
    said = shared.values
    return Held(CODE_NOT_MAPPED, told, lane_of(said["force_code"], said["custody_number"], said["pnc_id"]))


def _place(finding: Finding) -> int:
    """Where the field stands in the contract, the order in which faults are told."""
    return _PLACES[finding.field]


def _oddities(shape: type, values: Mapping[str, Any]) -> list[Finding]:
    odd: list[Finding] = []
    for name in _TIMES[shape]:
        told: Told | None = values.get(name)
        if told is not None and told.doubt is not None:
            odd.append(found(_DOUBTS[told.doubt], name))
    return odd


def _unread(kind: type[Form], given: Mapping[str, str]) -> tuple[Finding, ...]:
    """What stands on a form that does not ask for it."""
    asked = _ASKED[kind]
    if asked.issuperset(given):
        return ()
    return tuple(found("CU-013", name) for name in given if name not in asked)
