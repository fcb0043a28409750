"""The acknowledgement (ACK) that answers an HL7 v2 message.

Source: HL7 v2.5.1, 2.9 (original and enhanced mode) and 2.15 (MSA, ERR). In original mode, MSH-15 and MSH-16 empty, a
sender gets one application acknowledgement. In enhanced mode it says what it wants: a commit acknowledgement, which
says that the message is on disk, and the application's, which says what came of it. Both are known at once here.
"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adapters.base import Answered, Fate, Finding, Level, Message, Reply
from adapters.gp.hl7.er7 import Segment, Separators, Unreadable, escaped, header_of, open_message
from adapters.gp.hl7.rules import ERROR_CODES

MEDIA_TYPE: Final = "application/hl7-v2"

_VERSION: Final = "2.5"
_DUPLICATE: Final = "205"
_INTERNAL: Final = "207"
_ERROR_TABLE: Final = "HL70357"

_APPLICATION: Final = {
    Fate.COMMITTED: "AA",
    Fate.REPEATED: "AA",
    Fate.REFUSED: "AE",
    Fate.CLASHED: "AE",
    Fate.NOT_NOW: "AR",
}
_COMMIT: Final = {
    Fate.COMMITTED: "CA",
    Fate.REPEATED: "CA",
    Fate.REFUSED: "CE",
    Fate.CLASHED: "CE",
    Fate.NOT_NOW: "CR",
}
"""Table 0008. A rejection (AR, CR) speaks of us and not of the message: send it again."""


def ack(message: Message, answered: Answered) -> tuple[Reply, ...]:
    """The acknowledgements its sender asks for, in the order of the standard: commit first, then the application's.

    None for a file of several messages that was taken: each of them is answered by the file's report. A file of one
    that was refused is answered as the message is.
    """
    header: Segment | None
    try:
        header = open_message(message.body).header
    except Unreadable:
        if answered.fate in (Fate.COMMITTED, Fate.REPEATED):
            return ()
        header = header_of(message.body)
    else:
        if answered.refused_rows:  # its only row: the file was taken, and the message was not
            answered = replace(answered, fate=Fate.REFUSED)
    codes = _wanted(header, answered.fate)
    return tuple(Reply(_written(header, code, answered), MEDIA_TYPE) for code in codes)


def _wanted(header: Segment | None, fate: Fate) -> Iterator[str]:
    if header is None or not (header.get(15) or header.get(16)):
        yield _APPLICATION[fate]
        return
    if _asked(header.get(15), fate):
        yield _COMMIT[fate]
    if _asked(header.get(16), fate):
        yield _APPLICATION[fate]


def _asked(condition: str, fate: Fate) -> bool:
    """Whether a condition (table 0155) asks for an answer: always, never, on error, on success."""
    well = fate in (Fate.COMMITTED, Fate.REPEATED)
    match condition.upper():
        case "AL":
            return True
        case "ER":
            return not well
        case "SU":
            return well
        case _:
            return False


def _written(header: Segment | None, code: str, answered: Answered) -> bytes:
    separators = header.separators if header is not None else Separators()
    bar, hat = separators.field, separators.component or "^"
    version = (header.get(12) if header is not None else "") or _VERSION
    event = header.get(9, 2) if header is not None else ""
    kind = hat.join(("ACK", escaped(event, separators), "ACK")) if event else "ACK"

    def theirs(field: int) -> str:
        return header.written(field).strip() if header is not None else ""

    stamp = f"{answered.at:%Y%m%d%H%M%S}+0000"
    control = _control_id(code, theirs(10), answered)
    head = [
        *("MSH", separators.encoding, theirs(5), theirs(6), theirs(3), theirs(4), stamp, "", kind, control),
        *(theirs(11) or "P", escaped(version, separators), "", "", "", "", "", "UNICODE UTF-8"),
    ]
    text = escaped(_text(answered), separators)
    segments = [bar.join(head), bar.join(("MSA", code, theirs(10), text))]
    modern = version.split(".")[:2] >= ["2", "5"]
    segments.extend(_err(told, separators, modern=modern) for told in _told(answered))
    return "".join(f"{segment}\r" for segment in segments).encode()


def _control_id(code: str, theirs: str, answered: Answered) -> str:
    """Our own control id, of at most twenty characters: the same answer to the same message has the same."""
    named = answered.number or uuid.uuid5(uuid.NAMESPACE_OID, f"{theirs}|{answered.at.isoformat()}")
    return f"{code}{named.hex[-18:]}".upper()


def _text(answered: Answered) -> str:
    match answered.fate:
        case Fate.COMMITTED | Fate.REPEATED:
            return f"Receipt {answered.number}" if answered.number else "Taken"
        case Fate.REFUSED:
            return "Refused for the faults named in " + ("ERR" if answered.findings else "the report on its file")
        case Fate.CLASHED:
            return "The control id was used before, for another message"
        case Fate.NOT_NOW:
            return "Nothing was accepted; send it again"


def _told(answered: Answered) -> Iterator[tuple[str, str, str, str]]:
    """What an ERR each says: where, which error of table 0357, how severe, and the sentence."""
    for finding in answered.findings:
        severity = "E" if finding.rule.level is Level.REFUSE else "W"
        yield finding.field, _error_of(finding), severity, f"{finding.rule.id} {finding.text}"
    if answered.fate is Fate.CLASHED:
        yield "MSH-10", _DUPLICATE, "E", "Give each message its own control id."
    if answered.fate is Fate.NOT_NOW:
        yield "MSH", _INTERNAL, "E", "The gateway cannot commit just now."


def _error_of(finding: Finding) -> str:
    return ERROR_CODES.get(finding.rule, "102")


def _err(told: tuple[str, str, str, str], separators: Separators, *, modern: bool) -> str:
    """One ERR segment. Before version 2.5 it has one field only, with place and code in it."""
    field, code, severity, sentence = told
    segment, _, number = field.partition("-")
    place, hat = segment[:3], separators.component or "^"
    if not modern:
        inner = separators.subcomponent or "&"
        coded = inner.join((code, escaped(sentence, separators), _ERROR_TABLE))
        return separators.field.join(("ERR", hat.join((place, "1", number, coded))))
    location = hat.join((place, "1", number)) if number else place
    coded = hat.join((code, "", _ERROR_TABLE))
    return separators.field.join(("ERR", "", location, coded, severity, "", "", "", escaped(sentence, separators)))
