"""Compiled kernels on disk: a file is the right one or none, whoever else writes, dies, copies or damages."""

from pathlib import Path

from lotus.jit_cache import read_sealed, write_sealed


def test_what_was_written_is_read_under_its_name_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "walk.1.nbc", tmp_path / "walk.2.nbc"
    assert read_sealed(one) is None
    write_sealed(one, b"code of one")
    write_sealed(one, b"code of one, later")
    assert read_sealed(one) == b"code of one, later"
    one.replace(other)
    assert read_sealed(other) is None


def test_no_damaged_byte_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "walk.1.nbc"
    write_sealed(file, b"code of one")
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at])
        assert read_sealed(file) is None
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert read_sealed(file) is None


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    file = tmp_path / "walk.1.nbc"
    (tmp_path / "walk.1.0.tmp").write_bytes(b"half of it")
    write_sealed(file, b"code of one")
    assert read_sealed(file) == b"code of one"
    assert [path.name for path in tmp_path.glob("*.nbc")] == [file.name]
