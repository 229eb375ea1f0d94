"""Frames of old days go where their tape gives them again, and come back with the committed hash."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from object_store import BUCKET

from lotus.errors import LakeError
from lotus.timebase import day_start_ms
from lotus_assets.retention import frames
from lotus_assets.stages import runner
from lotus_assets.stages.context import Made, StageContext
from lotus_assets.stages.tape import microtape_frames
from lotus_resources.recent_values import RecentValues
from lotus_store.blobs.opening import open_blobs
from lotus_store.lake import REMADE, Lake
from lotus_store.ledger.day_commits import read_commit
from lotus_store.tape.store import TapeStore

pytestmark = [pytest.mark.process("frames of whole days are made again"), pytest.mark.warm("taped")]


@pytest.fixture
def aged(ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch) -> StageContext:
    """The home in which three days are read and, as far as retention is concerned, learned; written long ago."""
    monkeypatch.setattr(frames, "last_committed_day", lambda _ctx: days[2])
    for name in REMADE:
        for path in Path(ctx.settings.lake_root, name).glob("**/*.parquet"):
            os.utime(path, (1e9, 1e9))
    return replace(ctx, recent=RecentValues())


@pytest.fixture
def now_s(days: list[str]) -> float:
    """A moment two days after the last day."""
    return day_start_ms(days[2]) / 1e3 + 2 * 86_400.0


def files(ctx: StageContext) -> dict[str, bytes]:
    """Return the bytes of every file of frames and quotes."""
    root = Path(ctx.settings.lake_root)
    return {
        str(p.relative_to(root)): p.read_bytes() for name in REMADE for p in sorted((root / name).glob("**/*.parquet"))
    }


def hash_of(ctx: StageContext, day: str) -> str:
    """Return what the day's frames are now."""
    assert frames.STAGE.present is not None
    return frames.STAGE.present(ctx, day)


def test_old_days_go_and_come_back_with_the_committed_hash(aged: StageContext, days: list[str], now_s: float) -> None:
    whole = files(aged)
    committed = {day: hash_of(aged, day) for day in days}
    assert frames.let_frames_go(aged, 0, now_s) == frames.FramesGone()
    assert frames.let_frames_go(aged, 3, now_s) == frames.FramesGone()
    done = frames.let_frames_go(aged, 1, now_s)
    assert done.days == tuple(days[:2])
    assert (done.stay, done.waiting) == ((), 0)
    assert done.bytes_gone == sum(len(b) for path, b in whole.items() if days[2] not in path)
    assert [hash_of(aged, day) for day in days] == ["", "", committed[days[2]]]
    assert frames.let_frames_go(aged, 1, now_s) == frames.FramesGone()
    with pytest.raises(LakeError, match=f"lotus tape rebuild --day {days[0]}"):
        microtape_frames.read_frames(aged, days[0])
    assert frames.rebuild_frames(aged, days[0]).content_hash == committed[days[0]]
    assert not runner.run_stage(replace(aged, recent=RecentValues()), frames.STAGE, days[1]).reused  # a backfill
    assert files(aged) == whole
    assert [runner.stands(aged, frames.STAGE, day) for day in days] == [True, True, True]


def test_clocks_do_not_take_more(aged: StageContext, days: list[str], now_s: float) -> None:
    whole = files(aged)
    assert frames.let_frames_go(aged, 3, now_s + 1e9) == frames.FramesGone()  # far ahead: the learned day decides
    assert frames.let_frames_go(aged, 1, now_s - 3 * 86_400.0).days == (days[0],)
    frames.rebuild_frames(aged, days[0])
    assert frames.let_frames_go(aged, 1, now_s).waiting == 1  # written in what is the future of that clock
    assert files(aged).keys() < whole.keys() or files(aged) == whole


def test_what_was_written_lately_stays_for_a_day(aged: StageContext, days: list[str], now_s: float) -> None:
    path = Path(aged.lake.path("microtape_quotes", aged.tape_branch, days[0], "BTC"))
    os.utime(path, (now_s - 3600.0, now_s - 3600.0))
    done = frames.let_frames_go(aged, 1, now_s)
    assert (done.days, done.waiting) == ((days[1],), 1)
    assert frames.let_frames_go(aged, 1, now_s + 86_400.0).days == (days[0],)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda day: max(day.glob("*.zst")).unlink(), "1 segments of tape tiny on"),
        (lambda day: next(day.glob("*.zst")).write_bytes(b"rotten"), "expected"),
        (lambda day: shutil.rmtree(day), "0 segments of tape tiny on"),
    ],
    ids=["a segment is missing", "a segment is rotten", "the day is missing"],
)
def test_a_day_whose_tape_is_not_whole_stays(
    aged: StageContext,
    days: list[str],
    now_s: float,
    tmp_path: Path,
    harm: Callable[[Path], object],
    reason: str,
) -> None:
    shutil.copytree(aged.tape.folder, tmp_path / "tape" / "tiny")
    ctx = replace(aged, tape=TapeStore(tmp_path, "tiny"))
    harm(ctx.tape.folder / days[0])
    done = frames.let_frames_go(ctx, 1, now_s)
    stay = dict(done.stay)
    assert reason in stay[days[0]]
    assert hash_of(ctx, days[0])
    assert set(done.days) | set(stay) == set(days[:2])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_file_and_run_again_ends_the_same(
    aged: StageContext, now_s: float, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    real, steps = Lake.remove, [0]

    def remove(self: Lake, *args: Any) -> None:
        steps[0] += 1
        if steps[0] % 4 == 0:
            if after:
                real(self, *args)
            raise KeyboardInterrupt
        real(self, *args)

    monkeypatch.setattr(Lake, "remove", remove)
    killed = 0
    while True:
        try:
            frames.let_frames_go(aged, 1, now_s)
            break
        except KeyboardInterrupt:
            killed += 1
    assert killed >= 2
    monkeypatch.setattr(Lake, "remove", real)
    whole = files(aged)
    assert frames.let_frames_go(aged, 1, now_s) == frames.FramesGone()
    assert files(aged) == whole
    assert len(whole) == (len(REMADE) - 1) * len(aged.manifest.universe) + 1  # those of the last day


def test_after_a_change_of_code_a_day_goes_only_where_it_is_made_to_the_same_hash(
    aged: StageContext, days: list[str], now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "code_version", lambda *_: "of another release")
    committed, made = read_commit(aged.sig, aged.tape_branch, days[0], frames.STAGE.name), list[str]()
    assert committed is not None
    real = frames.STAGE

    def other(ctx: StageContext, day: str) -> Made:
        made.append(day)
        result = real.make(ctx, day)
        return replace(result, content_hash="f" * 32) if day == days[0] else result

    monkeypatch.setattr(frames, "STAGE", replace(real, make=other))
    for _ in range(2):
        done = frames.let_frames_go(aged, 1, now_s)
        assert [day for day, _ in done.stay] == [days[0]]
        assert committed.content_hash in done.stay[0][1]
        assert "f" * 32 in done.stay[0][1]
    assert made == days[:2]  # each once: what came of it is noted
    assert not list(aged.settings.home.glob(".frames-*"))
    assert (hash_of(aged, days[0]), hash_of(aged, days[1])) == (committed.content_hash, "")
    frames._remove(aged, days[0])
    with pytest.raises(LakeError, match=f"{'f' * 32}.*{committed.content_hash}"):
        frames.rebuild_frames(aged, days[0])
    assert hash_of(aged, days[0]) == ""


def test_a_stage_of_the_tape_that_gives_something_else_is_refused(
    aged: StageContext, days: list[str], now_s: float
) -> None:
    frames.let_frames_go(aged, 1, now_s)
    other = replace(frames.STAGE, make=lambda ctx, day: Made(1, "e" * 32))
    with pytest.raises(LakeError, match=r"e{32}.*as committed"):
        runner.run_stage(aged, other, days[0])


def test_a_lake_in_a_bucket_lets_go_and_has_again_the_same(aged: StageContext, days: list[str], s3: int) -> None:
    url = f"s3://{BUCKET}/{aged.settings.home.parent.name}"
    bucket, root = open_blobs(url), Path(aged.settings.lake_root)
    for path in (path for path in root.rglob("*") if path.is_file() and not path.is_relative_to(root / ".verified")):
        bucket.put(path.relative_to(root).as_posix(), path.read_bytes())
    ctx, whole = replace(aged, lake=Lake(url)), {key: bucket.get(key) for name in REMADE for key in bucket.sizes(name)}
    committed = hash_of(ctx, days[0])
    done = frames.let_frames_go(ctx, 1, time.time())
    assert (done.days, done.waiting) == ((), 2)  # put a moment ago
    done = frames.let_frames_go(ctx, 1, time.time() + 2 * 86_400.0)
    assert done.days == tuple(days[:2])
    assert done.bytes_gone == sum(len(payload) for key, payload in whole.items() if days[2] not in key)
    for day in days[:2]:
        with pytest.raises(LakeError, match=f"lotus tape rebuild --day {day}"):
            microtape_frames.read_frames(ctx, day)
        frames.rebuild_frames(ctx, day)
    assert hash_of(ctx, days[0]) == committed
    assert {key: bucket.get(key) for name in REMADE for key in bucket.sizes(name)} == whole
