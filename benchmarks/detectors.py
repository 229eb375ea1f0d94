"""What detectors cost: the shipped set, and a hundred more that share sub-expressions with the first ten.

Reference of the same run: windows without any detector, which the same frames have to be made into anyway.
"""

from benchmarks.harness import Figure, Sizes, in_turn
from benchmarks.material import Tape
from benchmarks.related import related
from lotus.detectors.windows.builder import build_windows

FIRST, MORE = 10, 100


def run(tape: Tape, sizes: Sizes) -> list[Figure]:
    """Measure `detectors.shipped_ns_per_frame` and `detectors.hundred_more_ratio`, their cost over the first ten."""
    frames, notes, manifest = tape.frames, tape.annotations, tape.manifest
    ten, all_of_them = related(FIRST), related(FIRST + MORE)
    nothing, shipped, first, both = in_turn(
        sizes.repeats,
        lambda: build_windows(frames, notes, manifest, ()),
        lambda: build_windows(frames, notes, manifest),
        lambda: build_windows(frames, notes, manifest, ten),
        lambda: build_windows(frames, notes, manifest, all_of_them),
    )
    per_frame, bare = 1e9 / len(frames), nothing.typical
    ratio = (both.typical - first.typical) / max(first.typical - bare, 1e-9)
    base, siblings = "windows without detectors", "each with 4 siblings"
    return [
        Figure(
            "detectors.shipped_ns_per_frame", shipped.typical * per_frame, "ns", base, bare * per_frame,
            shipped.worst * per_frame, siblings,
        ),
        Figure("detectors.hundred_more_ratio", ratio, "x the first ten", note=f"{siblings}, thresholds of their own"),
    ]  # fmt: skip
