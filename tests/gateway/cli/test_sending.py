"""`lgw send` as people run it."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.connecting.keys import new_key, write_key
from gateway.local import ports


class Gateway(ThreadingHTTPServer):
    """As much of a gateway as a sender meets. It takes records until it is told to hang."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.taken: list[str] = []
        self.refuses = False
        self.hangs_after = 1000
        self.hanging = threading.Event()
        self.ended = threading.Event()


class Door(BaseHTTPRequestHandler):
    """Its door."""

    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/oauth2/token":
            self._answer(200, {"access_token": "t", "expires_in": 600})
            return
        if len(self.server.taken) >= self.server.hangs_after:
            self.server.hanging.set()
            self.server.ended.wait(30)
            return
        self.server.taken.append(str(self.headers["idempotency-key"]))
        if self.server.refuses:
            self._answer(422, {"errors": [{"rule": "CU-014", "field": "date_of_birth", "text": "..."}]})
        else:
            self._answer(202, {"receipt": f"r-{len(self.server.taken)}", "state": "validated"})

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def _answer(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that listens."""
    with Gateway() as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield one
        one.ended.set()
        one.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three records, and a key."""
    write_key(tmp_path / "key.json", new_key("my-force", "Ed25519", datetime.now(UTC) + timedelta(days=1)))
    (tmp_path / "day").mkdir()
    for name in "abc":
        (tmp_path / "day" / f"{name}.xml").write_text(f"<record>{name}</record>")
    return tmp_path


COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a session in the background hands it on as ignored
from gateway.cli import main
main()
"""


def lgw(folder: Path, url: str, *more: str) -> subprocess.Popen[str]:
    """Start it."""
    command = ["send", "day", "--as", "police_custody", "--gateway", url, "--client", "my-force", "--key", "key.json"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *command, *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_stops_it_and_resume_goes_on(gateway: Gateway, folder: Path) -> None:
    """It says how far it was and what to do, ends with 5, and nothing is sent twice."""
    gateway.hangs_after = 2
    with lgw(folder, gateway.url) as stopped:
        assert gateway.hanging.wait(60)
        stopped.send_signal(signal.SIGINT)
        out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 5
    assert out == ""
    assert "Stopped, with 2 of 3 answered. Nothing is lost and nothing is sent twice" in err
    assert "Traceback" not in err
    gateway.hangs_after = 1000
    with lgw(folder, gateway.url, "--resume") as resumed:
        out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    assert re.search(r"^Batch B-\w{8} done: accepted 3 · ", out, re.MULTILINE)
    assert len(gateway.taken) == len(set(gateway.taken)) == 3
    told = json.loads((folder / "day.statement.json").read_text())
    assert [one["receipt"] for one in told["parcels"]] == ["r-1", "r-2", "r-3"]


def test_what_is_refused_is_told_by_the_exit_code(gateway: Gateway, folder: Path) -> None:
    """4 where nothing was taken; the rules stand beside the files."""
    gateway.refuses = True
    with lgw(folder, gateway.url) as command:
        out, _ = command.communicate(timeout=60)
    assert command.returncode == 4
    assert "a.xml  refused  CU-014" in out


def test_a_gateway_nobody_reaches_is_told_by_the_exit_code(folder: Path) -> None:
    """3, and what is left can be gone on with."""
    (port,) = ports.free(1)
    with lgw(folder, f"http://127.0.0.1:{port}", "--patience", "0.1") as command:
        _, err = command.communicate(timeout=60)
    assert command.returncode == 3
    assert err.startswith("The gateway cannot be reached (ConnectError).")
    assert (folder / "day.sending").exists()
