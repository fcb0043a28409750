"""Logs, metrics and trace context. Nothing personal passes: logs by an allow-list of keys, metrics by closed labels.

One canonical line per unit of work, dotted and past tense: `log.info("records.committed", count=12)`. A key that is
not declared is replaced by `<dropped>`, and raises where `strict` is set, as it is in tests.
"""

import logging
import re
import secrets
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import stamina
import structlog
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from prometheus_client import Counter, Gauge, Histogram

KEYS = frozenset(
    {
        *("event", "level", "timestamp", "process", "version"),
        *("receipt", "record", "event_id", "delivery", "file", "hold", "case", "quarantine"),
        *("sender", "recipient", "agency", "client", "area", "role", "kind", "change", "state", "outcome", "reason"),
        *("owner", "rule", "rules", "count", "rows", "accepted", "held", "ignored", "refused", "repeats", "events"),
        *("deliveries", "attempt", "status", "milliseconds", "seconds", "bytes", "wait", "shard", "shards", "topic"),
        *("partition", "offset", "offsets", "group", "lag", "backlog", "host", "port", "pid", "error", "code", "where"),
        *("trace", "method", "route", "path_template", "point", "mode", "name", "table", "signal", "places"),
    }
)
"""Every key a log line may carry. None can hold a personal value: ids, codes, counts, times and names of ours."""


class UndeclaredKey(AssertionError):
    """A log line carries a key that is not on the allow-list."""


def _allow(strict: bool) -> structlog.typing.Processor:
    def allow(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key in [key for key in line if key not in KEYS]:
            if strict:
                raise UndeclaredKey(key)
            line[key] = "<dropped>"
        return line

    return allow


def configure(process: str, *, level: str = "INFO", stream: TextIO | None = None, strict: bool = False) -> None:
    """Send our lines to the stream as JSON, and the libraries' own warnings through the same filter.

    Library messages can quote values (a URL, a body, a parameter), so only their logger's name, level and exception
    type pass, never their text.
    """
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow(strict),
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(out),  # a line and its end in one write
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    stamina.instrumentation.set_on_retry_hooks([])  # its own hook quotes the exception's text
    root = logging.getLogger()
    root.handlers = [_Reduced(process)]
    root.setLevel(logging.WARNING)
    for name in ("httpx", "httpcore", "aiohttp.access", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Reduced(logging.Handler):
    """Passes on that a library said something, and where; not what."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning(
            "library.said",
            process=self._process,
            name=record.name,
            level=record.levelname.lower(),
            where=f"{record.module}:{record.lineno}",
            error=error,
        )


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
"""The one logger."""


def first(error: BaseException) -> BaseException:
    """The error itself, or the first of a group's that is one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def where(error: BaseException) -> str:
    """The place an exception was raised, as module:line; its text may quote a value and is never logged."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    name = trace.tb_frame.f_globals.get("__name__", "unknown")
    return f"{name}:{trace.tb_lineno}"


accepted = Counter("gateway_records_accepted", "Records committed to the journal", ["agency", "state"])
asked = Counter("gateway_pointers_asked", "Tries to fill a record that points at something", ["agency", "outcome"])
received = Counter(
    "gateway_messages_received",
    "Records and files, by the channel they came by and what became of them",
    ["channel", "fate"],
)
turned_away = Counter(
    "gateway_messages_turned_away",
    "Records and files a door turned away before it read them, by the problem it told",
    ["channel", "agency", "status", "problem"],
)
refused = Counter("gateway_records_refused", "Records refused at the door", ["agency"])
relayed = Counter("gateway_events_relayed", "Events acknowledged by Kafka", ["topic"])
addressed = Counter("gateway_events_addressed", "Events decided", ["state"])
attempted = Counter("gateway_deliveries_attempted", "Attempts made", ["recipient", "outcome"])
delivered = Counter("gateway_deliveries_offered", "Deliveries offered", ["recipient"])
acknowledged = Counter("gateway_deliveries_acknowledged", "Receipts by recipients", ["recipient", "result"])
quarantined = Counter("gateway_quarantined", "Records put in quarantine", ["reason"])
channel_faults = Counter("gateway_channel_faults", "Times a channel beside HTTP failed and began anew", ["channel"])
lag_seconds = Gauge("gateway_lag_seconds", "Age of the oldest unprocessed message", ["stage"])
in_flight = Gauge("gateway_in_flight", "Messages between two stages", ["stage"])
commit_seconds = Histogram(
    "gateway_commit_seconds", "One journal commit", buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
)


_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_ids = RandomIdGenerator()


def traceparent(incoming: str | None) -> str:
    """The trace this unit of work belongs to: the caller's if it sent a well-formed one, with a new span id, or new."""
    span = secrets.token_hex(8)
    if incoming is not None and _TRACEPARENT.match(incoming):
        return f"{incoming[:36]}{span}{incoming[52:]}"
    return f"00-{_ids.generate_trace_id():032x}-{span}-01"
