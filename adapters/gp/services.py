"""Which services of the directory are a LASARS: what is sent to any other is nobody's business here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one installation, by id. every: each is taken for ours, to try a feed with."""

    ids: frozenset[str] = frozenset()
    every: bool = False

    @classmethod
    def named(cls, option: str) -> "Services":
        """The services an option names: ids with commas between them, or `*` for every one."""
        ids = frozenset(part.strip() for part in option.split(",")) - {""}
        return cls(ids - {EVERY}, EVERY in ids)

    def ours(self, named: Iterable[str]) -> str | None:
        """The first of the services a message names that is ours, or None."""
        return next((one for one in named if self.every or one in self.ids), None)
