"""What is measured on: a simulated session of the demo world, and a real recording where it lies beside the checkout.

A tape is decoded and taken through the stages once; the benchmarks then repeat single stages on the results.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.windows.builder import WindowBatch, build_windows
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.simulation.spec import LIGHT, VENUE, WorldSpec
from lotus.simulation.world import World
from lotus_live.feed.tape_file import TapeFile
from lotus_live.pipeline.day_lane import LaneSpec

RECORDING = Path(__file__).resolve().parent.parent.parent / "shared/data/hyperliquid-2025-09-04/frames.jsonl.gz"
BRANCH = "bench"
_BOOK_PRICES = 40  # of a whole 20-level book


@dataclass(frozen=True)
class Tape:
    """Stamped lines and where they lie, with every stage's result."""

    name: str
    path: Path
    lines: bytes
    universe: tuple[Asset, ...]

    @cached_property
    def manifest(self) -> Manifest:
        """The default manifest over the coins of the tape."""
        return Manifest(universe=self.universe)

    @cached_property
    def lane(self) -> LaneSpec:
        """What the daemon's lanes need."""
        return LaneSpec(self.manifest, self.universe, tuple(shipped_detectors()), BRANCH)

    @cached_property
    def events(self) -> EventBatch:
        """Decoded events."""
        return decode_lines(self.lines, self.universe)[0]

    @cached_property
    def frames(self) -> FrameBatch:
        """Frames, quotes and gaps."""
        return build_frames(self.events, self.manifest, self.universe)

    @cached_property
    def annotations(self) -> AnnotationBatch:
        """What the experts say about every frame."""
        return annotate(self.frames)

    @cached_property
    def windows(self) -> WindowBatch:
        """Windows with all detectors' signals."""
        return build_windows(self.frames, self.annotations, self.manifest)

    @cached_property
    def tables(self) -> DayTables:
        """Day tables without history."""
        return day_tables("1970-01-01", [], self.manifest, self.universe, shipped_detectors())

    def whole_books(self, most: int) -> list[bytes]:
        """Return up to `most` stamped lines that carry a book of 20 levels on both sides."""
        found = (line for line in self._lines() if b'"l2Book"' in line and line.count(b'"px"') == _BOOK_PRICES)
        return [line for line, _ in zip(found, range(most), strict=False)]

    def raw_frames(self, most: int) -> list[bytes]:
        """Return up to `most` first frames, without their stamps."""
        return [line.partition(b" ")[2] for line, _ in zip(self._lines(), range(most), strict=False)]

    def _lines(self) -> Iterator[bytes]:
        at = 0
        while (end := self.lines.find(b"\n", at)) >= 0:
            yield self.lines[at:end]
            at = end + 1


def sessions(minutes: int, *starts: int) -> tuple[tuple[str, str], ...]:
    """Return sessions of so many minutes that begin at whole hours."""
    return tuple((f"{hour:02d}:00", f"{hour + minutes // 60:02d}:{minutes % 60:02d}") for hour in starts)


def simulated(minutes: int, folder: Path, light: bool = False) -> Tape:
    """Make one session of the demo world at the venue's message rates (or the demo's lighter ones)."""
    spec = WorldSpec("demo", 7, 1, sessions=sessions(minutes, 8), rates=LIGHT if light else VENUE)
    lines = b"".join(text for _, text in World(spec).day_pieces(0))
    path = folder / "simulated.txt"
    path.write_bytes(lines)
    return Tape("simulated", path, lines, tuple(Asset(a.name, a.sz_decimals) for a in spec.assets))


def recorded(path: Path = RECORDING) -> Tape | None:
    """Return the real recording, None when it does not lie beside the checkout."""
    if not path.is_file():
        return None
    return Tape("recorded", path, gzip.decompress(path.read_bytes()), TapeFile((path,)).universe)
