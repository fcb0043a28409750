"""Kafka's jars: fetched once from Maven's central repository, kept in a folder of ours, and checked each time.

`kafka_jars.sha256` lists what may run, by name and SHA-256 sum (`sha256sum -c` reads it too). Nothing else is put on
the class path, and a jar that differs is refused by name, wherever it came from.
"""

import hashlib
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from gateway.local.children import Progress, silent
from gateway.local.errors import JarMissing, JarsUnreachable, JarTampered

KAFKA = "4.3.1"
ARTIFACTS = (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
"""The broker, and the binding without which it logs nothing. Resolved one by one: together, the second's parent would
manage the versions of the first's dependencies and mix Kafka's clients of another release into it."""


def listed(text: str) -> dict[str, str]:
    """Sums by jar, of a list as sha256sum writes it."""
    return {name: digest for digest, name in (line.split() for line in text.splitlines() if line.strip())}


KNOWN: Mapping[str, str] = listed(Path(__file__).with_name("kafka_jars.sha256").read_text())


def default_cache() -> Path:
    """Where fetched jars are kept for every checkout of this user."""
    return Path.home() / ".cache" / "lasars-gateway" / f"kafka-{KAFKA}"


def jars(
    folder: Path | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
    known: Mapping[str, str] = KNOWN,
) -> list[Path]:
    """Kafka's jars, each one checked: of `folder` where one is given, else of the cache, which is filled if empty.

    Raises JarMissing, JarTampered, JarsUnreachable.
    """
    if folder is not None:
        return checked(folder, known)
    cache = cache or default_cache()
    if not cache.exists():
        progress(f"Fetching Kafka {KAFKA} ({len(known)} jars, 44 MB, once)")
        fetch(cache, known)
    return checked(cache, known)


def checked(folder: Path, known: Mapping[str, str] = KNOWN) -> list[Path]:
    """The known jars of a folder, in the order of the list. Raises JarMissing, or JarTampered for one that differs."""
    for jar, digest in known.items():
        try:
            with (folder / jar).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise JarMissing(jar=jar, folder=folder, count=len(known)) from error
        if found != digest:
            raise JarTampered(jar=jar, folder=folder)
    return [folder.absolute() / jar for jar in known]


def fetch(cache: Path, known: Mapping[str, str] = KNOWN) -> None:
    """Fill the cache: whole and checked, or not at all. Two processes may do so at once."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix="fetching-") as work:
        whole = Path(work) / cache.name
        whole.mkdir()
        for jar in resolve(Path(work) / "jgo"):
            if jar.name in known:
                shutil.copyfile(jar, whole / jar.name)
        checked(whole, known)
        try:
            whole.rename(cache)
        except OSError:
            if not cache.exists():
                raise


def resolve(work: Path) -> list[Path]:
    """Every jar the artifacts need, fetched by jgo. Raises JarsUnreachable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jgo

            built = [jgo.build(artifact, cache_dir=work) for artifact in ARTIFACTS]
    except Exception as error:  # whatever goes wrong inside a resolver, it means the same to the person who waits
        raise JarsUnreachable(why=f"{type(error).__name__}: {error}") from error
    return [Path(jar) for environment in built for jar in (*environment.class_path_jars, *environment.module_path_jars)]
