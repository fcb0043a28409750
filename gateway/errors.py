"""Errors of our own making.

    GatewayError
    ├── ConfigurationError      a setting is missing or wrong; raised at start, never later
    ├── JournalUnavailable      the journal cannot commit; the sender is told 503 and keeps the record
    ├── Fenced                  another process holds what this one was working on
    └── Conflict                the same message id came with another body

What a sender or a recipient did is never an exception: adapters and couriers return values.
"""


class GatewayError(Exception):
    """The base of all of them. `fix` says what a person can do about it; neither text holds a personal value."""

    fix = "Run lgw doctor."


class ConfigurationError(GatewayError):
    """A setting is missing or wrong."""

    def __init__(self, sentence: str, fix: str) -> None:
        super().__init__(sentence)
        self.fix = fix


class JournalUnavailable(GatewayError):
    """The journal cannot commit just now."""

    fix = "Send the same record again with the same message id; nothing was accepted."


class Fenced(GatewayError):
    """Another process took over; this one must stop what it was doing."""
