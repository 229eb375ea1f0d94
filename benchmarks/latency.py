"""Wire to score over a loopback websocket: the daemon's feed and pipeline, beside a blocking socket.

The reference is the floor of the same run: reading the same frames whole from a blocking socket. Wall time, one frame
at a time, garbage collector off, as in the daemon; on a core of its own with real-time priority where that is allowed.
"""

from benchmarks.harness import Figure, Sizes
from benchmarks.material import Tape
from lotus_live.latency import measure_latency
from lotus_live.tape_file import TapeFile


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `live.wire_to_score_us.*` and `live.handler_us.p50`: microseconds."""
    report = measure_latency(TapeFile((tape.path,)), tape.lane, sizes.frames, sizes.pause_us)
    name, floor = "live.wire_to_score_us", "blocking-socket floor"
    p50, p99 = report.wire_to_score_p50, report.wire_to_score_p99
    over = f"{p50 - report.floor_p50:+.1f} us over the floor, {report.frames} frames"
    over += ", pinned, real-time priority" if report.real_time else ""
    return [
        Figure(f"{name}.p50", p50, "us", floor, report.floor_p50, note=over),
        Figure(f"{name}.p99", p99, "us", floor, report.floor_p99),
        Figure(f"{name}.floor_p50", report.floor_p50, "us", "its own p99", report.floor_p99),
        Figure("live.handler_us.p50", report.handler_p50, "us", note=f"p99 {report.handler_p99:.1f}"),
    ]
