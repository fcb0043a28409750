"""The statement of a send: what was sent, and what the gateway answered, to be kept and to be compared."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.connecting.logbook import Answer, Logbook
from gateway.connecting.parcel import STATEMENT, Parcel

_COUNTED: Final = ("accepted", "held", "ignored", "refused")


def totals(answers: Mapping[int, Answer]) -> dict[str, int]:
    """Records by what became of them, and how many of them the gateway had before."""
    counted: Counter[str] = Counter()
    for answer in answers.values():
        for name in _COUNTED:
            counted[name] += getattr(answer, name)
        counted["repeats"] += answer.rows if answer.repeat else 0
    return {name: counted[name] for name in (*_COUNTED, "repeats")}


def statement(logbook: Logbook, ended: datetime) -> dict[str, Any]:
    """The statement as JSON. `hash` is SHA-256 over the rest, with its keys sorted and no spaces."""
    plan, answers = logbook.plan, logbook.answers
    told = {
        "batch": plan.batch,
        "agency": plan.agency,
        "client": plan.client,
        "gateway": plan.gateway,
        "began": plan.began.isoformat(),
        "ended": ended.isoformat(),
        **totals(answers),
        "unsent": len(plan.parcels) - len(answers),
        "parcels": [_line(parcel, answers.get(number)) for number, parcel in enumerate(plan.parcels)],
    }
    return {**told, "hash": hash_of(told)}


def hash_of(told: Mapping[str, Any]) -> str:
    """SHA-256 of a statement without its hash."""
    plain = {name: value for name, value in told.items() if name != "hash"}
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_statement(file: Path, told: Mapping[str, Any]) -> Path:
    """Lay the statement beside what was sent; where."""
    beside = file.with_name(f"{file.name}{STATEMENT}")
    beside.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return beside


def _line(parcel: Parcel, answer: Answer | None) -> dict[str, Any]:
    sent = {"file": parcel.file.name, "sha256": parcel.sha256, "bytes": parcel.size, "message_id": parcel.key}
    if answer is None:
        return {**sent, "state": "unsent"}
    told = {"status": answer.status, "receipt": answer.receipt, "state": answer.state, "rules": list(answer.rules)}
    rows = {name: getattr(answer, name) for name in ("rows", *_COUNTED)} if parcel.door == "files" else {}
    return {**sent, **told, **rows}
