"""The commands on the pages are run, as they stand there, against a system started as they say."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.clock import system_clock
from gateway.delivery.signing import sign, write_key
from gateway.local import ports
from gateway.sealing import Signer
from tests.docs.reference import ROOT

DOCS = ROOT / "docs"
START = "lgw up\n"
READY = "Ctrl-C stops everything"

pytestmark = [pytest.mark.services, pytest.mark.slow]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page that are in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


class Checkout:
    """A folder that looks like a checkout to what is typed in it, and whose system listens on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.intake, self.dispatch = ports.free(2)
        (folder / "contracts").symlink_to(ROOT / "contracts")
        (folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        told = {"GATEWAY_INTAKE__PORT": str(self.intake), "GATEWAY_DISPATCH__PORT": str(self.dispatch)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = kept | told | {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}

    def type(self, commands: list[str], program: str = "bash") -> str:
        """Type these commands into one shell (or Python); what they print. Fails with the first that fails."""
        text = "\n".join(commands).replace("127.0.0.1:8080", f"127.0.0.1:{self.intake}")
        argv = [program, "-euo", "pipefail", "-c", text] if program == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout in which `lgw up` was typed, as the page of the first message says, and was stopped by Ctrl-C."""
    assert START in blocks("2-first-accepted-message.md", "sh")
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    with subprocess.Popen(
        ["lgw", "up"],
        cwd=checkout.folder,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as up:
        assert up.stdout is not None
        said = []
        for line in up.stdout:
            said.append(line)
            if READY in line:
                break
        else:
            pytest.fail("".join(said))
        yield checkout
        up.send_signal(signal.SIGINT)
        rest = up.stdout.read()
        assert up.wait(60) == 0, rest


def test_the_first_message_is_accepted_and_all_is_accounted_for(checkout: Checkout) -> None:
    """Sent as the page says: 202, a journey, a receipt, and nothing unaccounted for."""
    commands = [block for block in blocks("2-first-accepted-message.md", "sh") if block != START]
    told = checkout.type(commands)
    assert "\n202\n" in told
    assert re.search(r"^received .* police_custody/met-police$", told, re.MULTILINE)
    assert re.search(r"^Unaccounted for: +0$", told, re.MULTILINE), told


def test_a_mailbox_is_read_and_answered(checkout: Checkout) -> None:
    """What the police sent is listed, read and answered, as the two pages say."""
    checkout.type([block for block in blocks("2-first-accepted-message.md", "sh") if block != START])
    told = checkout.type([*blocks("3-tasks/receive-by-mailbox.md", "sh"), *blocks("3-tasks/send-receipts.md", "sh")])
    message, end = json.JSONDecoder().raw_decode(told)
    receipt = json.loads(told[end:])
    assert message["role"] == "holding"
    assert receipt["message"] == message["id"]
    assert receipt["result"] == "accepted"


def test_a_client_signs_in(checkout: Checkout) -> None:
    """The Python of the page gets a token."""
    (program,) = blocks("3-tasks/sign-in.md", "python")
    assert checkout.type([program, "print(token)"], "python").count(".") == 2


def test_a_file_is_checked(tmp_path: Path) -> None:
    """Without any server."""
    told = Checkout(tmp_path).type(blocks("3-tasks/check-a-file.md", "sh"))
    assert "tests.csv row 1: accepted" in told
    assert "ERR  CU-014" in told


def test_a_file_is_sent_by_folder(checkout: Checkout) -> None:
    """Laid down as the page says, it is taken, and its receipt says so."""
    told = checkout.type(blocks("3-tasks/send-by-folder.md", "sh"))
    assert told.startswith("Taken. The file is ")
    assert "Refused: 0." in told


@pytest.fixture
def signed() -> tuple[list[str], dict[str, str], bytes]:
    """Keys, headers and body of a message signed by two keys, of which the verifier knows the second."""
    signer = Signer((b"1" * 32, b"2" * 32))
    body = '{"name": "Zoë", "text": "a.b"}'.encode()
    return [write_key(signer.public_keys()[1])], sign(signer, "message-1", system_clock(), body), body


def test_the_verifier_in_python_verifies(signed: tuple[list[str], dict[str, str], bytes]) -> None:
    """What we sign it takes; what was changed, by one byte or by five minutes, it does not."""
    keys, headers, body = signed
    names: dict[str, object] = {}
    (program,) = blocks("3-tasks/verify-a-signature.md", "python")
    exec(program, names)  # noqa: S102 - the page's own code
    verify = names["verify"]
    assert callable(verify)
    assert verify(keys, headers, body)
    assert not verify(keys, headers, body + b" ")
    assert not verify(keys, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}, body)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this machine")
def test_the_verifier_in_javascript_verifies(signed: tuple[list[str], dict[str, str], bytes]) -> None:
    """The same."""
    keys, headers, body = signed
    (program,) = blocks("3-tasks/verify-a-signature.md", "js")
    call = f"verify({json.dumps(keys)}, {json.dumps(headers)}, Buffer.from({json.dumps(body.decode())}"
    asked = f'{program}\nconsole.log({call})), {call} + " ")));'
    done = subprocess.run(["node", "-e", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["true", "false"]
