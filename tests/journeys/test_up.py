"""`lgw up`: what a person who plays with it can count on."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from gateway.local import ports, postgres
from gateway.local.cast import SENDERS
from gateway.local.folder import claimed
from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.schema import migrate
from tests.journeys.lgw import Lgw, lgw
from tests.support import versions

RECORD = Path(__file__).parents[2] / "contracts/inbound/police_custody/examples/accepted/follow-up-required.xml"
UP = "Ctrl-C stops everything"


def places() -> dict[str, str]:
    """Settings with ports nobody else uses. The recipients' is the one after."""
    while True:
        intake, dispatch = ports.free(2)
        if ports.is_free(max(intake, dispatch) + 1):
            return {"GATEWAY_INTAKE__PORT": str(intake), "GATEWAY_DISPATCH__PORT": str(dispatch)}


def asked(*arguments: str | Path) -> str:
    """What a command answers that ends by itself, and well."""
    done = subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def gone(family: list[psutil.Process]) -> bool:
    """Whether all of these have ended."""
    _, alive = psutil.wait_procs(family, timeout=10)
    return alive == []


@pytest.mark.services
@pytest.mark.slow
def test_ctrl_c_stops_every_process_and_a_second_start_finds_the_data(tmp_path: Path) -> None:
    """Everybody on the screen can send what it says there, and all of it is found again after a second start.

    After Ctrl-C nothing is left running.
    """
    env = places()
    api = f"http://127.0.0.1:{env['GATEWAY_INTAKE__PORT']}"
    with lgw("up", "--data", tmp_path, env=env) as first:
        first.until(UP)
        for agency in SENDERS:
            assert any(agency.id in line and agency.tells in line for line in first.said)
            told = asked("trigger", agency.tells, "--send", "--client", agency.id, "--data", tmp_path)
            assert agency.tells in told
        receipt = _sent(api, tmp_path)
        family = first.family()
        first.interrupt()
        assert first.ends() == 0
    assert len(family) >= 5
    assert gone(family)
    with lgw("up", "--data", tmp_path, env=env) as second:
        second.until(UP)
        token = asked("token", "met-police", "--data", tmp_path)
        answer = httpx.get(f"{api}/v1/receipts/{receipt}", headers={"authorization": f"Bearer {token}"})
        assert answer.json()["events"][0]["kind"] == "custody.follow-up.required"
        assert json.loads(asked("status", "--data", tmp_path, "--json"))["records"] == {"translated": len(SENDERS) + 1}
        _dies_with(second, "gateway dispatch", "The gateway's dispatch has ended by itself (signal SIGKILL).")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """Where another program listens on one of the ports, that is said before anything is started."""
    env = places()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(env["GATEWAY_INTAKE__PORT"])))
        taken.listen()
        with lgw("up", "--data", tmp_path, env=env) as command:
            assert command.ends() == 1
    assert command.said[-1].startswith(
        f"The port {env['GATEWAY_INTAKE__PORT']} that the gateway's API should listen on is in use by another program."
    )
    assert not (tmp_path / "postgres").exists()


def test_a_folder_in_use_is_named(tmp_path: Path) -> None:
    """A second system on the same data is refused with the first one's process; the one that runs is not disturbed."""
    with claimed(tmp_path), lgw("up", "--data", tmp_path, env=places()) as command:
        assert command.ends() == 1
    assert command.said[-1].startswith(
        f"The folder {tmp_path} is in use by another gateway (process {os.getpid()}). Stop that one first"
    )


@pytest.mark.services
@pytest.mark.slow
def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """A folder whose tables are another version's is refused in a sentence with what to do."""
    with postgres.start(tmp_path / "postgres") as store:
        asyncio.run(_migrated(store.dsn, versions.older(tmp_path)))
    with lgw("up", "--data", tmp_path, env=places()) as command:
        assert command.ends() == 1
    assert command.said[-1].startswith(f"The data in {tmp_path} was made by another version of the gateway")
    assert "--data" in command.said[-1]


async def _migrated(dsn: str, migrations: Path) -> None:
    engine = open_engine(Store(dsn=dsn))
    try:
        await migrate(engine, migrations)
    finally:
        await engine.dispose()


def _sent(api: str, data: Path) -> str:
    """Send a record as the instructions say; its receipt."""
    token = asked("token", "met-police", "--data", data)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/xml"}
    answer = httpx.post(f"{api}/v1/feeds/police_custody/records", content=RECORD.read_bytes(), headers=headers)
    assert answer.status_code == 202
    receipt: str = answer.json()["receipt"]
    return receipt


def _dies_with(command: Lgw, child: str, sentence: str) -> None:
    """Kill a child: the whole system stops, and says which it was."""
    family = command.family()
    (victim,) = [process for process in family if child in " ".join(process.cmdline())]
    victim.send_signal(signal.SIGKILL)
    assert command.ends() == 1
    assert any(line.startswith(sentence) for line in command.said)
    assert gone(family)
