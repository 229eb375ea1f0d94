"""The null world is the demo without what is planted."""

from dataclasses import replace

from lotus.simulation.lessons import planted_of
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World

SPEC = WorldSpec("demo", 5, 2, sessions=(("08:00", "08:20"), ("14:00", "14:20")))


def test_the_null_world_is_the_demo_without_what_is_planted() -> None:
    demo, null = World(SPEC).span(0, 0), World(replace(SPEC, name="null")).span(0, 0)
    assert any(p.rule for p in demo.planted)
    assert not any(p.rule for p in null.planted)
    assert [p.episode for p in demo.planted] == [p.episode for p in null.planted]
    assert not null.drift.any()
    assert (demo.path[:, :, 2:] == null.path[:, :, 2:]).all()
    assert planted_of("null") == ((), ())
