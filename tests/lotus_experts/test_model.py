"""Experts with a trained or grown part: their weights belong to their hash, and they keep the laws of all experts."""

from importlib.resources import files

import numpy as np
import pytest
from check_expert import _said as said_by
from check_expert import check_expert

from lotus.errors import ConfigError
from lotus.experts.model import export_weights, load_weights, read_weights, weights_hash
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events

from .specs import edited, raw

LEARNED = ("rare_frame", "rare_book", "tape_filter")


@pytest.fixture(scope="module")
def frames() -> FrameBatch:
    return build_frames(sample_events(33, 60_000), Manifest(), Manifest().universe)


@pytest.mark.parametrize("expert_id", LEARNED)
def test_learned_experts_keep_the_laws_and_speak(expert_id: str, frames: FrameBatch) -> None:
    alone = edited(expert_id)
    cost = check_expert(expert_id, frames, alone)
    assert cost.state_bytes < 100_000
    fired, z = said_by(frames, alone).T
    assert np.nanmax(z) > 0 > np.nanmin(z)
    assert 0 < np.mean(fired) < 0.5


def test_the_hash_of_the_shipped_weights_is_that_of_the_spec() -> None:
    model = raw("tape_filter")["model"]
    data = (files("lotus.experts") / "weights" / model["weights"]).read_bytes()
    layers = load_weights(model["weights"], model["hash"])
    assert weights_hash(layers) == model["hash"]
    assert [w.shape for w in layers] == [(4, 5, 8), (4, 8, 8), (6, 8, 1)]
    assert export_weights(read_weights(data, model["hash"])) == export_weights(layers)


def test_weights_with_another_hash_are_refused() -> None:
    layers = load_weights("tape_filter-1.npz", raw("tape_filter")["model"]["hash"])
    changed = (layers[0], layers[1], layers[2] + 1e-6)
    turned = (layers[0].reshape(4, 8, 5), *layers[1:])
    for other in (changed, turned):
        assert weights_hash(other) != weights_hash(layers)
        with pytest.raises(ConfigError, match="another training run"):
            read_weights(export_weights(other), weights_hash(layers))
    model = raw("tape_filter")["model"]
    for wrong in ({"hash": "0" * 32}, {"weights": "absent.npz"}, {"weights": "../specs/fusion.yaml"}):
        with pytest.raises(ConfigError, match=r"tape_filter\.yaml, model\.weights"):
            check_expert("tape_filter", _no_frames(), edited("tape_filter", model=model | wrong))


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        ({"forest": ["imb_1"]}, "half_space or conv1d"),
        ({"half_space": ["imb_1"], "trees": 8, "depth": 6, "window": "2m"}, "no key 'seed'"),
        ({"half_space": ["imb_1"], "trees": 8, "depth": 6, "window": "90m", "seed": 1}, "at most 3600 s"),
        ({"half_space": ["imb_1 > 0"], "trees": 8, "depth": 6, "window": "2m", "seed": 1}, "a flag"),
        ({"half_space": ["ret_bps"], "trees": 8, "depth": 6, "window": "2m", "seed": 1}, "bps"),
        ({"conv1d": ["imb_1"], "weights": "tape_filter-1.npz", "hash": "x"}, "weights with hash"),
    ],
)
def test_bad_models_are_located(model: dict, cause: str) -> None:
    spec = edited(
        "rare_frame", model=model, names=None, params={"gain": 1}, needs=["score"], z="score", f="score > 0.9"
    )
    with pytest.raises(ConfigError, match=cause) as told:
        check_expert("rare_frame", _no_frames(), spec)
    assert "rare_frame.yaml, model" in str(told.value)


def test_operands_must_be_as_many_as_were_trained() -> None:
    model = raw("tape_filter")["model"] | {"conv1d": ["imb_1", "imb_5"]}
    with pytest.raises(ConfigError, match="2 operands"):
        check_expert("tape_filter", _no_frames(), edited("tape_filter", model=model))


def _no_frames() -> FrameBatch:
    return build_frames(sample_events(1, 200), Manifest(), Manifest().universe)
