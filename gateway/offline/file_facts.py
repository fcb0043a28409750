"""What a file is before anything in it is read: its size, encoding, line ends, delimiter and header."""

import codecs
import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20
_FIRST_LINE: Final = 64 * 1024
_BOMS: Final = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file, without any of its content.

    size: in bytes. bom: whether it begins with a byte order mark. line_ends: CRLF, LF, CR, mixed or none. delimiter,
    columns, header: of CSV; header is the beginning of its SHA-256, which tells whether two files have the same one.
    """

    name: str
    size: int
    encoding: str
    bom: bool
    line_ends: str
    delimiter: str | None = None
    columns: int | None = None
    header: str | None = None

    def rows(self) -> list[tuple[str, str]]:
        """The facts as name and value, in the words of a report."""
        told = [
            ("size", f"{self.size:,} bytes"),
            ("encoding", f"{self.encoding}, {'with' if self.bom else 'without'} a byte order mark"),
            ("line ends", self.line_ends),
        ]
        if self.delimiter is not None:
            told += [("delimiter", self.delimiter), ("header", f"{self.columns} columns, {self.header}")]
        return told


def file_facts(path: Path, name: str, media_type: str) -> FileFacts:
    """The facts of a file, read once in blocks."""
    text = codecs.getincrementaldecoder("utf-8")()
    utf8, ascii_only = True, True
    crlf = lf = cr = size = 0
    ended_cr = False
    with path.open("rb") as file:
        beginning = file.read(4)
        file.seek(0)
        first = file.readline(_FIRST_LINE)
        file.seek(0)
        while block := file.read(_BLOCK):
            size += len(block)
            ascii_only = ascii_only and block.isascii()
            utf8 = utf8 and _decodes(text, block)
            both = block.count(b"\r\n") + (ended_cr and block.startswith(b"\n"))
            crlf += both
            lf += block.count(b"\n") - both
            cr += block.count(b"\r") - block.count(b"\r\n") - (ended_cr and block.startswith(b"\n"))
            ended_cr = block.endswith(b"\r")
        utf8 = utf8 and _decodes(text, b"", final=True)
    bom = next((mark for mark in _BOMS if beginning.startswith(mark)), None)
    encoding = "ASCII" if ascii_only else "UTF-8" if utf8 else _BOMS.get(bom or b"", "neither ASCII nor UTF-8")
    facts = FileFacts(name or path.name, size, encoding, bom is not None, _line_ends(crlf, lf, cr))
    return facts if media_type != "text/csv" else _with_header(facts, first.removeprefix(codecs.BOM_UTF8))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _line_ends(crlf: int, lf: int, cr: int) -> str:
    seen = [name for name, times in (("CRLF", crlf), ("LF", lf), ("CR", cr)) if times]
    return "none" if not seen else seen[0] if len(seen) == 1 else f"mixed ({', '.join(seen)})"


def _with_header(facts: FileFacts, first: bytes) -> FileFacts:
    header = re.split(rb"[\r\n]", first, maxsplit=1)[0]
    line = header.decode("utf-8", "replace")
    delimiter = max(_DELIMITERS, key=line.count)
    columns = len(next(csv.reader([line], delimiter=delimiter), []))
    return FileFacts(
        facts.name,
        facts.size,
        facts.encoding,
        facts.bom,
        facts.line_ends,
        _DELIMITERS[delimiter] if delimiter in line else "none found",
        columns,
        hashlib.sha256(header).hexdigest()[:12],
    )
