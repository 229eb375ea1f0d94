"""What can become of a raw line, and why a line is put aside: the two closed vocabularies of decoding.

`LineKind` counts every line exactly once; `QuarantineReason` names the quarantine reasons. No decisions are made here.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

TEXT_BYTES = 200  # of a quarantined line that are kept


class LineKind(IntEnum):
    """What a line became; 1 to 5 are the numbers of `EventKind`."""

    QUARANTINE = 0
    BOOK = 1
    FAST = 2
    BBO = 3
    TRADES = 4
    CTX = 5
    NOTHING_NEW = 6  # trades that were all known already (a replay)
    IGNORED_COIN = 7  # known to the tape, not wanted by the caller
    CONTROL = 8
    ACK = 9
    PONG = 10
    ERROR = 11
    GREETING = 12
    POST = 13
    ALL_MIDS = 14
    CANDLE = 15
    ASSET_CTXS = 16  # contexts of many coins at once: assetCtxs, allDexsAssetCtxs, fastAssetCtxs
    SPOT = 17
    AGGREGATED_BOOK = 18  # a book rounded by nSigFigs: not the book of the kernels
    USER = 19
    UNKNOWN_CHANNEL = 20
    BLANK = 21


class QuarantineReason(IntEnum):
    """Why a line was put aside."""

    BAD_LINE = 1  # no receive stamp
    BAD_JSON = 2  # or nested deeper than any frame of the venue
    BAD_FORM = 3  # another form than its channel's
    UNKNOWN_COIN = 4
    NOT_A_NUMBER = 5
    HUGE_NUMBER = 6  # beyond 2^53 in integer units
    NEGATIVE = 7  # a negative size or a price that is not positive
    PRICE_UNIT = 8  # a price with more decimals than the asset's unit
    CROSSED = 9
    UNSORTED = 10  # levels not best first
    TIME_BACK = 11  # venue time far behind its asset's clock
    TIME_RANGE = 12  # venue time 5 minutes ahead of the receive stamp, or a day behind it
    RECV_BACK = 13  # receive stamp before the one of an earlier line
    UNFORESEEN = 14  # an error of the decoder itself on this line: worth a report
    STAMP_FAR = 15  # an imported line whose receive stamp was far from those around it; it stands in the text
    TIME_AHEAD = 16  # venue time seconds ahead of every one so far against the receive stamps, and nothing confirms it


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One line put aside: its number, receive stamp (0 when unreadable), reason and first bytes."""

    seq: int
    recv_ns: int
    reason: QuarantineReason
    text: str


@dataclass(frozen=True, slots=True)
class ControlRecord:
    """A record of the daemon found in the tape."""

    seq: int
    recv_ns: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AssetCounts:
    """Counts of one asset: prints kept, replayed prints dropped, prints too old to use, and late arrivals."""

    prints: int
    duplicates: int
    stale: int
    late_prints: int
    late_quotes: int


@dataclass(frozen=True, slots=True)
class DecodeReport:
    """What decoding saw: lines by kind (sums to `lines`), reasons, per-asset counts, rows put aside, controls."""

    lines: int
    kinds: dict[str, int]
    reasons: dict[str, int]
    assets: dict[str, AssetCounts]
    quarantine: tuple[Quarantined, ...] = field(repr=False)
    controls: tuple[ControlRecord, ...] = field(repr=False)

    @property
    def duplicates(self) -> int:
        """Replayed prints dropped, all assets."""
        return sum(counts.duplicates for counts in self.assets.values())

    @property
    def late_share(self) -> float:
        """Share of prints that arrived after their frame had closed (0 without prints)."""
        prints = sum(counts.prints for counts in self.assets.values())
        late = sum(counts.late_prints for counts in self.assets.values())
        return late / prints if prints else 0.0
