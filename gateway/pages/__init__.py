"""Reports as HTML pages: one file each that needs nothing else, for any screen, in light and dark, and for paper."""

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

_PAGES: Final = Environment(
    loader=PackageLoader("gateway", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, **told: object) -> str:
    """A page by its name, `check` or `cases`, filled with what it tells. Everything told is escaped."""
    return _PAGES.get_template(f"{name}.html").render(told)
