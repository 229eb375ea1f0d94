"""Shards of recorders as one tape: as if one recorder had had the lines, or not at all."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from object_store import BUCKET
from shard_tapes import DAY, DAY_NS, FIRST_NS, HEADER, RULES, Line, content, frame, lines_of, shard, text, whole

from lotus.errors import TapeError
from lotus_store.blobs.opening import open_blobs
from lotus_store.blobs.port import BlobError
from lotus_store.tape.retention import RetentionRules, apply_retention
from lotus_store.tape.shards.join import by_stamp
from lotus_store.tape.store import TapeLines, TapeStore

THREE = 3


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, s3: int) -> str:
    return str(tmp_path / "shared") if request.param == "folder" else f"s3://{BUCKET}/{tmp_path.name}"


def by_hand(shards: list[list[Line]]) -> list[Line]:
    """Return the order as the module's text defines it."""
    keyed = []
    for number, lines in enumerate(shards):
        greatest = 0
        for place, (stamp, raw) in enumerate(lines):
            greatest = max(greatest, stamp)
            keyed.append((greatest, number, place, stamp, raw))
    return [(stamp, raw) for _, _, _, stamp, raw in sorted(keyed)]


def pieces(lines: list[Line], size: int) -> list[TapeLines]:
    rows = [b"%d %b\n" % line for line in lines]
    return [TapeLines(k, b"".join(rows[k : k + size])) for k in range(0, len(rows), size)]


@pytest.mark.parametrize("seed", range(40))
def test_the_order_is_the_one_defined_whatever_the_segments(seed: int) -> None:
    shards = [lines_of(seed * 7 + k, 1 + (seed * 13 + k * 29) % 90) for k in range(1 + seed % 4)]
    if seed % 3 == 0:  # a clock that was set back
        shards[0] = [(stamp - (n % 5 == 4) * 3_000_000_000, raw) for n, (stamp, raw) in enumerate(shards[0])]
    if seed % 5 == 0:  # the same stamp over many segments
        shards = [[(FIRST_NS, raw) for _, raw in lines] for lines in shards]
    cut = [pieces(lines, 1 + (seed + k) % 6) for k, lines in enumerate(shards)]
    assert list(by_stamp(cut)) == by_hand(shards)


def test_shards_read_as_what_one_recorder_had_written(tmp_path: Path, place: str) -> None:
    shards = [lines_of(k) for k in range(THREE)]
    homes = [tmp_path / f"recorder{k}" for k in range(THREE)]
    for k in (2, 0, 1):
        tape = shard(homes[k], k, shards[k], place)
        assert tape.shared is not None
        assert tape.shared.share("2025-01-05") > 0
        assert tape.shared.share("2025-01-05") == 0
    one, reader = whole(tmp_path / "one", by_hand(shards)), TapeStore(tmp_path / "reader", "live", place)
    assert reader.exists()
    assert reader.header().universe == HEADER.universe
    assert reader.days() == one.days()
    for day in one.days():
        assert content(reader, day) == content(one, day)
        assert text(reader, day) == text(one, day)
    assert reader.warmup_segments("2025-01-02") == one.warmup_segments("2025-01-02")
    assert not [path for path in reader.folder.glob(".*") if path.is_dir()]
    # a recorder's machine reads the same
    assert content(TapeStore(homes[1], "live", place)) == content(one)
    assert not any(open_blobs(place).sizes(f"live/{DAY}")), "only shards are put"


def test_a_day_that_a_shard_lacks_is_named_and_never_there(tmp_path: Path, place: str) -> None:
    for k in range(THREE):
        tape = shard(tmp_path / f"r{k}", k, lines_of(k), place)
        assert tape.shared is not None
        if k != 1:
            tape.shared.share("2025-01-05")
    reader = TapeStore(tmp_path / "reader", "live", place)
    assert reader.days() == [DAY]
    for _ in range(2):
        with pytest.raises(TapeError, match=rf"{DAY} lacks live/shard=1; expected: all 3 shards; .*lotus tape share"):
            reader.segments(DAY)
    assert reader.days_here() == []
    with pytest.raises(TapeError, match=f"{DAY} lacks live/shard=1"):
        reader.warmup_segments("2025-01-02")
    assert not reader.has("2024-12-31"), "no shard has it"
    TapeStore(tmp_path / "r1", "live", place).shared.share("2025-01-05")  # type: ignore[union-attr]
    assert reader.has(DAY)


def test_a_day_that_is_recorded_still_is_refused(tmp_path: Path) -> None:
    tape = shard(tmp_path, 0, lines_of(0), count=2)
    shard(tmp_path, 1, lines_of(1), count=2)
    (tmp_path / "tape" / "live" / "shard=1" / DAY / "235959-0099.zst.open").write_bytes(b"")
    assert tape.days() == []
    with pytest.raises(TapeError, match=rf"{DAY} is not over in live/shard=1"):
        tape.segments(DAY)
    now = time.time_ns()
    for k in range(2):
        shard(tmp_path / "now", k, [(now, frame("BTC", k))], count=2)
    tape = TapeStore(tmp_path / "now", "live")
    assert tape.days() == []
    with pytest.raises(TapeError, match="is not over in live/shard=0, live/shard=1"):
        tape.segments(f"{datetime.fromtimestamp(now / 1e9, UTC):%Y-%m-%d}")


def test_what_a_killed_join_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [lines_of(k) for k in range(2)]
    for k in range(2):
        shard(tmp_path, k, shards[k], count=2)
    tape, renamed = TapeStore(tmp_path, "live"), []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda path, to: renamed.append(path) or (_ for _ in ()).throw(OSError("killed")))
        patch.setattr(shutil, "rmtree", lambda *args, **options: None)
        with pytest.raises(OSError, match="killed"):
            tape.segments(DAY)
    (left,) = tape.folder.glob(".join-*")
    left.rename(left.with_name(f".join-{DAY}.999999999.1"))
    assert tape.days_here() == []
    assert content(tape) == content(whole(tmp_path / "one", by_hand(shards)))
    assert not any(tape.folder.glob(".join-*"))


def test_two_recorders_of_one_shard_do_no_harm(tmp_path: Path, place: str) -> None:
    first = shard(tmp_path / "a", 0, lines_of(0), place, count=2)
    with first.part("shard=0").writer(RULES), pytest.raises(TapeError, match="is being written"):
        shard(tmp_path / "a", 0, lines_of(9), place, count=2)
    second = shard(tmp_path / "b", 0, lines_of(9), place, count=2)
    other = shard(tmp_path / "c", 1, lines_of(1), place, count=2)
    assert first.shared is not None
    assert second.shared is not None
    assert other.shared is not None
    for tape in (first, other):
        tape.shared.share("2025-01-05")  # type: ignore[union-attr]
    before = text(second.part("shard=0"))
    with pytest.raises(BlobError, match="two writers made different content"):
        second.shared.share("2025-01-05")
    assert text(second.part("shard=0")) == before
    joined = by_hand([lines_of(0), lines_of(1)])
    assert content(TapeStore(tmp_path / "reader", "live", place)) == content(whole(tmp_path / "one", joined))


def test_another_number_of_shards_or_a_whole_recorder_is_refused(tmp_path: Path, place: str) -> None:
    tape = shard(tmp_path / "a", 0, lines_of(0), place, count=2)
    assert tape.shared is not None
    tape.shared.share("2025-01-05")
    with pytest.raises(TapeError, match="has 2 shards; expected: 4"):
        shard(tmp_path / "a", 0, lines_of(0), place, count=4)
    with pytest.raises(TapeError, match=r"made of 2 shards; .*lotus record --shard 0/2"):
        tape.writer(RULES)
    fourth = shard(tmp_path / "b", 3, lines_of(3), count=4)
    shared = TapeStore(tmp_path / "b", "live", place).shared
    assert shared is not None
    with pytest.raises(BlobError, match=r"shards\.json holds"):
        shared.share("2025-01-05")
    assert fourth.days() == [DAY]
    begun = whole(tmp_path / "begun", [(time.time_ns(), frame("BTC", 0))])
    with pytest.raises(TapeError, match="was begun whole"):
        shard(tmp_path / "begun", 0, lines_of(0), count=2)
    assert begun.days() == begun.days_here()


def test_retention_counts_a_day_with_its_shards_and_lets_them_go_together(tmp_path: Path, place: str) -> None:
    days = [DAY, "2025-01-02", "2025-01-03", "2025-01-04"]
    lines = [line for n in range(len(days)) for line in lines_of(n, 50, FIRST_NS + n * DAY_NS)]
    for k in range(2):
        tape = shard(tmp_path, k, lines, place, count=2)
    assert tape.shared is not None
    assert tape.has(DAY)
    before = content(tape)
    assert apply_retention(tape, RetentionRules(keep_days=1)) == [], "nothing is put yet"
    tape.shared.share("2025-01-06")
    assert apply_retention(tape, RetentionRules(keep_days=1)) == days[:2]
    assert sorted(path.name for path in tape.folder.glob("*/????-??-??")) == sorted(days[2:] * 2)
    assert content(tape) == before, "got and joined again"
