"""The raw lines of tape behind one window: the way back from a number to what the venue sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lotus.errors import LakeError, TapeError
from lotus.timebase import day_of
from lotus_store.config import Settings
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

SHOWN_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class WindowLines:
    """The raw lines of a window: those from the one that closed its first frame to the one that closed its last.

    `lines` are numbered from `first_seq`; `note` says why there are none.
    """

    tape: str
    day: str
    frames: int = 0
    first_seq: int = 0
    last_seq: int = 0
    lines: Sequence[bytes] = ()
    segments: Sequence[dict[str, str]] = ()
    note: str = ""


def window_lines(settings: Settings, lake: Lake, branch: str, event: Mapping[str, Any]) -> WindowLines:
    """Return the raw lines of an event's window, from the tape of the settings or else that of the branch."""
    store = TapeStore(settings.home, settings.tape, settings.segments_url)
    store = store if store.exists() else TapeStore(settings.home, branch)
    day = day_of(int(event["window_start_ms"]))
    try:
        return _found(store, lake, day, event)
    except (TapeError, LakeError) as error:
        return WindowLines(store.tape, day, note=str(error))


def _found(store: TapeStore, lake: Lake, day: str, event: Mapping[str, Any]) -> WindowLines:
    segments = store.segments(day)
    names = ("end_ms", "close_seq")
    frames = lake.read("microtape_frames", f"tape.{store.tape}", day, str(event["asset"]), columns=names)
    ends = frames["end_ms"].astype(np.int64)
    in_window = (ends > int(event["window_start_ms"])) & (ends <= int(event["window_end_ms"]))
    if not in_window.any():
        note = f"tape {store.tape} has no frames of this window: name the event's tape (--tape)"
        return WindowLines(store.tape, day, note=note)
    seqs = frames["close_seq"][in_window].astype(np.int64)
    first, last = int(seqs.min()), int(seqs.max())
    holding = [s for s in segments if s.first_seq <= last and s.first_seq + s.lines > first]
    if not holding:
        return WindowLines(store.tape, day, note=f"lines {first} to {last} are no longer on tape {store.tape}")
    raw = [line for s in holding for line in _lines(store.read_segment(s), first - s.first_seq, last - s.first_seq)]
    named = [{"path": s.path, "sha256": s.content_sha256} for s in holding]
    return WindowLines(store.tape, day, int(in_window.sum()), max(first, holding[0].first_seq), last, raw, named)


def tape_lines(settings: Settings, lake: Lake, branch: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the 25 frames of the window and the raw lines that closed the first and the last of them."""
    found = window_lines(settings, lake, branch, event)
    if found.note:
        return {"note": found.note, "lines": []}
    raw = [line.decode(errors="replace") for line in found.lines]
    shown = raw if len(raw) <= SHOWN_LINES else [*raw[: SHOWN_LINES // 2], "...", *raw[-SHOWN_LINES // 2 :]]
    return {
        "note": "",
        "tape": found.tape,
        "day": found.day,
        "frames": found.frames,
        "first_seq": found.first_seq,
        "last_seq": found.last_seq,
        "segments": found.segments,
        "lines": shown,
    }


def _lines(text: bytes, first: int, last: int) -> list[bytes]:
    return [line for line in text.split(b"\n", last + 1)[max(0, first) : last + 1] if line]
