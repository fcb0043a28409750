from datetime import UTC, datetime

from gateway.local.cast import AGENCIES, LASARS
from gateway.local.journeys import JOURNEYS
from gateway.local.playbill import WIDTH, Row, head, noted, shown

ROW = Row("1", "positive test", "GMP", "Lincolnshire", "holding", "in that prison", 12.4, datetime.now(UTC))


def test_the_table_fits_eighty_columns() -> None:
    """However long a value is, no line is longer than a terminal is wide."""
    long = Row("2", "x" * 99, "x" * 99, "x" * 99, "x" * 99, "x" * 99, 1e9, datetime.now(UTC))
    note = noted("row 104 refused: ", "a sentence that goes on " * 20)
    assert max(map(len, (head(), *shown([ROW, long]), *note))) <= WIDTH


def test_nothing_that_must_be_read_is_cut() -> None:
    """Names of agencies and recipients, the roles and the headings stand in the table in full."""
    for agency in AGENCIES:
        for lasars in LASARS:
            (line,) = shown([Row("1", "need", agency.short, lasars.name, "holding", "prison")])
            assert line.split("  ")[0] == "need"
            assert agency.short in line
            assert lasars.name in line
    for name in ("What came", "From", "Went to", "As", "Why", "ms", "Acked at"):
        assert name in head()
    assert all(len(journey.title) <= 50 for journey in JOURNEYS)


def test_a_thing_is_named_once() -> None:
    """Lines about one thing name it in the first; another of the same name is named again."""
    again = Row("2", "positive test", "GMP", "Kent", "home", "address stated")
    first, second, third = shown([ROW, ROW, again])
    assert first.startswith("positive test")
    assert second.startswith(" ")
    assert third.startswith("positive test")


def test_what_did_not_happen_has_no_time() -> None:
    """Nothing offered and nothing acknowledged are dashes, never a nought."""
    (line,) = shown([Row("1", "reception", "Lincoln", "nobody", "", "no case")])
    assert line.split()[-2:] == ["-", "-"]
