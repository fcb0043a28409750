"""Fields are counted without a value being kept, in memory that does not grow."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.shapes import LONGEST, shape
from gateway.offline.profile import Distinct, Profile, odd_dates

TODAY = date(2026, 1, 15)


def distinct(values: list[str]) -> Distinct:
    """What has seen these."""
    one = Distinct()
    one.add(values)
    return one


@given(st.lists(st.text(max_size=8), max_size=80))
def test_few_values_are_counted_exactly(values: list[str]) -> None:
    """A code list is told by its size."""
    assert distinct(values).count() == (len(set(values)), True)


def test_many_values_are_estimated() -> None:
    """A hundred thousand, within a tenth, whatever the parts they came in; what is kept stays small."""
    whole = Distinct()
    for start in range(0, 100_000, 1000):
        whole.merge(distinct([f"T-{number}" for number in range(start, start + 1000)]))
    again = Distinct()
    again.merge(whole)
    for one in (whole, again):
        count, exact = one.count()
        assert not exact
        assert 90_000 < count < 110_000
        assert len(one._least) <= 2048


@given(st.text(max_size=60))
def test_a_shape_shows_no_letter_and_no_digit_of_its_own(text: str) -> None:
    """Whatever the script, a shape is drawn with 9, A, a and marks."""
    drawn = shape(text)
    assert len(drawn) <= LONGEST + 1
    assert not {character for character in drawn if character.isalnum()} - {"9", "A", "a"}


@pytest.mark.parametrize(
    ("written", "drawn"),
    [("19/4/81", "99/9/99"), ("Oaks", "Aaaa"), ("Łódź", "Aaaa"), ("SK1 3XE", "AA9 9AA"), ("李", "a"), ("\x00", "?")],
)
def test_shapes(written: str, drawn: str) -> None:
    """As a person would draw them."""
    assert shape(written) == drawn


@pytest.mark.parametrize(
    ("written", "odd"),
    [
        ("2026-01-15", []),
        ("2026-01-16T09:00", ["in the future"]),
        ("2025-02-29", ["impossible"]),
        ("1899-12-31", ["before 1900"]),
        ("1970-01-01", ["1900-01-01 or 1970-01-01"]),
        ("3.2.86", ["with a year of two digits"]),
        ("Oaks", []),
        ("0000-00-00", ["impossible"]),
    ],
)
def test_odd_dates_are_named(written: str, odd: list[str]) -> None:
    """Impossible, not yet, long ago, a placeholder, or short of a century."""
    assert odd_dates(written, TODAY) == odd


def test_parts_add_up_to_the_whole() -> None:
    """Two halves of a file, counted apart, say what the file says."""
    records = [{"surname": [name], "aliases": [name, "Sorrel"]} for name in ("Oaks", "Elm", "Oaks", "Larkspur")]
    whole, first, second = Profile(), Profile(), Profile()
    whole.add(records, TODAY)
    first.add(records[:2], TODAY)
    second.add(records[2:], TODAY)
    first.merge(second)
    assert first.records == whole.records == 4
    for name, held in whole.fields.items():
        assert first.fields[name].filled == held.filled == 4
        assert first.fields[name].shapes == held.shapes
        assert first.fields[name].distinct.count() == held.distinct.count()


def test_no_number_of_shapes_or_fields_fills_the_memory() -> None:
    """A file of noise is counted as noise."""
    profile = Profile()
    profile.add(({f"f{number}": ["-" * (number % 97)]} for number in range(2000)), TODAY)
    profile.add(({"f1": ["." * length + "9" * other]} for length in range(12) for other in range(12)), TODAY)
    assert len(profile.fields) <= 400
    assert len(profile.fields["f1"].shapes) <= 60
    assert profile.fields["f1"].other_shapes > 0
