"""An HL7 v2 message as a document."""

from tests.adapters.mutations.mutation import STRAY, UNHEARD_OF, Mutation

_MARK = "@stray@"
_NULL = '""'


class Hl7Document:
    """A message, each field that holds a value a field: "PID-5", and "PRD.1-7" of the second of several segments.

    Fields have no names here, so none can be renamed, and no order but their own: it is the segments that change
    places.
    """

    def __init__(self, body: bytes) -> None:
        self._segments = [line.split("|") for line in body.decode().replace("\n", "\r").split("\r") if line]
        names = [segment[0] for segment in self._segments]
        self._where: dict[str, tuple[int, int]] = {}
        for place, segment in enumerate(self._segments):
            name = segment[0]
            if names.count(name) > 1:
                name = f"{name}.{names[:place].count(name)}"
            header = segment[0] == "MSH"  # whose first field is the separator itself
            for at, value in enumerate(segment[1:], 1):
                if value:
                    self._where[f"{name}-{at + header}"] = (place, at)

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
                segment[at] = f'{{"value": "{value}"}}'
            case Mutation.NULL:
                segment[at] = _NULL
            case Mutation.NEW_CODE:
                segment[at] = UNHEARD_OF
            case Mutation.EXTRA:
                segment.append("of no meaning here")
            case Mutation.ENCODING:
                segment[at] = f"{value}{_MARK}"
            case Mutation.ORDER:
                segments.append(segments.pop(place))
        return "\r".join("|".join(one) for one in segments).encode().replace(_MARK.encode(), STRAY)
