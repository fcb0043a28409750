import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.local.errors import DiskFull, FolderInUse, FolderNotWritable
from gateway.local.folder import LOCK, claimed

HOLD = """
import sys
from pathlib import Path
from gateway.local.folder import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_claimed_by_one_process_at_a_time(tmp_path: Path) -> None:
    """A second claim is refused with the first one's process id, and granted once that process is killed."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"claimed\n"
        with pytest.raises(FolderInUse) as refused, claimed(tmp_path):
            pass
        assert str(refused.value) == f"The folder {tmp_path} is in use by another gateway (process {holder.pid})."
        holder.kill()
        holder.wait()
        assert (tmp_path / LOCK).read_text() == f"{holder.pid}\n"
        with claimed(tmp_path):
            assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_a_stale_lock_locks_nobody_out(tmp_path: Path) -> None:
    """A lock file left behind, even one that names a process that lives, locks nobody out."""
    (tmp_path / LOCK).write_text("1\n")
    with claimed(tmp_path) as folder:
        assert folder == tmp_path


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A folder that cannot be made is refused with its name and the reason."""
    (tmp_path / "file").touch()
    refused = pytest.raises(FolderNotWritable, match=r"file/data cannot be written: Not a directory")
    with refused, claimed(tmp_path / "file" / "data"):
        pass


def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    """Where too little room is left, the sentence says how much there is and how much is needed."""
    refused = pytest.raises(DiskFull, match=r"has \d+ MB left, and at least 1073741824 MB are needed")
    with refused, claimed(tmp_path, room=1 << 50):
        pass
    with claimed(tmp_path):
        pass
