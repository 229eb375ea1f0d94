"""Files hashed already: any change makes another file of one, and only the latest are remembered."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lotus_store import verified
from lotus_store.verified import Verified, identity_of


def test_a_file_that_was_written_or_replaced_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    known = Verified()
    known.add(identity_of(path))
    assert identity_of(str(path)) in known
    os.utime(path, ns=(1, 1))
    assert identity_of(path) not in known
    known.add(identity_of(path))
    other = tmp_path / "other"
    other.write_bytes(b"a")
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert identity_of(path) not in known


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "MOST", 2)
    known, names = Verified(), [(name, 0, 0, 0, 0, 0, "") for name in "abc"]
    for name in names:
        known.add(name)
    assert [name in known for name in names] == [False, True, True]


def test_another_process_believes_what_was_noted_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks, names = tmp_path / "marks", [(name, 0, 0, 0, 0, 0, "") for name in "abc"]
    one, other = Verified(marks), Verified(marks)
    one.add(names[0])
    assert names[0] in other
    one.add(names[1])
    marks.write_bytes(marks.read_bytes()[:-1])  # killed before the end of its line
    assert [name in other for name in names] == [True, False, False]
    Verified(tmp_path / "absent" / "marks").add(names[0])
    monkeypatch.setattr(verified, "MOST", 1)
    for name in (names[2], *names):
        one.add(name)
    assert names[2] in Verified(marks)
    assert len(marks.read_bytes()) == verified.MARK_BYTES


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_marks_that_are_no_regular_file_are_told_of_and_never_waited_for(
    tmp_path: Path, make: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    marks = tmp_path / "marks"
    make(marks)
    known, name = Verified(marks), ("a", 0, 0, 0, 0, 0, "")
    assert name not in known
    known.add(name)
    assert name in known
    assert name not in Verified(marks)
    assert f"{marks} is no regular file" in caplog.text
    assert marks.lstat().st_size <= 4_096


def test_of_marks_without_end_the_last_are_read_and_the_file_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified, "MOST", 2)
    marks, name = tmp_path / "marks", ("a", 0, 0, 0, 0, 0, "")
    with marks.open("wb") as file:
        file.truncate(1 << 40)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    Verified(marks).add(name)
    assert name in Verified(marks)
    assert marks.stat().st_size == verified.MARK_BYTES


def test_lines_that_are_no_marks_are_passed_over(tmp_path: Path) -> None:
    marks, name = tmp_path / "marks", ("a", 0, 0, 0, 0, 0, "")
    marks.write_bytes(b"half a mark\n" + b"x" * 100 + b"\n")
    Verified(marks).add(name)
    reader = Verified(marks)
    assert name in reader
    assert len(reader._known) == 1
