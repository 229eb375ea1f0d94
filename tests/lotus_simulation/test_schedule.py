"""Patterns of a day: directions are fair, and they do not overlap."""

import numpy as np
import pytest

from lotus.simulation.market import MarketSpan
from lotus.simulation.schedule import FAMILIES
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

DEMO = WorldSpec("demo", 11, 8)


def spans(spec: WorldSpec) -> list[MarketSpan]:
    world = World(spec)
    return [world.span(day, index) for day in range(spec.days) for index in range(len(spec.sessions))]


@pytest.fixture(scope="module")
def demo() -> list[MarketSpan]:
    return spans(DEMO)


def test_directions_are_fair_and_patterns_do_not_overlap(demo: list[MarketSpan]) -> None:
    directions = [p.episode.direction for s in demo for p in s.planted]
    assert abs(np.mean(directions)) < 4 / np.sqrt(len(directions))
    for span in demo:
        for asset in range(3):
            free = 0
            for planting in span.planted:
                shape = FAMILIES[planting.episode.family]
                if planting.episode.asset == asset and shape.hold_ms:
                    assert planting.episode.onset_ms >= free
                    free = planting.episode.onset_ms + shape.hold_ms
