"""`lotus/detectors/scoring/others.py` in pipelines: two shards that read each other score as one; live is batch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, trial_text, write

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.others import ClosedWindow, OthersClosed
from lotus.detectors.scoring.scored import Columns, Scored, columns_of
from lotus.detectors.scoring.scorer import in_key_order
from lotus.detectors.scoring.signal_spec import ENTRAIN
from lotus_live.feed.clocks import LineCounter
from lotus_live.feed.recorder import SwapRecord
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_live.shards.cross_pass import OthersRecord
from lotus_live.shards.share import Share

DAY = "2026-03-04"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
SHARES = Share(0, 2), Share(1, 2)
WINDOW_MS, LEAD_MS = 5_000, 500
Lines = list[tuple[int, bytes]]
Read = Callable[[OthersClosed], OthersClosed]


class Shard:
    """A pipeline over the lines of some coins, with its tape."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """See no line yet."""
        self.names, self.others = names, tuple(a.name for a in UNIVERSE if a.name not in names)
        self.pipeline = Pipeline(SPEC, neutral_beliefs(SPEC))
        self.tape: Lines = []
        self.scored: list[Scored] = []
        self._numbers = LineCounter()

    def take(self, recv_ns: int, raw: bytes) -> None:
        """Take a line."""
        self.tape.append((recv_ns, raw))
        self.scored += self.pipeline.feed(recv_ns, self._numbers.number(recv_ns), raw).scored

    def read(self, other: "Shard", recv_ns: int, end_ms: int, reads: Read) -> None:
        """Read what another shard closed at `end_ms`."""
        if self.pipeline.today is None:
            return
        closed = other.pipeline.today.scorer.closed(end_ms, self.others) if other.pipeline.today else []
        there = {one.asset for one in closed}
        others = OthersClosed(end_ms, tuple(closed), tuple(name for name in self.others if name not in there))
        self.take(recv_ns, OthersRecord(reads(others)).frame())


def sharded(lines: Lines, reads: Read = lambda others: others) -> tuple[Shard, Shard]:
    """Return two shards after they took their lines and read each other half a second before windows end."""
    one, two = (Shard(tuple(a.name for a in share.of(UNIVERSE))) for share in SHARES)
    last = 0
    for recv_ns, raw in lines:
        coming = (recv_ns // 1_000_000 + LEAD_MS) // WINDOW_MS
        if coming != last:
            last = coming
            for shard, other in ((one, two), (two, one)):
                shard.read(other, recv_ns, (coming - 1) * WINDOW_MS, reads)
        owner = one if any(f'"coin":"{name}"'.encode() in raw for name in one.names) else two
        owner.take(recv_ns, raw)
    return one, two


def events_of(*shards: Shard) -> Columns:
    """Return the rows of shards in key order, without the numbers of their lines."""
    rows = in_key_order(columns_of([scored for shard in shards for scored in shard.scored]))
    return {name: values for name, values in rows.items() if name != "close_seq"}


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Six minutes of three assets."""
    return in_order(market(DAY, "09:00", 360, step_ms=500, seed=11))


def test_two_shards_that_miss_nothing_score_as_one(lines: Lines) -> None:
    whole = Shard(tuple(a.name for a in UNIVERSE))
    for line in lines:
        whole.take(*line)
    ours, theirs = events_of(whole), events_of(*sharded(lines))
    assert np.isfinite(ours["entrain"]).sum() > 500
    assert (ours["crowd_share"] > 0).any()
    for name in ours:
        assert np.array_equal(ours[name], theirs[name], equal_nan=ours[name].dtype.kind == "f"), name


def test_a_replay_of_a_shard_obeys_what_its_tape_says_of_the_others(lines: Lines, tmp_path: Path) -> None:
    for shard in sharded(lines):
        assert verify_parity(write(tmp_path / "shard.txt", shard.tape), MANIFEST).parity
        (day,) = score_tape(numbered(shard.tape), SPEC, neutral_beliefs(SPEC))
        assert events_hash(day.events) == events_hash(columns_of(shard.scored))
        calm = [line for line in shard.tape if b'"others"' not in line[1]]
        (alone,) = score_tape(numbered(calm), SPEC, neutral_beliefs(SPEC))
        assert events_hash(alone.events) != events_hash(day.events)


def test_live_is_batch_beside_a_trial(lines: Lines, tmp_path: Path) -> None:
    shard, _ = sharded(lines)
    swap = SwapRecord(0, "", "", "", "", DAY, (trial_text("slow", 150),)).frame()
    tape = [*shard.tape[:300], (shard.tape[299][0], swap), *shard.tape[300:]]
    assert verify_parity(write(tmp_path / "shard.txt", tape), MANIFEST).parity


def test_a_shard_that_sees_no_other_publishes_nothing(lines: Lines) -> None:
    def blind(others: OthersClosed) -> OthersClosed:
        return OthersClosed(others.window_end_ms, (), (*others.missing, *(one.asset for one in others.closed)))

    events = events_of(*sharded(lines, blind))
    later = events["window_end_ms"] > events["window_end_ms"].min() + WINDOW_MS
    assert np.isnan(events["entrain"]).all()
    assert (events["veto"][later] & ENTRAIN != 0).all()
    assert not events["published"][later].any()


@pytest.mark.parametrize(
    "data",
    [b"[]", b"1", b"{}", b'{"window_end_ms":1e30,"closed":[]}', b'{"window_end_ms":1,"closed":[["BTC",1,null,0,0]]}',
     b'{"window_end_ms":1,"closed":[["BTC",9,0,0,0]]}', b'{"window_end_ms":1,"closed":[["BTC",0,0,-1,0]]}',
     b'{"window_end_ms":1,"closed":[["BTC"]]}', b'{"window_end_ms":1,"closed":[["",0,0,0,0]]}',
     b'{"window_end_ms":1,"closed":[],"missing":[""]}', b'{"window_end_ms":5,"closed":[["NOBODY",0,1,1,1]]}'],
)  # fmt: skip
def test_a_record_that_says_nothing_changes_nothing(lines: Lines, data: bytes) -> None:
    frame = OthersRecord(OthersClosed(0, ())).frame()
    head = frame[: frame.index(b'"others":') + len(b'"others":')]
    shards = [Shard(("BTC", "ETH", "SOL")) for _ in range(2)]
    for k, line in enumerate(lines[:600]):
        for shard, is_told in zip(shards, (False, True), strict=True):
            shard.take(*line)
            if is_told and k % 50 == 0:
                shard.take(line[0], head + data + b"}}")
    ours, theirs = (events_of(shard) for shard in shards)
    assert all(np.array_equal(ours[n], theirs[n], equal_nan=ours[n].dtype.kind == "f") for n in ours)


def test_a_newer_window_is_not_pushed_out_by_an_older_one() -> None:
    shard = Shard(("BTC",))
    shard.take(*in_order(market(DAY, "09:00", 5, step_ms=500, seed=11))[0])
    assert shard.pipeline.today is not None
    scorer = shard.pipeline.today.scorer
    new, old = ClosedWindow("ETH", 1.0, 0.0, 1, 0), ClosedWindow("ETH", 0.0, 1.0, 0, 1)
    scorer.hear(OthersClosed(10_000, (new,)))
    scorer.hear(OthersClosed(5_000, (old,)))
    scorer.hear(OthersClosed(10_000, (new,)))
    assert (scorer.closed(10_000, ["ETH"]), scorer.closed(5_000, ["ETH"])) == ([new], [])
