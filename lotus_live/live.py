"""Running the daemon: on the venue, or on a recording that a loopback server plays as the venue would.

`run_live` is what the command line, the demo and the tests call; it returns when the daemon was stopped or the tape
is over. It chooses names, universe and clock, and leaves all work to `daemon`.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, tee
from pathlib import Path
from typing import Any

import uvloop

from lotus.detectors.registry import scored_detectors, specs_ver
from lotus.detectors.scoring.scored import Columns, columns_of
from lotus.errors import ConfigError, TapeError
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.names import parse_name
from lotus.timebase import NS_PER_MS
from lotus_desk.accounts.paper import PAPER, PaperAccounts
from lotus_desk.pace import pace_to_trade
from lotus_desk.trading import Trading, TradingClock, propose_fresh, trading_of
from lotus_desk.watch.running import start_watchdog
from lotus_herald.keys import Keys
from lotus_live.daemon import Daemon
from lotus_live.exchanges import SECOND, local_exchanges
from lotus_live.feed.clocks import Arrival, Clock, ReplayClock, in_ms, is_control, is_no_market
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.recorder import Recorder, tape_header
from lotus_live.feed.replay_process import served
from lotus_live.feed.tape_file import Recording, TapeDay, TapeFile
from lotus_live.feed.wall_clock import WallClock
from lotus_live.heap import bound_arenas
from lotus_live.lockstep import Lockstep
from lotus_live.parity import events_hash
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.rebuild import lines_recorded
from lotus_live.pipeline.warm_up import warm_up
from lotus_live.reports.status import status_of
from lotus_live.run_context import RunContext, RunTape
from lotus_live.shards.keeper import ShardKeeper, live_shards
from lotus_live.shards.share import Share
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.live_log import Run, begin_run
from lotus_store.ledger.trading.paper_books import PaperBooks
from lotus_store.tape.header import HeaderAsset, TapeHeader, split_universe
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.shards.aside import take_over_tape
from lotus_store.tape.store import TapeStore
from lotus_venues.hyperliquid.info import http_base
from lotus_venues.hyperliquid.subscriptions import universe_subscriptions
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.replay_server import ReplayPlan

LOCAL = "local"
EXCHANGES = (LOCAL, "hyperliquid")
AT_ONCE = ReplayPlan()
OnStart = Callable[[Daemon], None] | None
OFF = "off"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What a run did: the last status, and of a replay its events (scoring order) and their hash."""

    status: dict[str, Any]
    events: Columns
    events_hash: str


Job = Callable[[Databases], Coroutine[Any, Any, LiveResult]]


def run_live(
    settings: Settings,
    source: str | Sequence[Path] | TapeDay = "",
    *,
    plan: ReplayPlan = AT_ONCE,
    run_id: str = "",
    databases: Databases | None = None,
    on_start: OnStart = None,
    trade: bool = False,
    share: Share | None = None,
    say: Callable[[str], object] = logger.info,
) -> LiveResult:
    """Run the daemon on an address (default: the settings' venue), or on a recording as `plan` plays it.

    With `trade` published windows are executed where the settings say: on paper accounts that see the same feed, or
    at `local`, an exchange on loopback; of a recording, one that plays it in this process. With a speed that recording
    goes on whatever its orders do; at 0 it waits for them (`Lockstep`), on paper it has the fastest pace. In step no
    commit waits for the disk: exchange and orders end with this process, and the tape holds the rest.

    With a `share` it is one shard of the branch: it waits until the lease is free (`say` tells of that), takes its
    coins alone, and trades nothing: its windows are proposed to the one desk where lotus.toml names a venue.

    A recording is files, or a day of a stored tape, which is given out from its first window on as batch has it.
    A replay records what it takes under its own tape name, so that after a crash the same call goes on where its tape
    ends. Raises `VenueError` for unknown coins, `TapeError` for unreadable recordings or a full disk, `ConfigError` for
    a `run_id` that is no name, for a `speed` at which orders cannot keep up with the tape, for a share that trades or
    replays, and for a daemon of all coins that does not trade beside shards.
    """
    _check_share(share, source, trade)
    if run_id:
        parse_name("run", run_id)
    in_step = False
    if isinstance(source, str) or not source:
        url = str(source or settings.live.ws_url)
        job = _on_venue(settings, url, run_id, on_start, trade, share, say)
    else:
        tape = source if isinstance(source, TapeDay) else TapeFile(tuple(source))
        if trade and (plan.speed or settings.trading.venue != LOCAL):
            horizons = (detector.horizon_s for detector in scored_detectors(settings.manifest))
            plan = replace(plan, speed=pace_to_trade(plan.speed, horizons))
        in_step = trade and not plan.speed
        job = _replayed(settings, tape, run_id, plan, on_start, trade)
    if databases is not None:
        return uvloop.run(job(databases))
    with Databases(settings, is_lazy=in_step) as own:
        return uvloop.run(job(own))


def _check_share(share: Share | None, source: object, trade: bool) -> None:
    """Raise `ConfigError` for a shard that would trade or replay."""
    if share is not None and trade:
        cause = "one desk decides and signs for all shards: `lotus live --trade`, without --shard"
        raise ConfigError(f"shard {share.name} with --trade", "a shard that only publishes", cause)
    if share is not None and not isinstance(source, str):
        cause = "a recording needs no lease: `lotus live --replay` obeys what its control records say of other shards"
        raise ConfigError(f"shard {share.name} of a recording", "a websocket", cause)


def _on_venue(
    settings: Settings,
    url: str,
    run_id: str,
    on_start: OnStart,
    trade: bool,
    share: Share | None,
    say: Callable[[str], object],
) -> Job:
    universe = settings.manifest.universe
    coins = universe if share is None else share.of(universe)
    if share is not None:
        settings = replace(settings, tape=f"{settings.tape}.{share.suffix}")
    spec = LaneSpec(settings.manifest, universe, scored_detectors(settings.manifest), settings.branch)
    store = TapeStore(settings.home, settings.tape, settings.segments_url)
    header = tape_header(settings.tape, url, tuple(HeaderAsset(a.name, a.sz_decimals) for a in universe))
    rest_url = settings.live.rest_url if url == settings.live.ws_url else http_base(url)
    live = settings.live
    policy = FeedPolicy(ping_s=live.ping_s, renew_after_s=live.stale_s, spin=live.spin)

    async def job(databases: Databases) -> LiveResult:
        bound_arenas()
        warm_up(spec)
        name = run_id or f"{settings.branch}.{settings.tape}"
        context = RunContext(settings, databases, spec, name, share=share)
        if share is None:
            publishes = _publishes(databases, spec.branch, trade, say)
            return await run(make_daemon(context, store, header), publishes)
        keeper = ShardKeeper(databases, share, spec.branch)
        try:
            await keeper.stand_by(say)
            salvaged = take_over_tape(store, keeper.lease.epoch)
            daemon = make_daemon(context, store, header, salvaged)
            daemon.keep(keeper)
            if settings.trading.venue != OFF:
                keys = Keys(settings.keys_root)
                daemon.log.propose = lambda sig, rows: propose_fresh(sig, rows, in_ms(WallClock())(), keys)
            return await run(daemon, True)
        finally:
            keeper.close()

    async def run(daemon: Daemon, publishes: bool) -> LiveResult:
        databases, clock = daemon.context.databases, WallClock()
        daemon.log.publishes = publishes
        if trade and settings.trading.venue in EXCHANGES:
            start_watchdog(settings)
            orders_url = settings.trading.url or rest_url
            daemon.trade(
                trading_of(settings, databases, universe, orders_url, TradingClock(in_ms(clock), hold=clock.hold))
            )
        elif trade:
            daemon.trade(_on_paper(settings, databases, spec, daemon.context.run_id, clock))
        daemon.taker.restore(clock.now_ns())
        daemon.begin(on_start)
        port = live.metrics_port + (share.number + 1 if share is not None and live.metrics_port else 0)
        with _metrics(port, daemon):
            await daemon.run(
                Feed(
                    url=url,
                    rest_url=rest_url,
                    universe=coins,
                    clock=clock,
                    on_line=daemon.taker.on_line,
                    policy=policy,
                )
            )
        return _result(daemon)

    return job


def _publishes(databases: Databases, branch: str, trade: bool, say: Callable[[str], object]) -> bool:
    """Return whether a daemon of all coins publishes: not beside shards, whose desk it then is (blocking).

    Raises `ConfigError` beside shards for one that does not trade.
    """
    held = live_shards(databases, branch)
    if held and not trade:
        cause = "--shard K/N is missing, or the shards are to end first"
        raise ConfigError(f"shard {held[0].shard} is held by {held[0].owner}", "a branch without shards", cause)
    if held:
        say(f"{len(held)} shards publish {branch}: this daemon trades what they propose and publishes nothing itself")
    return not held


def _metrics(port: int, daemon: Daemon) -> AbstractContextManager[object]:
    """Serve the daemon's metrics within a block; without a port nothing is imported for it."""
    if not port:
        return nullcontext()
    from lotus_live.reports.metrics import StatusCollector
    from lotus_live.reports.metrics_page import metrics_page

    return metrics_page(port, StatusCollector(lambda: daemon.status.as_json() if daemon.status else {}))


def _replayed(
    settings: Settings, tape: Recording, run_id: str, plan: ReplayPlan, on_start: OnStart, trade: bool
) -> Job:
    spec, coins = _replay_spec(settings, tape)
    plan = replace(plan, start_after=len(universe_subscriptions(a.name for a in spec.universe)))

    async def job(databases: Databases) -> LiveResult:
        name = run_id or replay_run_id(settings, tape, spec)
        store = TapeStore(settings.home, name)
        header = TapeHeader(name, "replay of " + tape.name, tape.units, (), "replay")
        warm_up(spec)
        context = RunContext(settings, databases, spec, name, replaying=True, first_day=tape.first_day)
        daemon = make_daemon(context, store, header)
        done = lines_recorded(store) if store.exists() else 0
        last_ns = _check_same_tape(store, tape, done)
        at_exchange = trade and settings.trading.venue == LOCAL
        along = is_no_market if at_exchange else is_control
        arrivals = islice(tape.arrivals(), done, None)
        given, played = tee(arrivals) if at_exchange else (arrivals, iter(()))
        clock = ReplayClock(given, along, last_ns)
        if trade and not at_exchange:
            daemon.trade(_on_paper(settings, databases, spec, name, clock, plan.speed))
        daemon.taker.restore(0)
        daemon.begin(on_start)
        policy = FeedPolicy(ping_s=settings.live.ping_s, renew_stale=False, watch_s=0.2, spin=settings.live.spin)
        if not at_exchange:
            async with served(tape, done, coins, plan, daemon.fail) as url:
                await daemon.run(
                    Feed(
                        url=url,
                        rest_url=http_base(url),
                        universe=spec.universe,
                        clock=clock,
                        on_line=daemon.taker.on_line,
                        policy=policy,
                    )
                )
            return _result(daemon)
        options, step = _exchange_options(plan, clock), None
        if not plan.speed:
            latency_ms, window_ms = spec.manifest.outcomes.latency_ms, spec.manifest.kernel.window_ms
            step = Lockstep(daemon, clock, latency_ms * NS_PER_MS, window_ms * NS_PER_MS)
            options = replace(options, hold=step.hold)
        frames = ((line.recv_ns, line.raw) for line in played)
        async with local_exchanges(coins, frames, options, settings.trading) as (exchange, second):
            now_ms = in_ms(clock) if step is None or second is None else step.now_ms
            trading_clock = TradingClock(now_ms, plan.speed or 1.0, in_step=not plan.speed)
            others = {} if second is None else {SECOND: second.url}
            trading = trading_of(settings, databases, spec.universe, exchange.url, trading_clock, name, others=others)
            daemon.trade(trading)
            if step is not None and second is not None:
                step.beside(second)
            feed = Feed(
                url=exchange.ws_url,
                rest_url=exchange.url,
                universe=spec.universe,
                clock=clock,
                on_line=daemon.taker.on_line,
                policy=policy,
            )
            await daemon.run(feed, None if step is None else step.finish)
        return _result(daemon)

    return job


def _on_paper(
    settings: Settings, databases: Databases, spec: LaneSpec, session: str, clock: Clock, pace: float = 0.0
) -> Trading:
    """Return trading on the paper accounts of a run, on the clock of its feed."""
    paper = PaperAccounts(settings, spec.universe, session, clock.now_ns, partial(PaperBooks, databases))
    hold = clock.hold if isinstance(clock, WallClock) else str
    return trading_of(settings, databases, spec.universe, PAPER, TradingClock(in_ms(clock), pace, hold), session, paper)


def _exchange_options(plan: ReplayPlan, clock: ReplayClock) -> Options:
    """Return an exchange on the tape's clock that starts when the daemon listens; nonces follow the same clock."""
    start_after = plan.start_after or 0
    return Options(
        clock=TimeSource.TAPE, speed=plan.speed, start_after=start_after, limit_scale=0,
        repeats_trades=False, longest_silence_s=60.0,
        client_ms=in_ms(clock),
    )  # fmt: skip


def make_daemon(
    context: RunContext, store: TapeStore, header: TapeHeader, salvaged: Sequence[SegmentMeta] = ()
) -> Daemon:
    """Return a daemon that records into a tape, its run begun in the ledger; `salvaged` segments it has to list."""
    settings, replaying = context.settings, context.replaying
    with context.databases.connect("sig") as connection:
        begin_run(connection, Run(context.run_id, context.spec.branch, settings.tape, replaying))
    closed: list[SegmentMeta] = list(salvaged)
    recorder = Recorder(store, header, settings.limits, None if replaying else closed.append)
    return Daemon(context, RunTape(store, recorder, closed))


def _replay_spec(settings: Settings, tape: Recording) -> tuple[LaneSpec, tuple[Asset, ...]]:
    """Return the lanes' specification and every coin that the replay server must know."""
    header = TapeHeader("replay", "", tape.units)
    split = split_universe(header, settings.manifest.universe)
    detectors = scored_detectors(settings.manifest)
    spec = LaneSpec(settings.manifest, split.universe, detectors, settings.branch, split.ignored)
    return spec, (*split.universe, *split.ignored)


def replay_run_id(settings: Settings, tape: Recording, spec: LaneSpec) -> str:
    """Return the name of the run of a recording: the same recording and settings continue the same run."""
    first = next((line for line in tape.arrivals()), Arrival(0, 0, b""))
    what = natural_id(
        settings.branch, settings.manifest.version, specs_ver(spec.detectors), first.recv_ns, first.raw, tape.identity
    )
    return f"replay-{what[:16]}"


def _check_same_tape(store: TapeStore, tape: Recording, done: int) -> int:
    """Return the stamp of the last line that a run took (0 before the first); raises `TapeError` for another tape."""
    if not done:
        return 0
    *_, meta = store.all_segments()
    last = store.read_segment(meta).split(b"\n")[-2]
    expected = next(islice(tape.arrivals(), done - 1, done), None)
    if expected is None or last != b"%d %b" % (expected.recv_ns, expected.raw):
        raise TapeError(
            f"run {store.tape} ends with another line than line {done} of the recording",
            "the recording that the run began with",
            "another recording under the same run_id",
        )
    return expected.recv_ns


def _result(daemon: Daemon) -> LiveResult:
    events = columns_of(daemon.rows.kept or [])
    return LiveResult(status_of(daemon, "stopped").as_json(), events, events_hash(events))
