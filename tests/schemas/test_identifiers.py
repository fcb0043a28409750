import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.check_letters import ALPHABET, check_letter, nhs_check_digit
from schemas.identifiers import FIRST_YEAR_OF_1900S, Fault, Scheme, parse
from tests.support.samples import sample


def value(scheme: Scheme, raw: str) -> str | None:
    return parse(scheme, raw).identifier.value


def fault(scheme: Scheme, raw: str) -> Fault | None:
    return parse(scheme, raw).fault


# Numbers made here, each with the check its scheme asks for.


@st.composite
def nhs_numbers(draw: st.DrawFn) -> str:
    nine = draw(st.from_regex(r"[0-9]{9}", fullmatch=True).filter(lambda nine: nhs_check_digit(nine) is not None))
    number = f"{nine}{nhs_check_digit(nine)}"
    return number if len(set(number)) > 1 else "9434765919"


@st.composite
def pncs(draw: st.DrawFn) -> str:
    year, serial = draw(st.integers(1940, 2039)), draw(st.integers(1, 9_999_999))
    return f"{year}/{serial:07}{check_letter(f'{year % 100:02}{serial:07}')}"


@st.composite
def cros(draw: st.DrawFn) -> str:
    year, serial = draw(st.integers(0, 99)), draw(st.integers(1, 999_999))
    if draw(st.booleans()):
        return f"SF{year:02}/{serial}{check_letter(f'{year:02}{serial}')}"
    return f"{serial:06}/{year:02}{check_letter(f'{year:02}{serial:06}')}"


@st.composite
def asns(draw: st.DrawFn) -> str:
    year, serial = draw(st.integers(0, 99)), draw(st.integers(0, 99_999_999_999))
    force, system = draw(st.integers(1, 49)), draw(st.integers(0, 99))
    top = draw(st.sampled_from(["", "C"]))
    letter = check_letter(f"{force:02}{system:02}{year:02}{serial:011}")
    return f"{year:02}{top}{force:02}AB{system:02}{serial:011}{letter}"


CANONICAL: dict[Scheme, st.SearchStrategy[str]] = {
    Scheme.NHS: nhs_numbers(),
    Scheme.PNC: pncs(),
    Scheme.CRO: cros(),
    Scheme.ASN: asns(),
    Scheme.NOMS: st.from_regex(r"[A-Z][0-9]{4}[A-Z]{2}", fullmatch=True),
    **dict.fromkeys((Scheme.CRN, Scheme.FORMER_CRN), st.from_regex(r"[A-Z][0-9]{6}", fullmatch=True)),
    Scheme.NINO: st.from_regex(r"[AEHJLM][ABEHJLMPRSXYZ][0-9]{6}", fullmatch=True),
    Scheme.CUSTODY: st.from_regex(r"[0-9]{2}[A-Z]{2}/[0-9]{1,5}/[0-9]{2}", fullmatch=True),
    Scheme.BOOKING: st.from_regex(r"[0-9]{5}[A-Z]", fullmatch=True),
    Scheme.CITIZEN: st.uuids().map(str),
}
LETTERED = [Scheme.PNC, Scheme.CRO, Scheme.ASN]


@given(scheme=st.sampled_from(Scheme), raw=st.text(st.characters(exclude_categories=())))
def test_no_text_is_an_error(scheme: Scheme, raw: str) -> None:
    """Whatever a source writes is read: a value, or a fault; never an exception, and never both but the test range."""
    parsed = parse(scheme, raw)
    assert parsed.identifier.scheme is scheme
    assert (parsed.identifier.value is None) == (parsed.fault not in (None, Fault.TEST_RANGE))
    if raw.isascii():
        assert parsed.identifier.raw == raw
    parsed.identifier.model_dump_json()


@pytest.mark.parametrize("scheme", Scheme)
@given(data=st.data())
def test_a_canonical_value_reads_as_itself(scheme: Scheme, data: st.DataObject) -> None:
    """Reading what we write changes nothing, however case and spaces round it vary."""
    written = data.draw(CANONICAL[scheme])
    assert value(scheme, written) == written
    assert value(scheme, f" {written}\t\u00a0") == written
    if scheme not in (Scheme.CUSTODY, Scheme.BOOKING, Scheme.CITIZEN):
        assert value(scheme, written.lower()) == written


@pytest.mark.parametrize("scheme", LETTERED)
@given(data=st.data())
def test_another_check_letter_leaves_no_value(scheme: Scheme, data: st.DataObject) -> None:
    """One letter of 23 is right; any other is named as wrong, and what was written is kept."""
    written = data.draw(CANONICAL[scheme])
    other = written[:-1] + data.draw(st.sampled_from(ALPHABET.replace(written[-1], "") + "IOS"))
    parsed = parse(scheme, other)
    assert (parsed.identifier.value, parsed.fault) == (None, Fault.CHECK_LETTER_WRONG)
    assert parsed.identifier.raw == other


@given(number=nhs_numbers(), place=st.integers(0, 9), shift=st.integers(1, 9))
def test_one_digit_typed_wrong_in_an_nhs_number_is_seen(number: str, place: int, shift: int) -> None:
    """Mod 11 sees every single wrong digit."""
    wrong = f"{number[:place]}{(int(number[place]) + shift) % 10}{number[place + 1 :]}"
    assert fault(Scheme.NHS, wrong) in {Fault.CHECK_DIGIT_WRONG, Fault.REPEATED_DIGITS}


@pytest.mark.parametrize("digit", "0123456789")
def test_a_repeated_digit_is_no_nhs_number(digit: str) -> None:
    """0000000000, 1111111111 and 9999999999 pass the check; ten times the same digit is refused by its name."""
    assert (value(Scheme.NHS, digit * 10), fault(Scheme.NHS, digit * 10)) == (None, Fault.REPEATED_DIGITS)


def test_the_test_range_of_nhs_numbers_is_noted_and_keeps_its_value() -> None:
    """Numbers that begin with 999 are never issued; saying so does not stop invented people from using them."""
    parsed = parse(Scheme.NHS, "999 000 0018")
    assert (parsed.identifier.value, parsed.fault) == ("9990000018", Fault.TEST_RANGE)


@given(pnc=pncs(), slash=st.sampled_from(["/", ""]))
def test_every_spelling_of_a_pnc_number_is_one_value(pnc: str, slash: str) -> None:
    """Short or long year, with or without slash, short or full serial: one number, one value."""
    year, rest = pnc.split("/")
    assert value(Scheme.PNC, f"{year}{slash}{rest}") == pnc
    assert value(Scheme.PNC, f"{year[2:]}{slash}{rest}") == pnc
    assert value(Scheme.PNC, f"{year[2:]}{slash}{rest.lstrip('0')}") == pnc
    assert value(Scheme.PNC, f"{year}/{rest.lstrip('0')}") == pnc


def test_a_two_digit_year_means_the_same_year_in_every_year() -> None:
    """The pivot is a number and no clock, so that a value read today is the value read in ten years."""
    assert FIRST_YEAR_OF_1900S == 40
    years = {
        f"{year:02}": value(Scheme.PNC, f"{year:02}/1{check_letter(f'{year:02}0000001')}") for year in (0, 39, 40, 99)
    }
    assert {short: (long or "")[:4] for short, long in years.items()} == {
        "00": "2000",
        "39": "2039",
        "40": "1940",
        "99": "1999",
    }


@pytest.mark.parametrize(
    ("scheme", "raw"),
    [
        (Scheme.PNC, "00/0Z"),
        (Scheme.CRO, "000000/00Z"),
        (Scheme.CRO, "0/00Z"),
        (Scheme.NINO, "PP999999P"),
    ],
)
def test_a_placeholder_is_known_by_name(scheme: Scheme, raw: str) -> None:
    """What is typed for a number nobody has joins nobody to anybody."""
    assert (value(scheme, raw), fault(scheme, raw)) == (None, Fault.DUMMY)


@pytest.mark.parametrize(
    "places", ["12LN00", "00NP00", "63AB00", "6300ZD", "06SS01", "00XX99", "5012ZD", "50SJ00", "01NRPR", "00NP01"]
)
@given(serial=st.integers(0, 99_999_999_999))
def test_the_arrest_numbers_that_stand_for_no_arrest_are_dummies(places: str, serial: int) -> None:
    """Force, unit and system of the known list make a dummy, whatever the serial; a neighbour of theirs is none."""
    counted = "".join(part for part in (places[:2], places[4:]) if part.isdigit())
    letter = check_letter(f"{counted}08{serial:011}")
    expected = None if places == "63AB00" else Fault.DUMMY
    assert fault(Scheme.ASN, f"08{places}{serial:011}{letter}") is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("AB123456C", None),
        ("AB 12 34 56 C", None),
        ("AB123456", None),
        ("AB123456 ", None),
        ("OO123456A", Fault.ADMINISTRATIVE_PREFIX),
        ("CR123456", Fault.ADMINISTRATIVE_PREFIX),
        ("TN010170M", Fault.ADMINISTRATIVE_PREFIX),
        ("BG123456A", Fault.PREFIX_NEVER_ISSUED),
        ("AO123456A", Fault.PREFIX_NEVER_ISSUED),
        ("QQ123456C", Fault.PREFIX_NEVER_ISSUED),
        ("AB123456E", Fault.MALFORMED),
        ("AB12345C", Fault.MALFORMED),
        ("", Fault.EMPTY),
    ],
)
def test_a_national_insurance_number_is_read_by_its_prefix(raw: str, expected: Fault | None) -> None:
    """Prefixes never issued and offices' working numbers are told apart from numbers of people, suffix or no suffix."""
    assert fault(Scheme.NINO, raw) is expected
    assert value(Scheme.NINO, raw) == (None if expected else "AB123456")


@pytest.mark.parametrize("scheme", [Scheme.CUSTODY, Scheme.BOOKING, Scheme.CITIZEN])
def test_an_opaque_number_keeps_its_own_spelling(scheme: Scheme) -> None:
    """Case and signs are its owner's business; only what cannot be a number at all is none."""
    assert value(scheme, "  np/123 a-é ") == "np/123 a-é"
    assert fault(scheme, "a\x00b") is Fault.MALFORMED
    assert fault(scheme, "9" * 65) is Fault.MALFORMED


# Other people's vectors.


def vectors(path: str) -> Any:
    return json.loads(sample(path).read_text(encoding="utf-8"))


WITHOUT_VECTORS = {Scheme.CUSTODY, Scheme.BOOKING, Scheme.CITIZEN, Scheme.FORMER_CRN}


@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme not in WITHOUT_VECTORS])
def test_the_computed_vectors_hold(scheme: Scheme) -> None:
    """Every vector that was computed from the published rules reads as it says."""
    told = vectors("places/identifier_vectors.json")[scheme.value]
    for vector in told["valid"]:
        raw, expected = vector if isinstance(vector, list) else (vector, vector)
        # The suffix of a National Insurance number is no part of its value.
        assert value(scheme, raw) == (expected[:8] if scheme is Scheme.NINO else expected), vector
    for raw in told["invalid"]:
        assert value(scheme, raw) is None, raw
    for raw in told.get("junk", []):
        assert fault(scheme, raw) is Fault.DUMMY, raw
    for raw in told.get("passes_checksum_but_reject", []):
        assert fault(scheme, raw) is Fault.REPEATED_DIGITS, raw
    for bare, displayed in told.get("display", []):
        assert value(scheme, displayed) == bare


def test_the_nhs_numbers_seen_in_real_messages_hold() -> None:
    """Including the number a national example prints, which fails its own check."""
    told = vectors("identifiers/nhs_numbers.json")
    for case in told["from_samples"]:
        assert (value(Scheme.NHS, case["nhs_number"]) is not None) is case["mod11_valid"]
        assert (fault(Scheme.NHS, case["nhs_number"]) is Fault.TEST_RANGE) is case["range_999_test"]
    for case in told["formatting"]:
        assert (value(Scheme.NHS, case["in"]) is not None) is case["valid"]


def test_the_pnc_numbers_of_the_person_record_service_hold() -> None:
    """Our canonical form is theirs: long year, whole serial, letter checked."""
    told = vectors("identifiers/pnc_person_record_convention.json")
    for raw, expected in told["canonicalise"]:
        assert value(Scheme.PNC, raw) == expected
    for one, other, same in told["equal"]:
        assert (value(Scheme.PNC, one) == value(Scheme.PNC, other)) is same
    for raw in told["invalid"]:
        assert value(Scheme.PNC, raw) is None


def test_where_the_prisoner_search_reads_a_pnc_number_we_check_its_letter() -> None:
    """A deviation, on purpose: prisoner search does not pad, keeps a short year and tests no letter.

    What it calls a number has the form of one here too, with the letter told wrong; what it calls none is malformed.
    """
    told = vectors("identifiers/pnc_prisoner_search_convention.json")
    seen = set()
    for group in told["groups"]:
        for raw, theirs in group["cases"]:
            if "not valid" in group["name"]:
                assert fault(Scheme.PNC, raw) is Fault.MALFORMED
                continue
            assert value(Scheme.PNC, raw) == value(Scheme.PNC, theirs)
            assert fault(Scheme.PNC, raw) == fault(Scheme.PNC, theirs)
            seen.add(fault(Scheme.PNC, raw))
    assert Fault.CHECK_LETTER_WRONG in seen
    assert seen <= {None, Fault.CHECK_LETTER_WRONG}


def test_the_cro_numbers_of_the_person_record_service_hold() -> None:
    """Standard and SF form; a wrong letter or nothing at all leaves no value."""
    told = vectors("identifiers/cro_vectors.json")
    for raw, expected in told["canonical"]:
        assert value(Scheme.CRO, raw) == expected
    for raw in told["invalid_or_dropped"]:
        assert value(Scheme.CRO, raw) is None


def test_the_arrest_numbers_of_the_courts_hold() -> None:
    """Every number whose letter is right is read, but for two, on purpose: one is a known dummy, one is cut short.

    The number of 19 characters has a right letter if its serial is filled up. Only the displayed form may be short: in
    the bare one a character may be missing anywhere.
    """
    left: Counter[Fault] = Counter()
    for case in vectors("identifiers/asn_vectors.json")["cases"]:
        found = fault(Scheme.ASN, case["asn"])
        if found is None:
            assert case["check_ok"] is True
            assert value(Scheme.ASN, case["asn"]) == case["asn"]
            continue
        left[found] += 1
        assert (found is Fault.CHECK_LETTER_WRONG) is (case["check_ok"] is False)
        assert (found is Fault.MALFORMED) is (len(case["asn"]) == 19)
    assert left == {Fault.DUMMY: 1, Fault.MALFORMED: 1, Fault.CHECK_LETTER_WRONG: 1}


def test_the_national_insurance_numbers_of_hmrc_hold_but_for_writing() -> None:
    """A deviation, on purpose: space round a number and lower case are the typist's, and no fault of the number."""
    told = vectors("identifiers/nino_vectors.json")
    for raw in told["valid"]:
        assert value(Scheme.NINO, raw) == raw[:8]
    for raw in told["invalid"]:
        assert (value(Scheme.NINO, raw) is None) is (raw.strip().upper() not in told["valid"]), raw
