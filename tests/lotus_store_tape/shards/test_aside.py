"""A tape is taken over from a stopped writer: it goes on with the same lines, and the former writer reaches none."""

from pathlib import Path

import msgspec
import pytest

from lotus.errors import TapeError
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.place import publish
from lotus_store.tape.shards.aside import take_over_tape
from lotus_store.tape.store import TapeStore

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000


def lines_of(store: TapeStore) -> bytes:
    return b"".join(store.read_segment(meta) for meta in store.all_segments())


def test_a_stopped_writer_loses_the_tape_and_none_of_its_lines(tmp_path: Path) -> None:
    store = TapeStore(tmp_path, "live.1of2")
    store.write_header(TapeHeader("live.1of2", "test", (HeaderAsset("BTC", 5),), (), "test"))
    stopped = store.writer()
    stopped.append(DAY_NS, b"{1}")
    stopped.rotate(DAY_NS + 16 * MINUTE_NS)
    stopped.append(DAY_NS + 16 * MINUTE_NS, b"{2}")
    stopped.flush()
    (salvaged,) = take_over_tape(store, 2, patience_s=0.0)
    assert (salvaged.number, salvaged.lines) == (1, 1)
    with store.writer() as writer:
        assert writer.append(DAY_NS + 17 * MINUTE_NS, b"{3}") == 2
        stopped.append(DAY_NS + 17 * MINUTE_NS, b"{stale}")
        stopped.flush()
        with pytest.raises(TapeError, match="taken over"):
            stopped.close()
    late = store.folder / "1970-01-02" / "001600-0001.zst.open"  # the former writer looked just before it was stopped
    with pytest.raises(FileNotFoundError):
        publish(late, msgspec.structs.replace(salvaged, lines=9, name="001600-0001.zst"), print)
    frames = [line.split(b" ")[1] for line in lines_of(store).splitlines()]
    assert frames == [b"{1}", b"{2}", b"{3}"]
    assert store.header().tape == "live.1of2"
    assert take_over_tape(store, 3, patience_s=0.0) == []
    assert [path.name for path in store.folder.parent.iterdir()] == ["live.1of2"]


def test_a_writer_without_an_open_segment_notices_that_its_tape_is_another(tmp_path: Path) -> None:
    store = TapeStore(tmp_path, "live.1of2")
    stopped = store.writer()
    assert take_over_tape(store, 2, patience_s=0.0) == []
    with store.writer(), pytest.raises(TapeError, match="taken over"):
        stopped.append(DAY_NS, b"{stale}")
    assert not list(store.folder.glob("*/*"))


def test_a_take_over_that_was_killed_between_its_renames_is_finished(tmp_path: Path) -> None:
    store = TapeStore(tmp_path, "live.1of2")
    with store.writer() as writer:
        writer.append(DAY_NS, b"{1}")
    store.folder.rename(store.folder.with_name("live.1of2.next"))
    assert take_over_tape(store, 2) == []
    assert lines_of(store) == b"%d {1}\n" % DAY_NS
