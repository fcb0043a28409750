"""What a shell offers when the Tab key is pressed, beside the names of commands and options."""


def agencies(begun: str) -> list[str]:
    """The agencies whose name begins so."""
    from adapters.registry import adapters

    return [name for name in sorted(adapters()) if name.startswith(begun)]


def kinds(begun: str) -> list[str]:
    """The kinds of event whose name begins so."""
    from schemas.catalogue import CATALOGUE

    return [name for name in CATALOGUE if name.startswith(begun)]


def reasons(begun: str) -> list[str]:
    """The reasons something can have stopped for that begin so."""
    from gateway.operations.reasons import REASONS

    return [name for name in sorted(REASONS) if name.startswith(begun)]
