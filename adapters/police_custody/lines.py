"""Text as a person wrote it, on one line: names are told exactly, whatever their script and however many blanks."""

import re
from typing import Final

_BREAKS: Final = re.compile(r"\s*[\t\n\v\f\r]\s*")
_SHOWING_NOTHING: Final = dict.fromkeys(
    map(
        ord,
        "\u061c\u200c\u200d\u200e\u200f"  # Persian and the scripts of India join and part letters by these
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    )
)
"""Characters that show nothing and belong to names: what joins letters, and every blank that is not the plain one."""


def one_line(written: str) -> str | None:
    """The text as written, without what surrounds it; a break of line within it, and a tab, is one blank.

    None for what is not text alone: what holds control characters, or turns the direction of the rest.
    """
    line = written.strip()
    if line.isprintable():
        return line
    line = _BREAKS.sub(" ", line)
    return line if line.translate(_SHOWING_NOTHING).isprintable() else None
