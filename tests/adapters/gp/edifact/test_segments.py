"""EDIFACT as text: separators, releases, character sets, and whatever else may come."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gp.edifact.interchange import Interchange
from adapters.gp.edifact.segments import LONGEST_SEGMENT, Broken, Reader, Separators, released
from tests.adapters.gp.edifact.interchanges import GOOD, changed

HEADER = b"UNB+UNOC:3+A+B+260112:1235+1'"


def segments(body: bytes) -> list[tuple[str, tuple[tuple[str, ...], ...]]]:
    return [(segment.tag, segment.elements) for segment in Reader.of(body)]


def broken(body: bytes) -> str:
    """The rule by which an interchange cannot be used."""
    with pytest.raises(Broken) as raised:
        list(Interchange(io.BytesIO(body)).messages())
    return raised.value.finding.rule.id


def test_elements_and_components_are_told_apart() -> None:
    """Plus separates elements and colon components; what is empty is there and empty."""
    assert segments(HEADER + b"NAD+PAT++A:B::C'")[1] == ("NAD", (("PAT",), ("",), ("A", "B", "", "C")))


def test_a_release_character_makes_text_of_a_separator() -> None:
    """A released separator is text, and so is a released release character; also before the terminator."""
    (_, nad) = segments(HEADER + b"NAD+A?+B+C?:D??+E?''")
    assert nad == ("NAD", (("A+B",), ("C:D?",), ("E'",)))


@pytest.mark.parametrize("advice", [b"UNA:+.? '", b"UNA;*.! ~", b"UNA:+.  '"])
def test_the_service_string_says_what_separates(advice: bytes) -> None:
    """An interchange under other separators tells the same as under the standard's; a space means no release."""
    component, element, terminator = advice[3:4], advice[4:5], advice[8:9]
    body = b"UNB+UNOC:3+A+B+260112:1235+1'NAD+PAT++A:B'"
    written = body.replace(b":", component).replace(b"+", element).replace(b"'", terminator)
    assert segments(advice + written) == segments(body)


@pytest.mark.parametrize("advice", [b"UNA", b"UNA:+.?", b"UNA::.? '", b"UNAA+.? '", b"UNA:+.+ '", b"UNA +.? '"])
def test_a_service_string_that_tells_nothing_apart_is_refused(advice: bytes) -> None:
    """GP-101: too short, the same character twice, a letter or a blank as separator."""
    assert broken(advice + (HEADER if len(advice) == 9 else b"")) == "GP-101"


@pytest.mark.parametrize(("charset", "name"), [("UNOA", "ELLERBY"), ("UNOB", "Ellerby"), ("UNOC", "Élléry")])
def test_text_is_read_in_the_character_set_declared(charset: str, name: str) -> None:
    """Names keep their letters under the character set that has them."""
    body = f"UNB+{charset}:2+A+B+260112:1235+1'PNA+{name}'".encode("latin-1")
    assert segments(body)[1] == ("PNA", ((name,),))


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("GP-100", b""),
        ("GP-100", b"<xml/>"),
        ("GP-102", changed(GOOD, "UNOA", "UNOD")),
        ("GP-102", changed(GOOD, "UNOA", "")),
        ("GP-103", changed(GOOD, "ELLERBY", "ELL\xc9RY")),
        ("GP-103", changed(GOOD, "ELLERBY", "ELL\x00RY")),
        ("GP-103", changed(changed(GOOD, "UNOA", "UNOC"), "ELLERBY", "ELL\x85RY")),
        ("GP-104", changed(GOOD, "PDI+2", "+2")),
        ("GP-104", changed(GOOD, "PDI+2", "pdi+2")),
        ("GP-104", changed(GOOD, "PDI+2", "PDI+" + "2" * LONGEST_SEGMENT)),
        ("GP-105", GOOD[: len(GOOD) // 2]),
        ("GP-105", GOOD[:-4]),
        ("GP-106", GOOD + b"UNB+'"),
        ("GP-106", GOOD + b"and more"),
        ("GP-107", changed(GOOD, "UNH+00000007", "BGM+00000007")),
        ("GP-107", changed(GOOD, "PDI+2", "UNG+2")),
        ("GP-107", changed(GOOD, "UNT+14+00000006'", "")),
        ("GP-108", changed(GOOD, "UNZ+3", "UNZ+4")),
        ("GP-108", changed(GOOD, "UNZ+3", "UNZ+x")),
        ("GP-109", changed(GOOD, "UNZ+3+00000003", "UNZ+3+00000004")),
        ("GP-110", changed(GOOD, "UNT+14", "UNT+15")),
        ("GP-111", changed(GOOD, "UNT+14+00000006", "UNT+14+00000009")),
        ("GP-112", changed(GOOD, "+XX11+", "++")),
        ("GP-112", changed(GOOD, "+260112:1235", "+")),
        ("GP-113", GOOD.replace(b"00000008", b"00000009")),
        ("GP-113", GOOD.replace(b"00000007", b"00000006")),
        ("GP-115", b"UNB+UNOA:2+A+B+260112:1235+1'UNZ+0+1'"),
        ("GP-116", GOOD.replace(b"00000003", b"LETTER")),
        ("GP-116", GOOD.replace(b"00000006", b"000000006")),
    ],
)
def test_an_interchange_that_is_broken_is_refused_by_name(rule: str, body: bytes) -> None:
    """Each fault of the interchange itself has one rule, and it refuses the interchange whole."""
    assert broken(body) == rule


def test_a_message_of_a_megabyte_is_too_long() -> None:
    """GP-114: memory is bounded by the longest message that is taken."""
    line = "FTX+RGI+++" + "A" * 4000
    many = "".join(f"{line}'" for _ in range(300))
    assert broken(changed(GOOD, "PDI+2'", many)) == "GP-114"


def test_line_breaks_are_no_part_of_the_text() -> None:
    """Systems break lines between segments, and some within: both read as if they had not."""
    assert segments(HEADER + b"\r\nNAD+PA\r\nT'\n\r\n") == segments(HEADER + b"NAD+PAT'")


@given(
    st.lists(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20), min_size=1, max_size=8)
)
def test_whatever_text_is_released_is_read_again(texts: list[str]) -> None:
    """Text written by our own release comes back as it was, whatever separators are in it."""
    written = "+".join(released(text) for text in texts)
    (_, read) = segments(HEADER + f"FTX+{written}'".encode("latin-1"))
    assert [element[0] for element in read[1]] == texts


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", HEADER, GOOD, b"UNA:+.? '"]), st.integers(0, 400))
def test_whatever_comes_is_read_or_refused(noise: bytes, beginning: bytes, cut: int) -> None:
    """No bytes raise anything but the one fault that makes them unusable."""
    try:
        list(Interchange(io.BytesIO(beginning[:cut] + noise + beginning[cut:])).messages())
    except Broken as broken_by:
        assert broken_by.finding.rule.id.startswith("GP-1")  # noqa: PT017 - being refused is one right answer


class Trickle(io.RawIOBase):
    """A stream that gives its bytes a few at a time."""

    def __init__(self, body: bytes, step: int) -> None:
        self._body = io.BytesIO(body)
        self._step = step

    def read(self, size: int = -1) -> bytes:
        return self._body.read(self._step)


@given(st.integers(11, 200))
def test_where_the_stream_pauses_changes_nothing(step: int) -> None:
    """A file reads the same in whatever pieces it comes."""
    whole = [one.body for one in Interchange(io.BytesIO(GOOD)).messages()]
    pieces = [one.body for one in Interchange(Trickle(GOOD, step)).messages()]  # type: ignore[arg-type]
    assert pieces == whole


def test_the_advice_declares_what_was_read() -> None:
    """An interchange of ours repeats the separators of the one it was cut from."""
    assert Separators().advice == b"UNA:+.? '"
    assert Reader.of(b"UNA;*.! ~UNB*UNOA;2~").separators.advice == b"UNA;*.! ~"
