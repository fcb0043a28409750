"""Real HL7 v2 messages of other people's test suites, read in place.

Every file of the folder is read as a file of messages, as a folder or a mailbox would bring it. Subscribed are ADT^A04,
A08, A28, A31 and REF^I12, I13, I14; each of them that is not accepted stands in EXPECTED with why that is right.
"""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.base import FileRefused, Ignored, Message, Outcome
from adapters.gp import build
from adapters.gp.hl7.batch import MEDIA_TYPE, rows
from adapters.gp.hl7.codes import DEMOGRAPHICS, REFERRALS
from adapters.gp.hl7.er7 import header_of
from tests.support.samples import sample

RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)

BROKEN = {
    # Not ER7 at all, but HL7's XML encoding, which nobody here sends.
    "OMD_O03.xml": "GP-208",
    # Written to be broken: a segment before any message, a batch in a batch, a file in a file, a trailer left out.
    "sample_bad_batch.hl7": "GP-208",
    "sample_bad_batch1.hl7": "GP-208",
    "sample_bad_file.hl7": "GP-208",
    "sample_bad_file1.hl7": "GP-208",
    "sample_bad_file2.hl7": "GP-208",
    "sample_batch3.hl7": "GP-208",
}
"""Files refused whole, by which rule."""

EXPECTED = {
    # The type of the address is HOME, which is in no table of the standard: it is held until somebody maps it.
    ("ADT_A04_01.hl7", 1): "GP-220",
    ("ADT_A04_08.hl7", 1): "GP-220",
    # Two PID segments: whose address it is cannot be known.
    ("ADT_A04_05.hl7", 1): "GP-213",
    # A hospital's own number with neither name nor birth date.
    ("ADT_A04_06.hl7", 1): "GP-214",
    # MSH-12 says 2.9999, which is no version.
    ("ADT_A04_07.hl7", 1): "GP-221",
    # Nothing is told of where anybody lives.
    ("ADT_A04_09.hl7", 1): "hl7.ADT.A04.no-address",
    ("ADT_A31_02.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_03.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_05.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_06.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_07.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_09.hl7", 1): "hl7.ADT.A31.no-address",
    ("ADT_A31_10.hl7", 1): "hl7.ADT.A31.no-address",
    # MSH-11 says training.
    ("ADT_A08_04.hl7", 1): "hl7.training",
    # A hospital's own number, and a pseudonym (name type S) in place of a name.
    ("sample_batch1.hl7", 1): "GP-214",
    ("sample_batch1.hl7", 2): "GP-214",
    ("sample_file.hl7", 1): "GP-214",
}
"""Messages of subscribed kinds that are not accepted: the rule that refuses or holds them, or the name."""

REFERRAL = ("REF_I12_01.hl7", 1)
UNREADABLE = {
    # MSH-18 names a character set "wrong"; it is an ACK, which would be ignored if it could be read.
    ("ACK_02.hl7", 1): "GP-202",
    # The encoding characters are the same one twice.
    ("ADT_A01_15.hl7", 1): "GP-201",
    # MSH-9 is empty: what the message is cannot be known.
    ("MSG_14.hl7", 1): "GP-210",
}


def files() -> list[Path]:
    found = sorted(path for path in sample("gp-referrals/hl7v2").rglob("*") if path.is_file())
    assert found
    return found


def messages() -> Iterator[tuple[tuple[str, int], bytes]]:
    """Every message of every file that is not refused whole, by file and number."""
    for path in files():
        if path.name not in BROKEN:
            yield from (((path.name, row.number), row.body) for row in rows(io.BytesIO(path.read_bytes())))


def word(outcome: Outcome) -> str:
    """The name a message is ignored by, the rule it is refused or held by, or that it is accepted."""
    if isinstance(outcome, Ignored):
        return outcome.name
    named = [finding.rule.id for finding in outcome.findings if finding.rule.level != "warn"]
    return named[0] if named else "accepted"


def subscribed(body: bytes) -> bool:
    header = header_of(body)
    kind = (header.get(9, 1), header.get(9, 2)) if header is not None else ("", "")
    return kind[1] in {"ADT": DEMOGRAPHICS, "REF": REFERRALS}.get(kind[0], frozenset())


def test_broken_files_are_refused_whole_by_name() -> None:
    """Every file that cannot be cut into messages says by which rule."""
    for path in files():
        if path.name in BROKEN:
            with pytest.raises(FileRefused) as refused:
                list(rows(io.BytesIO(path.read_bytes())))
            assert refused.value.finding.rule.id == BROKEN[path.name], path.name


@pytest.mark.parametrize(
    ("services", "referral"),
    [
        # As shipped no service is a LASARS, so the one referral goes to somebody else.
        ("", "hl7.REF.I12.another-service"),
        # With every service taken: its patient has no number, and the birth date 1900-01-01 that stands for none.
        ("*", "GP-214"),
    ],
)
def test_every_message_ends_as_expected(services: str, referral: str) -> None:
    """Subscribed kinds are accepted, or end as written here with its reason; everything else is ignored by its name."""
    adapter = build({"lasars_services": services})
    expected = EXPECTED | UNREADABLE | {REFERRAL: referral}
    counts: Counter[str] = Counter()
    for place, body in messages():
        outcome = adapter.read(Message(body, MEDIA_TYPE, RECEIVED))
        counts[type(outcome).__name__] += 1
        if place in expected:
            assert word(outcome) == expected[place], place
        elif subscribed(body):
            assert word(outcome) == "accepted", place
        else:
            assert isinstance(outcome, Ignored), place
    ignored, refused = (38, 8) if not services else (37, 9)
    assert counts == {"Accepted": 3, "Held": 3, "Ignored": ignored, "Refused": refused}


def test_every_exception_is_still_met() -> None:
    """No file that is written down as an exception has gone."""
    places = {place for place, _ in messages()} | {(path.name, 0) for path in files()}
    assert {*EXPECTED, *UNREADABLE, REFERRAL, *((name, 0) for name in BROKEN)} <= places
