"""`lab.tape`: a recorded tape of a home as data frames. It only reads, and needs no database.

What was computed already comes from the lake, all else from the tape by the kernels that serve live.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.columns import TableSpec
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus.errors import LakeError, TapeError
from lotus.manifest import Manifest
from lotus.microtape.frames.spec import MICROTAPE_FRAMES
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import DAY_MS, NS_PER_MS, day_start_ms
from lotus_lab.extras import require
from lotus_lab.tapes.day import read_day
from lotus_store.branch_settings import read_branch_settings
from lotus_store.config import Settings, load_settings
from lotus_store.lake import Lake
from lotus_store.tape.segment import line_stamp
from lotus_store.tape.store import TapeStore

if TYPE_CHECKING:
    import pandas as pd

_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d(?:\.\d{1,3})?))?")


def tape(name: str, *, home: str | Path | None = None, branch: str | None = None) -> "RecordedTape":
    """Return a tape of a home (None: LOTUS_HOME, else `.lotus`).

    `branch` is the history whose scored windows are meant: that of the tape's name where the home has one, else that of
    the settings. Raises `TapeError` when there is no such tape, `ConfigError` without the extra `[lab]`.
    """
    require("lab", "lab.tape", "zstandard", "lark")
    settings = load_settings(home, branch=branch, tape=name)
    lake = Lake(settings.lake_root)
    if branch is None and (read_branch_settings(settings.home, name) or name in lake.branches(SIGNAL_EVENTS.name)):
        settings = load_settings(home, branch=name, tape=name)
    store = TapeStore(settings.home, name)
    store.header()
    return RecordedTape(name, settings.branch, settings, store, lake)


@dataclass(frozen=True)
class RecordedTape:
    """A tape and the branch that stands for it; `store`, `lake` and `settings` are private."""

    name: str
    branch: str
    settings: Settings = field(repr=False)
    store: TapeStore = field(repr=False)
    lake: Lake = field(repr=False)

    @property
    def days(self) -> list[str]:
        """The UTC days that it has, oldest first."""
        return self.store.days()

    @property
    def coins(self) -> list[str]:
        """Its coins, in their order."""
        return [asset.name for asset in self.manifest.universe]

    @cached_property
    def manifest(self) -> Manifest:
        """Settings of the branch; where nothing was scored the universe is the tape's own."""
        manifest = self.settings.manifest
        if self.lake.days(SIGNAL_EVENTS.name, self.branch):
            return manifest
        return replace(manifest, universe=self.store.header().assets)

    def frames(self, coin: str, day: str) -> "pd.DataFrame":
        """Return the 200 ms frames of a coin and day: the columns of `microtape_frames`.

        Raises `TapeError` for another coin and a day without tape.
        """
        if coin not in self.coins:
            raise TapeError(f"tape {self.name} has no coin {coin!r}", ", ".join(self.coins))
        tape_branch = f"tape.{self.name}"
        if self.lake.exists(MICROTAPE_FRAMES.name, tape_branch, day, coin):
            return _frame(self.lake.read(MICROTAPE_FRAMES.name, tape_branch, day, coin, spec=MICROTAPE_FRAMES))
        self.check_day(day)
        frames = read_day(self.store, self.manifest, day).frames.of_day(day_start_ms(day))
        return _frame(frames.columns(self.coins.index(coin)))

    def events(
        self, day: str | None = None, *, detector: str | None = None, published: bool | None = None
    ) -> "pd.DataFrame":
        """Return scored windows of a day (None: of every one): the columns of `signal_events`, as the lake holds them.

        Raises `LakeError` where the branch has none.
        """
        return self._rows(SIGNAL_EVENTS, day, detector, published)

    def outcomes(self, day: str | None = None, *, detector: str | None = None) -> "pd.DataFrame":
        """Return what became of the windows that matured on a day (None: on every one): columns of `signal_eval`.

        Raises `LakeError` where the branch has none.
        """
        return self._rows(signal_eval_spec(self.manifest.outcomes.horizons_s), day, detector)

    def raw(self, day: str, start: str = "00:00", end: str = "24:00") -> "pd.DataFrame":
        """Return the lines of the tape as they came, received from `start` until before `end` (UTC, `HH:MM[:SS]`).

        Columns: `received` in nanoseconds of UTC, `line`. A whole day may be gigabytes. Raises `TapeError` for a day
        without tape, a damaged one, and times that are none.
        """
        import pandas as pd

        self.check_day(day)
        first, stop = (NS_PER_MS * (day_start_ms(day) + _ms(text)) for text in (start, end))
        stamps: list[int] = []
        lines: list[str] = []
        for meta in self.store.segments(day):
            if meta.last_recv_ns < first or meta.first_recv_ns >= stop:
                continue
            for line in self.store.read_segment(meta).splitlines():
                if first <= (stamp := line_stamp(line)) < stop:
                    stamps.append(stamp)
                    lines.append(line.split(b" ", 1)[1].decode("utf-8", "replace"))
        received = pd.to_datetime(np.array(stamps, np.int64), unit="ns", utc=True)
        return pd.DataFrame({"received": received, "line": pd.Series(lines, dtype="str")})

    def check_day(self, day: str) -> None:
        """Raise `TapeError` unless the tape has the day."""
        if not self.store.has(day):
            held = self.days
            wanted = f"one of {len(held)}, {held[0]} to {held[-1]}" if held else "a recorded or imported day"
            raise TapeError(f"tape {self.name} has no day {day!r}", wanted)

    def _rows(
        self, spec: TableSpec, day: str | None, detector: str | None, published: bool | None = None
    ) -> "pd.DataFrame":
        import pandas as pd

        held = self.lake.days(spec.name, self.branch)
        days = held if day is None else [day]
        if not held or (day is not None and day not in held):
            wanted = f"one of {held[0]} to {held[-1]}" if held else "a scored day"
            cause = "not scored yet (lotus backfill; lab.score needs no such day), or another branch"
            raise LakeError(f"branch {self.branch} has no {spec.name} of {day or 'any day'}", wanted, cause)
        parts = [_frame(self.lake.read(spec.name, self.branch, one, spec=spec)) for one in days]
        frame = pd.concat(parts, ignore_index=True)
        if detector is not None:
            frame = frame[frame["detector_id"] == detector]
        if published is not None:
            frame = frame[frame["published"].astype(bool) == published]
        return frame.reset_index(drop=True)


def _ms(text: str) -> int:
    """Return the milliseconds of a time of day; raises `TapeError` for another text."""
    found = _TIME.fullmatch(text)
    ms = 0 if found is None else round(1000 * (3600 * int(found[1]) + 60 * int(found[2]) + float(found[3] or 0)))
    if found is None or ms > DAY_MS:
        raise TapeError(f"the time {text!r}", "HH:MM or HH:MM:SS of UTC, 24:00 at most")
    return ms


def _frame(columns: Mapping[str, Any] | Sequence[Any]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(columns)
