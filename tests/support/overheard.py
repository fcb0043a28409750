"""The whole test session, listened to at DEBUG: whatever it says is searched for the people its tests made up.

Heard are our own log lines (strictly: an undeclared key raises), what the libraries say as our filter lets it through
and also as they say it themselves, warnings, what tests print, and the metrics. One personal value in any of it fails
the session.
"""

import io
import logging
import warnings

import pytest
from prometheus_client import generate_latest

from gateway import telemetry
from tests.support.canary import EVERYBODY, Canaries, Leak, Place

_ENOUGH = 4 << 20
"""Bytes heard after which they are searched and forgotten, so that a long test costs no more memory."""


class Ear:
    """Hears what one process says, from `listen` on."""

    def __init__(self, level: str = "DEBUG") -> None:
        self._level = level
        self.ours = io.StringIO()
        self.libraries = io.StringIO()

    def listen(self) -> None:
        """Take over the logs, as a process of ours does at its start; with the libraries' own words beside."""
        kept = [one for one in logging.getLogger().handlers if not isinstance(one, _Verbatim)]
        telemetry.configure("tests", level=self._level, stream=self.ours, strict=True)
        root = logging.getLogger()
        root.handlers = [*root.handlers, _Verbatim(self.libraries), *(one for one in kept if not _reduces(one))]
        root.setLevel(self._level)

    def take(self) -> list[Place]:
        """What was heard since the last time."""
        heard = [("our log lines", _emptied(self.ours)), ("a library's own words", _emptied(self.libraries))]
        return [(name, text.encode(errors="surrogatepass")) for name, text in heard if text]

    @property
    def full(self) -> bool:
        """Whether it is time to take it."""
        return self.ours.tell() + self.libraries.tell() > _ENOUGH


class Session:
    """The plugin: listens, searches after every test, and fails the session for what it finds."""

    def __init__(self, search: Canaries = EVERYBODY) -> None:
        self._search = search
        self._ear = Ear()
        self.leaks: dict[Leak, str] = {}
        """By leak: the test it was first heard in."""
        self.searched = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """Listen anew before each test, for one may have arranged the logs in its own way.

        Before its setup: pytest gives the root logger back, after each part of a test, the level it had at the start.
        """
        self._ear.listen()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Search what was logged and printed in this part of a test."""
        printed = [(name, text.encode(errors="replace")) for name, text in report.sections]
        if report.when == "teardown" or self._ear.full:
            printed += self._ear.take()
        self._look(printed, report.nodeid)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """Search a warning that was no error."""
        self._look([("a warning", str(warning_message.message).encode())], nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search the metrics and what is left, and fail the session if anything was found."""
        self._look([("the metrics", generate_latest()), *self._ear.take()], "the whole session")
        if self.leaks:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found where, or how much was searched in vain."""
        for leak, test in self.leaks.items():
            terminalreporter.write_line(f"LEAKED {leak}, heard in {test}", red=True)
        told = f"canaries: {len(self._search.people)} people looked for in {self.searched >> 10} KiB of what was said"
        terminalreporter.write_line(f"{told}: {len(self.leaks) or 'no'} leaks")

    def _look(self, places: list[Place], test: str) -> None:
        self.searched += sum(len(content) for _, content in places)
        for leak in self._search.find(places):
            self.leaks.setdefault(leak, test)


class _Verbatim(logging.Handler):
    """Writes down all that a library says: its sentence, and its exception with every cause."""

    def __init__(self, out: io.StringIO) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        self._out.write(f"{self.format(record)}\n")


def _reduces(handler: logging.Handler) -> bool:
    return type(handler).__module__ == telemetry.__name__


def _emptied(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text
