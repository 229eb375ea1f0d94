"""`lotus up`: PostgreSQL, migrations, Dagster's code server, web server and daemon, and if wanted the live daemon.

One process supervises all others; one Ctrl-C (or SIGTERM) stops them all and leaves none behind. What is served is
defined elsewhere.
"""

import itertools
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from lotus.errors import ConfigError
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_of
from lotus_assets.dagster_processes import DagsterProcesses
from lotus_resources.console_process import CONSOLE_ENV, begin_console
from lotus_resources.dagster_home import dagster_environment
from lotus_resources.processes import Processes
from lotus_resources.span import DaySpan, span_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.private import locked, name_of_home, own_home
from lotus_store.tape.store import TapeStore
from lotus_venues.listening import listen

if TYPE_CHECKING:
    from lotus_resources.live_daemon import LiveDaemonResource

LOOK_S = 0.5
SPAN_TURNS = 10  # looks between two at the days of the tape, which lists its folders
Say = Callable[[str], None]
CONSOLE_PORT = 8000
STARTING = "starting"  # the shares are of a start on two quiet cores


def up(
    settings: Settings,
    port: int = 3000,
    console_port: int | None = None,
    live: bool = False,
    say: Steps = untold,
    trade_day: str | None = None,
    speed: float = 0.0,
) -> int:
    """Serve until a signal comes; return 0. Raises `ConfigError` when another `lotus up` serves this home.

    `port` is that of Dagster's pages and `console_port` that of the console: 0 any free one, None 8000 where that is
    free. With `live` the daemon runs beside it at the venue; with `trade_day` it trades that stored day, `speed` times
    as fast (0: in step with the desk), and what is learned from it is told.
    """
    began = time.monotonic()
    stopped = threading.Event()
    say(STARTING, 0.0, 1.0, "PostgreSQL")
    with _signals(stopped), _only_one(settings), _free(port) as port, Databases(settings).open() as databases:
        tape = TapeStore(settings.home, settings.tape, settings.segments_url)
        environment = dagster_environment(settings, databases)
        span = _span(settings, tape, live)
        with Processes(settings.home / "logs") as children, tempfile.TemporaryDirectory(prefix="lotus-") as short:
            token, folder = secrets.token_urlsafe(24), settings.home / "dagster"
            pages, name = _console_port(console_port), name_of_home(settings.home)
            console, shown = f"http://{name}:{pages}", f"http://{name}:{port}"  # of one name: links keep the session
            environment |= {CONSOLE_ENV: console}
            dagster = DagsterProcesses(children, environment, folder, Path(short), port, token, name)
            say(STARTING, 0.1, 1.0, "code server and web server")
            dagster.begin(span.environment)
            begin_console(children, settings, console, token, shown)
            say(STARTING, 0.2, 1.0, "Dagster's tables")
            if buried := _ready_tables(settings, databases):
                say(f"{buried} runs of an earlier, killed session marked as failed; committed days are kept")
            say(STARTING, 0.5, 1.0, "pages")
            dagster.open_pages(stopped.is_set)
            say(STARTING, 1.0, 1.0)
            say(
                f"console {console}/?token={token}, Dagster UI {shown}/?token={token} "
                f"(ready in {time.monotonic() - began:.1f} s), days {span}, "
                f"logs in {children.logs}; Ctrl-C stops everything "
                f"(where no name of .localhost is known: http://127.0.0.1:{pages}/ and {dagster.url}/)"
            )
            dagster.start_daemon(span.environment)
            _serve(settings, databases, dagster, span, live, trade_day, speed, say, stopped)
    if live and not _is_watchdog_over(settings):
        say("stopped; the watchdog stays, for accounts are not empty (`lotus watchdog --status`)")
        return 0
    say("stopped; no process is left")
    return 0


def _ready_tables(settings: Settings, databases: Databases) -> int:
    """Make Dagster's tables ready; return how many runs of a killed session were marked as failed."""
    from lotus_resources.provision import bury_dead_runs, instance, provision

    with instance(provision(settings, databases)) as opened:
        return bury_dead_runs(opened, nothing_else_runs=True)


def _serve(
    settings: Settings,
    databases: Databases,
    dagster: DagsterProcesses,
    span: DaySpan,
    live: bool,
    trade_day: str | None,
    speed: float,
    say: Steps,
    stopped: threading.Event,
) -> None:
    """Look after everything until it is stopped; the live daemon runs as long, where one is wanted."""
    from lotus_assets.pages.shown_days import ShownDays, runs_under_way
    from lotus_resources.live_daemon import LiveDaemonResource

    tape, environment = TapeStore(settings.home, settings.tape, settings.segments_url), dict(dagster.environment)
    daemon = LiveDaemonResource(home=str(settings.home), arguments=_words(settings, trade_day, speed))
    watch = _watch(settings, databases, environment, trade_day, daemon, say)
    runs_daemon = (live or trade_day is not None) and not stopped.is_set()
    if runs_daemon:
        began = daemon.start()
        say(f"live daemon {began['pid']} runs, its log is {began['log']}")
    shown = ShownDays(
        span,
        partial(_span, settings, tape, live),
        partial(runs_under_way, environment),
        lambda days: dagster.begin_anew(days.environment),
        say,
    )
    try:
        for turn in itertools.count(1):
            if stopped.wait(LOOK_S):
                break
            dagster.children.check()
            watch()
            if turn % SPAN_TURNS == 0:
                shown.look()
    finally:
        say("stopping")
        say("stopping", 0)
        if runs_daemon:
            daemon.stop()


def _is_watchdog_over(settings: Settings) -> bool:
    from lotus_desk.watch.running import settle_watchdog

    return settle_watchdog(settings.home)


def _words(settings: Settings, trade_day: str | None, speed: float) -> list[str]:
    """Return the arguments of the daemon: none at the venue."""
    if trade_day is None:
        return []
    words = ["--tape", settings.tape, "--branch", settings.branch, "--day", trade_day, "--speed", str(speed)]
    return [*words, "--venues", str(settings.trading.exchanges)]


def _watch(
    settings: Settings,
    databases: Databases,
    environment: dict[str, str],
    trade_day: str | None,
    daemon: "LiveDaemonResource",
    say: Say,
) -> Callable[[], None]:
    """Return what is looked at again and again: the traded day, if there is one."""
    if trade_day is None:
        return lambda: None
    from lotus_assets.pages.traded_day import TradedDay

    return TradedDay(
        settings=settings, databases=databases, environment=environment, day=trade_day, status=daemon.status, say=say
    ).look


def _console_port(wanted: int | None) -> int:
    """Return the port of the console; without a wish it is the usual one where nobody has it, else any."""
    try:
        with _free(CONSOLE_PORT if wanted is None else wanted) as port:
            return port
    except OSError:
        if wanted is not None:
            raise
        return _console_port(0)


@contextmanager
def _free(port: int) -> Iterator[int]:
    """Give a port on which nobody listens, any for 0; raises `OSError` (EADDRINUSE) for one that is taken."""
    with listen(port) as probe:
        port = probe.getsockname()[1]
    yield port


def _span(settings: Settings, tape: TapeStore, live: bool) -> DaySpan:
    today = day_of(time.time_ns() // 1_000_000)
    return span_of(tape.days(), today, settings.dagster.first_day, live)


@contextmanager
def _signals(stopped: threading.Event) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into the event, for as long as the block runs."""

    def remember(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold the home for this `lotus up`; a second one is refused."""
    folder = settings.home / "dagster"
    own_home(settings.home)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / "up.lock"))
        except BlockingIOError as error:
            raise ConfigError(
                f"`lotus up` already serves {settings.home}", "one per home", "another terminal"
            ) from error
        yield
