from pathlib import Path

import pytest

from gateway.local.logs import LIMIT, last_words, opened


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a child writes."""
    return tmp_path / "child.log"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\ntwo\n\n", "two"),
        ("12:00 ERROR Broker cannot bind\n12:00 INFO shut down\n", "12:00 ERROR Broker cannot bind"),
        ("java.net.BindException: Address in use\n\tat sun.nio.X\n\tat Y.error(Error.java:1)\n", None),
        ("", "none"),
    ],
)
def test_last_words_tell_the_reason(log: Path, text: str, words: str | None) -> None:
    """The last words are the last line that speaks of an error, else the last line; never a stack frame."""
    log.write_text(text)
    assert last_words(log) == (words or "java.net.BindException: Address in use")


def test_a_long_log_is_put_aside(log: Path) -> None:
    """A log that has grown too long is put aside when it is opened next, and one of them is kept."""
    for letter in (b"a", b"b"):
        with opened(log) as file:
            file.write(letter * (LIMIT + 1))
    with opened(log) as file:
        file.write(b"new\n")
    assert log.read_text() == "new\n"
    assert log.with_name("child.log.1").read_bytes() == b"b" * (LIMIT + 1)


def test_a_log_is_added_to(tmp_path: Path) -> None:
    """A log of ordinary length is added to, and its folder is made where there is none."""
    for word in (b"one\n", b"two\n"):
        with opened(tmp_path / "logs" / "child.log") as file:
            file.write(word)
    assert (tmp_path / "logs" / "child.log").read_text() == "one\ntwo\n"
