"""The eight ways in which a source drifts, and what a document must do so that each can be tried on each field."""

import enum
from typing import Final, Protocol


class Mutation(enum.StrEnum):
    """One way in which one field of a message becomes another than its contract says."""

    DROP = "drop"
    """The field is gone."""
    RENAME = "rename"
    """The field has another name."""
    RETYPE = "retype"
    """The value has become a structure with the value in it; where there are no structures, text that shows one."""
    NULL = "null"
    """The field is there and empty."""
    NEW_CODE = "new_code"
    """The value is one that nobody has heard of."""
    EXTRA = "extra"
    """A field nobody knows stands beside it."""
    ENCODING = "encoding"
    """The value holds a byte that is no UTF-8."""
    ORDER = "order"
    """It stands among its neighbours in the opposite order."""


UNHEARD_OF: Final = "ZZ9Q"
"""The value nobody has heard of: the form of a code, on no list."""

STRAY: Final = b"\xe9"
"""é in the code page that is not agreed."""


class Document(Protocol):
    """One message of an agency, taken apart."""

    def fields(self) -> list[str]:
        """The path of every field that holds a value, in the order they stand."""

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        """The message with one field mutated, or None where its format knows no such mutation."""
