"""How numbers of things are told, on every screen and page alike."""


def many(number: int, thing: str, things: str | None = None) -> str:
    """A number of things: "1 record", "1,204 records". things: their plural, where it is not the usual one."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"
