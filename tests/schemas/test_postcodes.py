import json
import lzma
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import Fault
from schemas.postcodes import Postcode, Pseudo, parse_postcode
from tests.support.samples import sample

INWARD = st.from_regex(r"[0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True)
OUTWARD = st.from_regex(r"[A-PR-Y][A-HJ-Y]?[0-9][0-9A-Z]?", fullmatch=True)


@given(raw=st.text(st.characters(exclude_categories=())))
def test_no_text_is_an_error(raw: str) -> None:
    """Whatever stands where a postcode should be is a place, a pseudo code or a fault, and exactly one of them."""
    read = parse_postcode(raw)
    assert sum(part is not None for part in (read.value, read.pseudo, read.fault)) == 1


@given(
    outward=OUTWARD, inward=INWARD, gaps=st.lists(st.sampled_from(["", " ", "  ", "\u00a0"]), min_size=3, max_size=3)
)
def test_every_spelling_is_one_postcode(outward: str, inward: str, gaps: list[str]) -> None:
    """Case and spaces do not make another postcode, and the canonical spelling reads as itself."""
    canonical = f"{outward} {inward}"
    written = f"{gaps[0]}{outward.lower()}{gaps[1]}{inward}{gaps[2]}"
    if canonical in {"NF1 1NF", "NF1 1FA"}:
        assert parse_postcode(written).fault is Fault.DUMMY
        return
    assert parse_postcode(written) == Postcode(canonical, None, None)
    assert parse_postcode(canonical).value == canonical


@pytest.mark.parametrize(
    ("raw", "pseudo"),
    [
        ("ZZ99 3VZ", Pseudo.NO_FIXED_ABODE),
        ("zz993wz", Pseudo.NOT_KNOWN),
        ("ZZ99 3CZ", Pseudo.ENGLAND),
        ("ZZ99 3GZ", Pseudo.WALES),
        ("ZZ99 1WZ", Pseudo.SCOTLAND),
        ("ZZ99 2WZ", Pseudo.NORTHERN_IRELAND),
        ("ZZ99 5AB", Pseudo.ELSEWHERE),
    ],
)
def test_a_pseudo_postcode_is_a_statement_and_no_place(raw: str, pseudo: Pseudo) -> None:
    """ "No fixed abode" written as a postcode is understood as what it says, and never looked up."""
    assert parse_postcode(raw) == Postcode(None, pseudo, None)


def test_the_pseudo_postcodes_and_the_junk_of_the_vectors_hold() -> None:
    """Each code of the published list has its name; each junk value is a dummy."""
    told = json.loads(sample("places/identifier_vectors.json").read_text(encoding="utf-8"))["postcode"]
    for raw in told["pseudo"]:
        assert parse_postcode(raw).pseudo not in (None, Pseudo.ELSEWHERE)
    for raw in told["moj_junk"]:
        assert parse_postcode(raw).fault is Fault.DUMMY


@pytest.mark.parametrize("raw", ["B5", "SK1", "SK1 3X", "SK1 3XEE", "5K1 3XE", "SK1 3CE", "GIR 0AB", "NFA", "ſK1 3XE"])
def test_half_a_postcode_is_none(raw: str) -> None:
    """A postcode cut short, run on or mistyped is named as malformed; nothing is repaired by guessing."""
    assert parse_postcode(raw) == Postcode(None, None, Fault.MALFORMED)


def test_a_missing_postcode_is_not_a_malformed_one() -> None:
    """Nothing written is told apart from something unreadable."""
    assert parse_postcode(" \u00a0") == Postcode(None, None, Fault.EMPTY)


def test_every_postcode_of_the_country_is_one_to_us() -> None:
    """One in forty of all 2.6 million postcodes ever issued, across every area, reads as itself."""
    with lzma.open(sample("identifiers/postcode_lad20_full.csv.xz"), "rt", encoding="utf-8") as rows:
        count = 0
        for row in islice(rows, 1, None, 40):
            postcode = row.partition(",")[0]
            assert parse_postcode(postcode).value == postcode
            count += 1
    assert count > 60_000
