"""Sets of settled detectors: which holds on a day, and what of a text this release cannot score."""

import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.settled import DetectorSet, ever_settled, settled_on, with_settled
from lotus.errors import SchemaError
from lotus.manifest import Manifest

MANIFEST = Manifest()


def text(name: str, horizon: str = "30s", signal: str = "flow * 1.0") -> str:
    """Return a specification."""
    head = f"detector_id: {name}\nfamily: {name}\nversion: 1\nstatus: experimental\nidea: A column.\n"
    return head + f"horizon: {horizon}\nband: 20s..160s\nbest_phase_deg: 270\nsignal: {signal}\n"


ONE, TWO = text("bred_a"), text("bred_z")


def test_a_set_holds_from_its_day_until_the_next_one() -> None:
    sets = [DetectorSet("2026-01-05", "2026-01-03", ()), DetectorSet("2026-01-02", "2026-01-01", (ONE, TWO))]
    names = [[s.detector_id for s in settled_on(f"2026-01-0{k}", sets, MANIFEST)] for k in (1, 2, 4, 5, 9)]
    assert names == [[], ["bred_a", "bred_z"], ["bred_a", "bred_z"], [], []]
    assert [s.detector_id for s in ever_settled(sets, MANIFEST)] == ["bred_a", "bred_z"]
    with pytest.raises(SchemaError, match="look-ahead"):
        DetectorSet("2026-01-02", "2026-01-02", ())


def test_what_cannot_be_scored_is_left_out() -> None:
    odd = (text("bred_b", signal="gone * 1.0"), text("bred_c", horizon="7s"), "no specification", ONE)
    found = settled_on("2026-01-02", [DetectorSet("2026-01-02", "2026-01-01", odd)], MANIFEST)
    assert [s.detector_id for s in found] == ["bred_a"]


def test_detectors_stand_in_order_and_the_first_keeps_its_name() -> None:
    shipped = shipped_detectors()
    settled = settled_on("2026-01-02", [DetectorSet("2026-01-02", "2026-01-01", (ONE, text("micro_drift")))], MANIFEST)
    every = with_settled(shipped, settled)
    assert [s.detector_id for s in every] == sorted([s.detector_id for s in shipped] + ["bred_a"])
    assert all(spec in every for spec in shipped)
    assert with_settled(shipped, ()) == shipped
