"""The settings a watchdog last watched a home with, for a start over a `lotus.toml` that cannot be read any more.

A fault in that file must not take away the watchdog of an account that is open: it goes on as before and says so. Only
what it acts by is kept, no address of a database. In the literature: last known good configuration.
"""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from lotus.errors import ConfigError
from lotus.manifest import override
from lotus_desk.watch.alerts import say
from lotus_store.config import Settings, home_of, load_settings
from lotus_store.settings.sections import LiveSettings, SafetySettings, TradingSettings
from lotus_store.slate import read_slate, write_slate


def keep_settings(settings: Settings) -> None:
    """Keep what a watchdog acts by; a disk that takes nothing leaves what was kept before."""
    body = {
        "branch": settings.branch, "rest_url": settings.live.rest_url,
        "trading": asdict(settings.trading), "safety": asdict(settings.safety),
    }  # fmt: skip
    with suppress(OSError):
        write_slate(_path(settings.home), body)


def watched_settings(home: str | None = None) -> Settings:
    """Return the settings of a home, those kept there when they cannot be read now (said on standard error).

    Raises the `ConfigError` of reading them when none were kept.
    """
    try:
        return load_settings(home)
    except ConfigError as fault:
        place = home_of(home)
        kept = read_slate(_path(place))
        if kept is None:
            raise
        say(f"the settings cannot be read: {fault}; watching with those of the last time")
        try:
            return Settings(
                place,
                branch=str(kept["branch"]),
                live=override(LiveSettings(), {"rest_url": kept["rest_url"]}, "live"),
                trading=override(TradingSettings(), kept["trading"], "trading"),
                safety=override(SafetySettings(), kept["safety"], "safety"),
            )
        except (KeyError, TypeError, ConfigError):
            raise fault from None


def _path(home: Path) -> Path:
    return home / "live" / "watchdog.settings.json"
