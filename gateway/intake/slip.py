"""A receipt as a person reads it, for whom a folder is the only screen. It names rows, rules and fields."""

from collections.abc import Iterator
from typing import Any

from gateway.intake.reports import CauseTold, Report


def slip(receipt: dict[str, Any], report: Report | None) -> str:
    """The sentences of a receipt, and of the report on its file where there is one."""
    return "\n".join(_lines(receipt, report)) + "\n"


def _lines(receipt: dict[str, Any], report: Report | None) -> Iterator[str]:
    if "fix" in receipt:  # a problem (RFC 9457)
        yield f"Not taken: {receipt['title']}. {receipt['detail']}"
        yield receipt["fix"]
        for fault in receipt.get("errors", ()):
            yield f"- {fault['rule']} in {fault['field']}: {fault['text']}"
        return
    if report is None:
        yield f"Taken. Its receipt is {receipt['receipt']}, its state {receipt['state']}."
        for finding in receipt["findings"]:
            yield f"- {finding['rule']} in {finding['field']}: {finding['text']}"
        return
    yield f"Taken. The file is {report.file}; it was received at {report.received:%Y-%m-%d %H:%M:%S} UTC."
    yield (
        f"Rows: {report.rows}. Accepted: {report.accepted}. Held: {report.held}. "
        f"Ignored: {report.ignored}. Refused: {report.refused}."
    )
    for cause in report.causes:
        yield from _cause(cause)
    if report.told:
        yield "The report beside this tells of each such row."


def _cause(cause: CauseTold) -> Iterator[str]:
    first = ", ".join(str(row) for row in cause.first)
    rows = f"row {first}" if cause.rows == 1 else f"{cause.rows} rows, the first of them {first}"
    yield f"- {cause.rule} in {rows} ({', '.join(cause.fields)}): {cause.sentence}. {cause.fix}".rstrip()
