"""A new agency in a checkout: its folders made from the template, and the lines that make it known.

The template is an adapter that works, so that what is made from it works too, with records of the template's own; what
only its author can know (its README) fails the conformance suite by name until it is filled in.
"""

import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import ConfigurationError

TEMPLATE: Final = "_template"

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME: Final = 30
_REGISTRY: Final = Path("adapters/registry.py")
_PROJECT: Final = Path("pyproject.toml")
GENERATED: Final = {
    "adapters.rulebook": Path("contracts/rules.md"),
    "tests.docs.reference": Path("docs/5-reference/kinds.md"),
}
"""What is written again from the code once the agency is there, by the module that writes it."""

_FIRST_SECTION: Final = re.compile(r"(?<=from adapters import )\(?([\w\s,]+?)\)?\n(?=from )")
_MAPPING: Final = re.compile(r"(?<== \{\n)((?:    \"\w+\": \w+\.build,\n)+)(?=\})")
_INDEPENDENT: Final = re.compile(r"(?<=modules = \[\n)((?:    \"adapters\.\w+\",\n)+)(?=\])")
_LINE: Final = 120
_IMPORTS: Final = re.compile(r"(?:^from adapters[\w.]* import .+\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Agency:
    """What is made: the agency's name, and every file by its path in the checkout.

    changed: files that were there and are written with a line more.
    """

    name: str
    files: dict[Path, str]
    changed: dict[Path, str]

    @property
    def agreement(self) -> Path:
        """The file that says what a LASARS is told of its records."""
        return _agreement(self.name)

    @property
    def fragment(self) -> Path:
        """The file that tells the changelog of it."""
        return _fragment(self.name)

    def write(self, checkout: Path) -> None:
        """Write it. Raises ConfigurationError, with nothing of the file written, where one has come to be there."""
        for path, text in self.files.items():
            (checkout / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                with (checkout / path).open("x", encoding="utf-8", newline="") as file:
                    file.write(text)
            except FileExistsError:
                raise _taken(self.name, path) from None
        for path, text in self.changed.items():
            (checkout / path).write_text(text, encoding="utf-8", newline="")


def plan(checkout: Path, name: str) -> Agency:
    """What a new agency needs in a checkout, with nothing written yet.

    Raises ConfigurationError for a name that is none or taken, and for a folder that is no checkout.
    """
    _fit(name)
    if not all((checkout / path).is_file() for path in (_REGISTRY, _PROJECT, f"adapters/{TEMPLATE}/adapter.py")):
        raise ConfigurationError(f"{checkout.resolve()} is no checkout of the gateway.", "Run it in one.")
    files = {target: _filled(_text(source), name) for source, target in _copies(checkout, name)}
    places = {*files, Path("adapters") / name, Path(f"adapters/{name}.py"), Path("contracts/inbound") / name}
    for place in sorted(places):
        if (checkout / place).exists():
            raise _taken(name, place)
    return Agency(name, files, {_REGISTRY: _registered(checkout, name), _PROJECT: _independent(checkout, name)})


def _copies(checkout: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """Each file of the template, and where its copy goes."""
    moved = {
        Path("contracts/inbound") / TEMPLATE / "agreement.toml": _agreement(name),
        Path("tests/adapters") / TEMPLATE / "mutations.toml": Path(f"tests/adapters/mutations/tables/{name}.toml"),
        Path("contracts/inbound") / TEMPLATE / "changelog.md": _fragment(name),
    }
    for folder in (Path("adapters"), Path("contracts/inbound"), Path("tests/adapters")):
        for source in sorted((checkout / folder / TEMPLATE).rglob("*")):
            path = source.relative_to(checkout)
            if source.is_file() and "__pycache__" not in path.parts:
                yield source, moved.get(path, folder / name / path.relative_to(folder / TEMPLATE))


def _agreement(name: str) -> Path:
    return Path(f"contracts/agreements/{name.replace('_', '-')}-to-lasars.toml")


def _fragment(name: str) -> Path:
    return Path(f"changelog.d/+{name}.feature.md")


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:  # line ends as they are: they are part of an example
        return file.read()


def _filled(text: str, name: str) -> str:
    """The template's text, of this agency. Its name stands in three forms."""
    words = name.replace("_", " ")
    text = text.replace(f"{TEMPLATE}-to-lasars", f"{name.replace('_', '-')}-to-lasars").replace(TEMPLATE, name)
    text = re.sub(r"^# Template$", f"# {words.capitalize()}", text, flags=re.MULTILINE)
    text = text.replace("Inbound contract: template", f"Inbound contract: {words}")
    text = re.sub(r"\b([Aa]) template agency", rf"\1 {words} agency", text)
    return _IMPORTS.sub(_sorted, text)


def _sorted(imports: re.Match[str]) -> str:
    """Imports in the order of their modules, which the agency's name has changed."""
    return "".join(sorted(imports[0].splitlines(keepends=True), key=lambda line: line.split()[1]))


def _fit(name: str) -> None:
    if _NAME.fullmatch(name) is None or len(name) > _LONGEST_NAME or keyword.iskeyword(name):
        raise ConfigurationError(
            f"{name!r} cannot be an agency's name.",
            f"Choose up to {_LONGEST_NAME} small letters, digits and single underscores, as supported_housing.",
        )


def _taken(name: str, place: Path) -> ConfigurationError:
    return ConfigurationError(f"The name {name} is taken: {place} is there.", "Choose another; nothing is overwritten.")


def _registered(checkout: Path, name: str) -> str:
    """The registry with the agency in it."""
    text = _text(checkout / _REGISTRY)

    def imported(found: re.Match[str]) -> str:
        names = sorted({*re.findall(r"\w+", found[1]), name})
        line = ", ".join(names)
        if len(f"from adapters import {line}") <= _LINE:
            return f"{line}\n"
        return "(\n" + "".join(f"    {each},\n" for each in names) + ")\n"

    text = _inserted(_FIRST_SECTION, text, imported, _REGISTRY)
    return _inserted(_MAPPING, text, lambda found: f'{found[1]}    "{name}": {name}.build,\n', _REGISTRY)


def _independent(checkout: Path, name: str) -> str:
    """The project file with the agency among those that do not import each other."""
    line = f'    "adapters.{name}",\n'

    def sorted_in(found: re.Match[str]) -> str:
        return "".join(sorted([*found[1].splitlines(keepends=True), line]))

    return _inserted(_INDEPENDENT, _text(checkout / _PROJECT), sorted_in, _PROJECT)


def _inserted(place: re.Pattern[str], text: str, put: Callable[[re.Match[str]], str], file: Path) -> str:
    changed, times = place.subn(put, text, count=1)
    if times != 1:
        raise ConfigurationError(
            f"{file} is not as it was, so the agency cannot be put into it.", "Restore its list of agencies."
        )
    return changed
