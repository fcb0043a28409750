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

from adapters.registry import adapters
from gateway.clock import system_clock
from gateway.delivery.signing import sign, write_key
from gateway.local import ports
from gateway.local.cast import ENFIELD_DESK
from gateway.sealing import Signer
from tests.docs.reference import ROOT

DOCS = ROOT / "docs"
START = "lgw up\n"
READY = "Ctrl-C stops everything"

_INBOX = """
import http.server, sys

class Inbox(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Inbox)
print("ready", flush=True)
server.serve_forever()
"""
"""A system of somebody's own that takes whatever is posted to it."""

pytestmark = [pytest.mark.services, pytest.mark.slow]


FIRST = "2-first-accepted-message.md"
HAS_A_CLIENT = {"police_custody", ENFIELD_DESK.feed}
"""The page has made one for a police force, and what a LASARS sends, one sends that is a party already."""


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page that are in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


def before_the_start() -> list[str]:
    """What the page of the first message has typed before the system is started."""
    commands = blocks(FIRST, "sh")
    return commands[: commands.index(START)]


def after_the_start() -> list[str]:
    """What it has typed in the second terminal."""
    commands = blocks(FIRST, "sh")
    return commands[commands.index(START) + 1 :]


def examples() -> list[tuple[str, str]]:
    """Agency by agency, the examples the same page begins with."""
    page = (DOCS / FIRST).read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+)` \| [^|]+ \| `([\w.-]+)` \|", page, re.MULTILINE)


class Checkout:
    """A folder that looks like a checkout to what is typed in it, and whose system listens on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.intake, self.dispatch, self.own, self.kit = ports.free(4)
        (folder / "contracts").symlink_to(ROOT / "contracts")
        (folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        told = {"GATEWAY_INTAKE__PORT": str(self.intake), "GATEWAY_DISPATCH__PORT": str(self.dispatch)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = kept | told | {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}

    def type(self, commands: list[str], program: str = "bash") -> str:
        """Type these commands into one shell (or Python); what they print. Fails with the first that fails."""
        text = "\n".join(commands)
        for port, ours in ((8080, self.intake), (9000, self.own), (8090, self.kit)):
            text = re.sub(rf"\b{port}\b", str(ours), text)
        argv = [program, "-euo", "pipefail", "-c", text] if program == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout in which `lgw up` was typed, as the page of the first message says, and was stopped by Ctrl-C."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    checkout.type(before_the_start())
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
        checkout.type(blocks("3-tasks/make-a-key.md", "sh"))
        yield checkout
        up.send_signal(signal.SIGINT)
        rest = up.stdout.read()
        assert up.wait(60) == 0, rest


def test_the_first_message_is_accepted_and_all_is_accounted_for(checkout: Checkout) -> None:
    """As the page says: a receipt, a journey to a LASARS, nothing unaccounted for, and no case that fails."""
    told = checkout.type(after_the_start())
    assert re.search(r"^  first\.xml  validated  [0-9a-f-]{36}$", told, re.MULTILINE), told
    assert re.search(r"^received .* police_custody/my-force$", told, re.MULTILINE)
    assert re.search(r"^Unaccounted for: +0$", told, re.MULTILINE), told
    assert re.search(r"^\d+ passed · 0 failed · \d+ not tried$", told, re.MULTILINE), told


def test_every_agency_has_a_first_message(checkout: Checkout) -> None:
    """The example of each row is taken, from a client made for that agency as the page says."""
    listed = examples()
    missing = set(adapters()) - {agency for agency, _ in listed}
    assert not missing, f"give {', '.join(sorted(missing))} a row in the last table of docs/{FIRST}"
    without = sorted({agency for agency, _ in listed} - HAS_A_CLIENT)
    checkout.type([f"lgw keys new --client my-{one.replace('_', '-')} --as {one} --data data/up" for one in without])
    for agency, file in listed:
        sent = f"{agency}-{file}"
        told = checkout.type(
            [f"cp contracts/inbound/{agency}/examples/accepted/{file} {sent}", f"lgw send {sent} --as {agency}"]
        )
        assert re.search(rf"^  {re.escape(sent)}  (received|validated|taken)  ", told, re.MULTILINE), told


def test_records_are_posted(checkout: Checkout) -> None:
    """A record is accepted and a file reported on."""
    told = checkout.type(blocks("3-tasks/post-records.md", "sh"))
    assert told.startswith("202\n")
    assert "CU-014" in told


def test_a_surgery_refers_by_bars(checkout: Checkout) -> None:
    """The bundle is answered as the standard answers what was taken."""
    told = checkout.type(blocks("3-tasks/refer-by-bars.md", "sh"))
    assert re.search(r"^HTTP/1\.1 200 ", told, re.MULTILINE), told
    assert '"code":"ok"' in told


def test_operations_look_at_everything(checkout: Checkout) -> None:
    """What is looked at is well."""
    told = checkout.type(blocks("3-tasks/follow-a-message.md", "sh"))
    assert re.search(r"^Unaccounted for: +0$", told, re.MULTILINE), told


def test_a_mailbox_is_read_and_answered(checkout: Checkout) -> None:
    """What the police sent is listed, read and answered, as the two pages say."""
    checkout.type(after_the_start()[:1])
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


def test_a_batch_is_checked_and_its_codes_mapped(tmp_path: Path) -> None:
    """Without any server: the causes, the report beside the file, and the mapping that mends half of it."""
    told = Checkout(tmp_path).type(blocks("3-tasks/check-a-batch.md", "sh"))
    assert "500 records · 480 ready (96.0 %) · 20 need attention · 2 causes" in told
    assert "500 records · 490 ready (98.0 %) · 10 need attention · 1 cause" in told
    assert (tmp_path / "custody.report.html").exists()


def copied(folder: Path) -> Checkout:
    """A copy of the tree, in which an agency can be made."""
    copy = Checkout(folder)
    (folder / "contracts").unlink()
    for name in (
        "adapters",
        "changelog.d",
        "contracts",
        "deploy",
        "docs",
        "gateway",
        "schemas",
        "tests",
        "pyproject.toml",
    ):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, folder / name)
    copy.environment["PYTHONPATH"] = str(folder)
    return copy


def test_an_agency_is_connected(tmp_path: Path) -> None:
    """In a copy of the tree: the agency is made, and reads its first records."""
    if (ROOT / "adapters" / "supported_housing").exists():
        pytest.skip("somebody has followed the page in this checkout")
    told = copied(tmp_path).type(blocks("3-tasks/connect-an-agency.md", "sh"))
    assert "made     adapters/supported_housing/adapter.py" in told
    assert "referral.json: accepted  care.referred" in told


SHELTER = "night_shelter"
_FILE = re.compile(
    r"^(?:`|\*\*)([\w/.-]+)(?:`|\*\*)(?:[^\n]+\n)*?[^\n]*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
"""A file's path at the beginning of a paragraph, and the block behind it that is in the file."""


def worked_out(folder: Path) -> None:
    """Put into a new agency what the page has of its files, as the page says."""
    page = (DOCS / "3-tasks/an-agency-worked-out.md").read_text(encoding="utf-8")
    shutil.rmtree(folder / "contracts" / "inbound" / SHELTER / "examples")
    for name, block in _FILE.findall(page):
        path = folder / name.replace("NAME-to", f"{SHELTER.replace('_', '-')}-to").replace("NAME", SHELTER)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path.read_text(encoding="utf-8").partition("[field]")[0] if path.parent.name == "tables" else ""
        path.write_text(kept + block, encoding="utf-8")
    readme = folder / "adapters" / SHELTER / "README.md"
    sentence = "\n" + "Words that only its author has. " * 3
    readme.write_text(re.sub(r"^## .+$", rf"\g<0>\n{sentence}", readme.read_text(encoding="utf-8"), flags=re.MULTILINE))
    catalogue = folder / "schemas" / "catalogue.py"
    text = catalogue.read_text(encoding="utf-8")
    text = text.replace("\nfrom schemas.base", "\nfrom schemas.shelter import Stay\nfrom schemas.base")
    catalogue.write_text(
        text.replace("    *BENEFITS_EVENTS,\n", "    *BENEFITS_EVENTS,\n    Stay,\n"), encoding="utf-8"
    )


def test_an_agency_is_worked_out(tmp_path: Path) -> None:
    """In a copy of the tree: what the page has of each file makes an agency that everything judges to be well."""
    copy = copied(tmp_path)
    copy.type([f"lgw new-agency {SHELTER}"])
    worked_out(tmp_path)
    folders = f"adapters/{SHELTER} tests/adapters/{SHELTER} schemas/shelter.py"
    copy.type(
        [
            "python -m schemas.contracts",
            "python -m adapters.rulebook",
            f"ruff check {folders}",
            f"ruff format --check {folders}",
            f"mypy {folders}",
            "python -m pytest -q -p no:cacheprovider tests/adapters/test_conformance.py tests/adapters/mutations"
            f" tests/adapters/{SHELTER} tests/schemas/test_catalogue.py tests/gateway/addressing/test_disclosure.py"
            f" -k '{SHELTER} or series or shelter or catalogue or no_list'",
        ]
    )
    told = copy.type([f"lgw translate contracts/inbound/{SHELTER}/examples/accepted/left.csv --as {SHELTER}"])
    event = json.loads(told)["event"]
    assert event["kind"] == "shelter.stay"
    assert [(one["kind"], one["end"]) for one in event["person"]["addresses"]] == [
        ("institution", "2026-01-12"),
        ("declared", None),
    ]


def test_a_file_is_sent_by_folder(checkout: Checkout) -> None:
    """Laid down as the page says, it is taken, and its receipt says so."""
    told = checkout.type(blocks("3-tasks/send-by-folder.md", "sh"))
    assert told.startswith("Taken. The file is ")
    assert "Refused: 0." in told


def test_a_key_is_made_and_signs_in(checkout: Checkout) -> None:
    """Let in while the system runs, as the page says; its file is its owner's alone."""
    assert checkout.type(["lgw token my-second-force"]).count(".") == 2
    assert (checkout.folder / "my-system.key.json").stat().st_mode & 0o077 == 0


def test_files_are_sent(checkout: Checkout) -> None:
    """Everything is taken, and the statement lies beside the folder; nothing is left to go on with."""
    told = checkout.type(blocks("3-tasks/send-files.md", "sh"))
    assert re.search(r"^Batch B-\w{8} done: accepted \d+ · held 0 · ignored 0 · refused 0", told, re.MULTILINE)
    statement = json.loads((checkout.folder / "today.statement.json").read_text())
    assert (statement["client"], statement["unsent"]) == ("my-force", 0)
    assert not (checkout.folder / "today.sending").exists()


def test_a_message_of_any_kind_is_tried(checkout: Checkout) -> None:
    """Listed, printed, checked and sent."""
    told = checkout.type(blocks("3-tasks/try-a-message.md", "sh"))
    assert "message.xml: accepted  custody.follow-up.required" in told
    assert re.search(r"^imprisonment\.released  (received|validated)  [0-9a-f-]{36}$", told, re.MULTILINE)


def test_a_mailbox_is_brought_to_a_local_system(checkout: Checkout) -> None:
    """One message is posted on, and the local system's answer is told."""
    checkout.type(after_the_start()[:1])
    server = [sys.executable, "-c", _INBOX, str(checkout.own)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as inbox:
        assert inbox.stdout is not None
        assert inbox.stdout.readline() == "ready\n"
        told = checkout.type(blocks("3-tasks/listen-locally.md", "sh"))
        inbox.terminate()
    assert re.fullmatch(r"[0-9a-f-]{36}  custody\.[a-z.-]+ +204\n", told)


def test_a_signature_is_looked_into(checkout: Checkout) -> None:
    """One that verifies, and one whose body was written anew."""
    checkout.type(after_the_start()[:1])
    told = checkout.type(blocks("3-tasks/verify-a-signature.md", "sh"))
    assert "The signature verifies" in told
    assert "parsed and written again (re-serialised)" in told


def test_a_feed_conforms(checkout: Checkout) -> None:
    """No case fails, and the report is written."""
    told = checkout.type(blocks("3-tasks/pass-conformance.md", "sh"))
    assert re.search(r"^\d+ passed · 0 failed · \d+ not tried$", told, re.MULTILINE), told
    assert (checkout.folder / "conformance-police_custody.html").exists()


def test_an_endpoint_is_tested(checkout: Checkout) -> None:
    """The stand-in recipient passes all cases."""
    told = checkout.type(blocks("3-tasks/test-your-endpoint.md", "sh"))
    assert "22 passed · 0 failed · 0 not tried" in told


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
