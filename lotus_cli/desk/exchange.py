"""`lotus exchange`: the local exchange over a recording or a simulated day, until Ctrl-C.

Only reads options and holds the server open; what the exchange does stands in `lotus_venues.local_exchange`.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lotus.errors import ConfigError
from lotus.json_text import read_json
from lotus.manifest import Asset
from lotus_cli.desk.live import RECORDING, Speed
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import DAY, PORT, WHOLE, Finite
from lotus_cli.terminal.progress import Progress
from lotus_store.files import read_utf8

if TYPE_CHECKING:
    from lotus_venues.local_exchange.faults import Fault
    from lotus_venues.local_exchange.options import Options

Market = tuple[tuple[Asset, ...], Iterator[tuple[int, bytes]]]


class Pair(click.ParamType[tuple[str, Any]]):
    """Two words with an equals sign between them, the first an address, the second of another kind."""

    name = "address=value"

    def __init__(self, of_value: click.ParamType[Any]) -> None:
        self._of_value = of_value

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Return the address and the value; another text is wrong usage."""
        if isinstance(value, tuple):
            return value
        address, equals, rest = str(value).partition("=")
        if not equals or not rest or not address.startswith("0x") or len(address) != 42:
            self.fail(f"found {value!r}; expected 0x<40 hexadecimal characters>=VALUE", param, ctx)
        return address, self._of_value.convert(rest, param, ctx)


class TapePace(click.ParamType[float | None]):
    """The pace of a tape: times real time, 0 for max, None for manual (moved by POST /lotus only)."""

    name = "pace"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Return the pace; another text is wrong usage."""
        return None if value == "manual" else Speed().convert(value, param, ctx)


class Dollars(click.ParamType[Decimal]):
    """An amount of dollars, 0 or more."""

    name = "dollars"

    def convert(self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount; another text is wrong usage."""
        amount = Decimal(-1)
        with suppress(InvalidOperation):
            amount = Decimal(value)
        if amount.is_finite() and amount >= 0:
            return amount
        return self.fail(f"found {value!r}; expected dollars, 0 or more", param, ctx)


DEPOSIT, AGENT = Pair(Dollars()), Pair(click.STRING)


def faults_of(text: str) -> "tuple[Fault, ...]":
    """Return faults from JSON or from a file that holds it; raises `ConfigError` for what is neither."""
    from lotus_venues.local_exchange.faults import read_faults

    try:
        rows = read_json(text if text.lstrip().startswith("[") else read_utf8(Path(text)))
    except ValueError as error:
        raise ConfigError(f"the faults in {text} are no JSON: {error}", "a JSON list, or a file with one") from error
    return read_faults(rows)


def recorded_market(paths: tuple[Path, ...]) -> Market:
    """Return coins and lines of recordings."""
    from lotus_live.feed.tape_file import TapeFile

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


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """What `lotus exchange` serves, and how."""

    port: int
    tapes: tuple[Path, ...]
    world: str | None
    seed: int
    day: str | None
    speed: float | None
    start_after: int
    clock: str
    now: bool
    accounts: tuple[tuple[str, Decimal], ...]
    agents: tuple[tuple[str, str], ...]
    deposit: Decimal
    limit_scale: float
    schedule_volume: int
    strict_exits: bool
    small_exits: str
    faults: str
    as_json: bool


@click.command("exchange")
@click.option("--port", type=PORT, default=8777, show_default=True, help="Port on 127.0.0.1 (0: any free one).")
@click.option("--tape", "tapes", multiple=True, type=RECORDING, help="A recording to trade on (several: in order).")
@click.option("--world", type=click.Choice(["demo", "null"]), help="A simulated world to trade on (default: demo).")
@click.option("--seed", type=WHOLE, default=7, show_default=True, help="Seed of the world and of the faults.")
@click.option("--day", type=DAY, help="Day of the world (default: its last).")
@click.option(
    "--speed", type=TapePace(), default="1", show_default=True, help="A multiple of real time, max, or manual."
)
@click.option(
    "--start-after", type=WHOLE, default=0, show_default=True, help="Market subscriptions that start the tape."
)
@click.option("--clock", type=click.Choice(["tape", "wall"]), default="tape", show_default=True, help="Its time.")
@click.option("--now", is_flag=True, help="Move the tape so that it begins now, on the machine's clock, in real time.")
@click.option("--account", "accounts", multiple=True, type=DEPOSIT, help="ADDRESS=USD deposited.")
@click.option("--agent", "agents", multiple=True, type=AGENT, help="AGENT=MASTER: a key that trades for an account.")
@click.option(
    "--deposit", type=Dollars(), default="100000", show_default=True, help="USD of any other signer (0: refuse them)."
)
@click.option(
    "--limits",
    "limit_scale",
    type=Finite(0.0),
    default=1.0,
    show_default=True,
    help="Scale of the rate limits (0: none).",
)
@click.option(
    "--schedule-volume", type=WHOLE, default=1_000_000, show_default=True, help="USD traded that unlock scheduleCancel."
)
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
@options_as(ExchangeOptions)
def exchange_command(options: ExchangeOptions) -> None:
    """Serve the venue's websocket, /info and /exchange on loopback, with real matching over a tape; test money only."""
    from lotus_venues.local_exchange.engine.values import ExitRules, SmallExits
    from lotus_venues.local_exchange.options import Options, TimeSource
    from lotus_venues.local_exchange.shift import shifted

    if options.tapes and (options.world or options.day):
        raise click.UsageError("--tape or --world with --day, not both")
    if options.now and options.speed != 1.0:
        raise click.UsageError("--now plays at the pace of the clock, without --speed")
    rules = Options(
        accounts=dict(options.accounts),
        agents=dict(options.agents),
        open_deposit_usd=options.deposit or None,
        clock=TimeSource.WALL if options.now else TimeSource(options.clock),
        speed=options.speed,
        start_after=options.start_after,
        limit_scale=options.limit_scale,
        faults=faults_of(options.faults),
        seed=options.seed,
        schedule_volume_usd=options.schedule_volume,
        exit_rules=ExitRules(options.strict_exits, SmallExits(options.small_exits)),
    )
    market = (
        recorded_market(options.tapes)
        if options.tapes
        else simulated_market(options.world or "demo", options.seed, options.day)
    )
    if options.now:
        market = market[0], shifted(market[1], time.time_ns())
    progress = Progress()
    emit(serve(market, rules, options.port, lambda url: progress(f"exchange at {url}; Ctrl-C ends")), options.as_json)


def serve(market: Market, options: "Options", port: int, on_ready: Callable[[str], Any]) -> dict[str, Any]:
    """Run an exchange until SIGINT or SIGTERM; return its closing counts. Raises `TapeError` where a tape ends it."""
    import uvloop

    from lotus_live.signals import on_end_signals
    from lotus_venues.local_exchange.web.server import LocalExchange

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
