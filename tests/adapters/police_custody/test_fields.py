"""A form's fields are read by the readers they declare: all of them, in one pass, and nothing is made up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from adapters.police_custody.decode import decode, detained
from adapters.police_custody.faults import Broken
from adapters.police_custody.fields import REQUIRED, Known, fields_of, read
from adapters.police_custody.readers import flag, number
from adapters.police_custody.wire import COLUMNS, FORMS, Detention
from tests.adapters.police_custody.forms import FORMS as FILLED_IN
from tests.adapters.police_custody.forms import RECEIVED, form

SHAPES = (Detention, *FORMS.values())
EVERY_FIELD = {
    "arrested_at": "2012-05-11T21:05",
    "trigger_offence": "Y",
    "sex": "F",
    "pnc_id": "88/417733W",
    "cro_number": "065656/91H",
    "asn": "1206SK0100000077120L",
    "address_1": "9 Pretend Road",
    "address_2": "Stockport",
    "address_3": "Cheshire",
    "address_4": "England",
    "postcode": "SK4 1AA",
    "no_fixed_abode": "N",
    "version": "2",
    "status": "CURRENT",
    "result_opiates": "NEG",
    "disputed": "N",
    "laboratory": "CONFIRMED",
    "assessment_required": "Y",
}

anything = st.dictionaries(
    st.sampled_from(COLUMNS),
    st.text(min_size=1, max_size=20).filter(str.strip) | st.sampled_from(sorted(EVERY_FIELD.values())),
)


@dataclass(frozen=True, kw_only=True)
class Small:
    """A shape with one field of each sort."""

    count: Annotated[int, number]
    sure: Annotated[bool | None, flag] = None


def even(count: int, _: Mapping[str, Any], __: Known) -> None:
    """An odd number breaks a rule."""
    if count % 2:
        raise Broken("CU-012")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A shape whose field is checked when it has been read."""

    count: Annotated[int, number, even] = 1


@pytest.mark.parametrize("code", FORMS)
def test_what_a_reader_gives_is_of_the_type_its_field_declares(code: str) -> None:
    """No model looks at a form's values again, so what stands beside a field's reader must be true of it."""
    filled = EVERY_FIELD | {"due_at": "2012-05-16T10:30"} | form(code)
    shapes: tuple[type, ...] = (Detention, FORMS[code])
    for shape in shapes:
        hints = get_type_hints(shape, include_extras=True)
        values, faults = read(fields_of(shape), filled, Known(RECEIVED))
        assert faults == []
        for field in fields_of(shape):
            declared = TypeAdapter(get_args(hints[field.name])[0])
            assert field.name in filled
            assert declared.validate_python(values[field.name], strict=True) == values[field.name]


@pytest.mark.parametrize("shape", SHAPES)
@given(written=anything)
def test_every_field_has_a_value_or_a_fault(shape: type, written: dict[str, str]) -> None:
    """Whatever was written, a field is right, absent where it may be, or at fault once; and nothing raises."""
    values, faults = read(fields_of(shape), written, Known(RECEIVED))
    names = [field.name for field in fields_of(shape)]
    assert sorted([*values, *(fault.field for fault in faults)]) == sorted(names)
    for field in fields_of(shape):
        if field.name in values and field.name not in written:
            assert field.default is not REQUIRED
            assert values[field.name] == field.default


@pytest.mark.parametrize("code", FORMS)
def test_every_form_is_read_beside_its_detention_alone(code: str) -> None:
    """The fields of a row, and those of a record in which the detention stands apart, give the same form."""
    row = form(code)
    shared = {
        name: text for name, text in row.items() if name not in {**FILLED_IN[code], "form_id": "", "form_type": ""}
    }
    own = {name: text for name, text in row.items() if name not in shared}
    if code == "DT1":
        shared["trigger_offence"] = own.pop("trigger_offence")
    assert decode(detained(shared, RECEIVED), own) == decode(detained(row, RECEIVED), row)


def test_an_absent_field_has_its_default_and_a_required_one_is_missed() -> None:
    """Only what has no default is asked for."""
    assert read(fields_of(Small), {"count": "12"}, Known(RECEIVED)).values == {"count": 12, "sure": None}
    missing = read(fields_of(Small), {"sure": "y"}, Known(RECEIVED))
    assert missing.values == {"sure": True}
    assert [(fault.rule.id, fault.field) for fault in missing.faults] == [("CU-010", "count")]


def test_a_value_that_fails_its_check_is_none() -> None:
    """A value that cannot be is left out, so that no later field is compared with it; a default is checked as well."""
    assert read(fields_of(Checked), {"count": "2"}, Known(RECEIVED)).values == {"count": 2}
    for written in ({"count": "3"}, {}):
        values, faults = read(fields_of(Checked), written, Known(RECEIVED))
        assert values == {}
        assert [fault.rule.id for fault in faults] == ["CU-012"]


def test_a_field_without_a_reader_is_the_programmers_mistake() -> None:
    """A shape that does not say how a field is read is found when it is made, not when a record comes."""

    @dataclass
    class Unread:
        count: int

    with pytest.raises(TypeError, match="count"):
        fields_of(Unread)


def test_faults_are_told_in_the_order_of_the_contract() -> None:
    """What a form needs of its detention is missed where the detention's fields are told."""
    later = RECEIVED + timedelta(days=1)
    row = form("DT1", trigger_offence="", tested_at=later.isoformat()[:16], surname="", date_of_birth="soon")
    given_ = {name: text for name, text in row.items() if text}
    outcome = decode(detained(given_, RECEIVED), given_)
    assert [finding.field for finding in getattr(outcome, "findings", ())] == [
        "trigger_offence",
        "surname",
        "date_of_birth",
        "tested_at",
    ]
