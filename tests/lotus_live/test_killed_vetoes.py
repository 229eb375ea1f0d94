"""`lotus_live/belief_watch.py` and `lotus_live/announcer.py` with vetoes at once in a daemon that dies at any line.

Its tape is the truth: what it said of windows before and after each death is what batch makes of the tape.
"""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market

from lotus.curation.act import CurationAct
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns, columns_of
from lotus.detectors.scoring.signal_spec import PERSON, SIGNAL_EVENTS
from lotus.timebase import next_day
from lotus_live.announcer import Announcer
from lotus_live.belief_watch import BeliefWatch
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.recorder import Recorder, SwapRecord, tape_header
from lotus_live.pipeline import rebuild
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.beliefs import LedgerBeliefs, Poll
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_store.settings.sections import TapeLimits
from lotus_store.tape.header import HeaderAsset
from lotus_store.tape.store import TapeStore

DAY = "2026-03-04"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
LIMITS = TapeLimits(min_free_gb=0.0)
Rows = dict[str, tuple[Any, ...]]


def act(target: str, from_day: str) -> CurationAct:
    days = from_day, next_day(from_day, 2)
    return CurationAct("", "main", "2026-03-02", "ann", "veto", target, 0.0, "r", "", *days, at_once=True).named()


TODAY, OVER = act(f"@{UNIVERSE[0].name}", next_day(DAY)), act(SPEC.detectors[1].detector_id, next_day(DAY, 2))


class Daemon:
    """As much of a daemon as vetoes at once go through: recorder, pipeline, announcer, watch."""

    def __init__(self, home: Path, said: Rows, now_ns: int) -> None:
        """Begin on a tape that may be there, and feed again what of it matters."""
        store = TapeStore(home, "t")
        self.recorder = Recorder(
            store, tape_header("t", "x", tuple(HeaderAsset(a.name, a.sz_decimals) for a in UNIVERSE)), LIMITS
        )
        self.said, self.last_ns, self.beliefs = said, 0, LedgerBeliefs(SPEC)
        context: Any = SimpleNamespace(spec=SPEC, replaying=False, ids={}, next_window_ms=lambda ns: ns // 10**6)
        rows: Any = SimpleNamespace(note=lambda *_: None)
        plan = rebuild.rebuild_plan(store, now_ns, 0, False)
        self.pipeline = Pipeline(SPEC, self.beliefs, first_day=plan.first_day)
        self.announcer = Announcer(context, self.recorder, self.pipeline, rows, lambda names: None)
        self.watch = BeliefWatch(context, self)  # type: ignore[arg-type]
        for line in rebuild.tape_lines(store, plan):
            self.take(line.recv_ns, line.seq, line.raw)
        self.announcer.writes_controls = True
        self.announcer.repeat(self.beliefs, self.last_ns)

    def on_line(self, recv_ns: int, raw: bytes) -> None:
        self.take(recv_ns, self.recorder.line(Arrival(recv_ns, -1, raw)), raw)

    def control(self, record: SwapRecord) -> None:
        self.take(self.last_ns, self.recorder.control(self.last_ns, record), record.frame())

    def die(self) -> None:
        """End as a killed process does: the operating system has its lines, and its lock on the tape is gone."""
        self.recorder.flush()
        self.recorder._writer._lock.close()

    def take(self, recv_ns: int, seq: int, raw: bytes) -> None:
        changes = self.pipeline.changes
        step = self.pipeline.feed(recv_ns, seq, raw)
        self.last_ns = recv_ns
        if step.scored:
            say(self.said, columns_of(list(step.scored)))
        if self.pipeline.changes != changes:
            self.announcer.follow(self.beliefs, recv_ns)


def say(said: Rows, events: Columns) -> None:
    """Note rows under their names; a row that was said before must be the same."""
    names = [name for name in SIGNAL_EVENTS.names if name != "source"]
    for k, event in enumerate(events["event_id"].tolist()):
        row = tuple(repr(events[name][k]) for name in names)
        assert said.setdefault(event, row) == row, event


@pytest.mark.kill("a daemon dies five times over midnight")
@pytest.mark.parametrize("seed", [1])
def test_what_was_said_is_what_batch_makes_of_the_tape(tmp_path: Path, seed: int) -> None:
    dice, said = random.Random(seed), Rows()
    lines = in_order(market(DAY, "21:57", 2 * 3600 + 8 * 60, step_ms=15_000, seed=3))
    deaths = sorted(dice.sample(range(1, len(lines)), 5))
    first, second = sorted(dice.sample(range(len(lines) // 3), 2))
    lifted = dice.randrange(len(lines) // 2, len(lines))
    daemon = Daemon(tmp_path, said, lines[0][0])
    for k, (recv_ns, raw) in enumerate(lines):
        ledger = [*([TODAY] if k >= first else []), *([OVER] if second <= k < lifted else [])]
        if k in deaths:
            daemon.die()
            daemon = Daemon(tmp_path, said, recv_ns)
        if k % 7 == seed:
            daemon.watch.take(Poll([], [], ledger))
        daemon.on_line(recv_ns, raw)
    daemon.recorder.close()
    store = TapeStore(tmp_path, "t")
    plan = rebuild.RebuildPlan(tuple(store.days()))
    batch: Rows = {}
    for day in score_tape(rebuild.tape_lines(store, plan), SPEC, LedgerBeliefs(SPEC)):
        say(batch, day.events)
    assert said.items() <= batch.items()
    people = [
        row for row in said.values() if int(row[SIGNAL_EVENTS.names.index("veto")].split("(")[-1].rstrip(")")) & PERSON
    ]
    assert len(people) > 20
