"""The batch twin of the pipeline: the same lines through the batch functions of the domain, day by day.

It exists to be compared with the pipeline, so it shares nothing with it but the rule of days: state born blank at
22:00 UTC of the day before, rows given out by lines of the day itself. No sockets, no lanes, no single-line decoding.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lotus.curation.at_once import barred, veto_lists
from lotus.detectors.scoring.others import heard
from lotus.detectors.scoring.scored import Columns, joined
from lotus.detectors.scoring.scorer import Scorer, of_day
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import build_windows
from lotus.errors import TapeError
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.microtape.events import EventBatch, concat_batches
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.reasons import ControlRecord, DecodeReport
from lotus.timebase import DAY_MS, NS_PER_MS, WARMUP_MS, birth_ns, day_of, day_start_ms, next_day
from lotus_live.feed.clocks import Arrival
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Beliefs, spec_of_day
from lotus_live.pipeline.shadow_batch import ShadowBatch, named_shadows

_CHUNK_BYTES = 8 << 20
MAX_DAYS = 400  # of one tape scored at once: every day holds its decoder's memory, 0.5 MB with three coins


@dataclass(frozen=True, slots=True)
class DayRows:
    """Everything that one day gives: frames with quotes and gaps, annotations of them, and events in scoring order.

    `report` counts the day's own lines; its controls begin with those of the evening in which its state is born.
    """

    day: str
    frames: FrameBatch
    annotations: AnnotationBatch
    events: Columns
    report: DecodeReport


def score_tape(lines: Iterable[Arrival], spec: LaneSpec, beliefs: Beliefs) -> list[DayRows]:
    """Score a tape by whole days, oldest first; `beliefs` gives tables, priors and experts of each.

    Raises `TapeError` for lines of more than `MAX_DAYS` days.
    """
    decoders: dict[str, tuple[Decoder, list[EventBatch]]] = {}
    days: list[str] = []
    evening: dict[str, tuple[ControlRecord, ...]] = {}
    for latest_ns, chunk, first_seq in _chunks(lines):
        day = day_of(latest_ns // NS_PER_MS)
        if day not in days:
            days.append(day)
            if len(days) > MAX_DAYS:
                raise TapeError(f"lines of more than {MAX_DAYS} days", "a tape of fewer", "receive stamps out of order")
            if day in decoders:
                evening[day] = decoders[day][0].report().controls
                decoders[day][0].clear_report()
        wanted = [day]
        if latest_ns >= birth_ns(next_day(day)):
            wanted.append(next_day(day))
        for one in wanted:
            if one not in decoders:
                decoders[one] = Decoder(spec.universe, spec.ignored), []
            decoder, parts = decoders[one]
            parts.append(decoder.decode_chunk(chunk, first_seq))
    rows: list[DayRows] = []
    for day in days:
        decoder, parts = decoders.pop(day)
        before = [c for row in rows for c in row.report.controls if c.recv_ns < birth_ns(day)]
        own = decoder.report()
        report = replace(own, controls=(*evening.get(day, ()), *own.controls))
        rows.append(_day_rows(day, concat_batches(parts), report, spec, beliefs, before))
    return rows


def _inherited(controls: Sequence[ControlRecord], spec: LaneSpec) -> tuple[DetectorSpec, ...]:
    """Return the shadow detectors in force when a day's state is born."""
    inherited: tuple[DetectorSpec, ...] = ()
    for control in controls:
        named = named_shadows(control.data, spec)
        inherited = inherited if named is None else named
    return inherited


def _day_rows(
    day: str,
    decoded: EventBatch,
    report: DecodeReport,
    spec: LaneSpec,
    beliefs: Beliefs,
    before: Sequence[ControlRecord],
) -> DayRows:
    start_ms, base = day_start_ms(day), spec
    spec = spec_of_day(base, beliefs, day)
    whole = build_frames(decoded, spec.manifest, spec.universe)
    annotations = annotate(whole, beliefs.experts(day))
    windows = build_windows(whole, annotations, spec.manifest, spec.detectors)
    scorer = Scorer(spec.manifest, spec.universe, spec.detectors, beliefs.tables(day), beliefs.priors(day), spec.branch)
    scorer.hear_all(heard(report.controls))
    settled = barred(scorer.feed_all(windows), veto_lists([*before, *report.controls]), spec.branch, day)
    batch = ShadowBatch(base, spec, whole, annotations, scorer.tables, beliefs.priors(day))
    events = of_day(joined([settled, *batch.events(report.controls, _inherited(before, base))]), start_ms)
    kept = whole.in_day(start_ms)
    return DayRows(day, whole.of_day(start_ms), annotations.of_rows(kept), events, report)


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
    day, rest_ms = divmod(recv_ns // NS_PER_MS, DAY_MS)
    return day, rest_ms >= DAY_MS - WARMUP_MS
