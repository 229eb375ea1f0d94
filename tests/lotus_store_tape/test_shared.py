"""Closed segments in an object store: put once, got whole by a home that lacks them, refused where they differ."""

import logging
import shutil
import time
from pathlib import Path

import pytest
from object_store import BUCKET

from lotus.errors import TapeError
from lotus_store.blobs.opening import open_blobs
from lotus_store.blobs.port import BlobError
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.retention import RetentionRules, apply_retention
from lotus_store.tape.shared import LIST_S, Sharing
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

DAY_NS = 86_400_000_000_000
FIRST_NS = 1_735_689_600_000_000_000  # 2025-01-01
DAYS = ["2025-01-01", "2025-01-02", "2025-01-03"]
HEADER = TapeHeader("live", "s", (HeaderAsset("BTC", 5),))


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, s3: int) -> str:
    return str(tmp_path / "shared") if request.param == "folder" else f"s3://{BUCKET}/{tmp_path.name}"


def recorded(home: Path, place: str, days: int = 3, word: str = "a", header: TapeHeader = HEADER) -> TapeStore:
    """Return a tape of some days, two segments each; the last one is begun only."""
    tape = TapeStore(home, "live", place)
    tape.write_header(header)
    with tape.writer(WriterRules(reserve_bytes=0, segment_ms=3_600_000)) as writer:
        for day in range(days):
            for hour in (0, 0.5, 2):
                writer.append(FIRST_NS + day * DAY_NS + int(hour * 3_600_000_000_000), f'{{"{word}":{hour}}}'.encode())
    return tape


def lines(tape: TapeStore, day: str) -> bytes:
    return b"".join(piece.lines for piece in tape.read_day_lines(day))


def shared_of(tape: TapeStore):
    assert tape.shared is not None
    return tape.shared


def test_another_home_reads_the_same_lines_and_nothing_is_put_twice(tmp_path: Path, place: str) -> None:
    one, other = recorded(tmp_path / "one", place), TapeStore(tmp_path / "other", "live", place)
    assert not other.exists()
    assert other.days() == []
    assert shared_of(one).share(DAYS[2]) == 6
    assert shared_of(one).share(DAYS[2]) == 0
    assert other.exists()
    assert other.header() == one.header()
    assert other.days() == DAYS[:2], "the last day is not over"
    for day in DAYS[:2]:
        assert lines(other, day) == lines(one, day)
        assert other.segments(day) == one.segments(day)
    assert other.days_here() == DAYS[:2]
    assert other.segments("2024-12-31") == []
    with pytest.raises(TapeError, match=r"2025-01-03 has 4 objects, not the whole day; .*its recorder is behind"):
        other.segments(DAYS[2])
    assert not any(other.folder.glob(".fetch-*"))
    assert shared_of(one).share("2025-01-04") == 0
    assert lines(other, DAYS[2]) == lines(one, DAYS[2])
    assert shared_of(other).share("2025-01-04") == 0


def test_other_content_is_refused_and_nothing_of_it_becomes_visible(tmp_path: Path, place: str) -> None:
    one, other = recorded(tmp_path / "one", place), recorded(tmp_path / "other", place, word="b")
    shared_of(one).share("2025-01-04")
    before = open_blobs(place).sizes("")
    with pytest.raises(BlobError, match=r"000000-0000.zst.json holds .* two writers made different content"):
        shared_of(other).share("2025-01-04")
    coins = recorded(tmp_path / "coins", place, header=TapeHeader("live", "s", (HeaderAsset("ETH", 4),)))
    with pytest.raises(TapeError, match=r"holds the universe \['BTC'\]; expected: \['ETH'\]"):
        shared_of(coins).share("2025-01-04")
    assert open_blobs(place).sizes("") == before


def test_damage_is_an_error_and_no_day_is_got_by_halves(tmp_path: Path, place: str) -> None:
    one, other, blobs = recorded(tmp_path / "one", place), TapeStore(tmp_path / "o", "live", place), open_blobs(place)
    shared_of(one).share("2025-01-04")
    meta = one.segments(DAYS[0])[1]
    key = f"live/{DAYS[0]}/{meta.file_sha256}.zst"
    whole = blobs.get(key)
    blobs.put(key, whole[:-1])
    with pytest.raises(TapeError, match="damage in the store"):
        other.segments(DAYS[0])
    blobs.remove(key)
    with pytest.raises(TapeError, match="lacks segment"):
        other.segments(DAYS[0])
    assert other.days_here() == []
    blobs.put(key, whole)
    assert lines(other, DAYS[0]) == lines(one, DAYS[0])
    path = one.folder / DAYS[1] / one.segments(DAYS[1])[0].name
    path.write_bytes(b"damaged")
    (one.folder / DAYS[1] / ".shared").unlink()
    blobs.remove(f"live/{DAYS[1]}/{one.segments(DAYS[1])[0].file_sha256}.zst")
    with pytest.raises(TapeError, match="has sha256"):
        shared_of(one).share("2025-01-04")


def test_a_day_that_retention_let_go_comes_back(tmp_path: Path, place: str) -> None:
    tape = recorded(tmp_path / "one", place, days=5)
    held = lines(tape, DAYS[0])
    assert apply_retention(tape, RetentionRules(keep_days=2)) == [], "none is in the store"
    shared_of(tape).share("2025-01-06")
    shutil.rmtree(tape.folder / ".expired-x", ignore_errors=True)
    assert apply_retention(tape, RetentionRules(keep_days=2)) == DAYS[:3]
    assert tape.days_here() == ["2025-01-04", "2025-01-05"]
    assert lines(tape, DAYS[0]) == held


def test_another_place_is_another_store(tmp_path: Path, place: str) -> None:
    one = recorded(tmp_path / "one", place)
    assert shared_of(one).share(DAYS[2]) == 6
    moved = TapeStore(tmp_path / "one", "live", f"{place}/moved")
    assert not shared_of(moved).has_put(DAYS[0]), "what the old place holds is not let go for the new one"
    assert shared_of(moved).share(DAYS[2]) == 6
    assert shared_of(moved).has_put(DAYS[0])
    assert TapeStore(tmp_path / "other", "live", f"{place}/moved").days() == DAYS[:2]


def test_a_recorder_goes_on_while_the_store_is_away_and_shares_later(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_text("no folder")
    tape = recorded(tmp_path / "one", str(place))
    sharing = Sharing(shared_of(tape), again_s=0.05, today=lambda: "2025-01-04")
    deadline = time.monotonic() + 20
    while not sharing.problem and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "place" in sharing.problem
    place.unlink()
    sharing.close()
    assert sharing.problem == ""
    assert shared_of(tape).days() == DAYS


def test_the_list_of_days_is_remembered_and_stands_in_for_a_store_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place, now = tmp_path / "place", [1000.0]
    monkeypatch.setattr("lotus_store.tape.shared.time.monotonic", lambda: now[0])
    shared_of(recorded(tmp_path / "one", str(place))).share("2025-01-04")
    tape = recorded(tmp_path / "two", str(place), days=1)
    assert tape.days() == DAYS
    place.rename(tmp_path / "gone")
    place.write_text("no folder")
    assert tape.days() == DAYS, "remembered"
    with pytest.raises((BlobError, OSError)):
        tape.days(strictly=True)
    now[0] += LIST_S
    with caplog.at_level(logging.WARNING):
        assert tape.days() == DAYS, "as told last"
        assert tape.days() == DAYS
    assert len(caplog.records) == 1
    assert "as they were told last" in caplog.text
    place.unlink()
    (tmp_path / "gone" / "live" / "days" / f"{DAYS[2]}.json").unlink()
    (tmp_path / "gone").rename(place)
    now[0] += LIST_S
    assert tape.days() == DAYS[:2]


def test_a_store_that_never_answered_leaves_what_is_here(tmp_path: Path) -> None:
    (tmp_path / "never").write_text("no folder")
    assert recorded(tmp_path / "one", str(tmp_path / "never"), days=2).days() == DAYS[:2]
