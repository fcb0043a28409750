import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from gateway.local.children import READY_FD, Child, Children, Program, answers, run
from gateway.local.errors import ChildDied, ChildNotReady

ANNOUNCE = f"import os; os.write(int(os.environ['{READY_FD}']), b'ready\\n')"
STAY = f"{ANNOUNCE}; import time; time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAY}"


def python(log: Path, script: str, name: str = "the child", patience: float = 10.0) -> Program:
    """A program that runs a line of Python and announces itself."""
    return Program(name=name, argv=(sys.executable, "-c", script), log=log, patience=patience, announces=True)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a child writes."""
    return tmp_path / "child.log"


def test_a_child_is_ready_when_it_says_so(log: Path) -> None:
    """A child that announces itself is waited for, and gone after the family's end."""
    with Children() as children:
        child = children.start(python(log, STAY))
        assert child.announced()
        assert child.running
    assert not child.running


def test_a_dead_child_is_named_with_its_last_words(log: Path) -> None:
    """A child that dies before it is ready is reported with its name, exit code, last words and log."""
    with Children() as children, pytest.raises(ChildDied) as died:
        children.start(
            python(log, "import sys; print('ready or not'); sys.exit('ERROR no such setting')", name="intake")
        )
    assert str(died.value) == "intake has ended by itself (exit code 1). Its last words: ERROR no such setting."
    assert died.value.fix == f"Read its log, {log}."


def test_a_death_later_on_is_noticed(log: Path) -> None:
    """A child that dies while the family is watched is reported with the signal that ended it."""
    with Children() as children:
        child = children.start(python(log, STAY))
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ChildDied, match=r"the child has ended by itself \(signal SIGKILL\)"):
            children.watch()


def test_a_silent_child_is_given_up(log: Path) -> None:
    """A child that runs and never becomes ready is given up after the time it was given, and stopped."""
    others = set(psutil.Process().children())
    with Children() as children:
        with pytest.raises(ChildNotReady, match="the child runs, but is not ready after 0 s"):
            children.start(python(log, STAY), ready=lambda: False, within=0.05)
        (process,) = set(psutil.Process().children()) - others
    assert not process.is_running()


def test_a_program_that_is_not_there_is_named(log: Path) -> None:
    """A program that does not exist is reported by its path."""
    with Children() as children, pytest.raises(ChildDied, match="/no/such/program cannot be run: No such file"):
        children.start(Program(name="nothing", argv=("/no/such/program",), log=log), ready=lambda: False)


def test_children_stop_last_first(tmp_path: Path) -> None:
    """What was started last is stopped first, other services in their turn."""
    diary = tmp_path / "diary"
    leave = (
        "import signal, sys, pathlib\n"
        "def leave(*_):\n"
        "    with open({diary!r}, 'a') as diary: diary.write({name!r} + '\\n')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave)\n"
    )

    class Service:
        def check(self) -> None:
            """Always well."""

        def stop(self) -> None:
            with diary.open("a") as book:
                book.write("service\n")

    with Children() as children:
        for name in ("store", "intake"):
            script = leave.format(diary=str(diary), name=name) + STAY
            children.start(python(tmp_path / f"{name}.log", script, name=name))
            if name == "store":
                children.keep(Service())
    assert diary.read_text().split() == ["intake", "service", "store"]


def test_a_deaf_child_is_killed_after_its_patience(log: Path) -> None:
    """A child that ignores the stop signal is killed when its patience is over, and Ctrl-C is kept for the family."""
    with Children() as children:
        child = children.start(python(log, DEAF, patience=0.05))
    assert not child.running


def test_sigterm_unwinds_like_ctrl_c(log: Path) -> None:
    """SIGTERM ends what is going on as Ctrl-C does, and every child is stopped; afterwards it means what it did."""
    before = signal.getsignal(signal.SIGTERM)
    with Children() as children:
        child = children.start(python(log, STAY))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert not child.running
    assert signal.getsignal(signal.SIGTERM) == before


def test_one_more_ctrl_c_hurries(log: Path) -> None:
    """Ctrl-C while stopping kills what is left at once, however patient one would have been."""

    class CtrlC:
        def check(self) -> None:
            """Always well."""

        def stop(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with Children() as children:
        deaf = children.start(python(log, DEAF, patience=600))
        children.keep(CtrlC())
    assert not deaf.running


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_dies_with_its_parent(log: Path) -> None:
    """When the parent is killed, and so can stop nobody, the child ends by itself."""
    script = (
        "import sys, pathlib; from gateway.local.children import *;"
        "child = Child(Program('c', (sys.executable, '-c', sys.argv[1]), pathlib.Path(sys.argv[2]), announces=True));"
        "child.wait_until(child.announced); print(child.pid, flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", script, STAY, str(log)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(timeout=20)


def test_a_child_of_a_passing_thread_outlives_the_thread(log: Path) -> None:
    """A child started by a thread that then ends is not taken for an orphan."""
    started: list[Child] = []
    thread = threading.Thread(target=lambda: started.append(Child(python(log, STAY))))
    thread.start()
    thread.join()
    (child,) = started
    child.wait_until(child.announced)
    assert child.running
    child.stop()


def test_a_program_run_to_its_end_is_given_what_to_read(log: Path) -> None:
    """A program run to its end reads what it is given; a bad end raises."""
    run(Program("echo", (sys.executable, "-c", "print(input())"), log), given="word\n")
    assert log.read_text() == "word\n"
    with pytest.raises(ChildDied, match="exit code 3"):
        run(Program("echo", (sys.executable, "-c", "raise SystemExit(3)"), log))


def test_a_url_is_ready_when_it_answers_well(tmp_path: Path) -> None:
    """A health URL is ready at a 2xx, and not at an error or where nobody listens."""

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/well" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert answers(f"{base}/well")()
        assert not answers(f"{base}/ill")()
        server.shutdown()
        thread.join()
    assert not answers(f"{base}/well")()


def test_an_earlier_run_s_error_is_not_taken_for_this_one_s(log: Path) -> None:
    """A child that dies without a word is not said to have died of what an earlier run wrote."""
    log.write_text("ERROR of last week\n")
    with pytest.raises(ChildDied, match="Its last words: none"):
        run(Program("silent", (sys.executable, "-c", "raise SystemExit(3)"), log))


def test_a_service_that_dies_is_noticed(log: Path) -> None:
    """A service kept in the family is watched like a child."""
    service = Child(python(log, STAY))
    with Children() as children:
        service.wait_until(service.announced)
        children.keep(service)
        os.kill(service.pid, signal.SIGKILL)
        with pytest.raises(ChildDied, match="signal SIGKILL"):
            children.watch()


def test_a_long_wait_is_told(log: Path) -> None:
    """What takes over a second is told once, by name."""
    said: list[str] = []
    child = Child(python(log, STAY))
    began = time.monotonic()
    child.wait_until(lambda: time.monotonic() - began > 1.2, progress=said.append)
    child.stop()
    assert said == ["Waiting for the child"]
