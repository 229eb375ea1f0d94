"""Every shipped expert keeps the laws, and the laws notice an expert that does not."""

import dataclasses
import time

import check_expert as conformance
import numpy as np
import pytest
from check_expert import check_expert, mirrored

from lotus.errors import LookAheadError, SchemaError
from lotus.experts.annotation_spec import EXPERTS
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events

from .specs import edited

SAID = conformance._said


@pytest.fixture(scope="module")
def frames() -> FrameBatch:
    return build_frames(sample_events(31, 15_000), Manifest(), Manifest().universe)


@pytest.mark.parametrize("expert_id", EXPERTS)
def test_shipped_experts_keep_the_laws(expert_id: str, frames: FrameBatch) -> None:
    cost = check_expert(expert_id, frames, clock=time.perf_counter)
    assert cost.nodes > 3
    assert cost.live_ns > 0
    assert cost.batch_ns > 0


@pytest.fixture(scope="module")
def long_frames() -> FrameBatch:
    return build_frames(sample_events(32, 60_000), Manifest(), Manifest().universe)


@pytest.mark.parametrize("expert_id", EXPERTS)
def test_shipped_experts_speak_on_a_longer_sample(expert_id: str, long_frames: FrameBatch) -> None:
    fired, z = SAID(long_frames, default_experts().only(expert_id)).T
    assert np.nanmax(z) > 0
    assert np.nanmin(z) < 0
    assert 0 < np.mean(fired) < 0.5


def test_the_mirror_of_the_mirror_is_the_market(frames: FrameBatch) -> None:
    twice = mirrored(mirrored(frames))
    np.testing.assert_allclose(twice.floats, frames.floats, rtol=1e-5)  # the mid is turned about whole units


def test_the_laws_notice_tomorrows_word_said_today(frames: FrameBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def seeing(batch: FrameBatch, experts: ExpertSet) -> np.ndarray:
        honest = SAID(batch, experts)
        following = np.roll(honest, -1, axis=0)
        both = ~np.isnan(following[:, 1]) & ~np.isnan(honest[:, 1])
        honest[both] = following[both]
        return honest

    monkeypatch.setattr(conformance, "_said", seeing)
    with pytest.raises(LookAheadError):
        check_expert("sweep_stall", frames)


def test_the_laws_notice_a_pattern_without_a_word(frames: FrameBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def loud(batch: FrameBatch, experts: ExpertSet) -> np.ndarray:
        honest = SAID(batch, experts)
        honest[:, 0] = 1.0
        return honest

    monkeypatch.setattr(conformance, "_said", loud)
    with pytest.raises(SchemaError, match="null z"):
        check_expert("rsi_divergence", dataclasses.replace(frames, floats=np.full_like(frames.floats, np.nan)))


def test_the_laws_notice_an_expert_that_always_says_up(frames: FrameBatch) -> None:
    with pytest.raises(SchemaError, match="mirrored"):
        check_expert("anomaly", frames, edited("anomaly", z="abs(p_ret)"))
