"""What one run of the daemon has from its start to its end: settings, databases, specification, name and tape."""

from dataclasses import dataclass
from pathlib import Path

from lotus.hashing import natural_id
from lotus.timebase import NS_PER_MS
from lotus_live.feed.recorder import Recorder
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.shards.share import Share
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeStore


@dataclass(frozen=True, slots=True)
class RunContext:
    """The context of one run. Lines before `first_day` only warm the pipeline up; `share`: of a shard, its coins."""

    settings: Settings
    databases: Databases
    spec: LaneSpec
    run_id: str
    replaying: bool = False
    first_day: str | None = None
    share: Share | None = None

    @property
    def ids(self) -> dict[str, str]:
        """Fields of every log record of the run."""
        return {"run_id": self.run_id}

    @property
    def lake(self) -> Lake:
        """The lake of the home."""
        return Lake(self.settings.lake_root)

    @property
    def mark_path(self) -> Path:
        """File that says up to where the ledger is complete."""
        return self.settings.home / "live" / f"written-{natural_id(self.run_id)[:12]}.json"

    @property
    def status_path(self) -> Path:
        """File of the last status; each shard has one of its own."""
        name = "status.json" if self.share is None else f"status-{self.share.suffix}.json"
        return self.settings.home / "live" / name

    def next_window_ms(self, now_ns: int) -> int:
        """Return the end of the first window that ends after a receive stamp (ms UTC)."""
        window_ms = self.spec.manifest.kernel.window_ms
        return (now_ns // NS_PER_MS // window_ms + 1) * window_ms


@dataclass(frozen=True, slots=True)
class RunTape:
    """The tape of one run. The recorder appends to `closed`: segments that the ledger does not list yet."""

    store: TapeStore
    recorder: Recorder
    closed: list[SegmentMeta]
