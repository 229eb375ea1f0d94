"""`lotus up`: PostgreSQL, migrations, Dagster's code server, web server and daemon, and if wanted the live daemon.

One process supervises all others; one Ctrl-C (or SIGTERM) stops them all and leaves none behind. What is served is
defined elsewhere.
"""

import itertools
import json
import secrets
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

import lotus_assets
from lotus.errors import ConfigError
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_of
from lotus_assets.pages.shown_days import ShownDays, runs_under_way
from lotus_assets.pages.traded_day import TradedDay
from lotus_desk.watch.running import settle_watchdog
from lotus_resources.dagster_internals import daemon_command
from lotus_resources.live_daemon import LiveDaemonResource
from lotus_resources.pages import TOKEN_ENV
from lotus_resources.processes import Processes
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_resources.span import DaySpan, span_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.files import write_bytes
from lotus_store.private import locked, own_home
from lotus_store.tape.store import TapeStore
from lotus_venues.listening import listen

MODULE = "lotus_assets.definitions"
LOCATION = "lotus"
NAMED = ("--location-name", LOCATION, "-n", "8")
CODE = Path(lotus_assets.__file__).parents[1]  # else Dagster imports from the folder of the command
LONGEST_SOCKET = 90
READY_S = 120.0
LOOK_S = 0.5
SPAN_TURNS = 10  # looks between two at the days of the tape, which lists its folders
LOADED_QUERY = (
    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }"
)
PYTHON = (sys.executable, "-P", "-m")
Say = Callable[[str], None]
STARTING = "starting"  # the shares are of a start on two quiet cores


def up(
    settings: Settings,
    port: int = 3000,
    live: bool = False,
    say: Steps = untold,
    trade_day: str | None = None,
    speed: float = 0.0,
) -> int:
    """Serve until a signal comes; return 0. Raises `ConfigError` when another `lotus up` serves this home.

    `port` is that of the pages, 0 any free one. With `live` the daemon runs beside it at the venue; with `trade_day` it
    trades that stored day, `speed` times as fast (0: in step with the desk), and what is learned from it is told.
    """
    stopped = threading.Event()
    say(STARTING, 0.0, 1.0, "PostgreSQL")
    with _signals(stopped), _only_one(settings), _free(port) as port, Databases(settings).open() as databases:
        tape = TapeStore(settings.home, settings.tape)
        say(STARTING, 0.05, 1.0, "Dagster's tables")
        environment = provision(settings, databases)
        span = _span(settings, tape, live)
        with instance(environment) as opened:
            buried = bury_dead_runs(opened, nothing_else_runs=True)
        if buried:
            say(f"{buried} runs of an earlier, killed session marked as failed; committed days are kept")
        with Processes(settings.home / "logs") as children, tempfile.TemporaryDirectory(prefix="lotus-") as short:
            token = secrets.token_urlsafe(24)
            place = _socket(settings, Path(short))
            say(STARTING, 0.1, 1.0, "code server")
            _start_code(children, environment | span.environment, place)
            say(STARTING, 0.5, 1.0, "web server and daemon")
            _start(children, environment | span.environment, _workspace(settings, place), port, token)
            url = f"http://127.0.0.1:{port}"
            seconds = children.wait_ready("webserver", lambda: stopped.is_set() or _loaded(url, token), READY_S)
            say(STARTING, 1.0, 1.0)
            daemon = LiveDaemonResource(home=str(settings.home), arguments=_words(settings, trade_day, speed))
            watch = _watch(settings, databases, environment, trade_day, daemon, say)
            runs_daemon = live or trade_day is not None
            if runs_daemon and not stopped.is_set():
                began = daemon.start()
                say(f"live daemon {began['pid']} runs, its log is {began['log']}")
            say(
                f"Dagster UI {url}/?token={token} (ready in {seconds:.1f} s), days {span}, logs in {children.logs}; "
                "Ctrl-C stops everything"
            )

            def begin_anew(days: DaySpan) -> None:
                children.end("code_server")
                _start_code(children, environment | days.environment, place)

            days_of_tape, under_way = partial(_span, settings, tape, live), partial(runs_under_way, environment)
            shown = ShownDays(span, days_of_tape, under_way, begin_anew, say)
            try:
                for turn in itertools.count(1):
                    if stopped.wait(LOOK_S):
                        break
                    children.check()
                    watch()
                    if turn % SPAN_TURNS == 0:
                        shown.look()
            finally:
                say("stopping")
                say("stopping", 0)
                if runs_daemon:
                    daemon.stop()
    if live and not settle_watchdog(settings.home):
        say("stopped; the watchdog stays, for accounts are not empty (`lotus watchdog --status`)")
        return 0
    say("stopped; no process is left")
    return 0


def _words(settings: Settings, trade_day: str | None, speed: float) -> list[str]:
    """Return the arguments of the daemon: none at the venue."""
    if trade_day is None:
        return []
    return ["--tape", settings.tape, "--branch", settings.branch, "--day", trade_day, "--speed", str(speed)]


def _watch(
    settings: Settings,
    databases: Databases,
    environment: dict[str, str],
    trade_day: str | None,
    daemon: LiveDaemonResource,
    say: Say,
) -> Callable[[], None]:
    """Return what is looked at again and again: the traded day, if there is one."""
    if trade_day is None:
        return lambda: None
    return TradedDay(
        settings=settings, databases=databases, environment=environment, day=trade_day, status=daemon.status, say=say
    ).look


@contextmanager
def _free(port: int) -> Iterator[int]:
    """Give a port on which nobody listens, any for 0; raises `OSError` (EADDRINUSE) for one that is taken."""
    with listen(port) as probe:
        port = probe.getsockname()[1]
    yield port


def _span(settings: Settings, tape: TapeStore, live: bool) -> DaySpan:
    today = day_of(time.time_ns() // 1_000_000)
    return span_of(tape.days(), today, settings.dagster.first_day, live)


def _start_code(children: Processes, environment: dict[str, str], place: str) -> None:
    Path(place).unlink(missing_ok=True)
    code = ["dagster", "api", "grpc", "-s", place, "-m", MODULE, "-d", str(CODE), *NAMED]
    children.start("code_server", [*PYTHON, *code], environment)
    children.wait_ready("code_server", Path(place).exists, READY_S)


def _start(children: Processes, environment: dict[str, str], workspace: Path, port: int, token: str) -> None:
    web = ["lotus_resources.pages", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
    children.start("webserver", [*PYTHON, *web], environment | {TOKEN_ENV: token})
    children.start("daemon", [*PYTHON, *daemon_command(workspace)], environment)


def _workspace(settings: Settings, place: str) -> Path:
    """Write where the code is served, and that it is called `lotus`; return the file."""
    path = settings.home / "dagster" / "workspace.json"  # YAML, too
    served = {"host": "localhost", "socket": place, "location_name": "lotus"}
    write_bytes(path, json.dumps({"load_from": [{"grpc_server": served}]}).encode())
    return path


def _socket(settings: Settings, short: Path) -> str:
    """Return a socket path that the kernel takes (107 characters): in the home, else in a temporary folder."""
    place = settings.home / "dagster" / "code.sock"
    return str(place if len(str(place)) <= LONGEST_SOCKET else short / "code.sock")


def _loaded(url: str, token: str) -> bool:
    """Tell whether the web server answers and has loaded the code location without an error."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    query = urllib.request.Request(f"{url}/graphql", json.dumps({"query": LOADED_QUERY}).encode(), headers)
    with suppress(OSError, ValueError, KeyError, TypeError), urllib.request.urlopen(query, timeout=5) as answer:
        entries = json.load(answer)["data"]["workspaceOrError"]["locationEntries"]
        kinds = [e["locationOrLoadError"]["__typename"] for e in entries if e["loadStatus"] == "LOADED"]
        return bool(kinds) and set(kinds) == {"RepositoryLocation"}
    return False


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
