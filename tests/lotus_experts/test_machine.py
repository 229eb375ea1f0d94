"""The experts' machine and tables: live equals batch on random and recorded tape, fusion, nulls, rebirth."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

from lotus.experts.annotation_spec import (
    A_CONFIRM,
    A_EVIDENCE,
    A_FIRED,
    A_LLR,
    A_Z,
    DSI_ANNOTATIONS,
    DSI_WINDOWS,
    EXPERTS,
    N_VALUES,
    WINDOW_MS,
)
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.machine import ExpertMachine, annotate
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import I_END
from lotus.microtape.wire.decode import decode_lines

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def frames_of(seed: int, n: int = 8_000) -> FrameBatch:
    return build_frames(sample_events(seed, n), Manifest(), Manifest().universe)


def said_live(frames: FrameBatch, experts: ExpertSet | None = None) -> np.ndarray:
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
    return np.array([machine.feed(i, x).copy() for i, x in zip(frames.ints, frames.floats, strict=True)])


def assert_live_equals_batch(frames: FrameBatch, experts: ExpertSet | None = None) -> None:
    live, batch = said_live(frames, experts), annotate(frames, experts)
    assert live[:, :N_VALUES].tobytes() == batch.values.tobytes()
    closing = frames.ints[:, I_END] % WINDOW_MS == 0
    assert (live[closing, A_Z:] + 0.0).tobytes() == batch.windows.z.tobytes()
    assert np.array_equal(batch.windows.ints, batch.ints[closing])


@pytest.mark.parametrize("seed", range(3))
def test_live_equals_batch_bit_by_bit(seed: int) -> None:
    assert_live_equals_batch(frames_of(seed))


@pytest.mark.recordings
def test_live_equals_batch_on_a_recording() -> None:
    path = DATA / "hyperliquid-2025-09-03-outages" / "frames.jsonl.gz"
    if not path.exists():
        pytest.skip("the recording of 2025-09-03 is not beside the checkout")
    universe = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2), Asset("WLFI", 0))
    events, _ = decode_lines(gzip.decompress(path.read_bytes()), universe)
    assert_live_equals_batch(build_frames(events, Manifest(), universe))


def calibrated() -> ExpertSet:
    """The shipped experts with knots on the evidence and on one confidence."""
    experts = default_experts()
    knots = ((0.3, 0.35), (0.5, 0.5), (0.6, 0.55), (0.9, 0.7))
    fusion = dataclasses.replace(experts.fusion, evidence=knots, confidence={EXPERTS[0]: ((0.0, 0.5), (0.6, 0.8))})
    return dataclasses.replace(experts, fusion=fusion)


def test_the_calibration_has_the_same_bits_live_and_batch() -> None:
    frames, experts = frames_of(4, 20_000), calibrated()
    assert_live_equals_batch(frames, experts)
    raw, fitted = annotate(frames), annotate(frames, experts)
    known = ~np.isnan(raw.values[:, A_EVIDENCE])
    wanted = np.interp(raw.values[known, A_EVIDENCE], [0.3, 0.5, 0.6, 0.9], [0.35, 0.5, 0.55, 0.7])
    np.testing.assert_allclose(fitted.values[known, A_EVIDENCE], wanted, rtol=1e-12)
    assert np.isnan(fitted.values[~known, A_EVIDENCE]).all()
    z = np.abs(fitted.windows.z)
    np.testing.assert_allclose(fitted.windows.confidence[:, 0], np.interp(z[:, 0], [0, 0.6], [0.5, 0.8]), rtol=1e-12)
    np.testing.assert_allclose(fitted.windows.confidence[:, 1:], np.tanh(z[:, 1:] / 2), atol=1e-15)


@pytest.mark.parametrize("spec", [DSI_ANNOTATIONS, DSI_WINDOWS], ids=lambda s: s.name)
def test_the_tables_are_as_specified(spec) -> None:
    annotations = annotate(frames_of(4, 20_000))
    batch = annotations if spec is DSI_ANNOTATIONS else annotations.windows
    columns = batch.columns()
    assert tuple(columns) == spec.names
    for column in spec.columns:
        values = columns[column.name]
        assert values.dtype == spec.numpy_dtype(column.name)
        known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        assert column.nullable or len(known) == len(values), column.name
        assert column.low is None or known.min() >= column.low, column.name
        assert column.high is None or known.max() <= column.high, column.name
        assert not np.any((values == 0) & np.signbit(values.astype(float))), column.name
    assert len(batch.columns(1)["asset"]) == int(np.sum(columns["asset"] == 1)) > 0


def test_the_fusion_is_the_weighted_sum() -> None:
    frames, experts = frames_of(5, 20_000), default_experts()
    said = said_live(frames)
    z, fired = said[:, A_Z:], said[:, A_FIRED].astype(np.int64)
    f = (fired[:, None] >> np.arange(len(EXPERTS))) & 1
    llr = np.where(np.isnan(z), 0.0, z) @ np.array(experts.weights)
    silent = np.isnan(z).all(axis=1)
    np.testing.assert_allclose(said[:, A_LLR], np.where(silent, np.nan, llr), atol=1e-12)
    np.testing.assert_allclose(said[:, A_EVIDENCE], 1 / (1 + np.exp(-said[:, A_LLR])), rtol=1e-12)
    assert np.array_equal(said[:, A_CONFIRM], f @ np.array(experts.votes) >= experts.fusion.votes_needed)
    assert 0 < np.mean(said[:, A_CONFIRM]) < 1
    assert np.all(f[np.isnan(z)] == 0)


def test_null_frames_say_nothing() -> None:
    frames = frames_of(6)
    dark = dataclasses.replace(frames, floats=np.full_like(frames.floats, np.nan))
    annotations = annotate(dark)
    assert np.isnan(annotations.values[:, [A_LLR, A_EVIDENCE]]).all()
    assert np.isnan(annotations.windows.z).all()
    assert not annotations.values[:, [A_CONFIRM, A_FIRED]].any()


def test_a_missing_frame_is_a_rebirth() -> None:
    frames = frames_of(7)
    rows = np.flatnonzero(frames.ints[:, 0] == 1)
    keep = np.delete(rows, 400)
    broken = dataclasses.replace(frames, ints=frames.ints[keep], floats=frames.floats[keep])
    tail = dataclasses.replace(frames, ints=frames.ints[rows[401:]], floats=frames.floats[rows[401:]])
    assert annotate(broken).values[400:].tobytes() == annotate(tail).values.tobytes()


def test_rows_of_a_batch_keep_their_windows() -> None:
    frames = frames_of(8)
    annotations = annotate(frames)
    rows = frames.ints[:, 0] == 2
    part = annotations.of_rows(rows)
    alone = annotate(dataclasses.replace(frames, ints=frames.ints[rows], floats=frames.floats[rows]))
    assert part.content_hash() == alone.content_hash()
    assert part.content_hash() != annotations.content_hash()
