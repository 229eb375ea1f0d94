"""`lotus exchange`: the local exchange over a recording or a simulated day, until Ctrl-C.

Only reads options and holds the server open; what the exchange does stands in `lotus_venues.local_exchange`.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lotus.errors import ConfigError
from lotus.json_text import read_json
from lotus.manifest import Asset
from lotus_cli.live import RECORDING, speed_of
from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import DAY, PORT
from lotus_cli.progress import Progress

if TYPE_CHECKING:
    from lotus_venues.local_exchange.faults import Fault
    from lotus_venues.local_exchange.options import Options

Market = tuple[tuple[Asset, ...], Iterator[tuple[int, bytes]]]


class Pair(click.ParamType[tuple[str, str]]):
    """Two words with an equals sign between them, the first an address."""

    name = "address=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the two words; another text is wrong usage."""
        if isinstance(value, tuple):
            return value
        address, equals, rest = str(value).partition("=")
        if not equals or not rest or not address.startswith("0x") or len(address) != 42:
            self.fail(f"found {value!r}; expected 0x<40 hexadecimal characters>=VALUE", param, ctx)
        return address, rest


PAIR = Pair()


def pace_of(text: str) -> float | None:
    """Return the pace of a tape: times real time, 0 for max, None for manual (moved by POST /lotus only)."""
    return None if text == "manual" else speed_of(text)


def faults_of(text: str) -> "tuple[Fault, ...]":
    """Return faults from JSON or from a file that holds it; raises `ConfigError` for what is neither."""
    from lotus_venues.local_exchange.faults import read_faults

    try:
        rows = read_json(text if text.lstrip().startswith("[") else Path(text).read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"faults {text!r} ({error})", "a JSON list of faults, or a file with one") from error
    return read_faults(rows)


def usd_of(text: str) -> Decimal:
    """Return an amount of dollars; another text is wrong usage."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise click.BadParameter(f"found {text!r}; expected dollars, 0 or more")
    return value


def recorded_market(paths: tuple[Path, ...]) -> Market:
    """Return coins and lines of recordings."""
    from lotus_live.tape_file import TapeFile

    tape = TapeFile(paths)
    return tape.universe, ((line.recv_ns, line.raw) for line in tape.arrivals())


def simulated_market(world: str, seed: int, day: str | None) -> Market:
    """Return coins and lines of one day of a simulated world (default: its last)."""
    from lotus.simulation.spec import WorldSpec
    from lotus.simulation.world import World

    spec = WorldSpec(world, seed=seed)
    days = [spec.day(i) for i in range(spec.days)]
    if day is not None and day not in days:
        raise ConfigError(f"day {day} of world {world}", f"{days[0]} to {days[-1]}")
    index = days.index(day) if day is not None else spec.days - 1

    def lines() -> Iterator[tuple[int, bytes]]:
        for _, text in World(spec).day_pieces(index):
            for line in text.splitlines():
                stamp, _, raw = line.partition(b" ")
                yield int(stamp), raw

    return tuple(Asset(a.name, a.sz_decimals) for a in spec.assets), lines()


@click.command("exchange")
@click.option("--port", type=PORT, default=8777, show_default=True, help="Port on 127.0.0.1 (0: any free one).")
@click.option("--tape", "tapes", multiple=True, type=RECORDING, help="A recording to trade on (several: in order).")
@click.option("--world", type=click.Choice(["demo", "null"]), help="A simulated world to trade on (default: demo).")
@click.option("--seed", default=7, show_default=True, help="Seed of the world and of the faults.")
@click.option("--day", type=DAY, help="Day of the world (default: its last).")
@click.option("--speed", default="1", show_default=True, help="A multiple of real time, max, or manual.")
@click.option("--start-after", default=0, show_default=True, help="Market subscriptions that start the tape.")
@click.option("--clock", type=click.Choice(["tape", "wall"]), default="tape", show_default=True, help="Its time.")
@click.option("--now", is_flag=True, help="Move the tape so that it begins now, on the machine's clock, in real time.")
@click.option("--account", "accounts", multiple=True, type=PAIR, help="ADDRESS=USD deposited.")
@click.option("--agent", "agents", multiple=True, type=PAIR, help="AGENT=MASTER: a key that trades for an account.")
@click.option("--deposit", default="100000", show_default=True, help="USD of any other signer (0: refuse them).")
@click.option("--limits", "limit_scale", default=1.0, show_default=True, help="Scale of the rate limits (0: none).")
@click.option("--schedule-volume", default=1_000_000, show_default=True, help="USD traded that unlock scheduleCancel.")
@click.option("--strict-exits", is_flag=True, help="Refuse exits larger than the position.")
@click.option(
    "--small-exits",
    type=click.Choice(["all", "full", "none"]),
    default="all",
    show_default=True,
    help="Exits below 10 USD that are taken: all, those of whole positions, none.",
)
@click.option("--faults", "faults", default="[]", help="JSON list of faults, or a file with one.")
@json_option
@explained
def exchange_command(
    port: int,
    tapes: tuple[Path, ...],
    world: str | None,
    seed: int,
    day: str | None,
    speed: str,
    start_after: int,
    clock: str,
    now: bool,
    accounts: tuple[tuple[str, str], ...],
    agents: tuple[tuple[str, str], ...],
    deposit: str,
    limit_scale: float,
    schedule_volume: int,
    strict_exits: bool,
    small_exits: str,
    faults: str,
    as_json: bool,
) -> None:
    """Serve the venue's websocket, /info and /exchange on loopback, with real matching over a tape; test money only."""
    from lotus_venues.local_exchange.options import Clock, Options
    from lotus_venues.local_exchange.shift import shifted
    from lotus_venues.local_exchange.values import ExitRules, SmallExits

    if tapes and (world or day):
        raise click.UsageError("--tape or --world with --day, not both")
    if now and speed != "1":
        raise click.UsageError("--now plays at the pace of the clock, without --speed")
    options = Options(
        accounts={address: usd_of(usd) for address, usd in accounts},
        agents=dict(agents),
        open_deposit_usd=usd_of(deposit) or None,
        clock=Clock.WALL if now else Clock(clock),
        speed=pace_of(speed),
        start_after=start_after,
        limit_scale=limit_scale,
        faults=faults_of(faults),
        seed=seed,
        schedule_volume_usd=schedule_volume,
        exit_rules=ExitRules(strict_exits, SmallExits(small_exits)),
    )
    market = recorded_market(tapes) if tapes else simulated_market(world or "demo", seed, day)
    if now:
        market = market[0], shifted(market[1], time.time_ns())
    progress = Progress()
    emit(serve(market, options, port, lambda url: progress(f"exchange at {url}; Ctrl-C ends")), as_json)


def serve(market: Market, options: "Options", port: int, on_ready: Callable[[str], Any]) -> dict[str, Any]:
    """Run an exchange until SIGINT or SIGTERM; return its closing counts. Raises `TapeError` where a tape ends it."""
    import uvloop

    from lotus_live.signals import on_end_signals
    from lotus_venues.local_exchange.server import LocalExchange

    async def run() -> dict[str, Any]:
        ended = asyncio.Event()
        on_end_signals(lambda name: ended.set())
        async with LocalExchange(market[0], market[1], options=options, port=port) as exchange:
            on_ready(exchange.url)
            stops = [asyncio.ensure_future(event.wait()) for event in (ended, exchange.broken)]
            await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
            for stop in stops:
                stop.cancel()
            return exchange.control.counts()

    return uvloop.run(run())
