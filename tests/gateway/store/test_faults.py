"""Which faults of the store pass."""

import pytest
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from gateway.errors import JournalUnavailable, Unwritable
from gateway.store.faults import passes


class Told(Exception):
    """What a driver raises."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DBAPIError("", {}, Told("57P01")), True),
        (DBAPIError("", {}, Told("53100")), True),
        (DBAPIError("", {}, Told(None)), True),
        (DBAPIError("", {}, Told("22P05")), False),
        (DBAPIError("", {}, Told("23505")), False),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (NoSuchTableError(), True),
        (KeyError(), False),
        (JournalUnavailable("just now"), True),
        (Unwritable("this one never"), False),
    ],
)
def test_a_fault_of_the_server_passes_and_one_of_the_statement_does_not(error: Exception, expected: bool) -> None:
    """A shutdown, a full disk, a lost connection pass; a value it cannot hold does not, however often it is tried."""
    assert passes(error) is expected
