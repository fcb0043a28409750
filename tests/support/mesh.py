"""The NHS's own MESH sandbox, a process on this machine, from an environment of its own that `make test` makes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from mesh_client import MeshClient

from gateway.local import ports

PYTHON = Path(sys.prefix) / "mesh-sandbox" / "bin" / "python"
SHARED_KEY = "TestKey"
PASSWORD = "password"
MINE, GP, STRANGER = "X26ABC1", "X26ABC2", "X26ABC3"
"""The mailboxes the sandbox has, whose password is the same."""

READY_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message exchange that answers."""

    url: str

    def client(self, mailbox: str, **options: int) -> MeshClient:
        """A client of one of its mailboxes."""
        return MeshClient(self.url, mailbox, PASSWORD, shared_key=SHARED_KEY.encode(), **options)

    def reset(self) -> None:
        """Empty every mailbox."""
        requests.delete(f"{self.url}/admin/reset", timeout=10).raise_for_status()

    def report(self, mailbox: str, workflow: str, code: str) -> None:
        """Put a report of the exchange into a mailbox: that a message sent from there could not be delivered."""
        told = {
            "mailbox_id": mailbox,
            "workflow_id": workflow,
            "code": code,
            "description": "not collected",
            "subject": "",
            "local_id": "1",
            "file_name": "1",
            "linked_message_id": "1",
        }
        requests.post(f"{self.url}/messageexchange/admin/report", json=told, timeout=10).raise_for_status()


@contextmanager
def sandbox(log: Path) -> Iterator[Exchange]:
    """Run the sandbox. Skips the test that asks where it was not installed."""
    if not PYTHON.exists():
        pytest.skip("the MESH sandbox is not installed: make .venv/.sandbox")
    [port] = ports.free(1)
    url = f"http://{ports.LOOPBACK}:{port}"
    argv = [str(PYTHON), "-m", "uvicorn", "mesh_sandbox.api:app", "--host", ports.LOOPBACK, "--port", str(port)]
    told = {"AUTH_MODE": "full", "SHARED_KEY": SHARED_KEY, "STORE_MODE": "memory", "PATH": os.environ["PATH"]}
    with log.open("wb") as out, subprocess.Popen(argv, stdout=out, stderr=out, env=told) as process:
        try:
            _wait(url, process, log)
            yield Exchange(url)
        finally:
            process.kill()


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError("the MESH sandbox does not answer")
