"""HL7 v2 as text: separators, escapes, character sets, line ends, and whatever else may come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gp.hl7.er7 import LONGEST, Separators, Unreadable, control_id, escaped, header_of, open_message
from tests.adapters.gp.hl7.messages import MOVED, PID, changed, message

STANDARD = Separators()


def unreadable(body: bytes) -> str:
    """The rule by which bytes are no message."""
    with pytest.raises(Unreadable) as raised:
        open_message(body)
    return raised.value.finding.rule.id


def field(text: str) -> str:
    """What a field with this text in it reads as."""
    return open_message(message(f"NTE|{text}")).segments[1].get(1)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n"])
def test_any_line_end_ends_a_segment(end: str) -> None:
    """The standard's carriage return, and what systems write instead of it."""
    assert open_message(message("EVN|A31", PID, end=end)) == open_message(message("EVN|A31", PID))


def test_framing_and_byte_order_marks_are_no_part_of_a_message() -> None:
    """A message sent with MLLP's blocks left around it, or with a byte order mark, reads as it would without."""
    assert open_message(b"\x0b" + MOVED + b"\x1c\r") == open_message(b"\xef\xbb\xbf" + MOVED) == open_message(MOVED)


def test_fields_are_counted_as_the_standard_counts_them() -> None:
    """MSH-1 is the separator, MSH-2 the encoding characters; what is past the end is empty."""
    header = open_message(MOVED).header
    assert (header.written(1), header.written(2), header.get(3), header.get(9, 2)) == ("|", r"^~\&", "PAS", "A31")
    assert header.get(40) == header.get(9, 9) == header.get(9, 2, 2) == ""


def test_repetitions_components_and_subcomponents_are_told_apart() -> None:
    """Tilde, circumflex and ampersand each cut one level."""
    pid = open_message(message("PID|1||a^b^c&d~e")).segments[1]
    first, second = pid.values(3)
    assert (first.get(1), first.get(3), first.get(3, 2), second.get(1)) == ("a", "c", "d", "e")


def test_a_message_may_have_separators_of_its_own() -> None:
    """Whatever MSH declares separates; two or three encoding characters are enough."""
    whole = open_message(b"MSH#*!/$#PAS\rPID#1##a*b!c").segments[1]
    assert [one.get(2) for one in whole.values(3)] == ["b", ""]
    short = open_message(b"MSH|^~|PAS\rPID|1||a&b^c\\T\\").segments[1]
    assert (short.get(3), short.get(3, 2)) == ("a&b", "c\\T\\")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"Marks \T\ Sons", "Marks & Sons"),
        (r"a\F\b\S\c\R\d\E\e", "a|b^c~d\\e"),
        (r"first\.br\second", "first second"),
        (r"\H\bold\N\ text", "bold text"),
        (r"caf\XC3A9\ bar", "café bar"),
        (r"C:\temp", "C:\\temp"),
        (r"a \unknown\ b", "a \\unknown\\ b"),
        (r"\E\T\E\ ", "\\T\\"),
        ('""', ""),
        ("  spaced  ", "spaced"),
    ],
)
def test_escapes_are_text_again(written: str, read: str) -> None:
    """The standard's sequences become what they stand for; what is none of them stands as it was written."""
    assert field(written) == read


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_whatever_text_is_escaped_is_read_again(text: str) -> None:
    """Text written by our own escaping comes back as it was, but for the blanks around it."""
    expected = text.strip()
    assert field(escaped(text, STANDARD)) == ("" if expected == '""' else expected)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("", "utf-8"), ('""', "utf-8"), ("UNICODE UTF-8", "utf-8"), ("ASCII", "utf-8"), ("8859/1", "latin-1")],
)
def test_text_is_read_in_the_character_set_of_the_header(charset: str, codec: str) -> None:
    """A name keeps its letters in every character set that is taken."""
    body = message("PID|1||||Élléry", msh_18=charset).decode().encode(codec)
    assert open_message(body).segments[1].get(5) == "Élléry"


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("GP-200", b""),
        ("GP-200", b"<MSH/>"),
        ("GP-200", b"PID|1||2"),
        ("GP-201", b"MSH"),
        ("GP-201", b"MSH|"),
        ("GP-201", changed(MOVED, r"^~\&", "^&&^")),
        ("GP-201", changed(MOVED, r"^~\&", "^~a&")),
        ("GP-201", changed(MOVED, r"^~\&", r"^~\&#!")),
        ("GP-202", message(PID, msh_18="UNICODE UTF-16")),
        ("GP-203", MOVED.replace(b"Ellerby", b"Ell\xe9rby")),
        ("GP-203", changed(MOVED, "Ellerby", "Ell\x01rby")),
        ("GP-203", changed(MOVED, "Ellerby", "Ell\x0brby")),
        ("GP-204", message(*["NTE|1"] * 2000)),
        ("GP-205", MOVED + MOVED),
        ("GP-205", b"BHS|^~\\&\r" + MOVED),
        ("GP-206", message("pid|1")),
        ("GP-206", message("AB|1")),
        ("GP-209", MOVED + b" " * LONGEST),
    ],
)
def test_what_is_no_message_is_refused_by_name(rule: str, body: bytes) -> None:
    """Each way in which bytes are no message has one rule."""
    assert unreadable(body) == rule


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", b"MSH", b"MSH|^~\\&|", MOVED]), st.integers(0, 400))
def test_whatever_comes_is_read_or_refused(noise: bytes, beginning: bytes, cut: int) -> None:
    """No bytes raise anything but the one fault that makes them unusable, and a header is found or not."""
    body = beginning[:cut] + noise + beginning[cut:]
    header_of(body)
    try:
        for segment in open_message(body).segments:
            assert all(isinstance(one.get(2, 2), str) for number in range(30) for one in segment.values(number))
    except Unreadable as fault:
        assert fault.finding.rule.id.startswith("GP-2")  # noqa: PT017 - being refused is one right answer


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (MOVED, "MSH-10:M-0001"),
        (message(PID, msh_10=""), None),
        (message(PID, msh_10="x" * 200), None),
        (message(PID, msh_18="none that is taken"), "MSH-10:M-0001"),
        (b"no message", None),
    ],
)
def test_the_sender_names_its_message_in_the_header(body: bytes, told: str | None) -> None:
    """MSH-10 is the message id, also of a message that cannot be read otherwise; without it the bytes are."""
    assert control_id(body) == told
