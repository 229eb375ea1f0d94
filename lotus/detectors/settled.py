"""Detectors that candidates became, in force by day beside those that a manifest scores.

A set holds from a day on that lies after every day it was judged on; which one holds is a function of day and list. A
text that this release cannot read, or that decides over a horizon nothing is evaluated at, is left out, live as in
batch. Nothing is judged here. (Literature: model registry, point-in-time correctness.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.errors import ConfigError, SchemaError
from lotus.hashing import natural_id
from lotus.manifest import Manifest


@dataclass(frozen=True, slots=True)
class DetectorSet:
    """Specifications as text in force from the day `from_day` on, judged on `judged_day`; none: as shipped again."""

    from_day: str
    judged_day: str
    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise `SchemaError` for a set that would hold on a day of its own judgement."""
        if not self.judged_day < self.from_day:
            found = f"detectors in force from {self.from_day}"
            raise SchemaError(found, f"a day after {self.judged_day}", "look-ahead")

    @property
    def version(self) -> str:
        """128-bit hash of the texts."""
        return natural_id("detector_set", *self.texts)


def settled_on(day: str, sets: Sequence[DetectorSet], manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the detectors of the set in force on a day: that of the latest `from_day` up to it; none before any."""
    newest = max((one for one in sets if one.from_day <= day), key=lambda one: one.from_day, default=None)
    return read_settled(newest.texts, manifest) if newest else ()


def ever_settled(sets: Sequence[DetectorSet], manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return every detector that a set ever named."""
    return read_settled(tuple(dict.fromkeys(text for one in sets for text in one.texts)), manifest)


def with_settled(detectors: Sequence[DetectorSpec], settled: Sequence[DetectorSpec]) -> tuple[DetectorSpec, ...]:
    """Return both in order of detector_id; where both have a name, the first ones keep it.

    The order is the index of a detector in all that is scored on a day.
    """
    if not settled:
        return tuple(detectors)
    names = {spec.detector_id for spec in detectors}
    fresh = {spec.detector_id: spec for spec in settled if spec.detector_id not in names}
    return tuple(sorted([*detectors, *fresh.values()], key=lambda spec: spec.detector_id))


def read_settled(texts: tuple[str, ...], manifest: Manifest) -> tuple[DetectorSpec, ...]:
    """Return the specifications of texts that can be scored under a manifest, in their order."""
    read = (_read(text) for text in texts)
    return tuple(spec for spec in read if spec and spec.horizon_s in manifest.outcomes.horizons_s)


@lru_cache(maxsize=256)
def _read(text: str) -> DetectorSpec | None:
    try:
        return parse_spec(text, "a settled detector")
    except ConfigError:
        return None
