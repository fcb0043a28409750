"""Errors of our own making.

    GatewayError
    ├── ConfigurationError      a setting is missing or wrong; raised at start, never later
    ├── JournalUnavailable      no commit was seen; the sender is told 503 and keeps the record
    │   └── Unwritable          it cannot commit this one record, now or later: a fault of ours
    ├── Fenced                  another process holds what this one was working on
    ├── Unreachable             met by a client: the gateway does not answer, or only that it cannot just now
    ├── TurnedAway              met by a client: the gateway does not let it in, or not with this
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
    """The journal cannot commit just now, or no longer says whether it did."""

    fix = "Send the same record again with the same message id; what was taken all the same is not taken twice."


class Unwritable(JournalUnavailable):
    """The journal cannot commit this record, however often it is tried; its neighbours are no worse for it."""

    fix = "Keep the record and tell operations; nothing was accepted."


class Fenced(GatewayError):
    """Another process took over; this one must stop what it was doing."""


class Unreachable(GatewayError):
    """A gateway, or what else is called, that cannot be reached, or answers only that it cannot just now."""

    fix = "Is its address right, and does it run? Nothing is lost; go on later."

    def __init__(self, why: str, what: str = "The gateway") -> None:
        super().__init__(f"{what} cannot be reached ({why}).")


class TurnedAway(GatewayError):
    """A gateway does not let a client in, or not with what it brings."""
