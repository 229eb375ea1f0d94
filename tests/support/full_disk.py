"""A disk of its own that can be filled to the last byte: a small file system in memory, where mounting is allowed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def fill(folder: Path) -> Path:
    """Write until nothing more fits, and return the file that takes the room."""
    path = folder / "ballast"
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"x"):
            pass
    return path


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """Mount a file system of `size` at a new folder; skip the test where that is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
