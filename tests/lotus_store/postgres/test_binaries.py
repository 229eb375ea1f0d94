"""Finding the server's programs, and copying them to where the server's user can reach them."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus.errors import LedgerError
from lotus_store.postgres import binaries

STRANGER = 65534 if os.getuid() != 65534 else 65533


@pytest.fixture
def open_place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lotus-bin-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


def fake_install(place: Path, version: str = "18.6") -> Path:
    """An installation of the wheel's shape in a private folder."""
    folder = place / "private" / "package" / "pginstall" / "bin"
    folder.mkdir(parents=True)
    for name in binaries.PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o700)
    libraries = place / "private" / "package.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_text("library")
    (place / "private").chmod(0o700)
    return folder


def test_the_given_place_wins_and_old_ones_are_refused(open_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_PG_BIN", str(fake_install(open_place)))
    assert binaries.find_binaries() == open_place / "private" / "package" / "pginstall" / "bin"
    old = open_place / "old"
    old.mkdir()
    monkeypatch.setenv("LOTUS_PG_BIN", str(fake_install(old, "14.9")))
    with pytest.raises(LedgerError, match="LOTUS_PG_BIN points elsewhere"):
        binaries.find_binaries()


def test_the_wheel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOTUS_PG_BIN", raising=False)
    assert (binaries.find_binaries() / "initdb").is_file()


@pytest.fixture(params=[0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_copy_is_reachable_whole_and_made_once(open_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = fake_install(open_place)
    shared = open_place / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    monkeypatch.setattr(binaries, "_shared_root", lambda: shared)
    assert not binaries.traversable(source, STRANGER)
    copy = binaries.reachable(source, STRANGER)
    assert binaries.traversable(copy, STRANGER)
    assert (copy / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy.parent.parent.parent / "package.libs" / "libpq.so").stat().st_mode & 0o777 == 0o644
    assert binaries.reachable(source, STRANGER) == copy
    assert len(list(shared.iterdir())) == 1
    assert binaries.reachable(source, os.getuid()) == source
