"""The experts' machine and tables: live equals batch on random and recorded tape, fusion, nulls, reading back."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS
from lotus.experts.machine import ExpertMachine, annotate, annotations_from_columns
from lotus.experts.spec import EXPERTS, default_experts
from lotus.manifest import Asset, Manifest
from lotus.microtape.decode import decode_lines
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def frames_of(seed: int, n: int = 8_000) -> FrameBatch:
    return build_frames(sample_events(seed, n), Manifest(), Manifest().universe)


def assert_live_equals_batch(frames: FrameBatch) -> None:
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms)
    batch = annotate(frames)
    for i in range(len(frames)):
        assert machine.feed(frames.ints[i], frames.floats[i]).tobytes() == batch.values[i].tobytes(), i


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


def test_the_table_is_as_specified() -> None:
    annotations = annotate(frames_of(4, 20_000))
    columns = annotations.columns()
    assert tuple(columns) == DSI_ANNOTATIONS.names
    for spec in DSI_ANNOTATIONS.columns:
        values = columns[spec.name]
        assert values.dtype == DSI_ANNOTATIONS.numpy_dtype(spec.name)
        known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        assert spec.nullable or len(known) == len(values), spec.name
        assert spec.low is None or known.min() >= spec.low, spec.name
        assert spec.high is None or known.max() <= spec.high, spec.name
        assert not np.any((values == 0) & np.signbit(values.astype(float))), spec.name
    assert len(annotations.columns(1)["asset"]) == int(np.sum(columns["asset"] == 1))


def test_the_fusion_is_the_weighted_sum() -> None:
    columns, experts = annotate(frames_of(5, 20_000)).columns(), default_experts()
    z = np.column_stack([columns[f"z_{e}"] for e in EXPERTS])
    f = np.column_stack([columns[f"f_{e}"] for e in EXPERTS])
    weights, votes = (np.array([getattr(e, name) for e in experts.experts]) for name in ("weight", "vote"))
    llr = np.where(np.isnan(z), 0.0, z) @ weights
    silent = np.isnan(z).all(axis=1)
    np.testing.assert_allclose(columns["micro_llr"], np.where(silent, np.nan, llr), atol=1e-12)
    np.testing.assert_allclose(columns["mx_evidence"], 1 / (1 + np.exp(-columns["micro_llr"])), rtol=1e-12)
    assert np.array_equal(columns["mx_confirm"], (f @ votes >= experts.votes_needed).astype(np.uint8))
    assert 0 < np.mean(columns["mx_confirm"]) < 1


def test_null_frames_say_nothing() -> None:
    frames = frames_of(6)
    dark = dataclasses.replace(frames, floats=np.full_like(frames.floats, np.nan))
    columns = annotate(dark).columns()
    for name in ("micro_llr", "mx_evidence", *(f"z_{e}" for e in EXPERTS)):
        assert np.isnan(columns[name]).all(), name
    assert not columns["mx_confirm"].any()


def test_a_missing_frame_is_a_rebirth() -> None:
    frames = frames_of(7)
    rows = np.flatnonzero(frames.ints[:, 0] == 1)
    keep = np.delete(rows, 400)
    broken = dataclasses.replace(frames, ints=frames.ints[keep], floats=frames.floats[keep])
    tail = dataclasses.replace(frames, ints=frames.ints[rows[401:]], floats=frames.floats[rows[401:]])
    assert annotate(broken).values[400:].tobytes() == annotate(tail).values.tobytes()


def test_tables_read_back_stand_in_the_order_of_the_frames() -> None:
    frames = frames_of(8)
    annotations = annotate(frames)
    back = annotations_from_columns([annotations.columns(a) for a in (2, 0, 1)], frames)
    assert back.values.tobytes() == annotations.values.tobytes()
    assert back.content_hash() == annotations.content_hash()
    with pytest.raises(SchemaError, match="the same keys"):
        annotations_from_columns([annotations.columns(0)], frames)
    with pytest.raises(SchemaError, match="without z_anomaly"):
        annotations_from_columns([{n: v for n, v in annotations.columns().items() if n != "z_anomaly"}], frames)
