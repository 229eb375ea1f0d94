"""The tape report of one day: completeness per minute, every gap, stale channels, replays, lateness, quarantine.

Reads and decodes, changes nothing. The definitions of gap and completeness are the domain's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset
from lotus.microtape.completeness import Stale, completeness, find_stale
from lotus.microtape.gaps import Gap, find_gaps
from lotus.microtape.wire.reasons import DecodeReport
from lotus.progress.steps import Steps, untold
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeStore

_SHOWN_QUARANTINE: Final = 20
_SHOWN: Final = 10  # stretches of minutes, gaps and stale channels of a page that is not wide
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class TapeReport:
    """Everything `lotus verify tape` prints; `minutes` holds the columns of `TAPE_COMPLETENESS`."""

    tape: str
    day: str
    names: tuple[str, ...]
    segments: tuple[SegmentMeta, ...]
    decoded: DecodeReport
    events: int
    gaps: tuple[Gap, ...]
    stale: tuple[Stale, ...]
    minutes: Mapping[str, NDArray[np.generic]]

    def share(self, asset: int, seconds: str = "covered_s") -> float:
        """Return the covered share of an asset's expected seconds (0 when nothing was expected).

        `seconds`: the column of covered seconds, `quoted_s` or `ctx_s` for one channel alone.
        """
        own_rows = self.minutes["asset"] == asset
        expected = float(np.sum(self.minutes["expected_s"][own_rows]))
        return float(np.sum(self.minutes[seconds][own_rows])) / expected if expected else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {
            "tape": self.tape,
            "day": self.day,
            "lines": self.decoded.lines,
            "events": self.events,
            "kinds": self.decoded.kinds,
            "duplicates": self.decoded.duplicates,
            "late_share": self.decoded.late_share,
            "assets": {
                name: {
                    **asdict(self.decoded.assets[name]),
                    "covered_share": self.share(row),
                    "quoted_share": self.share(row, "quoted_s"),
                    "ctx_share": self.share(row, "ctx_s"),
                }
                for row, name in enumerate(self.names)
            },
            "gaps": [{"coin": self.names[gap.asset], "seconds": gap.seconds, **asdict(gap)} for gap in self.gaps],
            "stale": [{"coin": self.names[one.asset], **asdict(one)} for one in self.stale],
            "quarantine": {"reasons": self.decoded.reasons, "rows": len(self.decoded.quarantine)},
            "segments": [
                {"path": meta.path, "lines": meta.lines, "sha256": meta.content_sha256} for meta in self.segments
            ],
            "minutes": {name: column.tolist() for name, column in self.minutes.items()},
        }

    def as_text(self, wide: bool = False) -> str:
        """Return the report as lines for a terminal; `wide` lists every minute, gap and stale channel."""
        out = [
            f"tape {self.tape} {self.day}: {self.decoded.lines} lines, {self.events} events, "
            f"{len(self.segments)} segments, {self.decoded.duplicates} replayed prints dropped, "
            f"{100 * self.decoded.late_share:.1f} % of prints late"
        ]
        out += [f"  {kind}: {count}" for kind, count in self.decoded.kinds.items()]
        for row, name in enumerate(self.names):
            counts = self.decoded.assets[name]
            out.append(
                f"{name}: {100 * self.share(row):.2f} % covered (quotes {100 * self.share(row, 'quoted_s'):.2f} %, "
                f"contexts {100 * self.share(row, 'ctx_s'):.2f} %), {counts.prints} prints, "
                f"{counts.duplicates} replayed, {counts.late_prints} late, {counts.stale} too old, "
                f"{counts.late_quotes} late quotes"
            )
            out += self._minute_lines(row) if wide else self._spans(row)
        gaps = [
            f"gap {self.names[gap.asset]}: {_clock(gap.start_ms)} to {_clock(gap.end_ms)} UTC, {gap.seconds:.1f} s"
            + (" (edge of tape or session)" if gap.edge else f", ended by line {gap.seq}")
            for gap in self.gaps
        ]
        stale = [
            f"stale {self.names[one.asset]} {one.channel}: {_clock(one.start_ms)}, "
            f"{(one.end_ms - one.start_ms) / 1000:.1f} s"
            for one in self.stale
        ]
        for lines in (gaps, stale):
            out += lines if wide or len(lines) <= _SHOWN else [*lines[:_SHOWN], _more(len(lines), lines[0].split()[0])]
        out += [f"quarantine {reason}: {count}" for reason, count in self.decoded.reasons.items()]
        shown = self.decoded.quarantine[:_SHOWN_QUARANTINE]
        out += [f"  line {row.seq} {row.reason.name.lower()}: {row.text[:80]}" for row in shown]
        return "\n".join(out)

    def _spans(self, asset: int) -> list[str]:
        """Return the stretches of minutes with messages, and the minutes in them that were not wholly covered."""
        own_rows = np.flatnonzero(self.minutes["asset"] == asset)
        minutes, share = (self.minutes[name][own_rows] for name in ("minute_ms", "share"))
        stretches = np.split(
            np.arange(len(own_rows)), np.flatnonzero(np.diff(minutes.astype(np.int64)) != _MINUTE_MS) + 1
        )
        lines = []
        for start in stretches if len(own_rows) else ():
            lacking = [k for k in start.tolist() if float(share[k]) < 1.0]
            first, last = int(minutes[start[0]]), int(minutes[start[-1]]) + _MINUTE_MS
            worst = min(lacking, key=lambda k: float(share[k]), default=None)
            summary = "all whole"
            if worst is not None:
                least = f"{_clock(int(minutes[worst]))[:5]} with {100 * float(share[worst]):.1f} %"
                summary = f"{len(start) - len(lacking)} whole, worst {least}"
            lines.append(f"  {_clock(first)[:5]} to {_clock(last)[:5]}  {len(start)} minutes, {summary}")
        return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], _more(len(lines), "stretches")]

    def _minute_lines(self, asset: int) -> list[str]:
        own_rows = np.flatnonzero(self.minutes["asset"] == asset)
        columns = {
            name: self.minutes[name][own_rows].tolist() for name in ("minute_ms", "messages", "covered_s", "share")
        }
        return [
            f"  {_clock(minute)[:5]} {messages:6d} messages {covered:5.1f} s {100 * share:6.1f} %"
            for minute, messages, covered, share in zip(*columns.values(), strict=True)
        ]


def verify_tape(
    store: TapeStore, day: str, gap_ms: int, universe: tuple[Asset, ...] | None = None, progress: Steps = untold
) -> TapeReport:
    """Read, verify and decode one day; raises `TapeError` when a segment is missing, truncated or altered.

    `gap_ms` is `Manifest.kernel.gap_ms`; session hours come from the header. The default universe is the header's.
    """
    header = store.header()
    wanted = universe or header.assets
    batch, decoded = store.decode_day(day, wanted, progress=progress)
    progress("looking for gaps", 0)
    gaps = find_gaps(batch, len(wanted), gap_ms, header.session_hours)
    return TapeReport(
        tape=store.tape,
        day=day,
        names=tuple(asset.name for asset in wanted),
        segments=tuple(store.segments(day)),
        decoded=decoded,
        events=len(batch),
        gaps=tuple(gaps),
        stale=tuple(find_stale(batch, len(wanted), gaps)),
        minutes=completeness(batch, len(wanted), gap_ms, header.session_hours),
    )


def _more(count: int, what: str) -> str:
    return f"  ... {count - _SHOWN} more of {count} ({what}): --wide lists all"


def _clock(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%H:%M:%S.%f}"[:-3]
