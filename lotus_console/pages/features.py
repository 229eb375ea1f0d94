"""The newest window of each detector and coin as exported lessons need it: bins, group of the coin, context penalty.

A bot that runs beside the daemon reads it from `/api/v1/features` (`lotus_lab.export.carried.HomeWindows`). Windows are
found by their identities: those of the daemon's last minute, or of the minute before a time.
"""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from lotus.detectors.spec import DetectorSpec
from lotus.errors import ConfigError
from lotus.hashing import natural_id
from lotus.priors.asset_context import ASSET_COLUMN
from lotus.priors.vocabulary import BIN_COLUMNS, FEATURES, NULL_BIN, VALUE_COLUMNS
from lotus.timebase import day_of
from lotus_console.reading import HomeReading
from lotus_console.views import Facts, PageView
from lotus_live.reports.health import read_status
from lotus_store.asset_context import with_groups
from lotus_store.facts.words import clock

MINUTE_MS: Final = 60_000


class FeatureWindow(TypedDict):
    """One window. `bins` are in the order of `features`, 255 null; `values` are turned by `side`, 0 for none."""

    detector_id: str
    asset: str
    window_end_ms: int
    side: int
    theta1: float
    group: int
    bins: list[int]
    values: dict[str, float | None]
    pi: float
    published: bool


class FeaturesAnswer(TypedDict):
    """The windows of the minute that ends at `at_ms`, the newest one of each detector and coin."""

    title: str
    at_ms: int
    features: list[str]
    windows: list[FeatureWindow]


def features_facts(reading: HomeReading, given: Mapping[str, str]) -> Facts:
    """Return the newest windows; raises `ConfigError` for a detector, coin or time that cannot be."""
    manifest, status = reading.settings.manifest, read_status(reading.settings.home)
    detectors = [d for d in reading.detectors() if given.get("detector", d.detector_id) == d.detector_id]
    assets = [asset.name for asset in manifest.universe if given.get("asset", asset.name) == asset.name]
    for found, name in ((detectors, "detector"), (assets, "asset")):
        if not found:
            raise ConfigError(f"{name} is {given[name][:40]!r}", f"a {name} of branch {reading.settings.branch}")
    at_ms = _time(given["at"]) if given.get("at") else _last_end(reading, status)
    rows = _rows(reading, detectors, assets, at_ms, str(status.get("run_id", "")))
    newest = {(row["detector_id"], row["asset"]): row for row in rows}  # the last one of each stays
    grouped = with_groups(reading.lake, reading.settings.branch, manifest, list(newest.values())) if newest else []
    when = clock(at_ms)[:19].replace("T", " ") if at_ms else ""
    return {
        "title": f"{len(newest)} windows of the minute before {when}" if newest else "No window is stored there",
        "at_ms": at_ms,
        "features": [feature.name for feature in FEATURES],
        "windows": [_window(row) for row in grouped],
    }


def _time(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ConfigError(f"at is {text[:20]!r}", "ms since 1970")
    return int(text)


def _last_end(reading: HomeReading, status: Mapping[str, Any]) -> int:
    """Return when the daemon's last window of this branch ended, 0 where there is none."""
    end_ms = status.get("last_window_end_ms", 0)
    return end_ms if isinstance(end_ms, int) and status.get("branch") == reading.settings.branch else 0


def _rows(
    reading: HomeReading, detectors: list[DetectorSpec], assets: list[str], at_ms: int, run: str
) -> list[dict[str, Any]]:
    """Return the windows of the minute before a time, oldest first: of the daemon's run, else of a scored day."""
    step = reading.settings.manifest.kernel.window_ms
    last = at_ms // step * step
    starts = range(max(0, last - MINUTE_MS), last, step)
    branch = reading.settings.branch
    names = [
        natural_id(branch, detector.detector_id, detector.version, asset, start)
        for detector in detectors for asset in assets for start in starts
    ]  # fmt: skip
    of_run = reading.rows("sig", "features_of_run", run=run, events=names) if run and names else []
    return of_run or reading.rows(
        "sig", "features_of_day", days=sorted({day_of(start) for start in starts}), events=names
    )


def _window(row: Mapping[str, Any]) -> FeatureWindow:
    values = {feature.name: row[name] for feature, name in zip(FEATURES, VALUE_COLUMNS, strict=True)}
    return {
        "detector_id": row["detector_id"], "asset": row["asset"], "window_end_ms": row["window_end_ms"],
        "side": (row["s"] > 0) - (row["s"] < 0), "theta1": row["theta1"], "group": int(row.get(ASSET_COLUMN, NULL_BIN)),
        "bins": [int(row[name]) for name in BIN_COLUMNS],
        "values": {name: value if value == value else None for name, value in values.items()},
        "pi": row["pi"], "published": bool(row["published"]),
    }  # fmt: skip


FEATURES_PAGE = PageView(
    "/features", "Features", "What do exported lessons need of the newest windows?", features_facts, "features.html",
    ("detector", "asset", "at"), FeaturesAnswer,
)  # fmt: skip
