"""Starting the watchdog of a home: one process a home, by a lock; it outlives the daemon's."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from lotus.errors import ConfigError, LotusError
from lotus_desk.watch.alerts import Alerts
from lotus_desk.watch.kept_settings import keep_settings
from lotus_desk.watch.messages import Teller
from lotus_desk.watch.rules import WatchPolicy
from lotus_desk.watch.sessions import account_names, guard_session, make_known, venue_url
from lotus_desk.watch.status import is_held, lock_path, watchdog_status
from lotus_desk.watch.watchdog import LIVE_SLOW_LOOK_S, LIVE_URGENT_LOOK_S, Watchdog
from lotus_store.config import Settings
from lotus_store.files import make_folder
from lotus_store.private import locked, open_private
from lotus_store.settings.sections import SafetySettings
from lotus_venues.hyperliquid.guard import GuardSession
from lotus_venues.hyperliquid.info import LOOPBACK

logger = logging.getLogger(__name__)

SETTLE_S = 25.0  # a quiet watchdog looks at the accounts that often, and then ends


def policy_of(safety: SafetySettings) -> WatchPolicy:
    """Return the policy of the settings."""
    return WatchPolicy(
        dead_s=safety.dead_s,
        late_s=safety.late_s,
        flatten_after_s=safety.flatten_after_s,
        lag_s=safety.lag_s,
        data_age_s=safety.data_age_s,
        max_drawdown_usd=Decimal(str(safety.max_drawdown_usd)),
        max_open_usd=Decimal(str(safety.max_open_usd)),
        fences=safety.fences,
    )


def run_watchdog(settings: Settings) -> None:
    """Watch a home until a signal, or until a desk that ended in order has left nothing.

    Raises `ConfigError` when another watchdog watches it, or `trading.venue` is off.
    """
    if settings.trading.venue == "off":
        raise ConfigError("trading.venue is off", "local or hyperliquid", "lotus.toml names no venue to watch")
    with _only_one(settings.home):
        keep_settings(settings)
        asyncio.run(_watch(settings))


async def _watch(settings: Settings) -> None:
    alerts = Alerts(settings.home)
    refused: dict[str, str] = {}

    async def open_sessions(open_names: frozenset[str]) -> dict[str, GuardSession]:
        sessions = {}
        for name in account_names(settings):
            if name in open_names:
                continue
            try:
                session = guard_session(settings, name)
            except LotusError as problem:
                if refused.get(name) != str(problem):
                    logger.error("%s is not acted upon: %s", name, problem, extra={"account": name})
                refused[name] = str(problem)
                continue
            try:
                await make_known(session)
                await session.open()
            except BaseException:
                session.close()
                raise
            sessions[name] = session
        return sessions

    watchdog = Watchdog(settings.home, policy_of(settings.safety), open_sessions, alerts)
    if urlsplit(venue_url(settings)).hostname not in LOOPBACK:
        watchdog.urgent_look_s, watchdog.slow_look_s = LIVE_URGENT_LOOK_S, LIVE_SLOW_LOOK_S
    else:
        watchdog.ends_unheard = True
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel if task else lambda: None)
    teller = asyncio.create_task(Teller(settings, alerts).run())
    with suppress(asyncio.CancelledError):
        await watchdog.run()
    teller.cancel()
    await asyncio.gather(teller, return_exceptions=True)


def start_watchdog(settings: Settings) -> None:
    """Start the watchdog of a home as a process of its own unless one lives; it goes on when the caller dies."""
    if watchdog_status(settings.home)["alive"]:
        return
    folder = settings.home / "live"
    make_folder(folder)
    environment = {**os.environ, "LOTUS_HOME": str(settings.home), "LOTUS_BRANCH": settings.branch}
    if settings.config is not None:
        environment["LOTUS_CONFIG"] = str(settings.config)
    open_private(lock_path(settings.home)).close()  # a link is the caller's error, not only the child's
    with open_private(folder / "watchdog.log") as log:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "lotus_desk.watch"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
        )  # fmt: skip


def settle_watchdog(home: Path, limit_s: float = SETTLE_S) -> bool:
    """Wait for the end of the watchdog of a desk that ended; return whether it came: over open accounts it stays."""
    deadline = time.monotonic() + limit_s
    while is_held(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not is_held(home)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    make_folder(home / "live")
    with ExitStack() as held:
        try:
            held.enter_context(locked(lock_path(home)))
        except BlockingIOError as problem:
            raise ConfigError(f"a watchdog already watches {home}", "one a home", "the daemon started it") from problem
        yield
