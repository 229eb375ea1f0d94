"""Stages of life gate publication: who is drawn at the floor and who not at all; all else keeps its bits."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.cards.lifecycle import LifecycleStage
from lotus.detectors.curators import veto_bits, without_curators
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import tables_from_json, tables_to_json
from lotus.detectors.explain import explain_event
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.scoring.signal_spec import STAGE, VETOES
from lotus.detectors.stage_gate import GATE_TEXTS, StageGate, at_floor, gate_of, gated, gates_of
from lotus.errors import SchemaError
from lotus.priors.types import priors_0

DETECTORS = shipped_detectors()
POOR, GONE = DETECTORS[1], DETECTORS[3]
GATES = {POOR.detector_id: StageGate.FLOOR, GONE.detector_id: StageGate.CLOSED}


def scored(chain, tables):
    m = chain.manifest
    return Scorer(m, m.universe, DETECTORS, tables, [priors_0("main")], "main").feed_all(chain.windows[12])


@pytest.mark.parametrize(
    ("stage", "sq_score", "status", "gate"),
    [
        ("experimental", np.nan, "active", StageGate.OPEN),
        ("experimental", 0.299, "active", StageGate.FLOOR),
        ("experimental", 0.3, "active", StageGate.OPEN),
        ("experimental", np.nan, "experimental", StageGate.FLOOR),
        ("experimental", 0.9, "experimental", StageGate.FLOOR),
        ("active", 0.25, "active", StageGate.OPEN),
        ("active", 0.25, "experimental", StageGate.OPEN),
        ("deprecated", 0.9, "active", StageGate.CLOSED),
        ("archived", np.nan, "active", StageGate.CLOSED),
    ],
)
def test_the_gate_of_a_card(stage: str, sq_score: float, status: str, gate: StageGate) -> None:
    assert gate_of(LifecycleStage(stage), sq_score, status) is gate


def test_a_card_of_another_version_says_nothing() -> None:
    names = [d.detector_id for d in (POOR, GONE)]
    cards = {
        "detector_id": np.array([*names, "stranger"], dtype=object),
        "spec_version": np.array([POOR.version, GONE.version + 1, 1]),
        "stage": np.array(["experimental", "deprecated", "deprecated"], dtype=object),
        "sq_score": np.array([0.1, 0.1, 0.1]),
    }
    assert gates_of(cards, DETECTORS) == {POOR.detector_id: StageGate.FLOOR}


def test_windows_at_the_floor_are_those_of_the_gated_detector_under_the_gated_tables(chain) -> None:
    tables = gated(chain.tables[12], GATES)
    events, before = scored(chain, tables), scored(chain, chain.tables[12])
    expected = events["detector_id"] == POOR.detector_id
    assert at_floor(events, [chain.tables[12], tables]).tolist() == expected.tolist()
    assert not at_floor(before, [chain.tables[12], tables]).any()


def test_open_gates_leave_tables_what_they_were(chain) -> None:
    tables = chain.tables[12]
    assert gated(tables, {}) == tables
    assert gated(tables, dict.fromkeys(tables.detector_ids, StageGate.OPEN)).tables_ver == tables.tables_ver
    told = gated(tables, GATES)
    assert told.tables_ver != tables.tables_ver
    assert tables_from_json(tables_to_json(told)) == told
    assert gated(told, dict.fromkeys(GATES, StageGate.OPEN)) == tables == without_curators(told)
    assert not veto_bits(tables).any()
    with pytest.raises(SchemaError, match="gates"):
        replace(tables, stage_gate=("floor",))


def test_an_experimental_file_begins_at_the_floor(chain) -> None:
    m, young = chain.manifest, [replace(d, status="experimental") if d is POOR else d for d in DETECTORS]
    tables = day_tables("2025-03-03", [], m, m.universe, young)
    assert tables.stage_gate == tuple("floor" if d is POOR else "" for d in DETECTORS)
    assert gated(tables, {POOR.detector_id: StageGate.OPEN}).stage_gate == ()


def test_the_floor_and_the_veto_touch_their_detectors_only(chain) -> None:
    plain, told = scored(chain, chain.tables[12]), scored(chain, gated(chain.tables[12], GATES))
    poor, gone = (plain["detector_id"] == d.detector_id for d in (POOR, GONE))
    epsilon, eligible = chain.manifest.score.epsilon, plain["eligible"]
    assert set(told["pi"][poor & eligible]) == {epsilon}
    assert (plain["pi"][poor & eligible] > epsilon).any()
    np.testing.assert_array_equal(told["published"][poor], eligible[poor] & (told["draw"][poor] < epsilon))
    assert 0 < told["published"][poor].sum() < plain["published"][poor].sum()
    assert not told["pi"][gone].any()
    assert not told["published"][gone].any()
    np.testing.assert_array_equal(told["veto"], plain["veto"] | np.where(gone, STAGE, 0))
    assert VETOES[STAGE] == "stage"
    moved = {"tables_ver", "veto", "eligible", "published", "pi", "u", "u0"}
    for name in set(plain) - moved:
        np.testing.assert_array_equal(told[name], plain[name])
    for name in moved - {"tables_ver"}:
        np.testing.assert_array_equal(told[name][~poor & ~gone], plain[name][~poor & ~gone])
    assert len(set(told["u"][poor])) == len(set(told["u0"][poor])) == 1


def test_an_event_is_explained_with_its_gate(chain) -> None:
    tables = gated(chain.tables[12], GATES)
    events = scored(chain, tables)
    for spec, gate in ((POOR, StageGate.FLOOR), (GONE, StageGate.CLOSED), (DETECTORS[0], StageGate.OPEN)):
        at = int(np.flatnonzero((events["detector_id"] == spec.detector_id) & (events["s"] != 0.0))[7])
        found = explain_event({n: v[at] for n, v in events.items()}, tables, priors_0("main"), chain.manifest, spec)
        assert found.exact
        assert ("stage" in found.vetoes) is (gate is StageGate.CLOSED)
        (step,) = [s for s in found.steps if s.section == "curators"]
        assert (step.name, step.text) == ("stage_veto", GATE_TEXTS[gate])


def test_a_threshold_goes_on_while_a_version_is_closed(chain) -> None:
    m, d = chain.manifest, DETECTORS.index(GONE)
    closed = [
        replace(h, veto=np.where(h.detector == d, h.veto | STAGE, h.veto).astype(np.uint32)) for h in chain.history[:12]
    ]
    plain, told = (
        day_tables(chain.tables[12].day, history, m, m.universe, DETECTORS) for history in (chain.history[:12], closed)
    )
    assert (told.tau_pub[d], told.temperature[d]) == (plain.tau_pub[d], plain.temperature[d])
