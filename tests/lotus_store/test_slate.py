"""A slate is written over in place: on a full disk too, and a reader never takes half of one for the whole."""

import json
import threading

import pytest
from full_disk import fill, small_disk

from lotus_store.slate import SIZE, read_slate, write_slate


def test_what_is_written_is_read_whatever_its_length(tmp_path):
    path = tmp_path / "new" / "slate.json"
    for body in ({"a": 1}, {"a": "x" * 3 * SIZE}, {"a": 2.5, "b": {"c": [1]}}, {}):
        write_slate(path, body)
        assert read_slate(path) == body
        assert json.loads(path.read_text()).items() >= body.items()
    assert path.stat().st_size == SIZE
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_when_the_disk_is_full(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        write_slate(disk / "slate", {"n": 0})
        fill(disk)
        for n in range(50):
            write_slate(disk / "slate", {"n": n})
            assert read_slate(disk / "slate") == {"n": n}
        with pytest.raises(OSError, match="No space"):
            write_slate(disk / "slate", {"n": "x" * 2 * SIZE})


def test_nothing_there_and_nothing_whole_are_none(tmp_path):
    path = tmp_path / "slate"
    assert read_slate(path) is None
    write_slate(path, {"age": 12.5, "pid": 7})
    path.write_text(path.read_text().replace("12.5", "92.5"))
    assert read_slate(path) is None
    path.write_text('{"age": 3}')
    assert read_slate(path) == {"age": 3}, "a file of an earlier release has no sum"
    path.write_text("[1]")
    assert read_slate(path) is None


def test_a_link_in_its_place_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "slate").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        write_slate(tmp_path / "slate", {"a": 1})
    assert victim.read_text() == "mine"


def test_a_reader_beside_a_writer_sees_whole_bodies(tmp_path):
    path, ends = tmp_path / "slate", threading.Event()
    write_slate(path, {"n": "0" * 9, "m": "0" * 9})

    def write():
        n = 0
        while not ends.is_set():
            n += 1
            write_slate(path, {"n": f"{n:09d}", "m": f"{n:09d}"})

    writer = threading.Thread(target=write)
    writer.start()
    seen = [read_slate(path) for _ in range(2_000)]
    ends.set()
    writer.join()
    assert all(one is None or one["n"] == one["m"] for one in seen)
    assert sum(one is None for one in seen) < 20
