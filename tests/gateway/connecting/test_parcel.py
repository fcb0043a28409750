"""What is packed of a folder."""

from pathlib import Path

from adapters.registry import adapters
from gateway.connecting.parcel import LOGBOOK, STATEMENT, pack


def test_a_folder_is_packed_by_name_without_what_a_send_laid_there(tmp_path: Path) -> None:
    """Records and batch files by their doors; a statement and a logbook are no records."""
    for name in ("b.json", "a.ndjson", "note.md", f"b.json{STATEMENT}", f"a.ndjson{LOGBOOK}"):
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "note.md").write_text("words\n")
    packed = pack(adapters()["prison"], [tmp_path], "B-2345678X")
    assert [(one.file.name, one.door, one.key) for one in packed] == [
        ("a.ndjson", "files", "B-2345678X-1"),
        ("b.json", "records", "B-2345678X-2"),
    ]
