"""New versions are taken between two windows; a replay refuses a late one, a live daemon asks for it again."""

from types import SimpleNamespace
from typing import Any

import pytest
from tapes import MANIFEST, UNIVERSE

from lotus.curation.act import CurationAct
from lotus.curation.at_once import listed
from lotus.detectors.registry import shipped_detectors
from lotus.priors.types import PriorsVersion, priors_0, priors_version
from lotus_live.belief_watch import BeliefWatch
from lotus_live.pipeline.beliefs import LedgerBeliefs, Poll
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.reports.status import FailureCause, LiveCounts

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
LATE, NEW = priors_version("main", 5_000, ()), priors_version("main", 15_000, ())


class World:
    """A taker that scored until 10 s; it notes swaps, announcements and log entries."""

    def __init__(self, replaying: bool) -> None:
        """Believe the genesis version."""
        self.beliefs = LedgerBeliefs(SPEC)
        self.swaps: list[list[PriorsVersion]] = []
        self.announced: list[tuple[PriorsVersion, int]] = []
        self.kinds: list[str] = []
        self.taker: Any = SimpleNamespace(
            beliefs=self.beliefs, counts=LiveCounts(), last_ns=10,
            pipeline=SimpleNamespace(last_window_end_ms=10_000, swap=lambda versions: self.swaps.append([*versions])),
            announcer=SimpleNamespace(announce=lambda version, ms, _: self.announced.append((version, ms))),
            rows=SimpleNamespace(note=lambda kind, *_: self.kinds.append(kind)),
        )  # fmt: skip
        context: Any = SimpleNamespace(replaying=replaying, ids={})
        self.watch = BeliefWatch(context, self.taker)


@pytest.mark.parametrize("replaying", [True, False])
def test_a_new_version_is_swapped_in_and_announced_from_its_time_on(replaying: bool) -> None:
    world = World(replaying)
    world.watch.take(Poll([NEW], []))
    assert world.swaps == [[priors_0("main"), NEW]]
    assert world.announced == [(NEW, NEW.effective_from_ms)]
    assert world.kinds == []


@pytest.mark.parametrize(("replaying", "kinds"), [(True, ["priors_refused"]), (False, [])])
def test_a_late_version_is_refused_by_a_replay_and_asked_for_again_live(replaying: bool, kinds: list[str]) -> None:
    world = World(replaying)
    world.watch.take(Poll([LATE], []))
    assert (world.swaps, world.kinds, world.beliefs.has(LATE.priors_ver)) == ([], kinds, replaying)


def test_a_postponed_version_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    world = World(replaying=False)
    world.watch.take(Poll([], [(LATE, NEW)]))
    assert world.kinds == ["priors_postponed"]
    assert world.taker.counts.failures[FailureCause.PRIORS].count == 1
    assert f"priors {LATE.priors_ver} came late" in caplog.text


def test_vetoes_of_the_ledger_become_a_record_of_the_tape_once_and_in_no_replay() -> None:
    act = CurationAct("", "main", "2026-03-02", "ann", "veto", "@BTC", 0.0, "r", "", "2026-03-05", "2026-03-09",
                      at_once=True).named()  # fmt: skip
    world = World(replaying=False)
    records: list[Any] = []

    def control(record: Any) -> None:
        records.append(record)
        world.taker.pipeline.vetoes = record

    world.taker.pipeline.today, world.taker.pipeline.vetoes = SimpleNamespace(day="2026-03-04"), ()
    world.taker.announcer.record = lambda version, ms, vetoes: vetoes
    world.taker.control = control
    world.watch._context.next_window_ms = lambda ns: 0  # type: ignore[method-assign, assignment]
    for writes in (False, True, True):
        world.taker.announcer.writes_controls = writes
        world.watch.take(Poll([], [], [act]))
        world.watch.take(Poll([], []))
    assert records == [listed([act], "2026-03-04")]
    world.watch.take(Poll([], [], []))
    assert records[-1] == ()
