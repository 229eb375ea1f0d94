"""Compiled kernels on disk: each file belongs to one signature, whoever else writes or dies."""

from pathlib import Path

from lotus.jit_cache import _Files


def test_what_was_stored_is_found_under_its_key_alone(tmp_path: Path) -> None:
    files = _Files(tmp_path, "walk-12.py311", (1, 2))
    assert files.load("one") is None
    files.save("one", ["code of one"])
    files.save("two", ["code of two"])
    files.save("one", ["code of one, later"])
    assert (files.load("one"), files.load("two")) == (["code of one, later"], ["code of two"])
    assert _Files(tmp_path, "walk-12.py311", (3, 4)).load("one") is None
    files.flush()
    assert files.load("one") is None


def test_a_file_that_holds_another_signature_is_not_taken(tmp_path: Path) -> None:
    files = _Files(tmp_path, "walk-12.py311", (1, 2))
    files.save("one", ["code of one"])
    files.save("two", ["code of two"])
    one, two = (files._path(files._identity(key)) for key in ("one", "two"))
    one.replace(two)
    assert files.load("two") is None


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    files = _Files(tmp_path, "walk-12.py311", (1, 2))
    (tmp_path / "walk-12.py311.0.tmp").write_bytes(b"half of it")
    files.save("one", ["code of one"])
    assert files.load("one") == ["code of one"]
