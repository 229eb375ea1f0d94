"""`lotus live`, `lotus record`, `lotus replay`: the daemon, the recorder, and a recording served as the venue would."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotus.errors import VenueError
from lotus.json_text import read_json
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import PORT, SECONDS, at_branch, at_tape, settings_of, tape_option
from lotus_cli.terminal.progress import Progress
from lotus_store.tape.shards.plan import MOST_SHARDS, Shard

if TYPE_CHECKING:
    from lotus_live.daemon import Daemon
    from lotus_live.feed.feed import Feed
    from lotus_venues.replay_server import ReplayServer

RECORDING = click.Path(exists=True, dir_okay=False, path_type=Path)


class Speed(click.ParamType[float]):
    """A pace: a positive number of times real time, 0 for the text "max"."""

    name = "speed"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the pace; another text is wrong usage."""
        if value == "max":
            return 0.0
        pace = 0.0
        with suppress(ValueError):
            pace = float(value)
        if 0.0 < pace < float("inf"):
            return pace
        return self.fail(f"found {value!r}; expected a positive number, or max", param, ctx)


class ShardOf(click.ParamType[Shard]):
    """A shard: K/N, its number from 0 and how many there are."""

    name = "shard"

    def convert(self, value: str | Shard, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Return the shard; another text is wrong usage."""
        if isinstance(value, Shard):
            return value
        number, slash, count = value.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and int(number) < int(count) <= MOST_SHARDS:
            return Shard(int(number), int(count))
        return self.fail(f"found {value!r}; expected K/N, K from 0 to N - 1, N at most {MOST_SHARDS}", param, ctx)


SPEED = Speed()


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How `lotus live` runs."""

    url: str
    replay: tuple[Path, ...]
    speed: float
    run_id: str
    trade: bool
    shard: Shard | None
    status: bool
    tape: str | None
    branch: str | None
    home: str | None
    as_json: bool


@click.command("live")
@click.option("--url", default="", help="Websocket of the venue (default: live.ws_url of lotus.toml).")
@click.option(
    "--replay", "replay", multiple=True, type=RECORDING, help="Play this recording over a loopback websocket."
)
@click.option(
    "--speed", type=SPEED, default="max", show_default=True, help="Pace of a replay: a multiple of real time, or max."
)
@click.option("--run-id", default="", help="Name of the run; the same name goes on where a killed run ended.")
@click.option("--trade", is_flag=True, help="Execute published windows: on paper, or at trading.venue.")
@click.option("--shard", type=ShardOf(), metavar="K/N", help="Publish for the K-th of N shards of the coins, from 0.")
@click.option("--status", is_flag=True, help="Only say how the daemon and its desk are: switch, watchdog, arming.")
@tape_option
@at_branch
@options_as(LiveOptions)
def live_command(options: LiveOptions) -> None:
    """Record, score, publish and paper-trade until stopped (SIGINT, SIGTERM) or the replayed tape is over.

    With --shard it does so for its share of the universe, or stands by while another process does. A desk is one
    daemon without --shard: --trade.
    """
    if options.status:
        emit(_status(settings_of(options.home, options.tape, options.branch).home), options.as_json)
        return
    from lotus_live.live import run_live
    from lotus_live.shards.share import Share
    from lotus_venues.replay_server import ReplayPlan

    with Progress(quiet=options.as_json) as progress:

        def begin(daemon: "Daemon") -> None:
            progress(f"daemon {daemon.context.run_id} is up")
            if options.replay:
                progress.watch("lines taken", 0, lambda: daemon.taker.counts.lines)

        settings = settings_of(options.home, options.tape, options.branch)
        share = Share(options.shard.number, options.shard.count) if options.shard is not None else None
        progress("starting the daemon", 0)
        result = run_live(
            settings,
            options.replay or options.url,
            plan=ReplayPlan(speed=options.speed),
            run_id=options.run_id,
            on_start=begin,
            trade=options.trade,
            share=share,
            say=progress,
        )
    emit({**result.status, "events_hash": result.events_hash}, options.as_json)


def _status(home: Path) -> dict[str, object]:
    """Return what the daemon said last, and what stands in files now, the daemon dead or alive."""
    from lotus_live.reports.safety_status import safety_status

    status: dict[str, object] = {"state": "never ran here"}
    with suppress(OSError, ValueError):
        status = read_json((home / "live" / "status.json").read_text(encoding="utf-8"))
    shown: dict[str, object] = {n: status[n] for n in ("state", "run_id", "pid", "last_failure") if n in status}
    shards = {}
    for path in sorted((home / "live").glob("status-*of*.json")):
        with suppress(OSError, ValueError):
            one = read_json(path.read_text(encoding="utf-8"))
            shards[one["shard"]["name"]] = {n: one[n] for n in ("state", "pid", "time", "last_failure")} | one["shard"]
    of_shards = {"shards": shards} if shards else {}
    return {**shown, **of_shards, "desk": status.get("trading"), **safety_status(home)}


@click.command("record")
@click.option("--url", default="", help="Websocket of the venue (default: live.ws_url of lotus.toml).")
@click.option("--seconds", type=SECONDS, default=0.0, help="Stop after this long (default: at SIGINT or SIGTERM).")
@click.option("--shard", type=ShardOf(), metavar="K/N", help="Only the K-th of N shares of the coins, from 0.")
@at_tape
def record_command(
    url: str, seconds: float, shard: Shard | None, tape: str | None, home: str | None, as_json: bool
) -> None:
    """Record the universe of lotus.toml into a tape: reconnects, renews stale channels, checks coins against meta.

    Recorders of shards on several addresses make one tape: each writes its own, and a day is joined when it is read.
    """
    from lotus_live.feed.record import run_record

    settings = settings_of(home, tape)
    with Progress(quiet=as_json) as progress:

        def begin(feed: "Feed") -> None:
            progress(f"recording {feed.url}")
            progress.watch("frames received", 0, lambda: feed.counts.frames)

        result = run_record(settings, url, seconds=seconds, on_start=begin, shard=shard)
    if not result.connects:
        cause = "no network, a wrong --url, or a venue that is down; nothing was stored"
        found = f"no connection to {url or settings.live.ws_url} came about"
        raise VenueError(found, "a websocket that answers", cause)
    emit(
        {
            "lines": result.lines,
            "segments": list(result.segments),
            "connects": result.connects,
            "salvaged": result.salvaged,
            "stale": result.stale,
        },
        as_json,
    )


@click.command("replay")
@click.argument("files", nargs=-1, required=True, type=RECORDING)
@click.option("--port", type=PORT, default=8765, show_default=True, help="Port on 127.0.0.1 (0: any free one).")
@click.option("--speed", type=SPEED, default="1", show_default=True, help="A multiple of real time, or max.")
@json_option
@explained
def replay_command(files: tuple[Path, ...], port: int, speed: float, as_json: bool) -> None:
    """Serve recordings over a loopback websocket as the venue would; the tape starts with the first subscription."""
    from lotus_live.feed.record import serve_recording

    with Progress() as progress:

        def begin(server: "ReplayServer") -> None:
            progress(f"serving {server.url}; Ctrl-C ends")
            if not as_json:
                progress.watch("frames sent", 0, lambda: server.sent)

        sent = serve_recording(files, port=port, speed=speed, on_ready=begin)
    emit({"frames_sent": sent}, as_json)
