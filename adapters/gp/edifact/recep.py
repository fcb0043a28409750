"""The receipt report (RECEP) that answers a registration interchange.

Source: the receipt report as NHS Digital's NHAIS adaptor reads and writes it. Each message of the interchange is told
by a code: CP translated, CA in error, CI not completed because of a fault elsewhere; the interchange by OK, ER (some
of it in error) or NA (nothing of it was taken).
"""

import io
from datetime import datetime
from typing import Final

from adapters.base import Answered, Fate, Finding, Level, Message, Reply
from adapters.gp.edifact.fhsreg import MEDIA_TYPE
from adapters.gp.edifact.interchange import EdiMessage, Header, Interchange
from adapters.gp.edifact.segments import Broken, released
from adapters.local_time import LONDON

TRANSLATED: Final = "CP"
IN_ERROR: Final = "CA"
INCOMPLETE: Final = "CI"


def recep(message: Message, answered: Answered) -> tuple[Reply, ...]:
    """The report on an interchange, sent as a record or as a file.

    None where nothing was decided yet (it is to be sent again), and where the interchange does not say whom to answer.
    It carries the number of the interchange it answers: there is one report for each, so the numbers of the reports are
    as contiguous as theirs, and the same interchange sent again gets the same report.
    """
    if answered.fate is Fate.NOT_NOW:
        return ()
    try:
        interchange = Interchange(io.BytesIO(message.body))
    except Broken:
        return ()
    codes, parties = _told(interchange, answered)
    taken = answered.fate in (Fate.COMMITTED, Fate.REPEATED)
    wrong = any(code != TRANSLATED for _, code in codes)
    whole = "NA" if not taken else "ER" if wrong else "OK"
    return (Reply(_written(interchange.header, parties, codes, whole, answered.at), MEDIA_TYPE),)


def _told(interchange: Interchange, answered: Answered) -> tuple[list[tuple[str, str]], tuple[str, str]]:
    """Each message's reference with its code, as far as messages can be read; and the authority and the doctor."""
    codes: list[tuple[str, str]] = []
    parties = ("", "")
    row = 1
    try:
        for one in interchange.messages():
            rows = range(row, row + max(1, sum(segment.tag == "S01" for segment in one.body)))
            row = rows.stop
            parties = parties if any(parties) else _parties(one)
            codes.append((one.reference, _code(one, rows, answered)))
    except Broken:
        codes = [(reference, IN_ERROR if code == IN_ERROR else INCOMPLETE) for reference, code in codes]
    return codes, parties


def _code(one: EdiMessage, rows: range, answered: Answered) -> str:
    if answered.fate in (Fate.COMMITTED, Fate.REPEATED):
        return IN_ERROR if answered.refused_rows.intersection(rows) else TRANSLATED
    return IN_ERROR if any(_about(one, finding) for finding in answered.findings) else INCOMPLETE


def _about(one: EdiMessage, finding: Finding) -> bool:
    within = finding.field == one.field or finding.field.startswith(f"{one.field}/")
    return within and finding.rule.level is Level.REFUSE


def _parties(one: EdiMessage) -> tuple[str, str]:
    authority = next((s.value(1) for s in one.body if s.tag == "NAD" and s.value(0) == "FHS"), "")
    doctor = next((s.value(1) for s in one.body if s.tag == "NAD" and s.value(0) == "GP"), "")
    return authority, doctor.partition(",")[0]


def _written(header: Header, parties: tuple[str, str], codes: list[tuple[str, str]], whole: str, at: datetime) -> bytes:
    local = at.astimezone(LONDON)
    sender, recipient = released(header.recipient), released(header.sender)
    reference = header.reference
    authority, doctor = (released(party) for party in parties)
    message = [
        f"UNH+{reference}+RECEP:0:2:FH",
        f"BGM++600+243:{local:%Y%m%d%H%M}:306+{int(reference)}",
        f"NHS+{authority}:819:201+{doctor}:814:202",
        f"DTM+815:{local:%Y%m%d%H%M}:306",
        *(f"RFF+MIS:{one} {code}" for one, code in codes),
        f"RFF+RIS:{reference} {whole}:{len(codes)}",
    ]
    segments = (
        f"UNB+UNOA:2+{sender}+{recipient}+{local:%y%m%d}:{local:%H%M}+{reference}++RECEP+++EDIFACT TRANSFER",
        *message,
        f"UNT+{len(message) + 1}+{reference}",
        f"UNZ+1+{reference}",
    )
    return "".join(f"{segment}'\r\n" for segment in segments).encode("ascii", "replace")
