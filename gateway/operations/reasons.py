"""Why something has stopped, in a sentence, and what whoever owns it can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """means: what has happened. mend: what to do about it; both are whole sentences and name nobody."""

    means: str
    mend: str


_ASKED_AGAIN: Final = "Nothing yet: its source is asked again, later each time. lgw redrive asks at once."
_READ_AGAIN: Final = "Take a release that reads it, then lgw redrive."

REASONS: Final[Mapping[str, Reason]] = {
    "code_not_mapped": Reason(
        "A code is on no list; it is never given a default.",
        "Find out what it means and map it: an option of the adapter, or its codes.py. Then lgw redrive.",
    ),
    "pointer_not_filled": Reason(
        "The record points at something that was not attached.",
        "If it is asked for again, nothing; else have pointers filled by a setting, or it sent with what it points at.",
    ),
    "source_unavailable": Reason("The source does not answer.", _ASKED_AGAIN),
    "source_not_signed_in": Reason("The source does not let us in.", "Check TOKEN_URL, CLIENT_ID and the secret."),
    "source_answer_unreadable": Reason("The source's answer cannot be read.", _ASKED_AGAIN),
    "source_does_not_tell": Reason("The source's answer does not say what happened.", _ASKED_AGAIN),
    "source_has_none": Reason("The source has no such record (404).", "Ask the sender; once it is there, lgw redrive."),
    "source_withholds": Reason("The source does not give it to us (403).", "Ask the source for access; lgw redrive."),
    "source_answer_too_large": Reason(
        "The source's answer is larger than any record may be.", "Ask the sender for a record that has it attached."
    ),
    "pointer_unreadable": Reason(
        "What the record points at is no address of its source.", "Ask the sender to mend it and to send it again."
    ),
    "filling_failed": Reason("A fault of ours while the source was asked.", _ASKED_AGAIN),
    "filled_and_refused": Reason(
        "With the source's answer it is a record we would refuse; lgw trace names the rule.",
        "Ask the sender to correct it at the source; then lgw redrive.",
    ),
    "event_ambiguous": Reason(
        "The person has several sentences, and the record does not say which it is about.",
        "Ask the sender for a record that says which.",
    ),
    "version_not_supported": Reason("A version of the message we cannot read yet.", _READ_AGAIN),
    "no_home_area": Reason("Home cannot be told.", "Nothing: it goes by itself once home is known."),
    "person_match_ambiguous": Reason(
        "The identifiers lead to several persons.", "Ask the sender for a record with more identifiers."
    ),
    "no_agreement": Reason(
        "Nobody agreed to tell this recipient of this kind of event.",
        "Name it in an agreement, without fields where nothing is to be told; then lgw redrive.",
    ),
    "no_lasars": Reason("The area has no LASARS among the parties.", "Enter it in the parties file; then lgw redrive."),
    "undecodable": Reason("What came over Kafka is no event we know.", _READ_AGAIN),
    "kind_unknown": Reason("An event of a kind we do not know.", _READ_AGAIN),
    "poison": Reason("It broke whoever worked on it, each time.", "The log says where; mend it, then lgw redrive."),
    "undecryptable": Reason("No data key opens this document.", "Ask Universal Credit; then read the topic again."),
    "key_refused": Reason("The key service refused its key.", "Ask Universal Credit; then read the topic again."),
    "too_large": Reason("It is larger than any record may be.", "Ask its sender for a smaller one."),
    "recipient_unreachable": Reason(
        "The recipient took nothing for 72 hours. It stays in the mailbox.",
        "Tell the recipient; once it answers again, lgw redrive.",
    ),
    "recipient_rejected_content": Reason(
        "The recipient cannot use it.", "Ask the recipient why; a correction by the sender takes its place."
    ),
    "recipient_said_not_our_area": Reason(
        "The recipient says that the person is not theirs.", "Check home against what the recipient suggests."
    ),
    "body_unreadable": Reason("Its content cannot be opened.", "Check the key file against its backup; lgw redrive."),
    "rejected": Reason("The recipient rejected it.", "Ask the recipient why."),
    "parked": Reason("Pushing has stopped. It stays in the mailbox.", "Tell the recipient; then lgw redrive."),
}
"""Every reason that `lgw queue` can show, by its code. The list is closed."""
