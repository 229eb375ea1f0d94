"""An archive of kernels is taken where it fits; a wrong or damaged one is refused and leaves the cache as it was."""

import random
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus.jit_cache import read_sealed, write_sealed
from lotus_cli.upkeep import kernel_archive
from lotus_cli.upkeep.kernel_archive import made_for, read_archive, write_archive

BODIES = {f"lotus.mathx.log.{k}.nbc": bytes([k]) * 500 for k in range(3)}
HERE = {"processor": "zen, linux", "python": "3.11.7", "sources": "aa"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test."""
    monkeypatch.setattr(kernel_archive, "made_for", lambda: dict(HERE))
    monkeypatch.setattr(kernel_archive, "kernel_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    """An archive of three kernels, made here; the cache is empty again."""
    for name, body in BODIES.items():
        write_sealed(folder / name, body)
    assert write_archive(tmp_path / "kernels.zip") == len(BODIES)
    for name in BODIES:
        (folder / name).unlink()
    return tmp_path / "kernels.zip"


def stored(folder: Path) -> dict[str, bytes | None]:
    """Return what the cache holds."""
    return {file.name: read_sealed(file) for file in folder.iterdir()}


def test_every_kernel_is_there_afterwards(archive: Path, folder: Path) -> None:
    assert read_archive(archive) == len(BODIES)
    assert stored(folder) == BODIES


def test_a_damaged_file_is_not_archived(archive: Path, folder: Path) -> None:
    read_archive(archive)
    (folder / "lotus.mathx.log.0.nbc").write_bytes(b"half")
    assert write_archive(archive) == len(BODIES) - 1


@pytest.mark.parametrize(
    ("what", "cause"),
    [("processor", "each kind needs"), ("python", "another python than here"), ("sources", "an edit of a kernel")],
)
def test_one_made_for_something_else_is_refused(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, what: str, cause: str
) -> None:
    monkeypatch.setattr(kernel_archive, "made_for", lambda: HERE | {what: "another"})
    with pytest.raises(ConfigError, match=f"was made for {what} {HERE[what]}; expected: another; .*{cause}"):
        read_archive(archive)
    assert stored(folder) == {}


def test_no_damaged_archive_changes_the_cache(archive: Path, folder: Path) -> None:
    whole, dice = archive.read_bytes(), random.Random(5)
    for _ in range(300):
        at = dice.randrange(len(whole))
        changed = whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :]
        archive.write_bytes(dice.choice((whole[:at], changed)))
        try:
            read_archive(archive)  # a byte of the zip's own times may be another
        except ConfigError:
            assert stored(folder) == {}
        else:
            assert stored(folder) == BODIES
            for name in BODIES:
                (folder / name).unlink()


def test_what_kernels_depend_on_is_named() -> None:
    assert {"processor", "features", "python", "numba", "llvmlite", "compiler", "sources"} <= made_for().keys()
