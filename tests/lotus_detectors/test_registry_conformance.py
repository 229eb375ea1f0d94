"""Every shipped detector keeps the laws on a simulated market, and the laws notice one that does not."""

import dataclasses

import check_detector as conformance
import numpy as np
import pytest
from check_detector import check_detector

from lotus.detectors.registry import known_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL
from lotus.errors import LookAheadError, SchemaError
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

MANIFEST = Manifest()
NAMES = [d.detector_id for d in known_detectors()]


@pytest.fixture(scope="module")
def stretch() -> tuple[FrameBatch, AnnotationBatch]:
    """Forty minutes of the demo world."""
    spec = WorldSpec("demo", 11, 1, sessions=(("08:00", "08:40"),))
    lines = b"".join(text for _, text in World(spec).day_pieces(0))
    universe = tuple(Asset(a.name, a.sz_decimals) for a in spec.assets)
    frames = build_frames(decode_lines(lines, universe)[0], MANIFEST, universe)
    return frames, annotate(frames)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_detectors_keep_the_laws(name: str, stretch) -> None:
    check_detector(known_detectors()[NAMES.index(name)], *stretch, MANIFEST)


def test_shipped_detectors_speak_to_both_sides(stretch) -> None:
    s = build_windows(*stretch, MANIFEST, known_detectors()).floats[:, F_SIGNAL : F_SIGNAL + len(NAMES)]
    for name, values in zip(NAMES, s.T, strict=True):
        share = np.mean(values != 0.0)
        assert 0.002 < share < 0.5, (name, share)
        assert values.min() < 0.0 < values.max(), name


def lopsided() -> DetectorSpec:
    spec = known_detectors()[NAMES.index("imbalance_persistence")]
    return dataclasses.replace(spec, signal="where(abs(held) >= bar, abs(held), 0)", detector_id="lopsided")


def test_a_detector_that_says_the_same_upside_down_is_noticed(stretch) -> None:
    with pytest.raises(SchemaError, match="upside down"):
        check_detector(lopsided(), *stretch, MANIFEST)


def test_a_builder_that_looks_ahead_or_mixes_assets_is_noticed(stretch, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = known_detectors()[0]

    def ahead(frames, annotations, manifest, detectors):
        floats = np.roll(frames.floats, -(len(frames) // 4), axis=0)
        return build_windows(dataclasses.replace(frames, floats=floats), annotations, manifest, detectors)

    def mixed(frames, annotations, manifest, detectors):
        floats = frames.floats + 0.1 * (len(set(frames.ints[:, 0])) > 1)
        return build_windows(dataclasses.replace(frames, floats=floats), annotations, manifest, detectors)

    monkeypatch.setattr(conformance, "build_windows", ahead)
    with pytest.raises(LookAheadError, match=spec.detector_id):
        check_detector(spec, *stretch, MANIFEST)
    monkeypatch.setattr(conformance, "build_windows", mixed)
    with pytest.raises(SchemaError, match=spec.detector_id):
        check_detector(spec, *stretch, MANIFEST)


def test_nothing_is_said_of_nothing(stretch) -> None:
    spec = dataclasses.replace(known_detectors()[0], signal="1", frames=(), windows=(), detector_id="always")
    with pytest.raises(SchemaError, match="null frames"):
        check_detector(spec, *stretch, MANIFEST)
