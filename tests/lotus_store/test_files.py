"""Atomic files: the old one or the new one, and of a writer that failed or died nothing is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lotus.errors import ConfigError
from lotus_store.files import atomic, process_alive, read_utf8, write_bytes


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_bytes(path, b"old")

    def fail() -> None:
        with atomic(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_what_a_dead_writer_left_is_swept_and_a_living_ones_stays(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, living = (tmp_path / f".file.{pid}.0a0b.tmp" for pid in (dead.pid, os.getppid()))
    for file in (left, living):
        file.touch()
    write_bytes(tmp_path / "file", b"x")
    assert not left.exists()
    assert living.exists()
    assert process_alive(os.getpid())
    assert not process_alive(dead.pid)


def test_a_text_is_read_to_a_bound_and_what_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("idea: \u03c3\n", "utf-8")
    assert read_utf8(path) == "idea: \u03c3\n"
    path.write_bytes(b"idea: \xff")
    with pytest.raises(ConfigError, match="is no text"):
        read_utf8(path)
    with pytest.raises(ConfigError, match="zero is larger than 4 MiB"):
        read_utf8(Path("/dev/zero"))
