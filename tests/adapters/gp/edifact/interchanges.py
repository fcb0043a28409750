"""Registration interchanges of invented people, written segment by segment."""

from datetime import UTC, datetime

RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)

NUMBER = "9990548609"
OTHER_NUMBER = "9990008787"

AMENDED = (
    "RFF+TN:101",
    "NAD+GP+4826940,281:900",
    "S02+2",
    f"PNA+PAT+{NUMBER}:OPI+++SU:ELLERBY+FO:TAMSIN+TI:MS+MI:JANE",
    "DTM+329:19910623:102",
    "PDI+2",
    "NAD+PAT++HOLLY COTTAGE:12 LONG LANE::STOCKPORT:CHESHIRE+++++SK4 2HD",
)
DEDUCTED = (
    "RFF+TN:102",
    "NAD+GP+4826940,281:900",
    "NAD+NFH+XX2:954",
    "GIS+2:ZZZ",
    "DTM+961:20260105:102",
    "S02+2",
    f"PNA+PAT+{NUMBER}:OPI",
)
APPROVED = ("RFF+TN:103", "NAD+GP+4826940,281:900", "S02+2", f"PNA+PAT+{NUMBER}:OPI")


def message(
    *transactions: tuple[str, ...],
    kind: str = "F1",
    reference: int = 6,
    prepared: str = "202601121235",
    version: str = "FHSREG:0:1:FH:FHS001",
) -> tuple[str, ...]:
    """One message with these transactions, counted rightly."""
    body = ["BGM+++507", "NAD+FHS+XX1:954", f"DTM+137:{prepared}:203", f"RFF+950:{kind}"]
    for transaction in transactions:
        body += ["S01+1", *transaction]
    return (f"UNH+{reference:08}+{version}", *body, f"UNT+{len(body) + 2}+{reference:08}")


def interchange(*messages: tuple[str, ...], reference: int = 3, header: str = "UNOA:2+XX11+TES5+260112:1235") -> bytes:
    """One interchange with these messages, counted rightly."""
    segments = [f"UNB+{header}+{reference:08}", *(one for each in messages for one in each)]
    segments.append(f"UNZ+{len(messages)}+{reference:08}")
    return "".join(f"{segment}'\r\n" for segment in segments).encode("latin-1")


GOOD = interchange(
    message(AMENDED), message(DEDUCTED, kind="F2", reference=7), message(APPROVED, kind="F4", reference=8)
)


def changed(body: bytes, old: str, new: str) -> bytes:
    """The same bytes with one place written otherwise, which must be there."""
    assert old.encode("latin-1") in body
    return body.replace(old.encode("latin-1"), new.encode("latin-1"), 1)
