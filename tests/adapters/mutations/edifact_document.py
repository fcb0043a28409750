"""An EDIFACT interchange as a document."""

import re
from typing import Final

from tests.adapters.mutations.mutation import STRAY, UNHEARD_OF, Mutation

_MARK: Final = "@stray@"
_ERASED: Final = "%"
"""How FHSREG says that a value is taken back."""

_ADVICE: Final = 9
"""Characters of the service string advice (UNA), which is no segment."""

_BETWEEN: Final = re.compile(r"(?<!\?)'\s*")
_ELEMENT: Final = re.compile(r"(?<!\?)\+")


class EdifactDocument:
    """An interchange, each element that holds a value a field: "NAD+PAT-7", and "RFF+TN-1".

    An element is named by its segment, by the qualifier the segment begins with if it has one, and by its place, from
    1. Elements have no names here, so none can be renamed. In another order a segment has changed places with the next.
    """

    def __init__(self, body: bytes) -> None:
        text = body.decode("ascii")
        self._advice = text[:_ADVICE] if text.startswith("UNA") else ""
        self._segments = [_ELEMENT.split(one) for one in _BETWEEN.split(text.removeprefix(self._advice)) if one.strip()]
        self._where: dict[str, tuple[int, int]] = {}
        for place, segment in enumerate(self._segments):
            name = segment[0]
            qualifier = re.split(r"(?<!\?):", segment[1])[0] if len(segment) > 1 else ""
            if [one[0] for one in self._segments].count(name) > 1:
                name = f"{name}+{qualifier}"
            for at, value in enumerate(segment[1:], 1):
                if value:
                    self._where[f"{name}-{at}"] = (place, at)

    def fields(self) -> list[str]:
        return list(self._where)

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        place, at = self._where[field]
        segments = [list(segment) for segment in self._segments]
        segment, value = segments[place], segments[place][at]
        match mutation:
            case Mutation.DROP:
                segment[at] = ""
            case Mutation.RENAME:
                return None
            case Mutation.RETYPE:
                segment[at] = f"VALUE?:{value}"
            case Mutation.NULL:
                segment[at] = _ERASED
            case Mutation.NEW_CODE:
                segment[at] = UNHEARD_OF
            case Mutation.EXTRA:
                segment.append("OF NO MEANING HERE")
            case Mutation.ENCODING:
                segment[at] = f"{value}{_MARK}"
            case Mutation.ORDER:
                segments[place : place + 2] = reversed(segments[place : place + 2])
        written = "".join(f"{'+'.join(one)}'" for one in segments)
        return f"{self._advice}{written}".encode().replace(_MARK.encode(), STRAY)
