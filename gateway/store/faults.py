"""Whose fault it is that the store could not be used: its own, which passes, or of what it was asked."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.errors import JournalUnavailable, Unwritable

_PASSING = frozenset({"08", "25", "53", "57", "58"})
"""SQLSTATE classes that speak of the server and not of the statement: connection, read-only, resources, shutdown."""


def passes(error: BaseException) -> bool:
    """Whether the same may succeed later, although nothing about it changes."""
    if isinstance(error, JournalUnavailable):
        return not isinstance(error, Unwritable)
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "08")[:2] in _PASSING
    return isinstance(error, SQLAlchemyError | OSError | TimeoutError)
