"""Every shipped expert keeps the laws, and the laws notice an expert that does not."""

import dataclasses

import numpy as np
import pytest

from lotus.errors import LookAheadError, SchemaError
from lotus.experts import conformance
from lotus.experts.annotation_spec import A_CONF, A_F, A_Z
from lotus.experts.conformance import check_expert, mirrored
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.experts.spec import EXPERTS, ExpertSet
from lotus.manifest import Manifest
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_machine import build_frames
from lotus.microtape.frame_samples import sample_events


@pytest.fixture(scope="module")
def frames() -> FrameBatch:
    return build_frames(sample_events(31, 15_000), Manifest(), Manifest().universe)


@pytest.mark.parametrize("expert_id", EXPERTS)
def test_shipped_experts_keep_the_laws(expert_id: str, frames: FrameBatch) -> None:
    check_expert(expert_id, frames)


@pytest.mark.parametrize("expert_id", EXPERTS)
def test_shipped_experts_speak_on_the_sample(expert_id: str, frames: FrameBatch) -> None:
    columns = annotate(frames).columns()
    z = columns[f"z_{expert_id}"]
    assert np.nanmax(z) > 0
    assert np.nanmin(z) < 0
    assert 0 < np.mean(columns[f"f_{expert_id}"]) < 0.5


def test_the_mirror_of_the_mirror_is_the_market(frames: FrameBatch) -> None:
    twice = mirrored(mirrored(frames))
    np.testing.assert_allclose(twice.floats, frames.floats, rtol=1e-5)  # the mid is turned about whole units


def test_the_laws_notice_tomorrows_word_said_today(frames: FrameBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [A_Z, A_F, A_CONF]

    def seeing(batch: FrameBatch, experts: ExpertSet | None = None) -> AnnotationBatch:
        honest = annotate(batch, experts)
        values, following = honest.values.copy(), np.roll(honest.values, -1, axis=0)
        both = ~np.isnan(values[:, A_Z]) & ~np.isnan(following[:, A_Z])
        values[np.ix_(both, mine)] = following[np.ix_(both, mine)]
        return dataclasses.replace(honest, values=values)

    monkeypatch.setattr(conformance, "annotate", seeing)
    with pytest.raises(LookAheadError):
        check_expert("sweep_stall", frames)


def test_the_laws_notice_a_pattern_without_a_word(frames: FrameBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def loud(batch: FrameBatch, experts: ExpertSet | None = None) -> AnnotationBatch:
        honest = annotate(batch, experts)
        values = honest.values.copy()
        values[:, A_F:A_CONF] = 1.0
        return dataclasses.replace(honest, values=values)

    monkeypatch.setattr(conformance, "annotate", loud)
    with pytest.raises(SchemaError, match="null z"):
        check_expert("rsi_divergence", dataclasses.replace(frames, floats=np.full_like(frames.floats, np.nan)))
