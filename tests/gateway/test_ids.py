"""Ids that the gateway gives out or reads back."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import derived_id, read_id


@given(st.uuids(), st.text())
def test_a_derived_id_is_the_version_5_uuid_of_its_name(namespace: uuid.UUID, name: str) -> None:
    """Anybody can derive an id again with the standard library."""
    assert derived_id(namespace, name) == uuid.uuid5(namespace, name)


@given(st.uuids())
def test_an_id_read_back_is_the_id_that_was_written(written: uuid.UUID) -> None:
    """It is found under the standard library's, is written the same, and is in the same place of an order."""
    read = read_id(str(written))
    assert {written: "found"}[read] == "found"
    assert str(read) == str(written)
    assert sorted([read, written]) == [written, written]


@pytest.mark.parametrize("text", ["", "no id", "{6a1c2c53-5f8e-4d55-9f0a-6f3f0d6f4c11}", "6a1c2c53-5f8e-4d55"])
def test_what_is_no_id_is_not_read_as_one(text: str) -> None:
    """A text that is no id raises ValueError."""
    with pytest.raises(ValueError):
        read_id(text)
