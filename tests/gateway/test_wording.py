"""Numbers of things are told as people say them."""

import pytest

from gateway.wording import many


@pytest.mark.parametrize(
    ("number", "things", "told"),
    [(0, None, "0 records"), (1, None, "1 record"), (12345, None, "12,345 records"), (2, "histories", "2 histories")],
)
def test_a_number_of_things(number: int, things: str | None, told: str) -> None:
    """One thing has no plural; thousands are set apart."""
    assert many(number, "record", things) == told
