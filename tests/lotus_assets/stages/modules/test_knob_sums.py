"""Stored sums of a knob lane: found under what they were made from, made anew for anything else or when damaged."""

from pathlib import Path

from styles_tried import JOIN, tried

from lotus.knobs.past import KnobPast
from lotus.knobs.rows import rows_of
from lotus.learning.axes import axes
from lotus.learning.day_cube import DayCube, packed
from lotus.learning.rows import rows_by_detector
from lotus_assets.stages.modules.knob_sums import StoredSums
from lotus_store.learner_state import LearnerState

DAY = "2026-01-05"


def bits(cubes: list[DayCube]) -> list[bytes]:
    return [
        repr(facts).encode() + b"".join(x.tobytes() for x in arrays.values()) for facts, arrays in map(packed, cubes)
    ]


def test_sums_are_found_again_and_made_anew_for_other_content(tmp_path: Path) -> None:
    rows = next(iter(rows_by_detector({DAY: rows_of(tried(2, DAY, {JOIN: -6.0})[0], DAY, {})}, 90).values()))
    state, space = LearnerState(tmp_path, "main", "tr"), axes(2)

    def cubes(content: str) -> list[DayCube]:
        return list(KnobPast(rows, StoredSums(state, {DAY: content})).cubes((), space))

    first = bits(cubes("a"))
    (file,) = tmp_path.glob("learner_state/tr/branch=main/day=*/*.sums")
    stamp = file.stat().st_mtime_ns
    assert bits(cubes("a")) == first
    assert file.stat().st_mtime_ns == stamp, "read, not made"
    assert bits(cubes("b")) == first
    (other,) = tmp_path.glob("learner_state/tr/branch=main/day=*/*.sums")
    assert other != file, "one of each day and owner is kept"
    other.write_bytes(other.read_bytes()[:-8] + b"\xff" * 8)
    assert bits(cubes("b")) == first, "a damaged file is made anew"
    state.keep(())
    assert not list(tmp_path.glob("learner_state/tr/branch=main/day=*"))


def test_the_detectors_state_and_that_of_a_module_do_not_touch_each_other(tmp_path: Path) -> None:
    sig, tr = LearnerState(tmp_path, "main"), LearnerState(tmp_path, "main", "tr")
    tr.write(DAY, "owner", "key", {}, {})
    sig.keep(())
    assert tr.read(DAY, "owner", "key") is not None
    assert sig.read(DAY, "owner", "key") is None
