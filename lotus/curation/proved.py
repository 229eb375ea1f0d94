"""Which versions of detectors were proved before the release: each has a golden row and passed the conformance suite.

A specification that was edited under an old version is not among them. The list is written from
`fixtures/golden-detectors.json`, whose rows a test makes again. (Literature: golden files, release gates.)
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import yaml

from lotus.detectors.spec import DetectorSpec


@cache
def proved_versions() -> Mapping[str, str]:
    """Return the identity of each proved specification by `DETECTOR@VERSION`."""
    text = (resources.files("lotus.curation") / "specs" / "proved.yaml").read_text("utf-8")
    found: Mapping[str, str] = yaml.safe_load(text)
    return found


def is_proved(spec: DetectorSpec) -> bool:
    """Tell whether this very specification has a golden row; asked of those that are shipped as active."""
    return spec.status != "active" or proved_versions().get(f"{spec.detector_id}@{spec.version}") == spec.spec_id
