import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Name
from schemas.placeholders import Mark, mark_of


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        (Name(forenames="Corin", surname="MIG_ERROR_ASHDALE"), Mark.MIG_ERROR),
        (Name(forenames="MIG_ERROR_CORIN", surname="Ashdale"), Mark.MIG_ERROR),
        (Name(forenames="Corin", surname="no_show_Ashdale"), Mark.NO_SHOW),
        (Name(forenames=" DUPLICATE_Corin", surname="Ashdale"), Mark.DUPLICATE),
        (Name(forenames="Not Entered", surname="Ashdale"), Mark.NOT_ENTERED),
        (Name(surname="NOT ENTERED"), Mark.NOT_ENTERED),
    ],
)
def test_a_mark_is_told_by_name(name: Name, mark: Mark) -> None:
    """A mark is found in either half, in any case, and told apart from the others."""
    assert mark_of(name) is mark


@pytest.mark.parametrize("surname", ["Migerror", "Duplicate", "No Show", "Notentered", "Ashdale-DUPLICATE_", "MIG"])
def test_what_only_looks_like_a_mark_is_a_name(surname: str) -> None:
    """People are called all sorts of things: only the marks systems write are marks."""
    assert mark_of(Name(surname=surname)) is None


@given(surname=st.text(st.characters(exclude_characters="_"), min_size=1))
def test_no_name_without_a_mark_is_taken_for_one(surname: str) -> None:
    """A name in any script is a name, unless it says that none was entered."""
    assert (mark_of(Name(surname=surname)) is None) is not surname.lstrip().upper().startswith("NOT ENTERED")
