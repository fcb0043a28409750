"""The envelope a probation record comes in: HMPPS's, with the probation case as its snapshot."""

from typing import Final

from adapters.base import Ignored, Message
from adapters.hmpps import envelope
from adapters.hmpps.envelope import EnvelopeRules, Opened
from adapters.probation import rules

_RULES: Final = EnvelopeRules(
    not_json=rules.NOT_JSON,
    message_not_json=rules.MESSAGE_NOT_JSON,
    no_event_type=rules.NO_EVENT_TYPE,
    event_type_unreadable=rules.EVENT_TYPE_UNREADABLE,
    event_types_differ=rules.EVENT_TYPES_DIFFER,
    too_long=rules.TOO_LONG,
    missing=rules.MISSING,
    malformed=rules.MALFORMED,
)


def open_envelope(message: Message) -> Opened | Ignored:
    """Take a record out of its envelope, or ignore what SNS says about itself. Raises Faulty."""
    return envelope.open_envelope(message, _RULES)
