"""A whole tape divided into shards: once, whatever kills it, and back to every line in its place."""

import shutil
from itertools import islice
from pathlib import Path

import pytest
from shard_tapes import DAY, FIRST_NS, HEADER, NAMES, content, frame, lines_of, text, whole

from lotus.errors import TapeError
from lotus_store.tape.import_recording import recording_lines
from lotus_store.tape.importing import ImportSource, import_lines
from lotus_store.tape.shards.split import split_tape
from lotus_store.tape.store import TapeStore

DEMO = Path(__file__).resolve().parents[3] / "fixtures" / "demo-7.zst"
RECORDINGS = ("hyperliquid-2025-09-04/frames.jsonl.gz", "hyperliquid-2025-09-03-outages/frames.jsonl.gz")


def tree(tape: TapeStore) -> dict[str, bytes]:
    return {str(p.relative_to(tape.folder)): p.read_bytes() for p in sorted(tape.folder.rglob("*")) if p.is_file()}


def elsewhere(tape: TapeStore, home: Path, place: Path) -> TapeStore:
    """Return the tape in another home that gets shards alone."""
    here = TapeStore(tape.folder.parents[1], "live", str(place))
    assert here.shared is not None
    here.shared.share("2030-01-01")
    return TapeStore(home, "live", str(place))


def test_shards_hold_their_coins_and_join_to_the_whole(tmp_path: Path) -> None:
    lines = lines_of(1, 1200)
    lines.insert(500, (lines[500][0] - 9_000_000_000, frame("ETH", -1)))  # a clock that was set back
    lines.insert(0, (FIRST_NS, b'{"channel":"subscriptionResponse"}'))
    tape = whole(tmp_path / "one", lines)
    before = {day: (content(tape, day), text(tape, day)) for day in tape.days()}
    assert split_tape(tape, 2) == list(before)
    assert split_tape(tape, 2) == []
    assert {day: (content(tape, day), text(tape, day)) for day in tape.days()} == before
    for number in range(2):
        part = tape.part(f"shard={number}")
        assert [asset.name for asset in part.header().universe] == list(NAMES[number::2])
        for name in NAMES[1 - number :: 2]:
            assert frame(name, 0)[:40] not in text(part)
    other = elsewhere(tape, tmp_path / "other", tmp_path / "place")
    assert {day: (content(other, day), text(other, day)) for day in other.days()} == before


def test_a_split_that_was_killed_goes_on_to_the_same_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(2, 400)
    done = whole(tmp_path / "done", lines)
    split_tape(done, 3)
    rename = Path.rename
    for kill_at in range(4):  # the order and three shards
        tape, count = whole(tmp_path / f"killed{kill_at}", lines), [0]

        def renamed(path: Path, to: Path, count: list[int] = count, kill_at: int = kill_at) -> Path:
            if count[0] == kill_at:
                raise KeyboardInterrupt
            count[0] += 1
            return rename(path, to)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", renamed)
            with pytest.raises(KeyboardInterrupt):
                split_tape(tape, 3)
        assert split_tape(tape, 3) == [DAY]
        assert tree(tape) == tree(done)


def test_a_coin_that_said_nothing_and_a_changed_shard(tmp_path: Path) -> None:
    tape = whole(tmp_path / "one", [(FIRST_NS + k, frame("BTC", k)) for k in range(20)])
    split_tape(tape, 5)
    other = elsewhere(tape, tmp_path / "other", tmp_path / "place")
    assert text(other) == text(tape)
    shutil.rmtree(tape.folder / DAY)
    shutil.rmtree(tape.folder / "shard=0" / DAY)
    assert not tape.has(DAY)
    with tape.part("shard=0").writer() as writer:
        writer.append(FIRST_NS, frame("BTC", 0))
    with pytest.raises(TapeError, match="order names a line of shard 0 that is not there"):
        tape.segments(DAY)
    with tape.part("shard=1").writer() as writer:
        for k in range(30):
            writer.append(FIRST_NS, frame("ETH", k))
    shutil.rmtree(tape.folder / "order" / DAY)
    with pytest.raises(TapeError, match=f"{DAY} lacks live/shard=2, live/shard=3, live/shard=4"):
        tape.segments(DAY)


def test_what_cannot_be_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no tape"):
        split_tape(TapeStore(tmp_path, "none"), 2)
    tape = whole(tmp_path, lines_of(3, 50))
    with pytest.raises(TapeError, match=f"shard 5 of 6 has no coin of {len(HEADER.universe)}"):
        split_tape(tape, 6)
    split_tape(tape, 2)
    with pytest.raises(TapeError, match="has 2 shards; expected: 3"):
        split_tape(tape, 3)
    shutil.rmtree(tape.folder / "shard=1" / DAY)
    shutil.rmtree(tape.folder / "order")
    with tape.part("shard=1").writer() as writer:
        writer.append(FIRST_NS, frame("ETH", 0))
    with pytest.raises(TapeError, match="live/shard=1 has 2025-01-01 with other lines"):
        split_tape(tape, 2)


@pytest.mark.parametrize("name", ["demo", *RECORDINGS])
def test_a_recording_gives_the_same_events_from_its_shards(tmp_path: Path, name: str) -> None:
    path = DEMO if name == "demo" else Path(__file__).resolve().parents[4] / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"real recordings {path} are not beside the checkout")
    tape = TapeStore(tmp_path / "one", "live")
    import_lines(tape, islice(recording_lines([path]), 40_000), ImportSource(name))
    days = split_tape(tape, 2)
    other = elsewhere(tape, tmp_path / "other", tmp_path / "place")
    assert other.days() == tape.days() == days
    for day in days:
        assert content(other, day) == content(tape, day)
    (events, report), (theirs, other_report) = (one.decode_day(days[-1], warmup=True) for one in (tape, other))
    assert report == other_report
    assert len(events) > 1000
    assert events.pool.tobytes() == theirs.pool.tobytes()
    assert events.seq.tobytes() == theirs.seq.tobytes()
