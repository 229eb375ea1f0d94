"""The watchdog against a local exchange: a dead desk, a hung one under the switch, one that lives."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from full_disk import fill, small_disk
from watch_bed import ACCOUNT, LOT, WatchBed, name_of, stop_watchdog, until, watch_bed

from lotus.errors import VenueError
from lotus.trading.execution.orders import Side
from lotus_desk.safety.heartbeat import Pulse
from lotus_desk.safety.kill_switch import FLATTENED, HALTED, LIFTED
from lotus_desk.watch.alerts import read_alerts
from lotus_desk.watch.rules import WatchPolicy
from lotus_desk.watch.running import start_watchdog
from lotus_desk.watch.status import watchdog_status
from lotus_desk.watch.watchdog import Watchdog
from lotus_store.processes import born
from lotus_store.slate import read_slate, write_slate
from lotus_venues.hyperliquid.guard import GuardSession
from lotus_venues.local_exchange.faults import Fault, FaultKind
from lotus_venues.local_exchange.requests.error_messages import POST_ONLY_PERIOD

pytestmark = pytest.mark.clock("a watchdog waits for beats that do not come")
DEAD = WatchPolicy(dead_s=0.3)


def watched(home: Path, policy: WatchPolicy, work: object) -> None:
    """Run `work(bed, watchdog)` while the watchdog runs."""

    async def go() -> None:
        async with watch_bed(home) as bed:
            watchdog = bed.watchdog(policy)
            task = asyncio.create_task(watchdog.run())
            try:
                await work(bed, watchdog)  # type: ignore[operator]
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())


def kinds(bed: WatchBed) -> list[str]:
    return [alert.kind for alert in read_alerts(bed.settings.home / "live" / "alerts.jsonl")]


def test_a_dead_desk_leaves_its_stops_and_nothing_that_opens(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        await bed.rest()
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bed.resting == [name_of(2)])
        assert bed.held == LOT, "the position keeps its stop and stays"
        assert bed.switch.state() == HALTED
        await until(lambda: "daemon_gone" in kinds(bed))
        await asyncio.sleep(0.8)
        assert (bed.held, bed.resting) == (LOT, [name_of(2)])

    watched(tmp_path, DEAD, work)


@pytest.mark.parametrize("stopped", [Decimal(0), LOT / 2])
def test_a_position_that_nobody_protects_is_closed(tmp_path: Path, stopped: Decimal) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold(Side.SELL, stopped)
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bed.held == 0)

    watched(tmp_path, DEAD, work)


def test_after_the_grace_everything_is_closed_when_the_policy_says_so(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bed.switch.state() == HALTED)
        assert bed.held == LOT
        await until(lambda: bed.held == 0)
        assert bed.switch.state() == FLATTENED
        await until(lambda: bed.resting == [])

    watched(tmp_path, WatchPolicy(dead_s=0.3, flatten_after_s=1.0), work)


@pytest.mark.clock("the kill switch is promised to work within two seconds, over whatever the desk does")
@pytest.mark.parametrize("flatten", [True, False])
def test_the_switch_works_within_two_seconds_over_a_hung_desk(tmp_path: Path, flatten: bool) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        await bed.rest()
        bed.beat(0.0)
        began = time.monotonic()
        bed.switch.throw(flatten)
        await until(lambda: name_of(3) not in bed.resting and bed.held == (0 if flatten else LOT), limit_s=2.0)
        assert time.monotonic() - began < 2.0
        await until(lambda: "switch_unheard" in kinds(bed))

    watched(tmp_path, WatchPolicy(dead_s=30.0), work)


@pytest.mark.clock("the kill switch is promised to work within two seconds, also long after a desk died")
def test_thrown_over_a_desk_long_dead_it_is_urgent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = GuardSession.close_out, list[dict[str, Decimal]]()

    async def close_out(self: GuardSession, positions: dict[str, Decimal]) -> dict[str, str]:
        if positions and not failed:
            failed.append(positions)
            raise VenueError("it hangs", "an answer")
        return await real(self, positions)

    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        watchdog.slow_look_s = 30.0
        await bed.hold()
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: watchdog._since_s > 0 and time.monotonic() - watchdog._since_s > 1.5)
        bed.switch.throw(flatten=True)
        await until(lambda: bed.held == 0, limit_s=2.0)
        assert failed

    monkeypatch.setattr(GuardSession, "close_out", close_out)
    monkeypatch.setattr("lotus_desk.watch.watchdog.URGENT_S", 1.0)
    watched(tmp_path, DEAD, work)


def test_a_desk_that_lives_is_left_alone(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        await bed.rest()
        for _ in range(15):
            bed.beat(0.0)
            await asyncio.sleep(0.1)
        assert len(bed.resting) == 3
        assert bed.held == LOT
        assert watchdog.acts == 0
        assert kinds(bed) == []
        assert bed.switch.state() == LIFTED

    watched(tmp_path, WatchPolicy(dead_s=1.0), work)


def test_a_desk_that_lives_and_does_not_flatten_is_helped(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        bed.switch.throw(flatten=True)
        deadline = time.monotonic() + 4.0
        while bed.held and time.monotonic() < deadline:
            bed.beat(0.0)
            await asyncio.sleep(0.05)
        assert bed.held == 0

    watched(tmp_path, WatchPolicy(), work)


def test_a_hung_process_is_ended_before_anything_is_done_in_its_place(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    os.kill(sleeper.pid, signal.SIGSTOP)

    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        bed.beat(0.0, pid=sleeper.pid)
        await bed.hold()
        await bed.rest()
        await until(lambda: bed.resting == [name_of(2)])
        assert sleeper.wait(5) == -signal.SIGKILL

    watched(tmp_path, DEAD, work)


def test_another_process_under_the_same_number_is_never_ended(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.rest()
        bed.beat(0.0)
        pulse = tmp_path / "live" / "heartbeat.json"
        write_slate(pulse, (read_slate(pulse) or {}) | {"born": "1"})
        assert born(os.getpid()) != "1"
        await until(lambda: bed.resting == [])

    watched(tmp_path, DEAD, work)


def test_an_exchange_that_is_silent_is_told_and_asked_again(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.rest()
        bed.beat(0.0, pid=dead_pid())
        silent = Fault(FaultKind.ERROR_BEFORE, "info:clearinghouseState", probability=1.0, limit=6)
        bed.exchange.faults.switch([silent])
        await until(lambda: bed.resting == [])
        assert any(kind.startswith("blind:") for kind in kinds(bed))

    watched(tmp_path, DEAD, work)


def test_what_the_venue_refuses_is_not_told_as_done(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold(Side.SELL, Decimal(0))
        bed.exchange.faults.switch([Fault(FaultKind.ONE_ERROR, "order", probability=1.0, limit=2)])
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bed.held == 0)
        told = [alert.done for alert in read_alerts(bed.settings.home / "live" / "alerts.jsonl")]
        assert any("not closed: " in done for done in told)
        assert not any(" closed" in done.replace("not closed", "") for done in told[:1])

    watched(tmp_path, DEAD, work)


def test_after_an_upgrade_of_the_venue_it_says_why_and_closes_when_it_may(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold(Side.SELL, Decimal(0))
        state = bed.exchange.engine.state
        state.post_only_until_ms = bed.exchange.now_ms + 1_500
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bed.held == 0)
        assert bed.exchange.now_ms >= state.post_only_until_ms
        told = [alert.done for alert in read_alerts(bed.settings.home / "live" / "alerts.jsonl")]
        assert any(POST_ONLY_PERIOD in done for done in told)

    watched(tmp_path, DEAD, work)


def test_it_ends_when_a_desk_that_ended_in_order_left_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_desk.watch.watchdog.END_S", 0.3)

    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            watchdog = bed.watchdog(WatchPolicy())
            end_in_order(bed)
            await asyncio.wait_for(watchdog.run(), 5.0)

    asyncio.run(go())


def test_a_desk_that_ended_is_watched_until_a_look_begun_since_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the desk opened after the last look and left behind is found, though the account was seen empty."""
    monkeypatch.setattr("lotus_desk.watch.watchdog.END_S", 0.0)

    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            watchdog = bed.watchdog(WatchPolicy())
            bed.beat(0.0)
            await watchdog.turn()
            assert watchdog.held[ACCOUNT].is_empty
            await bed.hold()
            end_in_order(bed)
            await watchdog.turn()
            assert watchdog.held[ACCOUNT].is_empty, "looked at before, and not again yet"
            assert not watchdog._is_done()

    asyncio.run(go())


def end_in_order(bed: WatchBed) -> None:
    """Say that the desk ended in order just now."""
    bed.beat(0.0)
    write_slate(path := Pulse(bed.settings.home).path, (read_slate(path) or {}) | {"is_over": True})


@pytest.mark.process("the watchdog as a process")
def test_it_is_a_process_of_its_own_and_one_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            config = tmp_path / "lotus.toml"
            config.write_text(
                f'[trading]\nvenue = "local"\nurl = "{bed.exchange.url}"\n[safety]\ndead_s = 2.0\nlate_s = 0.5\n'
            )
            monkeypatch.setenv("LOTUS_CONFIG", str(config))
            await bed.hold()
            await bed.rest()
            bed.beat(0.0, pid=dead_pid())
            for _ in range(2):
                start_watchdog(bed.settings)
            await until(lambda: bool(watchdog_status(tmp_path)["alive"]), 20.0)
            await until(lambda: bed.resting == [name_of(2)], 20.0)
            log = tmp_path / "live" / "watchdog.log"
            await until(lambda: "WATCHDOG: daemon_gone" in log.read_text())
            with (tmp_path / "live" / "watchdog.lock").open("a") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            await asyncio.to_thread(stop_watchdog, tmp_path)
            assert not watchdog_status(tmp_path)["alive"]

    asyncio.run(go())


def dead_pid() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


@pytest.mark.parametrize("fault", ["full", "gone", "thrown and gone"])
def test_a_dead_desk_is_followed_whatever_became_of_the_disk(tmp_path: Path, fault: str) -> None:
    """A full disk, a home that went away, one that went after its switch was thrown: the venue is acted upon."""

    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        home = bed.settings.home
        await bed.hold()
        await bed.rest()
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bool(watchdog.held))
        if fault == "full":
            fill(home)
        if fault == "thrown and gone":
            bed.switch.throw(flatten=True)
            await until(lambda: watchdog._switch == FLATTENED)
        if "gone" in fault:
            (home / "live").rename(home / "away")
        await until(lambda: name_of(3) not in bed.resting)
        if fault == "thrown and gone":
            await until(lambda: bed.held == 0)
        else:
            assert bed.held == LOT
            assert bed.resting == [name_of(2)], "its stop protects what is held"
        if fault == "full":
            await until(lambda: bed.switch.state() == HALTED)

    with small_disk(tmp_path / "disk", "8m") as home:
        watched(home, WatchPolicy(dead_s=1.0, late_s=0.3), work)


def test_nothing_but_cancellation_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.hold()
        await bed.rest()
        bed.beat(0.0, pid=dead_pid())
        faults = iter([RuntimeError("once"), KeyError("twice"), OSError(28, "no room")] * 2)

        def failing(self: object, *_: object) -> bool:
            for problem in faults:
                raise problem
            return True

        monkeypatch.setattr("lotus_desk.watch.watchdog.Watchdog._read", _then(Watchdog._read, failing))
        monkeypatch.setattr("lotus_desk.watch.alerts.Alerts.tell", failing)
        await until(lambda: bed.resting == [name_of(2)])

    watched(tmp_path, DEAD, work)


def _then(real: object, failing: object) -> object:
    def read(self: object, now_s: float) -> None:
        failing(self)  # type: ignore[operator]
        real(self, now_s)  # type: ignore[operator]

    return read


def test_a_venue_that_hangs_keeps_no_switch_from_being_thrown(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        await bed.rest()
        bed.beat(0.0, pid=dead_pid())
        await until(lambda: bool(watchdog.held))
        bed.exchange.faults.switch([Fault(FaultKind.HANG_BEFORE, probability=1.0)])
        await until(lambda: bed.switch.state() == HALTED, 6.0)
        bed.exchange.faults.switch([])
        await until(lambda: bed.resting == [], 15.0)

    watched(tmp_path, WatchPolicy(dead_s=1.0, late_s=0.3), work)


def test_over_empty_accounts_a_home_that_is_gone_ends_it_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        async with watch_bed(tmp_path) as bed:
            watchdog = bed.watchdog(DEAD)
            bed.beat(0.0, pid=dead_pid())
            task = asyncio.create_task(watchdog.run())
            await until(lambda: bool(watchdog.held))
            (tmp_path / "live").rename(tmp_path / "away")
            await asyncio.wait_for(task, 5.0)

    asyncio.run(go())
    assert "nothing is open" in caplog.text


def test_a_home_that_is_away_for_a_moment_ends_no_watch_over_what_was_not_looked_at(tmp_path: Path) -> None:
    """Looks at a quiet desk are seconds apart: what opened since the last one is found when the home goes."""

    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        bed.beat(0.0)
        await until(lambda: bool(watchdog.held))
        await bed.hold()
        (tmp_path / "live").rename(tmp_path / "away")
        assert not watchdog._is_done(), "gone between a turn's look at the home and its end"
        await asyncio.sleep(0.3)
        bed.switch.throw(flatten=True)
        await until(lambda: bed.held == 0)

    watched(tmp_path, WatchPolicy(dead_s=30.0, late_s=0.3), work)


def test_an_account_that_became_unified_under_the_desk_is_told_once(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        bed.beat(0.0)
        await until(lambda: bool(watchdog._standing_s))
        await asyncio.sleep(0.2)
        assert "unified" not in kinds(bed)
        bed.exchange.info.abstraction = "portfolioMargin"
        watchdog._standing_s.clear()
        await until(lambda: "unified" in kinds(bed))
        await asyncio.sleep(0.3)
        assert kinds(bed).count("unified") == 1

    watched(tmp_path, WatchPolicy(), work)


def test_an_agent_that_ends_within_a_week_is_told_once(tmp_path: Path) -> None:
    async def work(bed: WatchBed, watchdog: Watchdog) -> None:
        now_ms = bed.exchange.now_ms
        for digit, days in (("7", 6.9), ("8", 7.1)):
            bed.exchange.signers.approve("0x" + digit * 40, bed.user, f"k{digit}", now_ms + int(days * 86_400_000))
        bed.beat(0.0)
        await until(lambda: any(k.startswith("agent_ends") for k in kinds(bed)))
        await asyncio.sleep(0.3)
        ends = [k for k in kinds(bed) if k.startswith("agent_ends")]
        assert ends == [f"agent_ends:0x{'7' * 40}"], "the others last"

    watched(tmp_path, WatchPolicy(), work)
