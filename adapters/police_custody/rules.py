"""Every rule of its own a custody record can break. An id is never reused; a rule that is dropped leaves a gap."""

from collections.abc import Mapping
from typing import Final

from adapters.base import Level, Rule

_EVERY: Final = (
    # The bytes
    Rule(
        "CU-001",
        Level.REFUSE,
        "The message is not XML we can read",
        "Send one well-formed XML document in UTF-8, without a document type declaration, of at most 1 MiB.",
    ),
    Rule(
        "CU-002",
        Level.REFUSE,
        "The record does not follow the published schema",
        "Validate the record with custody-record.xsd; an element that stands twice or elsewhere is not taken.",
    ),
    Rule(
        "CU-003",
        Level.REFUSE,
        "The document is none of those this feed takes",
        "Send a custody_record of our namespace or a LIBRA NewCaseMessage; see the contract's list of messages.",
    ),
    # The fields
    Rule("CU-010", Level.REFUSE, "A required field is missing", "Give the field a value."),
    Rule(
        "CU-011",
        Level.REFUSE,
        "The text holds characters that are not text, or is too long",
        "Remove control characters and keep to the length in the contract.",
    ),
    Rule(
        "CU-012",
        Level.REFUSE,
        "The field does not have the form its contract gives",
        "Compare the shape of what came with the field's line in the contract.",
    ),
    Rule("CU-013", Level.WARN, "The field is not read on this form", "Leave the field empty on this form."),
    Rule("CU-014", Level.REFUSE, "The field is not a date", "Write dates as CCYY-MM-DD."),
    Rule(
        "CU-015", Level.REFUSE, "The date of birth cannot be right", "Correct it: it is in the future or before 1900."
    ),
    Rule(
        "CU-016",
        Level.REFUSE,
        "The field is not a date and time",
        "Write times as CCYY-MM-DDThh:mm or CCYY-MM-DDThh:mm:ss, with or without Z or an offset.",
    ),
    Rule(
        "CU-017",
        Level.WARN,
        "The local time did not exist, because the clocks went forward; it was read as Greenwich time",
        "Set the custody clock, or send times with an offset.",
    ),
    Rule(
        "CU-018",
        Level.WARN,
        "The local time happened twice, because the clocks went back; it was read as the first, in summer time",
        "Send times with an offset.",
    ),
    Rule(
        "CU-019",
        Level.REFUSE,
        "The record tells of something more than ten minutes in the future",
        "Correct the time, or the clock of the system it came from.",
    ),
    Rule(
        "CU-020",
        Level.HOLD,
        "The code is on no list of ours",
        "Nothing to do for the sender: the record is kept until we have mapped the code.",
    ),
    # What fields say together
    Rule("CU-030", Level.REFUSE, "The test has no result", "Give result_cocaine or result_opiates."),
    Rule(
        "CU-031",
        Level.REFUSE,
        "The assessment is due before its notice was given",
        "Correct due_at or the notice's time.",
    ),
    Rule("CU-032", Level.REFUSE, "The test was taken before the arrest", "Correct tested_at or arrested_at."),
    Rule(
        "CU-033",
        Level.WARN,
        "The person was younger than the law asks for a test for this reason (18 on arrest, 14 on charge)",
        "Check the date of birth and the reason for the test.",
    ),
    # Files
    Rule(
        "CU-080",
        Level.REFUSE,
        "The file's first line is not the header we agreed",
        "Start the file with the column names of the contract, comma-separated, in UTF-8.",
    ),
    Rule(
        "CU-081",
        Level.REFUSE,
        "The row cannot be cut into its columns",
        "Give every row as many values as the header has columns, and close every quotation mark.",
    ),
    Rule("CU-082", Level.REFUSE, "The row is not UTF-8", "Export the file in UTF-8."),
    Rule(
        "CU-083",
        Level.REFUSE,
        "A row is longer than 64 KiB or its quotation mark is never closed",
        "Close the quotation mark; the rest of the file cannot be told apart without it.",
    ),
    Rule(
        "CU-084",
        Level.REFUSE,
        "The file's last line counts other rows than the file has, or is not the last",
        "Send the whole file again.",
    ),
    # The NewCaseMessage
    Rule(
        "CU-090",
        Level.WARN,
        "A defendant is a company and was left out",
        "Nothing to do: only people are served.",
    ),
    Rule(
        "CU-091",
        Level.WARN,
        "The hearing is before the charge",
        "Correct the date of the hearing or of the charge.",
    ),
    Rule(
        "CU-092",
        Level.WARN,
        "A form we do not subscribe to stands in the record and was left out",
        "Nothing to do; it may be left out.",
    ),
    Rule(
        "CU-093",
        Level.WARN,
        "Two forms of the record speak of the same test or requirement, and the later one was taken",
        "Nothing to do; the form that was overtaken may be left out.",
    ),
)

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in _EVERY}
