"""Wire to score over a loopback websocket: the daemon's feed and pipeline, beside a blocking socket.

The reference is the floor of the same run: reading the same frames whole from a blocking socket. Wall time, one frame
at a time, garbage collector off, as in the daemon; on a core of its own where that is allowed. The targets are those of
the daemon with `live.spin = true`, which looks at the socket all the time; the daemon that sleeps in between stands
beside it.
"""

from benchmarks.daemon_latency import measure_latency
from benchmarks.harness import Figure, Sizes
from benchmarks.material import Tape
from lotus_live.feed.tape_file import TapeFile


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `live.wire_to_score_us.*` and `live.handler_us.p50`: microseconds."""
    report = measure_latency(TapeFile((tape.path,)), tape.lane, sizes.frames, sizes.pause_us)
    name, floor = "live.wire_to_score_us", "blocking-socket floor"
    how = f"{report.frames} frames{', pinned' if report.pinned else ''}"
    hot = f"live.spin = true, handler p50 {report.spinning_handler_p50:.1f} us, "
    cold = "live.spin = false, "
    return [
        Figure(f"{name}.p50", report.spinning_p50, "us", floor, report.floor_p50, note=hot + how),
        Figure(f"{name}.p99", report.spinning_p99, "us", floor, report.floor_p99, note=hot + how),
        Figure(f"{name}.asleep_p50", report.asleep_p50, "us", floor, report.floor_p50, note=cold + how),
        Figure(f"{name}.asleep_p99", report.asleep_p99, "us", floor, report.floor_p99, note=cold + how),
        Figure(f"{name}.floor_p50", report.floor_p50, "us", "its own p99", report.floor_p99),
        Figure("live.handler_us.p50", report.handler_p50, "us", note=f"{cold}p99 {report.handler_p99:.1f}"),
    ]
