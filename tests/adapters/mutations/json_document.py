"""A JSON message as a document. What stands as JSON in a string (SNS) is taken apart like the rest."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

from tests.adapters.mutations.mutation import STRAY, UNHEARD_OF, Mutation

_MARK: Final = "@stray@"
Step = str | int


class _Embedded(dict[str, Any]):
    """An object that stands as text in its message."""


class JsonDocument:
    """A message, each of its leaves a field: "snapshot.addresses.0.postalCode". A list of plain values is one leaf."""

    def __init__(self, body: bytes) -> None:
        self._root = _taken_apart(json.loads(body))
        self._ways = {".".join(map(str, way)): way for way in _leaves(self._root, ())}

    def fields(self) -> list[str]:
        return list(self._ways)

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        root = copy.deepcopy(self._root)
        *way, last = self._ways[field]
        around = root
        for step in way:
            around = around[step]
        value = around[last]
        match mutation:
            case Mutation.DROP:
                del around[last]
            case Mutation.RENAME:
                _rewrite(around, [(f"{name}Renamed" if name == last else name, at) for name, at in around.items()])
            case Mutation.RETYPE:
                around[last] = {"value": value}
            case Mutation.NULL:
                around[last] = None
            case Mutation.NEW_CODE:
                around[last] = [UNHEARD_OF] if isinstance(value, list) else UNHEARD_OF
            case Mutation.EXTRA:
                around["unheardOf"] = "of no meaning here"
            case Mutation.ENCODING:
                around[last] = f"{value}{_MARK}"
            case Mutation.ORDER:
                _rewrite(around, list(reversed(around.items())))
        return json.dumps(_put_together(root)).encode().replace(_MARK.encode(), STRAY)


def _taken_apart(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _Embedded(_taken_apart(json.loads(inner)))
                if isinstance(inner, str) and inner.startswith("{")
                else _taken_apart(inner)
                for name, inner in value.items()
            }
        case list():
            return [_taken_apart(inner) for inner in value]
        case _:
            return value


def _put_together(value: Any) -> Any:
    match value:
        case _Embedded():
            return json.dumps({name: _put_together(inner) for name, inner in value.items()})
        case dict():
            return {name: _put_together(inner) for name, inner in value.items()}
        case list():
            return [_put_together(inner) for inner in value]
        case _:
            return value


def _leaves(value: Any, way: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _leaves(inner, (*way, name))
        case list() if value and isinstance(value[0], dict):
            for number, inner in enumerate(value):
                yield from _leaves(inner, (*way, number))
        case _:
            yield way


def _rewrite(around: dict[str, Any], items: list[tuple[str, Any]]) -> None:
    around.clear()
    around.update(items)
