import hashlib
import shutil
from pathlib import Path

import pytest

from gateway.local import jars
from gateway.local.errors import JarMissing, JarsUnreachable, JarTampered

KNOWN = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("kafka.jar", "log.jar")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with both jars, and one nobody knows."""
    folder = tmp_path / "jars"
    folder.mkdir()
    for name in (*KNOWN, "stranger.jar"):
        (folder / name).write_text(name)
    return folder


def test_a_folder_of_jars_is_enough(folder: Path, tmp_path: Path) -> None:
    """With a folder of jars nothing is fetched, and only the known ones are taken."""
    taken = jars.jars(folder, cache=tmp_path / "never", known=KNOWN)
    assert taken == [folder / "kafka.jar", folder / "log.jar"]
    assert not (tmp_path / "never").exists()


def test_a_tampered_jar_is_refused_by_name(folder: Path) -> None:
    """A jar with one byte more is refused by name."""
    with (folder / "log.jar").open("ab") as jar:
        jar.write(b"!")
    with pytest.raises(JarTampered, match=r"The jar log\.jar in .* is not the one we know"):
        jars.jars(folder, known=KNOWN)


def test_a_missing_jar_is_named(folder: Path) -> None:
    """A jar that is not there is named, with where it was looked for."""
    (folder / "kafka.jar").unlink()
    with pytest.raises(JarMissing, match=rf"The jar kafka\.jar is not in {folder}\."):
        jars.jars(folder, known=KNOWN)


def test_jars_are_fetched_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first start fills the cache with the known jars and says so; the second asks nobody."""
    asked: list[Path] = []
    said: list[str] = []

    def resolve(work: Path) -> list[Path]:
        asked.append(work)
        return sorted(folder.iterdir())

    monkeypatch.setattr(jars, "resolve", resolve)
    cache = tmp_path / "cache" / "kafka"
    for _ in range(2):
        assert jars.jars(cache=cache, known=KNOWN, progress=said.append) == [cache / "kafka.jar", cache / "log.jar"]
    assert len(asked) == len(said) == 1
    assert sorted(path.name for path in cache.iterdir()) == sorted(KNOWN)


def test_nothing_is_kept_of_a_tampered_fetch(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one fetched jar differs, none is kept."""
    (folder / "kafka.jar").write_text("other")
    monkeypatch.setattr(jars, "resolve", lambda _work: sorted(folder.iterdir()))
    cache = tmp_path / "cache" / "kafka"
    with pytest.raises(JarTampered):
        jars.jars(cache=cache, known=KNOWN)
    assert list(cache.parent.iterdir()) == []


def test_a_machine_without_network_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the jars cannot be fetched, the remedy is the folder of jars."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(JarsUnreachable) as raised:
        jars.jars(cache=tmp_path / "cache" / "kafka")
    assert "GATEWAY_LOCAL__KAFKA_JARS" in raised.value.fix


def test_the_list_is_of_one_release() -> None:
    """Every jar of Kafka's own on the list is of the release the list is for."""
    own = [name for name in jars.KNOWN if name.startswith("kafka")]
    assert len(own) == 14
    assert all(name.endswith(f"-{jars.KAFKA}.jar") for name in own)
    assert any(name.startswith("log4j-slf4j-impl-") for name in jars.KNOWN)


def test_the_cache_of_this_machine_can_be_handed_to_another(tmp_path: Path) -> None:
    """What one machine has fetched is the folder that a machine without network needs."""
    cached = jars.jars()
    handed = shutil.copytree(cached[0].parent, tmp_path / "handed")
    assert [jar.name for jar in jars.jars(handed)] == [jar.name for jar in cached]
