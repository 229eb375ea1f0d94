"""Many detectors, one graph: equal parts are shared, siblings are the jittered detector, a hundred more cost little."""

import dataclasses

import numpy as np
import pytest
from random_specs import random_stretch

from benchmarks.related import related
from lotus.detectors.registry import known_detectors, shipped_detectors
from lotus.detectors.spec import JITTER, DetectorSpec, parse_spec
from lotus.detectors.spec_compile import compile_detectors
from lotus.detectors.windows import row_spec as win
from lotus.detectors.windows.builder import build_windows
from lotus.errors import ConfigError
from lotus.manifest import KernelDefaults, Manifest

MANIFEST = Manifest()


def test_equal_parts_of_detectors_run_once() -> None:
    spec = next(d for d in known_detectors() if d.detector_id == "imbalance_persistence")
    twin = dataclasses.replace(spec, detector_id="twin")
    assert compile_detectors([spec], MANIFEST).nodes == compile_detectors([spec, twin], MANIFEST).nodes
    apart = [compile_detectors([d], MANIFEST).nodes for d in known_detectors()]
    together = compile_detectors(known_detectors(), MANIFEST).nodes
    assert sum(together) < sum(a + b for a, b in apart)


def test_siblings_share_what_the_jitter_does_not_touch() -> None:
    spec = next(d for d in known_detectors() if d.detector_id == "oi_squeeze")
    still = dataclasses.replace(spec, params=tuple(dataclasses.replace(p, jitter=False) for p in spec.params))
    assert sum(compile_detectors([still], MANIFEST).nodes) * 2 < sum(compile_detectors([spec], MANIFEST).nodes)
    frames, notes = random_stretch(5, 30_000)
    said = build_windows(frames, notes, MANIFEST, [spec, still]).floats
    assert np.array_equal(said[:, win.F_SIGNAL], said[:, win.F_SIGNAL + 1])
    assert not said[:, win.F_SIGNAL + 3].any()


def test_the_order_and_company_of_a_detector_do_not_change_its_signal() -> None:
    frames, notes = random_stretch(6, 30_000)
    known = known_detectors()
    whole = build_windows(frames, notes, MANIFEST, known).floats
    back = build_windows(frames, notes, MANIFEST, known[::-1]).floats
    many = len(known)
    for d in range(many):
        for first in (win.F_SIGNAL, win.F_SIGNAL + many):
            assert whole[:, first + d].tobytes() == back[:, first + many - 1 - d].tobytes()
    alone = build_windows(frames, notes, MANIFEST, known[2:3]).floats
    assert alone[:, win.F_SIGNAL].tobytes() == whole[:, win.F_SIGNAL + 2].tobytes()


def test_a_hundred_related_detectors_add_less_than_three_times_the_first_ten() -> None:
    specs = related(110)
    ten, all_of_them = compile_detectors(specs[:10], MANIFEST), compile_detectors(specs, MANIFEST)
    frames = MANIFEST.kernel.window_ms // MANIFEST.kernel.cadence_ms
    first, both = (frames * on_frames + on_windows for on_frames, on_windows in (ten.nodes, all_of_them.nodes))
    assert both - first < 3 * first  # node executions of a window
    assert all_of_them.nodes[0] == ten.nodes[0]
    assert all_of_them.state_bytes == ten.state_bytes


def test_steps_of_frames_are_minutes_in_windows() -> None:
    frames, notes = random_stretch(7, 20_000)
    text = """
detector_id: quiet
family: quiet
version: 1
idea: Time since a trade.
horizon: 30s
band: 20s..160s
best_phase_deg: 0
frames:
  quiet: since(trade_n > 0trades)
  quiet_s: since(trade_n > 0trades) / 5step
windows:
  seconds: quiet_s
signal: (quiet / 1m - seconds / 60) * 1000 + {extra}
"""
    zero = build_windows(frames, notes, MANIFEST, [parse_spec(text.format(extra="0"), "x")]).floats
    assert np.abs(zero[:, win.F_SIGNAL]).max() < 1e-9
    shown = build_windows(frames, notes, MANIFEST, [parse_spec(text.format(extra="quiet / 1m"), "x")]).floats
    assert shown[:, win.F_SIGNAL].any()


def test_other_cadences_compile_and_those_that_cannot_are_named() -> None:
    fast = Manifest(kernel=KernelDefaults(cadence_ms=100, window_ms=10_000))
    assert compile_detectors(known_detectors(), fast).nodes[0] > 0
    slow = Manifest(kernel=KernelDefaults(cadence_ms=1_000, window_ms=30_000))
    short = dataclasses.replace(shipped_detectors()[0], windows=(("move", "mean(basis, 5s)"),), signal="move / 1bps")
    with pytest.raises(ConfigError, match=r"basis_shock, windows\.move"):
        compile_detectors([short], slow)


def test_the_jitter_is_that_of_the_kernel() -> None:
    assert JITTER == (1.0, 0.8, 0.9, 1.1, 1.2)


def test_no_detectors_are_a_set_too() -> None:
    frames, notes = random_stretch(8)
    batch = build_windows(frames, notes, MANIFEST, ())
    nobody: tuple[DetectorSpec, ...] = ()
    assert batch.detectors == nobody
    assert batch.floats.shape[1] == win.F_SIGNAL
    assert len(batch) == len(build_windows(frames, notes, MANIFEST))
