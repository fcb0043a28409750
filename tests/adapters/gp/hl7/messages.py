"""HL7 v2 messages of invented people, written segment by segment."""

from datetime import UTC, datetime

RECEIVED = datetime(2026, 3, 3, 9, tzinfo=UTC)

NUMBER = "9990548609"

PID = (
    rf"PID|1||{NUMBER}^^^NHS^NH~7781^^^RSTH^MR||Ellerby^Tamsin^Jane^^Ms^^L||19910623|F|||"
    r"12 Long Lane^Heaton Moor^Stockport^Cheshire^SK4 2HD^GBR^H||0161 496 0000"
)
PD1 = "PD1|||Heaton Moor Surgery^^P88026"


def message(*segments: str, header: str = "", event: str = "ADT^A31^ADT_A05", end: str = "\r", **fields: str) -> bytes:
    """One message under our usual header; fields replaces fields of MSH by their number (`msh_10`)."""
    msh = ["MSH", r"^~\&", "PAS", "P88026", "LGW", "LASARS", "202603021015", "", event, "M-0001", "P", "2.5"]
    msh += [""] * 8
    for name, value in fields.items():
        msh[int(name.removeprefix("msh_")) - 1] = value
    return (end.join((header or "|".join(msh).rstrip("|"), *segments)) + end).encode()


RF1 = "RF1|A|S||||R-2026-0042|202603020930"
REQUESTED = "PRD|RP^Referring provider|Penhale^Idris^^^Dr|||||G9999981^GP"
ASKED = "PRD|RT^Referred to provider|^Stockport LASARS|||||2000081234^DOS"
DIAGNOSIS = "DG1|1||75544000^Opioid dependence^SCT~F11.2^Opioid dependence^I10"

REFERRAL = (RF1, REQUESTED, ASKED, PID, PD1, DIAGNOSIS, "NTE|1||a note that is nobody's business here")
EVN = "EVN|A31|20260302101200+0000"
MOVED = message(EVN, PID, PD1)
REFERRED = message(*REFERRAL, event="REF^I12^REF_I12")


def changed(body: bytes, old: str, new: str) -> bytes:
    """The same bytes with one place written otherwise, which must be there."""
    assert old.encode() in body
    return body.replace(old.encode(), new.encode(), 1)
