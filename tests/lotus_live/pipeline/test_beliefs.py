"""Priors that come late: what a daemon scored under and what the ledger says was in force are the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from tapes import in_order, market, numbered, write
from test_daemon import DAY, SPEC, ledger_events

from lotus.detectors.daily.make import day_tables
from lotus.detectors.scoring.scored import joined
from lotus.detectors.settled import DetectorSet, settled_on, with_settled
from lotus.priors.types import ActiveBraid, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms, next_day
from lotus_live.daemon import Daemon
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import TapeFile
from lotus_live.live import make_daemon
from lotus_live.parity import events_hash, neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.warm_up import warm_up
from lotus_live.reports.status import status_of
from lotus_live.run_context import RunContext
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.detector_sets import put_detector_set
from lotus_store.ledger.beliefs.late_priors import put_off, settle_late
from lotus_store.ledger.beliefs.priors import followed_at, in_force_at, in_force_on, put_in_force, put_version, swaps
from lotus_store.ledger.signals import live_log
from lotus_store.tape.header import TapeHeader
from lotus_store.tape.store import TapeStore

RUN = "live"
BEGIN_MS = day_start_ms(DAY) + 9 * 3_600_000
SWAP_MS = BEGIN_MS + 60_000
WINDOW_MS = SPEC.manifest.kernel.window_ms
pytestmark = pytest.mark.process("the daemon on a tape")


def version(from_ms: int, tilt: float = 0.12) -> PriorsVersion:
    """A version that moves every detector in every window."""
    braids = tuple(
        ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, Rule(), Patch(-tilt, 1.06))
        for k, d in enumerate(SPEC.detectors)
    )
    return priors_version("main", from_ms, braids)


def hand_over(databases: Databases, made: PriorsVersion, parent: PriorsVersion) -> None:
    """Do what the end of a nightly run does, without its message."""
    with databases.connect("sig") as connection:
        put_version(connection, made, next_day(DAY, -1), parent)
        put_in_force(connection, made, "message")


@pytest.fixture(scope="module")
def arrivals() -> list[Arrival]:
    """Six minutes of three assets."""
    return numbered(in_order(market(DAY, "09:00", 360, step_ms=500, seed=11)))


def born(settings: Settings, databases: Databases, arrivals: list[Arrival], tmp_path: Path) -> Daemon:
    """Return a daemon that takes the venue's messages, fed again with what it recorded."""
    warm_up(SPEC)
    units = TapeFile((write(tmp_path / "tape.txt", [(a.recv_ns, a.raw) for a in arrivals]),)).units
    header = TapeHeader(RUN, "paced", units, (), "test")
    daemon = make_daemon(RunContext(settings, databases, SPEC, RUN), TapeStore(settings.home, RUN), header)
    daemon.taker.restore(arrivals[-1].recv_ns)
    return daemon


def feed(daemon: Daemon, arrivals: list[Arrival], from_ms: int, until_ms: int) -> None:
    for line in arrivals:
        if from_ms <= line.recv_ns // 10**6 < until_ms:
            daemon.taker.on_line(Arrival(line.recv_ns, -1, line.raw))


def poll(daemon: Daemon) -> None:
    """Do what the daemon does every second."""
    daemon.watch.take(daemon.watch.poll())


def batch(databases: Databases, arrivals: list[Arrival]) -> tuple[str, list[PriorsVersion]]:
    """Return the hash of the day as batch scores it under what the ledger says, and those versions."""
    with databases.connect("sig") as connection:
        versions = in_force_on(connection, "main", DAY)
    (day,) = score_tape(arrivals, SPEC, neutral_beliefs(SPEC, versions))
    return events_hash(day.events), versions


def test_a_night_that_ends_late_takes_effect_at_the_first_window_that_nobody_scored(
    settings: Settings,
    databases: Databases,
    arrivals: list[Arrival],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    late, late_ms = version(SWAP_MS), SWAP_MS + 62_000
    daemon = born(settings, databases, arrivals, tmp_path)
    feed(daemon, arrivals, 0, late_ms)
    hand_over(databases, late, priors_0("main"))
    poll(daemon)
    feed(daemon, arrivals, late_ms, 2**60)
    scored = status_of(daemon, "running")
    daemon.close()
    hashed, versions = batch(databases, arrivals)
    assert [v.effective_from_ms for v in versions] == [0, SWAP_MS + 65_000]
    assert versions[1].braids == late.braids
    assert events_hash(ledger_events(databases, RUN)) == hashed
    assert set(ledger_events(databases, RUN)["priors_ver"]) == {v.priors_ver for v in versions}
    assert f"priors {late.priors_ver} came late" in caplog.text
    assert (scored.late_priors, scored.priors_ver) == (1, versions[1].priors_ver)
    with databases.connect("sig") as connection:
        log = [e.body for e in live_log.read_log(connection, RUN) if e.kind == "priors_postponed"]
        assert [body["now"] for body in log] == [versions[1].priors_ver]
        assert followed_at(connection, "main", 2**60).priors_ver == versions[1].priors_ver


def test_a_daemon_that_was_away_takes_it_from_where_its_log_ends(
    settings: Settings, databases: Databases, arrivals: list[Arrival], tmp_path: Path
) -> None:
    late, down_ms = version(SWAP_MS), SWAP_MS + 62_000
    first = born(settings, databases, arrivals, tmp_path)
    feed(first, arrivals, 0, down_ms)
    first.close()
    hand_over(databases, late, priors_0("main"))
    again = born(settings, databases, arrivals, tmp_path)
    feed(again, arrivals, down_ms, 2**60)
    again.close()
    hashed, versions = batch(databases, arrivals)
    assert len(versions) == 2
    assert SWAP_MS < versions[1].effective_from_ms <= SWAP_MS + 65_000
    assert events_hash(ledger_events(databases, RUN)) == hashed
    third = born(settings, databases, arrivals, tmp_path)
    third.close()
    assert batch(databases, arrivals) == (hashed, versions), "what was settled stays"


def test_nights_that_catch_up_behind_a_daemon_follow_each_other_and_the_last_holds(
    settings: Settings, databases: Databases, arrivals: list[Arrival], tmp_path: Path
) -> None:
    daemon = born(settings, databases, arrivals, tmp_path)
    feed(daemon, arrivals, 0, 2**60)
    daemon.close()
    one, two = version(SWAP_MS), version(SWAP_MS + 60_000, 0.2)
    with databases.connect("sig") as connection:
        for made, parent in ((one, priors_0("main")), (two, one)):
            assert followed_at(connection, "main", made.effective_from_ms - 1).priors_ver == parent.priors_ver
            put_version(connection, made, DAY, parent)
            put_in_force(connection, made, "message")
            ((was, now),) = settle_late(connection, "main", WINDOW_MS)
            assert (was, now.braids) == (made, made.braids)
            assert settle_late(connection, "main", WINDOW_MS) == []
        assert in_force_at(connection, "main", 2**60) == now
        assert swaps(connection, "main", in_force=True) == [(now.effective_from_ms, now.priors_ver)]
        assert [name for _, name in swaps(connection, "main")][:2] == [one.priors_ver, two.priors_ver]
        assert put_off(connection, one, now.effective_from_ms + 1, WINDOW_MS) == now, "a newer one holds"
    assert batch(databases, arrivals)[0] == events_hash(ledger_events(databases, RUN))


def test_what_came_in_time_or_meets_no_daemon_is_not_put_off(databases: Databases) -> None:
    made = version(SWAP_MS)
    with databases.connect("sig") as connection:
        put_version(connection, made, DAY, priors_0("main"))
        put_in_force(connection, made, "message")
        assert settle_late(connection, "main", WINDOW_MS) == []
        assert put_off(connection, made, SWAP_MS - 1, WINDOW_MS) is made
        assert in_force_at(connection, "main", SWAP_MS) == made


def test_a_daemon_that_runs_over_midnight_takes_the_detectors_of_the_day_and_no_set_that_came_too_late(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    lines = numbered(in_order(market(DAY, "21:57", 2 * 3600 + 480, step_ms=12_000, seed=3)))
    before_ms, born_ms = day_start_ms(DAY) + 21 * 3_600_000 + 58 * 60_000, day_start_ms(DAY) + 22 * 3_600_000
    tomorrow, name = next_day(DAY), "bred_in_time"
    in_time, late = (
        DetectorSet(tomorrow, next_day(DAY, -k), (_text(word),)) for k, word in ((2, name), (1, "bred_too_late"))
    )
    daemon = born(settings, databases, lines, tmp_path)
    feed(daemon, lines, 0, before_ms)
    for one, until_ms in ((in_time, born_ms + 60_000), (late, 2**60)):
        with databases.connect("sig") as connection:
            put_detector_set(connection, "main", one)
        poll(daemon)
        feed(daemon, lines, before_ms, until_ms)
        before_ms = until_ms
    daemon.close()
    settled = settled_on(tomorrow, [in_time], SPEC.manifest)
    tables = day_tables(tomorrow, [], SPEC.manifest, SPEC.universe, with_settled(SPEC.detectors, settled))
    given = replace(neutral_beliefs(SPEC), by_day={tomorrow: tables}, settled_by_day={tomorrow: settled})
    days = score_tape(lines, SPEC, given)
    found = joined([ledger_events(databases, RUN, day) for day in (DAY, tomorrow)])
    hashes = [
        events_hash({column: values for column, values in events.items() if column != "close_seq"})
        for events in (found, joined([day.events for day in days]))
    ]  # a daemon numbers the lines of each day anew
    assert hashes[0] == hashes[1]
    assert name in found["detector_id"]
    assert "bred_too_late" not in found["detector_id"]


def _text(name: str) -> str:
    """Return the specification of a column of the windows."""
    head = f"detector_id: {name}\nfamily: {name}\nversion: 1\nstatus: experimental\nidea: A column.\n"
    return head + "horizon: 30s\nband: 20s..160s\nbest_phase_deg: 270\nsignal: flow * 1.0\n"
