"""What a value looks like, without saying what it is: all that a finding or a report may show of one."""

import unicodedata
from typing import Final

LONGEST: Final = 24
"""Characters of a shape; a longer value's ends with an ellipsis."""

_DRAWN: Final = {"Nd": "9", "Lu": "A"}
_ASCII: Final = {
    code: "9"
    if chr(code).isdigit()
    else "A"
    if chr(code).isupper()
    else "a"
    if chr(code).isalpha()
    else chr(code)
    if chr(code).isprintable()
    else "?"
    for code in range(128)
}
"""The same for what most text is made of, at a tenth of the time."""


def shape(text: str) -> str:
    """9 for a digit, A and a for letters, what stands between as it is: "19/4/81" is "99/9/99", "Oaks" is "Aaaa"."""
    seen = text[:LONGEST]
    drawn = seen.translate(_ASCII) if seen.isascii() else "".join(map(_character, seen))
    return drawn if len(text) <= LONGEST else f"{drawn}…"


def _character(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("L"):
        return _DRAWN.get(category, "a")
    if category in _DRAWN:
        return _DRAWN[category]
    return character if character.isascii() and character.isprintable() else "?"
