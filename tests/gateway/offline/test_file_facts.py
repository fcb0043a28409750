"""What a file is, before anything in it is read."""

from pathlib import Path

import pytest

from gateway.offline.file_facts import file_facts


@pytest.mark.parametrize(
    ("body", "encoding", "bom", "ends"),
    [
        (b"a,b\r\n1,2\r\n", "ASCII", False, "CRLF"),
        ("a,b\nŁ,2\n".encode(), "UTF-8", False, "LF"),
        (b"\xef\xbb\xbfa,b\n1,2\r\n", "UTF-8", True, "mixed (CRLF, LF)"),
        (b"a,b\r1,2\r", "ASCII", False, "CR"),
        (b"a,b\n\xe9,2\n", "neither ASCII nor UTF-8", False, "LF"),
        ("a,b\n".encode("utf-16"), "UTF-16", True, "LF"),
        (b"a,b\n\xc3", "neither ASCII nor UTF-8", False, "LF"),
        (b"", "ASCII", False, "none"),
    ],
)
def test_encoding_and_line_ends_are_told(tmp_path: Path, body: bytes, encoding: str, bom: bool, ends: str) -> None:
    """As they are, not as the contract has them."""
    path = tmp_path / "file.csv"
    path.write_bytes(body)
    facts = file_facts(path, path.name, "text/csv")
    assert (facts.size, facts.encoding, facts.bom, facts.line_ends) == (len(body), encoding, bom, ends)


def test_a_line_end_between_two_blocks_is_one(tmp_path: Path) -> None:
    """However a file is read, CRLF is CRLF."""
    path = tmp_path / "file.csv"
    path.write_bytes(b"x" * ((1 << 20) - 1) + b"\r\n" + b"y\r\n")
    assert file_facts(path, path.name, "application/json").line_ends == "CRLF"


@pytest.mark.parametrize(
    ("body", "delimiter"), [(b"a,b\n", "comma"), (b"a;b\n", "semicolon"), (b"a\tb\n", "tab"), (b"a\n", "none found")]
)
def test_the_header_is_told_without_its_names(tmp_path: Path, body: bytes, delimiter: str) -> None:
    """A header may be a row: it is told by its delimiter, its columns and its hash."""
    path = tmp_path / "file.csv"
    path.write_bytes(body)
    facts = file_facts(path, path.name, "text/csv")
    assert facts.delimiter == delimiter
    assert facts.columns == (1 if delimiter == "none found" else 2)
    assert facts.header is not None
    assert len(facts.header) == 12
