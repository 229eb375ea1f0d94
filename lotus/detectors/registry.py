"""The detectors that exist: their specifications as data, read from the YAML files beside this module.

A specification fixes expressions, parameters, horizon, band and version; changing any of them is another version. The
active ones are scored. An experimental one is listed, checked and measured by `lotus detector`; it is scored, at the
exploration floor, where the manifest's `detectors.score_experimental` says so.
No signal is computed here. In the literature these are alpha factors with declared horizons.
"""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from lotus.detectors.entry_style import EntryPlan, EntryStyle
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.hashing import natural_id
from lotus.manifest import Manifest
from lotus.memoised import memoised


@cache
def known_detectors() -> tuple[DetectorSpec, ...]:
    """Return every shipped specification, active or experimental, in order of detector_id."""
    return memoised(tuple[DetectorSpec, ...], "detectors", "specs", (), _read)


def _read() -> tuple[DetectorSpec, ...]:
    folder = resources.files("lotus.detectors") / "specs"
    specs = [parse_spec(f.read_text("utf-8"), f.name) for f in folder.iterdir() if f.name.endswith(".yaml")]
    return tuple(sorted(specs, key=lambda s: s.detector_id))


@cache
def shipped_detectors() -> tuple[DetectorSpec, ...]:
    """Return the active detectors in order of detector_id."""
    return tuple(spec for spec in known_detectors() if spec.status == "active")


def scored_detectors(manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the detectors that a manifest scores in order of detector_id; this order is their index everywhere."""
    return known_detectors() if manifest.detectors.score_experimental else shipped_detectors()


def resting_entries() -> dict[str, EntryPlan]:
    """Return how those of all detectors are entered that do not cross, by detector."""
    return {spec.detector_id: spec.entry for spec in known_detectors() if spec.entry.style is not EntryStyle.CROSS}


def specs_ver(detectors: Sequence[DetectorSpec]) -> str:
    """Return the identity of a set of detectors, in order."""
    return natural_id("detectors", *(d.spec_id for d in detectors))
