"""Frames that wait for the experts: full, forgotten by the ring, calibrated."""

from dataclasses import replace

import numpy as np

from lotus.experts.annotation_spec import A_EVIDENCE, N_VALUES
from lotus.experts.fusion import default_experts
from lotus.experts.machine import ExpertMachine
from lotus.experts.waiting import WAITING, let_wait, run_waiting, waiting_frames
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events

MANIFEST = Manifest()
FRAMES = build_frames(sample_events(9, 3_000), MANIFEST, MANIFEST.universe)
CADENCE_MS = MANIFEST.kernel.cadence_ms


def test_a_dozen_wait_and_then_the_oldest_place_may_be_gone() -> None:
    waiting, ring = waiting_frames(len(MANIFEST.universe), CADENCE_MS, default_experts()), np.full((8, N_VALUES), -1.0)
    rows = np.flatnonzero(FRAMES.ints[:, 0] == 0)[:WAITING]
    full = [let_wait(waiting, FRAMES.ints[row], FRAMES.floats[row], place) for place, row in enumerate(rows)]
    assert full == [False] * (WAITING - 1) + [True]
    run_waiting(waiting, 0, ring, WAITING - 1)
    machine = ExpertMachine(len(MANIFEST.universe), CADENCE_MS)
    said = [machine.feed(FRAMES.ints[row], FRAMES.floats[row]).copy() for row in rows]
    for place in range(WAITING - 8, WAITING):
        assert ring[place % 8].tobytes() == said[place][:N_VALUES].tobytes()
    assert waiting.latest[0].tobytes() == said[-1].tobytes()
    run_waiting(waiting, 0, ring[:0], WAITING)  # none waits: nothing is done


def test_evidence_is_calibrated_as_one_frame_at_a_time() -> None:
    shipped = default_experts()
    fitted = replace(shipped, fusion=replace(shipped.fusion, evidence=((0.0, 0.2), (0.5, 0.6), (1.0, 0.7))))
    waiting, ring = waiting_frames(len(MANIFEST.universe), CADENCE_MS, fitted), np.zeros((64, N_VALUES))
    machine = ExpertMachine(len(MANIFEST.universe), CADENCE_MS, fitted)
    rows = np.flatnonzero(FRAMES.ints[:, 0] == 1)[:60]
    for place, row in enumerate(rows):
        if let_wait(waiting, FRAMES.ints[row], FRAMES.floats[row], place):
            run_waiting(waiting, 1, ring, place)
    run_waiting(waiting, 1, ring, len(rows) - 1)
    said = np.array([machine.feed(FRAMES.ints[row], FRAMES.floats[row])[:N_VALUES].copy() for row in rows])
    assert ring[: len(rows)].tobytes() == said.tobytes()
    assert np.isfinite(said[:, A_EVIDENCE]).any()
