"""The recorder: every line of tape goes to the segment writer before anything that was made of it is kept.

It also writes the daemon's control records into the stream: at every start and swap, which priors, tables and
specifications hold from which window on. Recording stops loudly on a full disk (`TapeError` of the writer).
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from lotus.curation.at_once import VetoAtOnce
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.feed.clocks import Arrival
from lotus_store.settings.sections import TapeLimits
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.shards.plan import Shard
from lotus_store.tape.shards.recording import RecordedShard
from lotus_store.tape.shared import Sharing
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import SegmentWriter, WriterRules


class TapeRecord(Protocol):
    """A control record of the daemon."""

    def frame(self) -> bytes:
        """Return the record as a frame of the tape."""


@dataclass(frozen=True, slots=True)
class SwapRecord:
    """What holds from a window on: `window_index` = window end // window length; T and bins are in the tables.

    `detectors`: texts of the shadow detectors that run from this line on, so that the tape alone tells of them;
    `vetoes`: those at once, all of them (a record without the key says that there is none).
    """

    window_index: int
    priors_ver: str
    specs_ver: str
    tables_ver: str
    experts_ver: str
    day: str
    detectors: tuple[str, ...] = ()
    vetoes: tuple[VetoAtOnce, ...] = ()

    def frame(self) -> bytes:
        """Return the record as a frame of the tape."""
        data: dict[str, Any] = {
            "window_index": self.window_index,
            "priors_ver": self.priors_ver,
            "specs_ver": self.specs_ver,
            "T": self.tables_ver,
            "bins_ver": self.tables_ver,
            "experts_ver": self.experts_ver,
            "day": self.day,
            "detectors": self.detectors,
        }
        if self.vetoes:
            data["vetoes"] = [asdict(veto) for veto in self.vetoes]
        return CONTROL_PREFIX + b',"data":' + json.dumps(data, separators=(",", ":")).encode() + b"}"


class Recorder:
    """Writer of one tape, with the count of lines since its start."""

    def __init__(
        self,
        store: TapeStore,
        header: TapeHeader,
        limits: TapeLimits | None = None,
        on_closed: Callable[[SegmentMeta], None] | None = None,
        shard: Shard | None = None,
    ) -> None:
        """Open the tape and salvage what a dead writer left; raises `TapeError` for another universe or a full disk.

        A new tape gets its header with its first line, so that a start that is refused leaves no tape behind. `header`
        is of the whole tape, also where only a `shard` of it is recorded.
        """
        self.lines = 0
        sharing, self._shard = store.shared, None
        if shard is not None:
            self._shard = RecordedShard(store, header, shard)
            store, header = self._shard.part, self._shard.header
        self._store, self._header = store, header
        if store.exists():
            store.write_header(header)
        self._listed = on_closed
        self._sharing: Sharing | None = None
        self._writer: SegmentWriter = store.writer(writer_rules(limits or TapeLimits()), self._closed)
        if sharing is not None:
            self._sharing = Sharing(sharing)

    @property
    def salvaged(self) -> int:
        """Lines found in the open segment of a dead writer."""
        return sum(r.meta.lines for r in self._writer.recovered if r.meta is not None)

    def line(self, line: Arrival) -> int:
        """Append a line; return its number within the UTC day."""
        if not self.lines:
            if self._shard is not None:
                self._shard.begin()
            if not self._store.is_here():
                self._store.write_header(self._header)
        self.lines += 1
        return self._writer.append(line.recv_ns, line.raw)

    def control(self, recv_ns: int, record: TapeRecord) -> int:
        """Append a control record; return its number."""
        return self.line(Arrival(recv_ns, -1, record.frame()))

    def flush(self) -> None:
        """Hand every line to the operating system, so that a killed process loses none."""
        self._writer.flush()

    def sync(self, now_ns: int) -> None:
        """Begin to make every line durable, and close a segment whose time is over."""
        self._writer.sync_beside()
        self._writer.rotate(now_ns)

    def close(self) -> SegmentMeta | None:
        """Close the open segment; with a shared tape wait a while until it is shared."""
        try:
            return self._writer.close()
        finally:
            if self._sharing is not None:
                self._sharing.close()

    def _closed(self, meta: SegmentMeta) -> None:
        if self._listed is not None:
            self._listed(meta)
        if self._sharing is not None:
            self._sharing.wake()


def writer_rules(limits: TapeLimits) -> WriterRules:
    """Return the writer's rules of the settings."""
    return WriterRules(
        segment_ms=limits.segment_minutes * 60_000,
        segment_bytes=limits.segment_mb * 2**20,
        reserve_bytes=int(limits.min_free_gb * 2**30),
    )


def tape_header(tape: str, source: str, universe: tuple[HeaderAsset, ...]) -> TapeHeader:
    """Return the header of a tape that the daemon records."""
    return TapeHeader(tape, source, universe, (), "live daemon")
