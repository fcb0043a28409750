"""A record that cannot be accepted, on its way out of whoever reads it."""

from collections.abc import Iterable

from adapters.base import Finding


class Faulty(Exception):
    """The record cannot be accepted: every fault that was found. It never leaves this package."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__()
        self.findings = tuple(findings)
