"""The live daemon: feed, recorder, pipeline, paper desk, log writer and Herald under one loop, until told to stop.

Order of work for a line: tape first, then score, then paper; rows go to the ledger only after their lines reached the
operating system. After a crash the state is rebuilt from the tape and everything is made again under the same names.
Timers here only write, look for commands and mark silence: no result depends on them.
"""

import asyncio
import gc
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from lotus.detectors.registry import specs_ver
from lotus.detectors.scoring.scored import Scored
from lotus.detectors.spec import DetectorSpec
from lotus.errors import ConfigError, LotusError, TapeError
from lotus.hashing import natural_id
from lotus.priors.types import PriorsVersion
from lotus.timebase import NS_PER_MS, day_start_ms
from lotus_desk.trading import Trading
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_live.feed.clocks import Arrival, Clock, in_ms
from lotus_live.feed.feed import Feed
from lotus_live.feed.recorder import Recorder, SwapRecord
from lotus_live.feed.wall_clock import WallClock, step_text
from lotus_live.paper_desk import ProbeTrader, entry_number
from lotus_live.pipeline import rebuild
from lotus_live.pipeline.beliefs import (
    LedgerBeliefs,
    fresh_sets,
    fresh_versions,
    read_tables,
    settle_start,
    settled_versions,
)
from lotus_live.pipeline.day_lane import DayLane, LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.trials import control_texts, prepare_trials, read_trials
from lotus_live.reports.event_log import EventLog, LogBatch, read_mark
from lotus_live.reports.signal_bus import SignalBus
from lotus_live.reports.status import FailureCause, LiveCounts, status_of, write_status
from lotus_live.signals import on_end_signals
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.late_priors import Put
from lotus_store.ledger.signals.live_log import SWAP_DETECTORS, LogEntry, finish_command, take_commands
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeStore

logger = logging.getLogger(__name__)

FLUSH_S = 0.25
POLL_S = 1.0
STATUS_S = 1.0
SYNC_S = 5.0
WATCHDOG_S = 60.0


class Daemon:
    """One run of the daemon. `controls` writes control records into the tape (live; a replayed tape has its own)."""

    def __init__(
        self,
        settings: Settings,
        databases: Databases,
        spec: LaneSpec,
        run_id: str,
        recorder: Recorder | None,
        store: TapeStore,
        closed: list[SegmentMeta],
        *,
        replaying: bool,
        first_day: str | None = None,
    ) -> None:
        """Read beliefs and start the log writer; nothing is connected yet. The recorder appends to `closed`.

        Lines before `first_day` only warm it up. A run that is replaying keeps its events (`kept`).
        """
        self.settings, self.databases, self.spec, self.run_id = settings, databases, spec, run_id
        self.recorder, self.store, self.replaying = recorder, store, replaying
        self.folder = settings.home / "live"
        self.beliefs = LedgerBeliefs(spec)
        came_late = [] if replaying else settle_start(databases, spec)
        self.beliefs.accept(fresh_versions(databases, self.beliefs), -1)
        self.beliefs.by_day = read_tables(Lake(settings.lake_root), spec)
        self.beliefs.sets = fresh_sets(databases, spec)
        self.bus = SignalBus(spec, self.beliefs)
        self.log = EventLog(databases, run_id, self.mark_path, self.bus, waiting=256 if replaying else 0)
        self.desk = ProbeTrader(spec.manifest, spec.universe)
        self.counts = LiveCounts()
        self.told: dict[str, Any] = {}  # the last status, replaced whole: other threads may read it
        self.kept: list[Scored] | None = [] if replaying else None
        self.feed: Feed | None = None
        self.herald: Herald | None = None
        self.trading: Trading | None = None
        self.first_day = first_day
        self.in_step = False  # a replay whose tape waits hands rows over, and lets the book be decided, at its barriers
        self.pipeline = Pipeline(spec, self.beliefs, first_day=first_day)
        self._scored: list[Scored] = []
        self._entries: list[LogEntry] = []
        self._closed = closed
        self.last_ns = 0
        self._trials: tuple[DetectorSpec, ...] = self.pipeline.trials
        self._lanes: tuple[DayLane | None, DayLane | None] = None, None
        self._woken = asyncio.Event()
        self._stopping = ""
        self._handed = 0
        self._last_end_ms = 0
        self._tell_late(came_late)

    @property
    def last_window_end_ms(self) -> int:
        """End of the newest scored window (ms UTC), 0 before the first."""
        return self._last_end_ms

    @property
    def mark_path(self) -> Path:
        """File that says up to where the ledger is complete."""
        return self.folder / f"written-{natural_id(self.run_id)[:12]}.json"

    def trade(self, trading: Trading) -> None:
        """Execute what is published from now on at a venue; call it before `run`."""
        self.trading, self.log.propose = trading, trading.propose
        self.pipeline.tap(trading.frame)

    def restore(self, now_ns: int) -> int:
        """Feed the tape again as far as it still matters; return the number of lines on the whole tape."""
        written_ns = read_mark(self.mark_path, self.run_id)
        plan = rebuild.rebuild_plan(self.store, now_ns, written_ns, self.replaying)
        self.pipeline = Pipeline(self.spec, self.beliefs, first_day=self.first_day or plan.first_day)
        if self.trading is not None:
            self.pipeline.tap(self.trading.frame)
        for line in rebuild.tape_lines(self.store, plan):
            self._take(line.recv_ns, line.seq, line.raw)
            self.counts.rebuilt += 1
            if len(self._scored) >= 2_000:
                self.hand_over()
        self.hand_over()
        if self.trading is not None:
            self.trading.restored(goes_on=self.replaying)
        return rebuild.lines_recorded(self.store) if self.store.exists() else 0

    def on_line(self, line: Arrival) -> None:
        """Take one line of the feed: tape, pipeline, paper."""
        seq = line.seq
        if self.recorder is not None:
            number = self.recorder.line(line)
            seq = number if seq < 0 else seq
        began = time.perf_counter_ns()
        self._take(line.recv_ns, seq, line.raw)
        self.counts.took(time.perf_counter_ns() - began)
        if self.trading is not None and self.counts.published != self._handed and not self.in_step:
            self._handed = self.counts.published
            self.hand_over()

    def _take(self, recv_ns: int, seq: int, raw: bytes) -> None:
        """Take one line, fed or read back; what it breaks unforeseen ends with it, and what Lotus raises goes on."""
        try:
            self._take_whole(recv_ns, seq, raw)
        except (LotusError, OSError, MemoryError):
            raise
        except Exception as error:
            self.last_ns = recv_ns
            text = f"line {seq} at {recv_ns} was put aside: {error!r}"
            self.counts.failed(FailureCause.LINES, text)
            logger.error("%s", text, exc_info=error, extra={"run_id": self.run_id})

    def _take_whole(self, recv_ns: int, seq: int, raw: bytes) -> None:
        step = self.pipeline.feed(recv_ns, seq, raw)
        self.last_ns = recv_ns
        self.desk.step(recv_ns, seq, step)
        if self.trading is not None:
            self.trading.see(recv_ns, step, self.desk.venue.ladders, raw)
        for scored in step.scored:
            self._scored.append(scored)
            self.counts.add(scored)
        pipeline = self.pipeline
        if step.scored and pipeline.last_window_end_ms != self._last_end_ms:
            self._last_end_ms = pipeline.last_window_end_ms
            self.counts.ends += 1
        if pipeline.trials is not self._trials:
            self._trials = pipeline.trials
            self.bus.silence(d.detector_id for d in pipeline.trials)
            self._note_swap(self._record(self.beliefs.versions[-1], self._next_window_ms()), recv_ns // NS_PER_MS)
        if pipeline.today is not self._lanes[0] or pipeline.tomorrow is not self._lanes[1]:
            self._lane_changed()

    def _lane_changed(self) -> None:
        """Announce a day that begins; and the trials to a day whose state is born, for its rebuild starts there."""
        today, (before, _) = self.pipeline.today, self._lanes
        self._lanes = today, self.pipeline.tomorrow
        if today is not None and today is not before:
            self._announce(self.beliefs.versions[-1], day_start_ms(today.day))
        elif self._writes_controls and self.pipeline.trials and self.recorder is not None:
            self.recorder.control(self.last_ns, self._record(self.beliefs.versions[-1], self._next_window_ms()))

    def _announce(self, version: PriorsVersion, from_ms: int) -> None:
        """Say in the tape (live) and in the log what holds from a moment on."""
        if self.pipeline.today is None:
            return
        record = self._record(version, from_ms)
        if self._writes_controls and self.recorder is not None:
            self.recorder.control(self.last_ns, record)
        self._note_swap(record, from_ms)

    @property
    def _writes_controls(self) -> bool:
        return self.recorder is not None and self.feed is not None and not self.replaying

    def _next_window_ms(self) -> int:
        window_ms = self.spec.manifest.kernel.window_ms
        return (self.last_ns // NS_PER_MS // window_ms + 1) * window_ms

    def _record(self, version: PriorsVersion, from_ms: int, texts: tuple[str, ...] | None = None) -> SwapRecord:
        """Return the record of what holds from a moment on: the trials in force, or those of `texts`."""
        today, named = self.pipeline.today, self.pipeline.trial_texts if texts is None else texts
        trials = read_trials(named, self.spec.detectors, self.spec.manifest)
        index = -(-from_ms // self.spec.manifest.kernel.window_ms)
        specs = specs_ver((*self.spec.detectors, *trials))
        tables_ver, day = (today.scorer.tables.tables_ver, today.day) if today is not None else ("", "")
        experts_ver = today.experts.version if today is not None else ""
        return SwapRecord(index, version.priors_ver, specs, tables_ver, experts_ver, day, named)

    def _note_swap(self, record: SwapRecord, from_ms: int) -> None:
        names = ("priors_ver", "tables_ver", "experts_ver", "window_index", "day")
        body: dict[str, Any] = {name: getattr(record, name) for name in names}
        if record.detectors:
            body |= {"specs_ver": record.specs_ver, "trials": [d.detector_id for d in self.pipeline.trials]}
        self._entries.append(LogEntry(entry_number("swap", repr(body)), from_ms, "swap", body))

    def use_trials(self, texts: tuple[str, ...]) -> dict[str, Any]:
        """Run the trials of these texts, and only those, from the next frame on, by a control record of the tape.

        They were prepared before. Returns what the command is told. A replay follows the records of its tape alone.
        """
        if not self._writes_controls or self.recorder is None or self.pipeline.today is None:
            return {"error": "this daemon takes no trials: it replays a tape, or no line has come yet"}
        record = self._record(self.beliefs.versions[-1], self._next_window_ms(), texts)
        began = time.perf_counter_ns()
        self._take(self.last_ns, self.recorder.control(self.last_ns, record), record.frame())
        pause_ms = (time.perf_counter_ns() - began) / 1e6
        return {"run_id": self.run_id, "specs_ver": record.specs_ver, "pause_ms": pause_ms,
                "trials": [d.detector_id for d in self.pipeline.trials]}  # fmt: skip

    def swap(self, fresh: list[PriorsVersion]) -> None:
        """Take new versions between two windows; one that a window overtook is asked for again, in a replay refused."""
        before, scored_ms = len(self.beliefs.refused), self.pipeline.last_window_end_ms
        if not self.replaying:
            fresh = [version for version in fresh if version.effective_from_ms > scored_ms]
        taken = self.beliefs.accept(fresh, scored_ms)
        if taken:
            self.pipeline.swap(self.beliefs.versions)
        for version in taken:
            self._announce(version, version.effective_from_ms)
        for version in self.beliefs.refused[before:]:
            body = {"priors_ver": version.priors_ver, "reason": "late"}
            number = entry_number("refused", version.priors_ver)
            self._entries.append(LogEntry(number, scored_ms, "priors_refused", body))

    def _tell_late(self, late: Sequence[Put]) -> None:
        """Alarm: versions came late; the ledger says from when their beliefs are in force."""
        for version, now in late:
            text = f"priors {version.priors_ver} came late: {now.priors_ver} holds"
            self.counts.failed(FailureCause.PRIORS, text)
            logger.warning("%s from %s on", text, now.effective_from_ms, extra={"run_id": self.run_id})
            body = {"priors_ver": version.priors_ver, "now": now.priors_ver, "effective_from_ms": now.effective_from_ms}
            number = entry_number("postponed", repr(body))
            self._entries.append(LogEntry(number, version.effective_from_ms, "priors_postponed", body))

    def stop(self, why: str) -> None:
        """Ask the daemon to end cleanly."""
        self._stopping = self._stopping or why
        if self.feed is not None:
            self.feed.stop()
        self._woken.set()

    async def run(self, feed: Feed, last: Callable[[], Awaitable[None]] | None = None) -> None:
        """Feed (into `on_line`) until stopped or the replayed tape is over; raises what ended it otherwise.

        With `last`, a tape that is over and its desk have that time to end.
        """
        self.feed = feed
        on_end_signals(self.stop, self._woken.set)
        self._note_life("start", {"url": feed.url, "pid": os.getpid(), "rebuilt": self.counts.rebuilt})
        gc.collect()
        gc.freeze()
        helpers = [asyncio.create_task(self._housekeeping(feed.clock)), asyncio.create_task(self._polling())]
        if not self.replaying or self.trading is not None:
            helpers.append(asyncio.create_task(self._carrying(feed.clock)))
        if self.trading is not None:
            helpers.append(asyncio.create_task(self._trading(self.trading)))
        if self.trading is not None and not self.in_step:
            helpers.append(
                asyncio.create_task(self.trading.rebalancer.run(lambda: (self.counts.ends, self._last_end_ms)))
            )
        try:
            await feed.run()
            self._stopping = self._stopping or "the tape is over"
            if last is not None:
                await last()
        except LotusError as error:
            self._stopping = str(error)
            raise
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            if self.trading is not None:
                self.trading.close()
            await asyncio.to_thread(self._close)

    async def _housekeeping(self, clock: Clock) -> None:
        """Every 0.25 s hand lines and rows over, every 5 s make the tape durable, every second tell the status."""
        told_s, synced_s, steps = 0.0, 0.0, 0
        while True:
            await asyncio.sleep(FLUSH_S)
            now_s = time.monotonic()
            try:
                if self.recorder is not None and now_s - synced_s >= SYNC_S:
                    synced_s = now_s
                    self.recorder.sync(clock.now_ns())
                if not self.in_step:
                    self.hand_over()
            except TapeError as error:
                if self.feed is not None:
                    self.feed.failed(error)
                return
            if isinstance(clock, WallClock):
                self._tell_steps(clock.steps[steps:])
                steps = len(clock.steps)
            if now_s - told_s >= STATUS_S:
                told_s = now_s
                self._write_status("running")

    async def _polling(self) -> None:
        """Look for new priors, tables and commands, at once when woken; a ledger that is away only delays this."""
        while True:
            try:
                fresh, late, commands = await asyncio.to_thread(self._ask_ledger)
            except (LotusError, OSError, psycopg.Error) as error:
                if self.counts.failed(FailureCause.POLLS, str(error)):
                    logger.warning("the ledger does not answer: %s", error, extra={"run_id": self.run_id})
            else:
                self.counts.mended(FailureCause.POLLS)
                self._tell_late(late)
                self.swap(fresh)
                for number, name, body in commands:
                    await asyncio.to_thread(self._answer, number, await self._carry_out(name, body))
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            self._woken.clear()

    async def _carrying(self, clock: Clock) -> None:
        """Host the deployment's Herald: what modules say to one another is carried; one that breaks is begun again.

        What learning says is applied by Dagster's runs, in step with a night; the daemon only carries it.
        """
        keys, trading = Keys(self.settings.keys_root), self.trading
        while True:
            handlers = {} if trading is None else trading.handlers
            self.herald = Herald(
                self.databases, keys, handlers, lambda: self.pipeline.last_window_end_ms,
                in_ms(clock), branch=None, replica=f"daemon {self.run_id}", own_only=True,
                on_applied=None if trading is None else trading.desk.applied,
            )  # fmt: skip
            try:
                await self.herald.run()
            except (LotusError, OSError, psycopg.Error) as error:
                self.counts.failed(FailureCause.HERALD, str(error))
                logger.warning("the Herald ended and is begun again: %s", error, extra={"run_id": self.run_id})
            await asyncio.sleep(POLL_S)

    async def _trading(self, trading: Trading) -> None:
        """Run the trading desk from the first line on; one that breaks is begun again and finds what it left."""
        while not self.last_ns:
            await asyncio.sleep(FLUSH_S)
        while True:
            try:
                await trading.run()
            except Exception as error:
                self.counts.failed(FailureCause.DESK, f"the desk ended: {error!r}")
                text, ids = "the desk ended and is begun again: %r", {"run_id": self.run_id}
                logger.error(text, error, exc_info=error, extra=ids)
            await asyncio.sleep(POLL_S)

    async def _carry_out(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Obey a command of the ledger; what must be compiled for it is compiled in a worker thread first."""
        if name != SWAP_DETECTORS:
            return {"error": f"unknown command {name!r}", "known": [SWAP_DETECTORS]}
        texts = control_texts(body)
        if texts is None:
            return {"error": "no list of texts under detectors"}
        try:
            await asyncio.to_thread(prepare_trials, texts, self.spec.detectors, self.spec.manifest)
        except ConfigError as error:
            return {"error": str(error)}
        return self.use_trials(texts)

    def _ask_ledger(self) -> tuple[list[PriorsVersion], list[Put], list[tuple[int, str, dict[str, Any]]]]:
        scored_ms = -1 if self.replaying else self.pipeline.last_window_end_ms
        fresh, late = settled_versions(self.databases, self.beliefs, scored_ms)
        self.beliefs.by_day = read_tables(Lake(self.settings.lake_root), self.spec, self.beliefs.by_day)
        born = max((lane.day for lane in self.pipeline.lanes), default="")
        self.beliefs.sets = fresh_sets(self.databases, self.spec, self.beliefs.sets, born)
        with self.databases.connect("sig") as connection:
            return fresh, late, take_commands(connection)

    def _answer(self, number: int, result: dict[str, Any]) -> None:
        with self.databases.connect("sig") as connection:
            finish_command(connection, number, result)

    def hand_over(self) -> None:
        """Give the rows made so far to the log writer, their lines first to the operating system."""
        if self.recorder is not None:
            self.recorder.flush()
        rows = self.desk.take()
        if not (self._scored or rows.orders or rows.fills or rows.log or self._entries or self._closed):
            return
        if self.kept is not None:
            self.kept += self._scored
        self.log.put(LogBatch(self.last_ns, self._scored, rows, self._entries, tuple(self._closed)))
        self._scored, self._entries = [], []
        self._closed.clear()

    def _close(self) -> None:
        """Close tape and log; rows whose lines a failed disk did not take are left to the next start."""
        self._note_life("stop", {"why": self._stopping, "lines": self.counts.lines})
        try:
            if self.recorder is not None:
                self.recorder.close()
            self.hand_over()
        finally:
            written = self.log.close()
            self._write_status("stopped" if written else "stopped, not everything written")

    def _note_life(self, kind: str, body: dict[str, Any]) -> None:
        time_ms = self.last_ns // NS_PER_MS
        self._entries.append(LogEntry(entry_number(kind, time.time_ns()), time_ms, kind, body))

    def _tell_steps(self, steps_ms: list[int]) -> None:
        """Log steps of the machine's clock, here and in the ledger."""
        for moved_ms in steps_ms:
            logger.warning("%s", step_text(moved_ms), extra={"run_id": self.run_id})
            self._note_life("clock_step", {"moved_ms": moved_ms})

    def _write_status(self, state: str) -> None:
        if time.monotonic() - self.log.last_success_s > WATCHDOG_S and self.log.waiting:
            state += ", the ledger does not take rows"
        self.told = status_of(self, state)
        write_status(self.folder / "status.json", self.told)
