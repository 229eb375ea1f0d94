"""A detector's file as a candidate: what is named is put in, what is more than a signal is refused."""

import pytest

from lotus.coprocessor.genome import spec_text
from lotus.coprocessor.proposed import genome_of
from lotus.detectors.registry import known_detectors
from lotus.detectors.spec import DetectorSpec, parse_spec
from lotus.errors import ConfigError

FILE = """
detector_id: mine
family: mine
version: 1
idea: Flow leads.
horizon: 30s
band: 20s..160s
best_phase_deg: 270
params:
  span: 10s
  least: -0.5
windows:
  usual: mean(flow, span)
  over: flow - usual
signal: max(over, least)
"""


def spec(text: str = FILE) -> DetectorSpec:
    """Return a person's specification."""
    return parse_spec(text, "mine.yaml")


def test_params_and_windows_stand_in_the_signal() -> None:
    genome = genome_of(spec(), 5_000)
    assert genome.text == "max(flow - mean(flow, 10s), -0.5)"
    assert genome_of(parse_spec(spec_text(genome, 1, "again", "x"), "again"), 5_000).canonical == genome.canonical


@pytest.mark.parametrize("name", ["imbalance_persistence", "compressed_range", "divergence"])
def test_what_is_more_than_a_signal_on_windows_is_refused(name: str) -> None:
    (shipped,) = (d for d in known_detectors() if d.detector_id == name)
    with pytest.raises(ConfigError, match=f"{name} has (frames|triggers|require)"):
        genome_of(shipped, 5_000)
