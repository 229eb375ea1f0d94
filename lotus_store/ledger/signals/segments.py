"""The tape's catalogue in the sig database: closed segments, gaps and quarantined lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query
from lotus_store.tape.segment import SegmentMeta


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed segment: path relative to its tape, hash of its bytes, lines, times (ns), counts by kind, gaps."""

    tape: str
    path: str
    day: str
    sha256: str
    lines: int
    bytes: int
    first_recv_ns: int
    last_recv_ns: int
    counts: Mapping[str, int] = field(default_factory=dict)
    gaps: Sequence[Mapping[str, Any]] = ()
    state: str = "closed"


@dataclass(frozen=True, slots=True)
class TapeGap:
    """A silence of an asset, event time, from the last message before to the first after."""

    asset: str
    start_ms: int
    end_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A line that could not be used: its running number in the day, why, and its beginning."""

    seq: int
    kind: str
    detail: str
    sample: str


def segment_row(meta: SegmentMeta) -> Segment:
    """Return the catalogue row of a closed segment, from its index."""
    return Segment(
        tape=meta.tape,
        path=meta.path,
        day=meta.day,
        sha256=meta.content_sha256,
        lines=meta.lines,
        bytes=meta.raw_bytes,
        first_recv_ns=meta.first_recv_ns,
        last_recv_ns=meta.last_recv_ns,
        counts={"lines": meta.lines},
        gaps=[{"silences": meta.silences, "longest_ms": meta.max_silence_ms}] if meta.silences else [],
    )


def put_segment(connection: Connection, segment: Segment) -> None:
    """List a closed segment; the same path again replaces its row."""
    s = segment
    times = [s.first_recv_ns, s.last_recv_ns]
    values = [s.tape, s.path, s.day, s.sha256, s.lines, s.bytes, *times, to_body(s.counts), to_body(s.gaps), s.state]
    connection.execute(query("sig", "put_segment"), values)


def read_segments(connection: Connection, tape: str, day: str | None = None) -> list[Segment]:
    """Return the segments of a tape, of one day or of all, in path order."""
    rows = connection.execute(query("sig", "read_segments"), {"tape": tape, "day": day})
    return [Segment(*row) for row in rows]


def write_gaps(connection: Connection, tape: str, day: str, gaps: Sequence[TapeGap]) -> int:
    """Make the gaps of a tape and day exactly these; return their number."""
    connection.execute(query("sig", "delete_gaps"), [tape, day])
    with connection.cursor() as cursor:
        rows = [[tape, day, g.asset, g.start_ms, g.end_ms, g.reason] for g in gaps]
        cursor.executemany(query("sig", "put_gap"), rows)
    return len(gaps)


def read_gaps(connection: Connection, tape: str, day: str) -> list[TapeGap]:
    """Return the gaps of a tape and day, ordered by asset and start."""
    return [TapeGap(*row) for row in connection.execute(query("sig", "read_gaps"), [tape, day])]


def write_quarantine(connection: Connection, tape: str, day: str, lines: Sequence[QuarantinedRow]) -> int:
    """Make the quarantine of a tape and day exactly these lines; return their number."""
    connection.execute(query("sig", "delete_quarantine"), [tape, day])
    with connection.cursor() as cursor:
        rows = [[tape, day, q.seq, q.kind, _storable(q.detail), _storable(q.sample)] for q in lines]
        cursor.executemany(query("sig", "put_quarantine"), rows)
    return len(lines)


def read_quarantine(connection: Connection, tape: str, day: str) -> list[QuarantinedRow]:
    """Return the quarantined lines of a tape and day in order."""
    return [QuarantinedRow(*row) for row in connection.execute(query("sig", "read_quarantine"), [tape, day])]


def _storable(text: str) -> str:
    """PostgreSQL's text has no NUL and no lone surrogate; bad input is just where they come from."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
