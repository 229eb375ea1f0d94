"""The pulse of a trading desk: a file that says when it last finished a turn, for a watchdog that shares nothing else.

It is written over in place, so that a full disk silences nobody.

Time is the machine's monotonic clock, which all its processes share until it is started again. (Literature: heartbeat
failure detector.)
"""

import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lotus_store.processes import boot_id, born
from lotus_store.slate import read_slate, write_slate

BEAT_S = 0.2


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat: process, the monotonic second of the last turn, longest delay of the loop since the beat before.

    `data_age_s` is the age of the oldest market among the coins (negative: none was seen), `is_over` that the desk
    ended as it was asked to.
    """

    pid: int
    born: str
    boot: str
    turned_s: float
    lag_s: float = 0.0
    data_age_s: float = -1.0
    is_over: bool = False

    def age_s(self, now_s: float, boot: str) -> float:
        """Return how long ago the last turn was; infinity on another start of the machine."""
        return now_s - self.turned_s if boot == self.boot else float("inf")


@dataclass(slots=True)
class Pulse:
    """The heartbeat of one home: written by its desk, read by its watchdog."""

    home: Path
    _told_s: float = 0.0
    _turned_s: float = 0.0
    _lag_s: float = 0.0
    _who: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return self.home / "live" / "heartbeat.json"

    def turned(self, expected_s: float, data_age_s: float) -> None:
        """Say that a turn was finished, at the latest `expected_s` after the last one. Raises `OSError`."""
        now_s = time.monotonic()
        self._lag_s = max(self._lag_s, now_s - self._turned_s - expected_s) if self._turned_s else 0.0
        self._turned_s = now_s
        if now_s - self._told_s >= BEAT_S:
            self._told_s = now_s
            self._write(data_age_s)
            self._lag_s = 0.0

    def over(self) -> None:
        """Say that the desk ended as it was asked to."""
        with suppress(OSError):
            self._write(-1.0, is_over=True)

    def read(self) -> Beat | None:
        """Return the last beat, None when there is none that can be read."""
        with suppress(TypeError):
            return Beat(**(read_slate(self.path) or {}))
        return None

    def _write(self, data_age_s: float, is_over: bool = False) -> None:
        if not self._who:
            self._who = {"pid": os.getpid(), "born": born(os.getpid()), "boot": boot_id()}
        beat = Beat(**self._who, turned_s=self._turned_s, lag_s=self._lag_s, data_age_s=data_age_s, is_over=is_over)
        write_slate(self.path, asdict(beat))
