"""The batch twin of the pipeline: the same lines through the batch functions of the domain, day by day.

It exists to be compared with the pipeline, so it shares nothing with it but the rule of days: state born blank at
22:00 UTC of the day before, rows given out by lines of the day itself. No sockets, no lanes, no single-line decoding.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.score import Columns, Scorer
from lotus.detectors.windows import build_windows
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.microtape.decode import Decoder
from lotus.microtape.decode_reasons import DecodeReport
from lotus.microtape.events import EventBatch, concat_batches
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_spec import I_RECV
from lotus.timebase import DAY_MS, HOUR_MS, day_of, day_start_ms, next_day
from lotus_live.clocks import Arrival
from lotus_live.day_lane import LaneSpec
from lotus_live.pipeline import Beliefs

_MS = 1_000_000
_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class DayRows:
    """Everything that one day gives: frames with quotes and gaps, annotations of them, and events in scoring order."""

    day: str
    frames: FrameBatch
    annotations: AnnotationBatch
    events: Columns
    report: DecodeReport


def score_tape(lines: Iterable[Arrival], spec: LaneSpec, beliefs: Beliefs) -> list[DayRows]:
    """Score a tape by whole days, oldest first; `beliefs` gives the tables and priors of each."""
    decoders: dict[str, tuple[Decoder, list[EventBatch]]] = {}
    days: list[str] = []
    for latest_ns, chunk, first_seq in _chunks(lines):
        day = day_of(latest_ns // _MS)
        if day not in days:
            days.append(day)
        wanted = [day]
        if latest_ns // _MS >= day_start_ms(day) + DAY_MS - 2 * HOUR_MS:
            wanted.append(next_day(day))
        for one in wanted:
            if one not in decoders:
                decoders[one] = Decoder(spec.universe, spec.ignored), []
            decoder, parts = decoders[one]
            parts.append(decoder.decode_chunk(chunk, first_seq))
    rows = []
    for day in days:
        decoder, parts = decoders.pop(day)
        rows.append(_day_rows(day, concat_batches(parts), decoder.report(), spec, beliefs))
    return rows


def _day_rows(day: str, events: EventBatch, report: DecodeReport, spec: LaneSpec, beliefs: Beliefs) -> DayRows:
    start_ms = day_start_ms(day)
    whole = build_frames(events, spec.manifest, spec.universe)
    annotations = annotate(whole)
    windows = build_windows(whole, annotations, spec.manifest, spec.detectors)
    scorer = Scorer(spec.manifest, spec.universe, spec.detectors, beliefs.tables(day), beliefs.priors(day), spec.branch)
    scored = scorer.feed_all(windows)
    began, received = scored["window_start_ms"].astype(np.int64), scored["close_recv_ns"].astype(np.int64)
    keep = (began >= start_ms) & (began < start_ms + DAY_MS) & (received >= start_ms * _MS)
    frames, kept = _of_day(whole, start_ms)
    notes = AnnotationBatch(annotations.ints[kept], annotations.values[kept])
    return DayRows(day, frames, notes, {name: values[keep] for name, values in scored.items()}, report)


def _of_day(whole: FrameBatch, start_ms: int) -> tuple[FrameBatch, NDArray[np.bool_]]:
    start_ns, stop_ms = start_ms * _MS, start_ms + DAY_MS
    end = whole.ints[:, 2]
    kept = (end > start_ms) & (end <= stop_ms) & (whole.ints[:, I_RECV] >= start_ns)
    quotes = whole.quotes[(whole.quotes[:, 3] >= start_ms) & (whole.quotes[:, 3] < stop_ms)]
    quotes = quotes[quotes[:, 2] >= start_ns]
    gaps = whole.gaps[(whole.gaps[:, 2] > start_ms) & (whole.gaps[:, 1] < stop_ms)]
    return FrameBatch(whole.universe, whole.cadence_ms, whole.ints[kept], whole.floats[kept], quotes, gaps), kept


def _chunks(lines: Iterable[Arrival]) -> Iterator[tuple[int, bytes, int]]:
    """Yield (latest stamp, text, first number) of stretches that lie in one part of one day."""
    part: list[bytes] = []
    size = first_seq = latest_ns = 0
    held: tuple[int, bool] | None = None
    for arrival in lines:
        now_ns = max(latest_ns, arrival.recv_ns)
        place = _place(now_ns)
        if part and (place != held or size > _CHUNK_BYTES):
            yield latest_ns, b"".join(part), first_seq
            part, size = [], 0
        if not part:
            first_seq, held = arrival.seq, place
        latest_ns = now_ns
        part.append(b"%d %b\n" % (arrival.recv_ns, arrival.raw))
        size += len(part[-1])
    if part:
        yield latest_ns, b"".join(part), first_seq


def _place(recv_ns: int) -> tuple[int, bool]:
    day, rest_ms = divmod(recv_ns // _MS, DAY_MS)
    return day, rest_ms >= DAY_MS - 2 * HOUR_MS
