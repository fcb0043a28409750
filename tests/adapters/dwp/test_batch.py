"""The benefit extract as a file: what refuses it whole, by name, and what concerns one row alone."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import FileRefused, Finding, Level, Numbered
from adapters.dwp import build
from adapters.dwp.batch import CODE_PAGES
from adapters.dwp.rules import SEQUENCE_GAP, SEQUENCE_REPEATED
from tests.adapters.dwp.extract import detail, header, rows, trailer, whole, written

EBCDIC = sorted(code_page for code_page in CODE_PAGES if code_page != "iso-8859-1")
ACCENTS = {"surname": "MÉNARD", "forename": "ANAÏS ÇELÎN"}


def refusal(body: bytes, code_page: str = "iso-8859-1") -> Finding:
    """Why a file is refused whole."""
    with pytest.raises(FileRefused) as refused:
        rows(body, code_page)
    assert refused.value.finding.rule.level is Level.REFUSE
    return refused.value.finding


def test_each_detail_is_a_row_that_can_be_read_alone() -> None:
    """A row is the header and one detail, numbered as the sender counts them."""
    cut = rows(written(whole(detail(), detail(benefit="JSA"))))
    assert [row.number for row in cut] == [1, 2]
    assert cut[1].body.decode() == f"{header()}\r\n{detail(benefit='JSA')}\r\n"


def test_a_day_on_which_nothing_happened_is_a_whole_file() -> None:
    """No details are none, and no fault."""
    assert rows(written(whole())) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lost_trailing_spaces_are_given_back(end: str) -> None:
    """What editors and transfers strip is no part of a record; the last line may have no end."""
    body = end.join(record.rstrip() for record in whole(detail(postcode="", office="")))
    assert len(rows(body.encode())) == 1


@pytest.mark.parametrize(
    ("records", "rule"),
    [
        ([], "DW-001"),
        ([detail(), trailer(1)], "DW-001"),
        ([header(layout="02"), trailer(0)], "DW-001"),
        ([header(feed=""), trailer(0)], "DW-001"),
        ([header(created="yesterday"), trailer(0)], "DW-001"),
        ([header(created="20261301000000"), trailer(0)], "DW-001"),
        ([header(), detail()], "DW-003"),
        ([header()], "DW-003"),
        ([header(), detail(), trailer(2)], "DW-004"),
        ([header(), detail(), detail(), trailer(1)], "DW-004"),
        ([header(), detail(), "TNIGHTLY 000124".ljust(120)], "DW-004"),
        ([header(), detail(), trailer(1, 125)], "DW-005"),
        ([header(), detail(), trailer(1, feed="WEEKLY")], "DW-005"),
        ([*whole(detail()), detail()], "DW-006"),
        ([*whole(detail()), *whole(detail())], "DW-006"),
        ([header(), header(), trailer(0)], "DW-006"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_whole(records: list[str], rule: str) -> None:
    """Header, trailer, count: each fault has its name, and says what to send again."""
    finding = refusal(written(records))
    assert finding.rule.id == rule
    assert "Send" in finding.rule.fix or "send" in finding.rule.fix


def test_wherever_a_transfer_stops_the_file_is_refused() -> None:
    """A file cut anywhere before the end of its count is never half a file."""
    body = written(whole(detail(), detail(benefit="JSA")))
    counted = body.index(b"00000002") + len(b"00000002")
    for stopped in range(counted):
        assert refusal(body[:stopped]).rule.id in ("DW-001", "DW-003", "DW-004", "DW-005"), stopped
    assert len(rows(body[:counted])) == 2


@pytest.mark.parametrize(
    ("body", "detail_of"),
    [
        (written(whole(detail(**ACCENTS)), "utf-8"), "UTF-8"),
        (b"\xef\xbb\xbf" + written(whole(detail())), "UTF-8"),
        (written(whole(detail()), "utf-16"), "UTF-16"),
        (written(whole(detail(**ACCENTS)), "cp037", ""), "EBCDIC"),
        (written(whole(detail()), "cp500"), "EBCDIC"),
        (written(whole(detail(surname="O’DOWD")), "cp1252"), "control characters"),
        (written(whole(detail(surname="A\x00B"))), "control characters"),
    ],
)
def test_another_code_page_refuses_the_file_by_name(body: bytes, detail_of: str) -> None:
    """A name whose accents came out wrong is somebody else's name."""
    finding = refusal(body)
    assert (finding.rule.id, finding.detail) == ("DW-002", detail_of)


@pytest.mark.parametrize("code_page", EBCDIC)
def test_an_ebcdic_file_is_read_where_it_was_agreed(code_page: str) -> None:
    """The accents of EBCDIC are those of the names, and records stand without line ends."""
    body = written(whole(detail(**ACCENTS), detail()), code_page, "")
    first, _ = rows(body, code_page)
    assert ACCENTS["forename"] in first.body.decode(code_page)
    assert refusal(body[:-1], code_page).rule.id == "DW-003"
    assert refusal(written(whole(detail())), code_page).rule.id == "DW-002"


@pytest.mark.parametrize("code_page", EBCDIC)
def test_every_ebcdic_page_writes_the_letters_of_names_alike(code_page: str) -> None:
    """So one of them may stand in for another that writes only other signs differently."""
    letters = "ABCXYZ abcxyz 0123456789 ÀÉÏÖÜßøæ .-'/"
    assert letters.encode(code_page) == letters.encode("cp037")


def test_a_line_that_is_no_record_at_all_ends_the_reading() -> None:
    """Memory is bounded by a few records, whatever comes."""
    assert refusal(written([header(), "D" + "x" * 2000])).rule.id == "DW-009"
    assert refusal(b"x" * 5000).rule.id == "DW-009"


def test_a_bad_row_never_sinks_its_file() -> None:
    """A record of a type that is none, or too long a one, is a row that is refused by itself."""
    cut = rows(written([header(), "X" + detail()[1:], detail() + "   too long", detail(), trailer(3)]))
    assert [row.number for row in cut] == [1, 2, 3]


def test_a_file_says_which_of_its_feed_it_is() -> None:
    """The series is the feed, and the rules that a gap and a repeat break are the agency's own."""
    series = build({}).series["text/plain"]
    assert series.number(BytesIO(written(whole()))) == Numbered("NIGHTLY", 124)
    with pytest.raises(FileRefused):
        series.number(BytesIO(b""))
    assert series.fault(124, None) is None
    assert series.fault(124, 123) is None
    repeated, gap = series.fault(123, 123), series.fault(126, 123)
    assert repeated is not None
    assert gap is not None
    assert (repeated.rule, gap.rule) == (SEQUENCE_REPEATED, SEQUENCE_GAP)
    assert gap.detail == "126 came, 124 was expected"


@given(st.binary(max_size=800), st.sampled_from(sorted(CODE_PAGES)))
def test_whatever_bytes_come_a_file_is_cut_or_refused(body: bytes, code_page: str) -> None:
    """Nothing else is raised, from the beginning of a good file on either."""
    for tried in (body, written([header()], code_page, "\n" if code_page == "iso-8859-1" else "") + body):
        try:
            rows(tried, code_page)
        except FileRefused as refused:
            assert refused.finding.rule.id in build({}).rules  # noqa: PT017 - being refused is one right answer


@pytest.mark.parametrize("options", [{"code_page": "utf-8"}, {"codepage": "cp037"}])
def test_an_option_that_is_none_stops_the_start(options: dict[str, str]) -> None:
    """No installation reads files in a code page it did not mean."""
    with pytest.raises(ValueError, match="no option"):
        build(options)
