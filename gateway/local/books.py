"""The books of a stand-in recipient: an append-only file of what arrived and what was done with it.

Every arrival is written before it is answered, so that the books and the gateway's ledgers can be held against each
other. What was written is read again at start: a recipient that died has forgotten nothing.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson


class Books:
    """One party's. One JSON object a line; `what` is arrived, applied, answered or refused."""

    def __init__(self, file: Path) -> None:
        self.applied: dict[str, int] = {}
        """By delivery id: how often it had its effect. More than 1 is never right."""
        self.unapplied: dict[str, None] = {}
        """Deliveries that were answered with success and had no effect yet, in the order they came."""
        self.heads: dict[str, str] = {}
        """The events that stand, and the delivery that told each."""
        self.answered: set[tuple[str, str]] = set()
        """(delivery id, result) of receipts the gateway took."""
        self.position = 0
        """The highest position seen."""
        for line in _read(file):
            self._remember(line)
        self._file: BinaryIO = file.open("ab")
        if self._file.tell() > _whole(file):
            self._file.truncate(_whole(file))

    def arrived(self, delivery: str, body_hash: str, answer: int) -> None:
        """Something arrived, and will be answered with this status."""
        self._write({"what": "arrived", "id": delivery, "hash": body_hash, "answer": answer})

    def refused(self, why: str) -> None:
        """Something arrived that nobody signed."""
        self._write({"what": "refused", "why": why})

    def apply(self, document: dict[str, Any], position: int | None) -> bool:
        """Let a message have its effect, unless it had it. True when it had it now.

        `knew` says whether what a correction or retraction speaks of was known here; it need not have been, for a
        recipient can become entitled later.
        """
        delivery = document["id"]
        if delivery in self.applied:
            return False
        self._write(
            {
                "what": "applied",
                "id": delivery,
                "event": document.get("event"),
                "change": document.get("change"),
                "supersedes": document.get("supersedes"),
                "kind": document.get("kind"),
                "role": document.get("role"),
                "person": document.get("person"),
                "position": position,
                "knew": document.get("supersedes") in self.heads if document.get("supersedes") else None,
            }
        )
        return True

    def answer(self, delivery: str, result: str, status: int) -> None:
        """The gateway answered a receipt."""
        self._write({"what": "answered", "id": delivery, "result": result, "status": status})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        line["at"] = time.time()
        self._remember(line)
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()

    def _remember(self, line: dict[str, Any]) -> None:
        match line["what"]:
            case "arrived" if 200 <= line["answer"] <= 299 and line["id"] not in self.applied:
                self.unapplied[line["id"]] = None
            case "applied":
                self.unapplied.pop(line["id"], None)
                self.applied[line["id"]] = self.applied.get(line["id"], 0) + 1
                self.position = max(self.position, line["position"] or 0)
                self.heads.pop(line["supersedes"], None)
                if line["change"] != "retraction" and line["event"] is not None:
                    self.heads[line["event"]] = line["id"]
            case "answered" if line["status"] == 200:
                self.answered.add((line["id"], line["result"]))


def _whole(file: Path) -> int:
    """How many bytes of a file are whole lines: the last one may be half written."""
    return file.read_bytes().rfind(b"\n") + 1


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file that may not exist yet."""
    if file.exists():
        yield from map(orjson.loads, file.read_bytes()[: _whole(file)].splitlines())
