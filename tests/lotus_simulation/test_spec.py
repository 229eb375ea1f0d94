"""Specifications of worlds: the heavier mix, and worlds that cannot be."""

from dataclasses import replace

import pytest

from lotus.errors import ConfigError
from lotus.simulation.lessons import planted_of
from lotus.simulation.spec import VENUE, WorldSpec
from lotus.simulation.world import World

SPEC = WorldSpec("demo", 5, 2, sessions=(("08:00", "08:20"), ("14:00", "14:20")))


def whole(spec: WorldSpec, day: int, index: int) -> bytes:
    return b"".join(text for _, text in World(spec).span_chunks(day, index))


def test_venue_rates_are_higher() -> None:
    spec = replace(SPEC, rates=VENUE, sessions=(("08:00", "08:05"),))
    text = whole(spec, 0, 0)
    bbo = text.count(b'"channel":"bbo"') / 300 / 3
    assert 7.5 < bbo < 11
    assert text.count(b'"channel":"trades"') / 300 / 3 > 2.0


def test_worlds_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="day index 14"):
        WorldSpec().day(14)
    with pytest.raises(ConfigError, match="at least one"):
        WorldSpec(days=0)
    with pytest.raises(ConfigError, match="demo, null"):
        planted_of("nowhere")
